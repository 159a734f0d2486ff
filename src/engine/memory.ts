// Sizes of memory as people write them.

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
};

/** Bytes of a number or of a text such as '2GB' or '512 MiB'; null for what is not a positive size. */
export function parseMemory(size: unknown): number | null {
  if (typeof size === 'number') return Number.isFinite(size) && size >= 1 ? Math.floor(size) : null;
  if (typeof size !== 'string') return null;
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(size);
  const unit = UNITS[match?.[2]?.toUpperCase() ?? '?'];
  const bytes = unit === undefined ? 0 : Math.floor(Number(match?.[1]) * unit);
  return bytes >= 1 ? bytes : null;
}

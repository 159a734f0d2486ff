// Spans of time as people write them.

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1e3, min: 60e3, h: 3600e3 };

/** What a timer can wait for: a little more than 24 days. */
const MOST = 2 ** 31 - 1;

/** Milliseconds of a number or of a text such as '30s', '2min' or '500ms'; null for what is no positive span of time. */
export function parseTime(span: unknown): number | null {
  const milliseconds = typeof span === 'number' ? span : typeof span === 'string' ? read(span) : NaN;
  return milliseconds >= 1 && milliseconds <= MOST ? milliseconds : null;
}

function read(text: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*$/i.exec(text);
  return Number(match?.[1]) * (UNITS[match?.[2]?.toLowerCase() ?? ''] ?? NaN);
}

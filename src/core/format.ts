// Numbers as people read them, the same in the terminal and in reports.

/** A score with as many digits as tell candidates apart. */
export function formatScore(score: number, digits = 4): string {
  return score.toFixed(Math.abs(score) >= 100 ? Math.max(0, digits - 2) : digits);
}

/** A whole number with thousands separated, for example 12,345. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

const STEPS = [
  [1e18, 'E'],
  [1e15, 'P'],
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const;

/** A large number with three digits and a unit prefix, for example "1.80 T". */
export function formatLarge(value: number): string {
  for (const [size, prefix] of STEPS) {
    if (value >= size * 0.9995) return `${(value / size).toPrecision(3)} ${prefix}`;
  }
  return `${String(Math.round(value))} `;
}

/** Bytes with a unit prefix, for example "1.80 GB". */
export function formatBytes(bytes: number): string {
  return `${formatLarge(bytes)}B`;
}

/** A duration in the unit that fits: "840 ms", "4.21 s", "3 min 20 s", "26 h 5 min". */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 999.5) return `${milliseconds.toFixed(0)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 99.95) return `${seconds.toPrecision(3)} s`;
  const whole = Math.round(seconds);
  if (whole >= 3600) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** A share in per cent, for example "12.4%". */
export function formatPercent(share: number): string {
  return `${(share * 100).toFixed(Math.abs(share) < 0.0995 ? 1 : 0)}%`;
}

/** A gain in standard deviations, with its sign, for example "+1.82"; "n/a" where there is none. */
export function formatGain(gain: number | null): string {
  if (gain === null) return 'n/a';
  return `${gain < 0 ? '-' : '+'}${Math.abs(gain).toFixed(2)}`;
}

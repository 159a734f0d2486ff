// Small statistics: each in its textbook form, tested against values of other programs.

import { normalQuantile } from '../../core/normal.js';

/** The sum over the number; NaN of nothing. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Standard deviation of a sample (n - 1); null for fewer than two values. */
export function deviation(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}

/** The value below which a share of sorted values lies, with straight lines between them (type 7 of Hyndman and Fan, NumPy's default). */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const place = (sorted.length - 1) * Math.min(Math.max(share, 0), 1);
  const [low, high] = [sorted[Math.floor(place)] ?? NaN, sorted[Math.ceil(place)] ?? NaN];
  return low + (high - low) * (place - Math.floor(place));
}

/** Student's t below which a share lies: the normal quantile and four terms in 1 / df (Abramowitz and Stegun, 26.7.5). */
export function tQuantile(share: number, df: number): number {
  const z = normalQuantile(share);
  const [z3, z5, z7, z9] = [z ** 3, z ** 5, z ** 7, z ** 9];
  return (
    z +
    (z3 + z) / (4 * df) +
    (5 * z5 + 16 * z3 + 3 * z) / (96 * df ** 2) +
    (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * df ** 3) +
    (79 * z9 + 776 * z7 + 1482 * z5 - 1920 * z3 - 945 * z) / (92160 * df ** 4)
  );
}

/** Natural logarithms of 0!, 1!, 2!, ... as far as they were asked for. */
const factorials = [0];

function logFactorial(n: number): number {
  for (let i = factorials.length; i <= n; i++) factorials.push((factorials[i - 1] ?? 0) + Math.log(i));
  return factorials[n] ?? NaN;
}

/** ln of n over k; -Infinity where there is no such choice. */
export function logChoose(n: number, k: number): number {
  return k < 0 || k > n ? -Infinity : logFactorial(n) - logFactorial(k) - logFactorial(n - k);
}

/**
 * The exact sign test, two-sided: how often a fair coin falls at least as unevenly; ties do not count. Of pictures that are right or
 * wrong, one a prompt, it is McNemar's exact test.
 */
export function signTest(wins: number, losses: number): number {
  const n = wins + losses;
  const fewer = Math.min(wins, losses);
  const tail = Array.from({ length: fewer + 1 }, (_, k) => Math.exp(logChoose(n, k) - n * Math.LN2));
  return Math.min(1, 2 * tail.reduce((sum, each) => sum + each, 0));
}

/** A straight line y = slope * x + intercept. */
export interface Line {
  readonly slope: number;
  readonly intercept: number;
  /** The share of the variance of y that the line explains; null where y does not vary. */
  readonly r2: number | null;
}

/** The line of least squares; null where x does not vary. */
export function leastSquares(xs: readonly number[], ys: readonly number[]): Line | null {
  const [xMean, yMean] = [mean(xs), mean(ys)];
  const [dx, dy] = [xs.map((x) => x - xMean), ys.map((y) => y - yMean)];
  const dot = (a: readonly number[], b: readonly number[]): number =>
    a.reduce((sum, value, i) => sum + value * (b[i] ?? NaN), 0);
  const [xx, xy, yy] = [dot(dx, dx), dot(dx, dy), dot(dy, dy)];
  if (!(xx > 0)) return null;
  const slope = xy / xx;
  return { slope, intercept: yMean - slope * xMean, r2: yy > 0 ? xy ** 2 / (xx * yy) : null };
}

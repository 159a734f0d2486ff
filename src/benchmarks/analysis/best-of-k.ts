// Random search of every size from one pool: the best of k of its n pictures, averaged over all choices of k of them. The average is
// an unbiased estimate of what a search of k pictures reaches.

import { leastSquares, type Line, logChoose } from './statistics.js';

/** A picture of a pool. */
export interface Pooled {
  readonly score: number;
  /** What is averaged of the picture that is chosen. */
  readonly value: number;
}

/**
 * The expected value of the best of k pictures for each of `ks`. Of pictures with equal scores the first one drawn is taken, which
 * is each of them as often as any other.
 */
export function bestOfK(pool: readonly Pooled[], ks: readonly number[]): readonly number[] {
  const n = pool.length;
  const sorted = [...pool].sort((a, b) => a.score - b.score);
  const values = levelled(sorted);
  return ks.map((k) => {
    const all = logChoose(n, k);
    // The picture at place i (from 0) is the best when the others are among the i before it.
    return values.reduce((sum, value, i) => sum + value * Math.exp(logChoose(i, k - 1) - all), 0);
  });
}

/** Pictures of equal scores all get their mean. */
function levelled(sorted: readonly Pooled[]): readonly number[] {
  const values: number[] = [];
  for (let from = 0; from < sorted.length;) {
    let until = from;
    let sum = 0;
    while (until < sorted.length && sorted[until]?.score === sorted[from]?.score) {
      sum += sorted[until]?.value ?? 0;
      until++;
    }
    for (let i = from; i < until; i++) values.push(sum / (until - from));
    from = until;
  }
  return values;
}

/** The chance that k of n pictures hold one of `right` right ones. */
export function holdsRight(n: number, right: number, k: number): number {
  return 1 - Math.exp(logChoose(n - right, k) - logChoose(n, k));
}

/** Sizes up to n that stand evenly on a logarithmic axis: 1, 2, 3, 4, 6, 8, 11, 16, ... and n itself. */
export function sizesUpTo(n: number): readonly number[] {
  const sizes = new Set<number>();
  for (let step = 0; 2 ** (step / 2) < n; step++) sizes.add(Math.round(2 ** (step / 2)));
  if (n >= 1) sizes.add(n);
  return [...sizes];
}

/** The line a * ln(k) + b through a curve. */
export function logFit(ks: readonly number[], curve: readonly number[]): Line | null {
  return leastSquares(ks.map(Math.log), curve);
}

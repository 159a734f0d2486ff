// The expected best of k against all choices of k, counted one by one in Python (itertools.combinations, np.mean).

import { describe, expect, it } from 'vitest';

import { bestOfK, holdsRight, logFit, sizesUpTo } from './best-of-k.js';

const SCORES = [0.3, -1.2, 2.5, 0.7, 0.7, 1.9, -0.4];
const RIGHT = [1, 0, 0, 1, 0, 1, 1];

describe('bestOfK', () => {
  it('is the mean of the best over all choices', () => {
    const pool = SCORES.map((score) => ({ score, value: score }));
    const [one, two, three, all] = bestOfK(pool, [1, 2, 3, 7]);
    expect(one).toBeCloseTo(0.6428571428571429, 12);
    expect(two).toBeCloseTo(1.4095238095238092, 12);
    expect(three).toBeCloseTo(1.8028571428571427, 12);
    expect(all).toBeCloseTo(2.5, 12);
  });

  it('averages what is chosen where scores are equal', () => {
    const pool = SCORES.map((score, i) => ({ score, value: RIGHT[i] ?? 0 }));
    const [one, two, three, all] = bestOfK(pool, [1, 2, 3, 7]);
    expect(one).toBeCloseTo(0.5714285714285714, 12);
    expect(two).toBeCloseTo(0.5476190476190477, 12);
    expect(three).toBeCloseTo(0.44285714285714284, 12);
    expect(all).toBeCloseTo(0, 12);
  });

  it('does not depend on the order of the pool', () => {
    const pool = SCORES.map((score, i) => ({ score, value: RIGHT[i] ?? 0 }));
    const turned = bestOfK(pool.toReversed(), [1, 2, 3]);
    bestOfK(pool, [1, 2, 3]).forEach((value, i) => {
      expect(turned[i]).toBeCloseTo(value, 12);
    });
  });
});

describe('holdsRight', () => {
  it('is the share of choices with a right picture', () => {
    expect(holdsRight(7, 4, 2)).toBeCloseTo(0.8571428571428571, 12);
    expect(holdsRight(7, 4, 3)).toBeCloseTo(0.9714285714285714, 12);
    expect(holdsRight(7, 4, 4)).toBe(1);
    expect(holdsRight(5, 0, 3)).toBe(0);
  });
});

describe('sizesUpTo', () => {
  it('ends with the pool itself', () => {
    expect(sizesUpTo(45)).toEqual([1, 2, 3, 4, 6, 8, 11, 16, 23, 32, 45]);
    expect(sizesUpTo(1)).toEqual([1]);
  });
});

describe('logFit', () => {
  it('finds the law that a curve follows', () => {
    const ks = sizesUpTo(30);
    const line = logFit(
      ks,
      ks.map((k) => 0.7 * Math.log(k) - 0.2),
    );
    expect(line?.slope).toBeCloseTo(0.7, 12);
    expect(line?.intercept).toBeCloseTo(-0.2, 12);
    expect(line?.r2).toBeCloseTo(1, 12);
  });
});

// Intervals: the same at all times, as wide as closed forms say, and right as often as they claim.

import { describe, expect, it } from 'vitest';

import { RandomKey } from '../../core/random.js';
import { Bootstrap, sideOf, weightedMean } from './bootstrap.js';
import { mean } from './statistics.js';

const normals = (seed: number, n: number): readonly number[] => [...RandomKey.fromSeed(seed).normal(n)];

describe('an interval of a mean', () => {
  it('is that of theory for a large sample', () => {
    const values = normals(5, 400);
    const { value, low, high } = new Bootstrap().mean(values);
    const error = Math.sqrt(values.reduce((sum, each) => sum + (each - value) ** 2, 0) / 399 / 400);
    expect(value).toBe(mean(values));
    expect(Math.abs(((high ?? NaN) - (low ?? NaN)) / (2 * 1.966 * error) - 1)).toBeLessThan(0.06);
  });

  it('is the same for the same values, and depends on the seed of the resamples', () => {
    const values = normals(7, 30);
    expect(new Bootstrap().mean(values)).toEqual(new Bootstrap().mean(values));
    expect(new Bootstrap({ seed: 1 }).mean(values)).not.toEqual(new Bootstrap().mean(values));
  });

  // The error of such a share of 400 is 1.1 points.
  it.each([
    [12, 'normal', (seed: number) => normals(seed, 12)],
    [40, 'wins and losses', (seed: number) => normals(seed, 40).map((z) => (z > 1 ? 1 : z < -1 ? -1 : 0))],
  ])('of %i values (%s) holds the truth in 95 of 100 samples', (_, __, sampleOf) => {
    const bootstrap = new Bootstrap({ resamples: 400 });
    const held = Array.from({ length: 400 }, (___, i) => {
      const { low, high } = bootstrap.mean(sampleOf(1000 + i));
      return low !== null && high !== null && low <= 0 && high >= 0;
    }).filter(Boolean).length;
    expect(held / 400).toBeGreaterThan(0.915);
    expect(held / 400).toBeLessThan(0.985);
  });

  it('is none for few values, and where all are the same', () => {
    const bootstrap = new Bootstrap();
    expect(bootstrap.mean([1, 2, 3, 4])).toEqual({ value: 2.5, low: null, high: null });
    expect(bootstrap.mean(Array<number>(20).fill(0.1))).toMatchObject({ low: null, high: null });
    expect(bootstrap.mean([])).toMatchObject({ value: NaN, low: null });
  });
});

describe('an interval of a ratio', () => {
  const over = (a: readonly number[], b: readonly number[]) => (weights: Uint16Array) =>
    weightedMean(a, weights) / weightedMean(b, weights);

  it('is narrow where both vary together', () => {
    const b = normals(3, 50).map((z) => 2 + z);
    const { value, low, high } = new Bootstrap().estimate(
      50,
      over(
        b.map((each) => 2 * each + 0.01),
        b,
      ),
    );
    expect(value).toBeCloseTo(2, 1);
    expect((high ?? NaN) - (low ?? NaN)).toBeLessThan(0.01);
  });

  it('is none where too many resamples have none', () => {
    const b = [1, 0, 0, 0, 0, 0];
    expect(new Bootstrap().estimate(6, over([1, 1, 1, 1, 1, 2], b))).toMatchObject({ low: null, high: null });
  });
});

describe('sideOf', () => {
  it('tells where an interval lies', () => {
    expect(sideOf({ value: 2, low: 1, high: 3 })).toBe('above');
    expect(sideOf({ value: -2, low: -3, high: -1 })).toBe('below');
    expect(sideOf({ value: 2, low: -1, high: 3 })).toBe('both');
    expect(sideOf({ value: 2, low: null, high: null })).toBe('both');
  });
});

import { describe, expect, it } from 'vitest';

import { normalQuantile, normalShare } from './normal.js';

describe('the normal distribution', () => {
  // Abramowitz and Stegun, "Handbook of Mathematical Functions", table 26.1.
  it.each([
    [0, 0.5],
    [0.5, 0.6914624612740131],
    [1, 0.8413447460685429],
    [1.96, 0.9750021048517795],
    [3, 0.9986501019683699],
    [-1, 0.15865525393145707],
    [-4, 3.167124183311986e-5],
  ])('has below %d the share %d', (value, share) => {
    expect(Math.abs(normalShare(value) / share - 1)).toBeLessThan(2e-7);
  });

  it('never gives a whole share, nor falls', () => {
    const shares = Array.from({ length: 2001 }, (_, i) => normalShare((i - 1000) / 100));
    expect(shares.every((share) => share > 0 && share < 1)).toBe(true);
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
  });

  it('has quantiles that are the way back', () => {
    for (const share of [1e-6, 0.001, 0.02, 0.3, 0.5, 0.7, 0.99, 0.999_999]) {
      expect(Math.abs(normalShare(normalQuantile(share)) - share)).toBeLessThan(1e-7);
      expect(Math.abs(normalQuantile(share) + normalQuantile(1 - share))).toBeLessThan(1e-5);
    }
    expect(normalQuantile(0.975)).toBeCloseTo(1.959964, 5);
  });

  it('has finite quantiles for all shares that are drawn, and for 0 and 1', () => {
    for (const share of [0, 2 ** -32, 1 - 2 ** -32, 1]) {
      expect(Math.abs(normalQuantile(share))).toBeLessThan(7);
    }
    expect(normalQuantile(2 ** -32)).toBeGreaterThan(normalQuantile(0));
    expect(normalQuantile(1 - 2 ** -32)).toBeLessThan(normalQuantile(1));
  });
});

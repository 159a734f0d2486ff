// Statistics against values of other programs: SciPy 1.17.1 and NumPy 2.4.6, or closed forms.

import { describe, expect, it } from 'vitest';

import { deviation, leastSquares, logChoose, quantile, signTest, tQuantile } from './statistics.js';

describe('quantile', () => {
  // np.quantile([1, 2, 4, 8, 16], p)
  it.each([
    [0.1, 1.4],
    [0.5, 4],
    [0.9, 12.8],
  ])('of the share %f', (share, expected) => {
    expect(quantile([1, 2, 4, 8, 16], share)).toBeCloseTo(expected, 12);
  });
});

describe('deviation', () => {
  it('divides by n - 1, and is nothing for one value', () => {
    expect(deviation([1, 2, 4, 8, 16])).toBeCloseTo(6.099180272790763, 12);
    expect(deviation([3])).toBeNull();
  });
});

describe('tQuantile', () => {
  // stats.t.ppf(share, df)
  it.each([
    [0.975, 4, 2.7764451051977934],
    [0.975, 9, 2.262157162798205],
    [0.975, 19, 2.0930240544083087],
    [0.975, 199, 1.9719565442517533],
    [0.9, 6, 1.4397557472651483],
  ])('of the share %f with %i degrees of freedom', (share, df, expected) => {
    expect(Math.abs(tQuantile(share, df) - expected)).toBeLessThan(3e-3);
  });
});

describe('signTest', () => {
  // stats.binomtest(wins, wins + losses).pvalue
  it.each([
    [8, 2, 0.109375],
    [31, 18, 0.08543313315739454],
    [5, 5, 1],
    [0, 4, 0.125],
    [120, 80, 0.005685155996750306],
    [0, 0, 1],
  ])('of %i wins and %i losses', (wins, losses, expected) => {
    expect(signTest(wins, losses)).toBeCloseTo(expected, 9);
    expect(signTest(losses, wins)).toBeCloseTo(expected, 9);
  });
});

describe('logChoose', () => {
  it('is the logarithm of a choice, and of none where there is no such choice', () => {
    expect(Math.exp(logChoose(10, 3))).toBeCloseTo(120, 9);
    expect(Math.exp(logChoose(2, 3))).toBe(0);
  });
});

describe('leastSquares', () => {
  it('is the line of another program', () => {
    // stats.linregress(np.log([1, 2, 3, 4, 6, 8, 11]), [0.1, 0.8, 1.0, 1.4, 1.7, 1.8, 2.2])
    const line = leastSquares([1, 2, 3, 4, 6, 8, 11].map(Math.log), [0.1, 0.8, 1.0, 1.4, 1.7, 1.8, 2.2]);
    expect(line?.slope).toBeCloseTo(0.8475243889616386, 12);
    expect(line?.intercept).toBeCloseTo(0.1419014103081908, 12);
    expect(line?.r2).toBeCloseTo(0.9893310853411698, 12);
  });

  it('knows where there is no line, and nothing to explain', () => {
    expect(leastSquares([2, 2], [1, 3])).toBeNull();
    expect(leastSquares([1, 2], [3, 3])).toMatchObject({ slope: 0, r2: null });
  });
});

// What is said of a coin that seems to gain, or to lose.

import { expect, it } from 'vitest';

import { type CoinCheck, coinWords } from './control.js';
import type { CellRuns } from './join-runs.js';
import { RIGHT } from './metrics.js';

const cell = {
  strategy: 'beam',
  model: 'toybox',
  budget: { most: 35, unit: 'NFE' },
  pictures: [],
  planned: 0,
} as unknown as CellRuns;
const check = (low: number, high: number): CoinCheck => ({
  cell,
  against: 'first picture',
  metric: RIGHT,
  gain: { value: (low + high) / 2, low, high },
});

it('is a fault of the measurement on either side of 0', () => {
  expect(coinWords([check(-0.1, 0.1)], null)).toContain('as it should be (the interval holds 0)');
  expect(coinWords([check(0.1, 0.2), check(-0.1, 0.1)], null)).toContain('1 of 2 intervals do not hold 0');
  expect(coinWords([check(-0.2, -0.1), check(-0.1, 0.1)], null)).toContain('1 of 2 intervals do not hold 0');
  expect(coinWords([], null)).toBe('Negative control: none of these runs is guided by a coin.');
});

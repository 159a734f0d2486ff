// Numbers in and out of words: format.ts and memory.ts.

import { describe, expect, it } from 'vitest';

import { formatCount, formatDuration, formatLarge, formatPercent, formatScore } from '../core/format.js';
import { parseMemory } from '../engine/memory.js';

describe('formats', () => {
  it.each([
    [formatScore(0.123456), '0.1235'],
    [formatScore(-0.5, 6), '-0.500000'],
    [formatScore(123.456), '123.46'],
    [formatCount(1646641), '1,646,641'],
    [formatLarge(1.8e12), '1.80 T'],
    [formatLarge(999_999), '1.00 M'],
    [formatLarge(12), '12 '],
    [formatDuration(0), '0 ms'],
    [formatDuration(999.7), '1.00 s'],
    [formatDuration(18_550), '18.6 s'],
    [formatDuration(200_000), '3 min 20 s'],
    [formatDuration(119_700), '2 min 0 s'],
    [formatPercent(0.142), '14%'],
    [formatPercent(0.0123), '1.2%'],
  ])('%s', (text, expected) => {
    expect(text).toBe(expected);
  });
});

describe('parseMemory', () => {
  it.each([
    [5, 5],
    ['2GB', 2e9],
    ['1.5 GiB', 1.5 * 2 ** 30],
    ['512mb', 512e6],
    ['100', 100],
    ['0', null],
    [-1, null],
    [NaN, null],
    ['GB', null],
    ['1e9', null],
    ['2 parsecs', null],
    ['1constructor', null],
    [true, null],
  ])('%j is %j bytes', (size, bytes) => {
    expect(parseMemory(size)).toBe(bytes);
  });
});

import { describe, expect, it } from 'vitest';

import { rotaryTables } from './rotary.js';
import { officialSchedule, tokensBefore } from './schedule.js';

describe('rotary tables', () => {
  it('stretch positions to the last scale of the full schedule, rows in the first half of the pairs', () => {
    const schedule = officialSchedule('0.06M');
    const tables = rotaryTables(schedule, 8); // 4 pairs: two for rows, two for columns
    const second = tables[1]; // 2 x 2, stretched to 64: rows and columns 0 and 32
    expect(second?.tokens).toBe(4);
    const angle = (token: number, pair: number): number =>
      Math.atan2(second?.sin[token * 4 + pair] ?? 0, second?.cos[token * 4 + pair] ?? 0);
    const wrapped = (x: number): number => Math.atan2(Math.sin(x), Math.cos(x));
    expect(angle(1, 0)).toBeCloseTo(0, 5); // token 1 is row 0, column 32
    expect(angle(1, 2)).toBeCloseTo(wrapped(32), 5);
    expect(angle(2, 0)).toBeCloseTo(wrapped(32), 5); // token 2 is row 32, column 0
    expect(angle(2, 1)).toBeCloseTo(wrapped(32 / 100), 5); // 10000 ** (2 / 4) = 100
    expect(angle(2, 2)).toBeCloseTo(0, 5);
  });

  it('round halves to the even number, as torch does', () => {
    // Ratio 3 ends at 111 x 37, so that the second of two places is at 55.5 and 18.5.
    const [, second] = rotaryTables(officialSchedule('0.06M', 3), 4); // 2 pairs: one for rows, one for columns
    const cosine = (token: number, pair: number): number => second?.cos[token * 2 + pair] ?? NaN;
    expect(cosine(1, 1)).toBeCloseTo(Math.cos(18), 5);
    expect(cosine(2, 0)).toBeCloseTo(Math.cos(56), 5);
    expect(cosine(3, 0)).toBeCloseTo(Math.cos(56), 5);
    expect(cosine(3, 1)).toBeCloseTo(Math.cos(18), 5);
  });

  it('cover every token of every scale', () => {
    const schedule = officialSchedule('1M', 1.333);
    const tables = rotaryTables(schedule, 64);
    const total = tables.reduce((sum, { tokens }) => sum + tokens, 0);
    expect(total).toBe(tokensBefore(schedule.scales, schedule.scales.length));
    for (const { tokens, cos, sin } of tables) {
      expect(cos).toHaveLength(tokens * 32);
      expect(cos.every((c, i) => Math.abs(c * c + (sin[i] ?? 0) ** 2 - 1) < 1e-5)).toBe(true);
    }
  });

  it('refuse heads that cannot be split over two axes', () => {
    expect(() => rotaryTables(officialSchedule('0.06M'), 6)).toThrow('head width 6 is not a multiple of 4');
  });
});

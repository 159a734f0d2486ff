import { describe, expect, it } from 'vitest';

import { Ledger, type LedgerRecord } from '../core/ledger.js';
import { clock, outlook } from './time-left.js';

/** A ledger of so many operations, decoded and judged pictures, at 1 ms, 10 ms and 5 ms each. */
function ledger(flops: number, decoded: number, judged: number): LedgerRecord {
  const own = new Ledger();
  own.add({ transformerFlops: flops, imagesDecoded: decoded, imagesVerified: judged });
  own.addTime('load', 1e6);
  own.addTime('transformer', flops);
  own.addTime('decoder', 10 * decoded);
  own.addTime('verifier', 5 * judged);
  return own.record();
}

const cost = { flops: 1000, images: 20 };

describe('outlook', () => {
  it('goes on at the rate of each part', () => {
    const all = 1000 + 200 + 2 * 100;
    const now = outlook({ cost, judges: 2, ledger: ledger(500, 5, 10), elapsed: 600 });
    expect(now.left).toBeCloseTo(all - 600);
    expect(now.share).toBeCloseTo(600 / all);
    expect(outlook({ cost, judges: 2, ledger: ledger(1000, 20, 40), elapsed: all })).toEqual({
      share: 1,
      left: 0,
    });
  });

  it('takes into account what is done besides', () => {
    const { left } = outlook({ cost, judges: 1, ledger: ledger(500, 10, 10), elapsed: 2 * 650 });
    expect(left).toBeCloseTo(2 * 650);
  });

  it('knows a share at once, and a time when each part was done once', () => {
    expect(outlook({ cost, judges: 1, ledger: ledger(0, 0, 0), elapsed: 0 })).toEqual({
      share: 0,
      left: null,
    });
    expect(outlook({ cost, judges: 1, ledger: ledger(250, 0, 0), elapsed: 250 })).toEqual({
      share: 0.25,
      left: null,
    });
    expect(
      outlook({ cost: { flops: 0, images: 4 }, judges: 1, ledger: ledger(0, 1, 1), elapsed: 15 }).left,
    ).toBe(45);
  });

  it('ends where a cost was a bound only', () => {
    const { share, left } = outlook({ cost, judges: 1, ledger: ledger(2000, 25, 25), elapsed: 2500 });
    expect([share, left]).toEqual([1, 0]);
  });
});

it.each([
  [0, '0 s'],
  [12_400, '12 s'],
  [59_600, '1 min 0 s'],
  [200_000, '3 min 20 s'],
  [7_500_000, '2 h 5 min'],
])('clock(%d): %s', (milliseconds, words) => {
  expect(clock(milliseconds)).toBe(words);
});

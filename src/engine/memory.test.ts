// The budget that runs share: who comes first goes first, nobody is locked out, and all comes back.

import { describe, expect, it } from 'vitest';

import { MemoryBudget, parseMemory } from './memory.js';

/** Work that ends when it is told. */
function job(budget: MemoryBudget, bytes: number, signal?: AbortSignal) {
  let finish: () => void = () => undefined;
  const state = { began: false, waited: NaN };
  const done = budget.withReserved(
    bytes,
    async (reservation, waited) => {
      expect(reservation.bytes).toBe(bytes);
      Object.assign(state, { began: true, waited });
      await new Promise<void>((resolve) => (finish = resolve));
    },
    signal,
  );
  return { done, state, finish: () => finish() };
}
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a memory budget', () => {
  it('lets in who fits, in the order in which they came', async () => {
    const budget = new MemoryBudget(10);
    const [small, large, tiny] = [job(budget, 6), job(budget, 9), job(budget, 1)];
    await turn();
    // One byte would fit, but who came before does not wait longer for it.
    expect([small, large, tiny].map(({ state }) => state.began)).toEqual([true, false, false]);
    expect(small.state.waited).toBe(0);
    small.finish();
    await turn();
    expect([large, tiny].map(({ state }) => state.began)).toEqual([true, true]);
    expect(large.state.waited).toBeGreaterThan(0);
    expect(budget.free).toBe(0);
    large.finish();
    tiny.finish();
    await Promise.all([small, large, tiny].map(({ done }) => done));
    expect(budget.free).toBe(10);
  });

  it('goes on behind one that is cancelled or fails', async () => {
    const budget = new MemoryBudget(10);
    const first = job(budget, 6);
    const controller = new AbortController();
    const waiting = job(budget, 9, controller.signal);
    const last = job(budget, 4);
    const reason = new Error('not wanted any more');
    controller.abort(reason);
    await expect(waiting.done).rejects.toBe(reason);
    await turn();
    expect(last.state.began).toBe(true);
    await expect(budget.withReserved(0, () => Promise.reject(new Error('mine')))).rejects.toThrow('mine');
    const aborted = budget.withReserved(1, () => Promise.resolve(), AbortSignal.abort(reason));
    await expect(aborted).rejects.toBe(reason);
    first.finish();
    last.finish();
    await Promise.all([first.done, last.done]);
    expect(budget.free).toBe(10);
    await expect(budget.withReserved(11, () => Promise.resolve())).rejects.toThrow(RangeError);
  });
});

describe('a size of memory', () => {
  it('is bytes, or a number with a unit', () => {
    const sizes = [1, 1.5, '1', '2KB', '1.5 MB', '2gib', '3 KiB'];
    expect(sizes.map(parseMemory)).toEqual([1, 1, 1, 2000, 1.5e6, 2 ** 31, 3072]);
    for (const wrong of [0, NaN, Infinity, '', '0', '-1', '2 parsecs', null]) {
      expect(parseMemory(wrong)).toBeNull();
    }
  });
});

import { describe, expect, it } from 'vitest';

import { startRun } from './live-run.js';

async function collect<T>(events: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const event of events) all.push(event);
  return all;
}

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a live run', () => {
  it('gives every listener all events, whenever it begins to listen', async () => {
    const run = startRun<number, string>(async (emit) => {
      for (let i = 0; i < 3; i++) {
        emit(i);
        await tick();
      }
      return 'done';
    });
    const early = collect(run);
    await tick();
    const middle = collect(run);
    expect(await run.result).toBe('done');
    expect([await early, await middle, await collect(run)]).toEqual([
      [0, 1, 2],
      [0, 1, 2],
      [0, 1, 2],
    ]);
  });

  it('fails in both places, after the events until then, and not as an unhandled rejection', async () => {
    const run = startRun<number, never>(async (emit) => {
      emit(1);
      await tick();
      throw new Error('broken');
    });
    await tick();
    await tick();
    const seen: number[] = [];
    await expect(async () => {
      for await (const event of run) seen.push(event);
    }).rejects.toThrow('broken');
    expect(seen).toEqual([1]);
    await expect(run.result).rejects.toThrow('broken');
  });

  it('goes on when a listener leaves early', async () => {
    const run = startRun<number, string>(async (emit) => {
      emit(1);
      await tick();
      emit(2);
      return 'done';
    });
    const iterator = run[Symbol.asyncIterator]();
    expect(await iterator.next()).toEqual({ done: false, value: 1 });
    await iterator.return?.();
    expect(await run.result).toBe('done');
  });
});

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';

import { startRun } from './live-run.js';

async function collect<T>(events: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const event of events) all.push(event);
  return all;
}

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Emits 0, 1, 2, one a tick. */
const counting = () =>
  startRun<number, string>(async (emit) => {
    for (let i = 0; i < 3; i++) {
      emit(i);
      await tick();
    }
    return 'done';
  });

describe('a live run', () => {
  it('gives the first listener all events, whenever it begins to listen', async () => {
    const run = counting();
    expect(await run.result).toBe('done');
    expect(await collect(run)).toEqual([0, 1, 2]);
  });

  it('gives later listeners what happens from then on, and keeps nothing that was read', async () => {
    const run = counting();
    const first = collect(run);
    await tick();
    const second = collect(run);
    expect(await first).toEqual([0, 1, 2]);
    const late = await second;
    expect(late.length).toBeLessThan(3);
    expect([0, 1, 2].slice(-late.length)).toEqual(late);
    expect(await collect(run)).toEqual([]);
  });

  it('collects nothing for an iterator that was left before its first event', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    let last: WeakRef<object> | undefined;
    const run = startRun<object, string>(async (emit) => {
      await tick();
      const event = {};
      last = new WeakRef(event);
      emit(event);
      return 'done';
    });
    const iterator = run[Symbol.asyncIterator]();
    await iterator.return?.();
    expect(await run.result).toBe('done');
    await new Promise((resolve) => setTimeout(resolve, 20));
    collectGarbage();
    expect(last?.deref()).toBeUndefined();
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  it('lets an iterator go that is left while it waits', async () => {
    let end = (): void => undefined;
    const run = startRun<number, string>(async () => {
      await new Promise<void>((resolve) => (end = resolve));
      return 'done';
    });
    const iterator = run[Symbol.asyncIterator]();
    const waiting = iterator.next();
    await tick();
    await iterator.return?.();
    expect(await waiting).toEqual({ done: true, value: undefined });
    end();
    expect(await run.result).toBe('done');
  });

  it('lets the oldest events go where very many wait for a first listener', async () => {
    const run = startRun<number, string>(async (emit) => {
      for (let i = 0; i < 10_005; i++) emit(i);
      await tick();
      return 'done';
    });
    await run.result;
    const events = await collect(run);
    expect([events.length, events[0], events.at(-1)]).toEqual([10_000, 5, 10_004]);
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

import { describe, expect, it } from 'vitest';

import { createGate, linkSignals, mapAtOnce } from './signals.js';

const never = new AbortController().signal;

/** Work that ends when it is told to. */
function held(): { done: Promise<void>; end: () => void } {
  let end = (): void => {};
  const done = new Promise<void>((resolve) => (end = resolve));
  return { done, end };
}

/** Lets everything that can go on without waiting go on. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('linked signals', () => {
  it('follow the first that is aborted, with its reason', () => {
    const [a, b] = [new AbortController(), new AbortController()];
    const link = linkSignals(a.signal, undefined, b.signal);
    b.abort('b');
    a.abort('a');
    expect(link.signal.reason).toBe('b');
    expect(linkSignals(a.signal).signal.reason).toBe('a');
  });

  it('follow no more after their release', () => {
    const a = new AbortController();
    const link = linkSignals(a.signal);
    link.release();
    a.abort();
    expect(link.signal.aborted).toBe(false);
  });
});

describe('a gate', () => {
  it('lets a few through at once, in their order', async () => {
    const gate = createGate(2);
    const works = [held(), held(), held(), held()];
    const started: number[] = [];
    const runs = works.map(({ done }, i) =>
      gate.run(() => {
        started.push(i);
        return done;
      }, never),
    );
    await settle();
    expect(started).toEqual([0, 1]);
    works[1]?.end();
    await settle();
    expect(started).toEqual([0, 1, 2]);
    for (const { end } of works) end();
    await Promise.all(runs);
    expect(started).toEqual([0, 1, 2, 3]);
  });

  it('stays open after failures', async () => {
    const gate = createGate(1);
    const failing = gate.run(() => Promise.reject(new Error('no')), never);
    const waiting = gate.run(() => Promise.resolve('through'), never);
    await expect(failing).rejects.toThrow('no');
    expect(await waiting).toBe('through');
    expect(await gate.run(() => Promise.resolve('again'), never)).toBe('again');
  });

  it('lets who waits go when the signal is aborted', async () => {
    const gate = createGate(1);
    const first = held();
    const controller = new AbortController();
    const running = gate.run(() => first.done, never);
    const waiting = gate.run(() => Promise.resolve(), controller.signal);
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await expect(gate.run(() => Promise.resolve(), controller.signal)).rejects.toThrow('enough');
    first.end();
    await running;
    expect(await gate.run(() => Promise.resolve('next'), never)).toBe('next');
  });
});

describe('work on many items', () => {
  it('keeps the order and its limit', async () => {
    let [running, most] = [0, 0];
    const items = Array.from({ length: 20 }, (_, i) => i);
    const results = await mapAtOnce(
      items,
      async (item) => {
        most = Math.max(most, ++running);
        for (let i = 0; i < (item * 7) % 5; i++) await settle();
        running--;
        return item * 2;
      },
      { limit: 3, signal: never },
    );
    expect(results).toEqual(items.map((item) => item * 2));
    expect(most).toBe(3);
  });

  it('ends all work at the first failure, and starts no more', async () => {
    const started: number[] = [];
    const ended: unknown[] = [];
    const failing = mapAtOnce(
      [0, 1, 2, 3, 4],
      async (item, signal) => {
        started.push(item);
        if (item === 1) throw new Error('item 1');
        await new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            ended.push(signal.reason);
            reject(new Error('a consequence'));
          });
        });
      },
      { limit: 3, signal: never },
    );
    await expect(failing).rejects.toThrow('item 1');
    expect(started).toEqual([0, 1, 2]);
    expect(ended).toEqual([new Error('item 1'), new Error('item 1')]);
  });

  it('has nothing to do for no items', async () => {
    expect(await mapAtOnce([], () => Promise.reject(new Error()), { limit: 3, signal: never })).toEqual([]);
  });
});

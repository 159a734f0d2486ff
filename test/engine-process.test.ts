// What becomes of a search, and of an open varsearch, when the process that the engine lives in is killed.

import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { HeldEngine } from '../src/engine/held-engine.js';
import { openVarsearch, RuntimeError } from '../src/index.js';
import { createRuntime } from '../src/runtime/index.js';

afterEach(() => {
  vi.unstubAllEnvs();
});

/** The processes that this one has started and that run now. */
function children(): Set<number> {
  const tasks = readdirSync('/proc/self/task');
  const lists = tasks.map((task) => readFileSync(`/proc/self/task/${task}/children`, 'utf8'));
  return new Set(lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number)));
}

// Linux alone tells in files what a process has started.
describe.skipIf(process.platform !== 'linux')('an open varsearch whose process is killed', () => {
  it(
    'fails the search under way with one error, keeps its best, and opens again',
    { timeout: 300_000 },
    async () => {
      vi.stubEnv('VARSEARCH_ENGINE', 'process');
      const before = children();
      await using varsearch = await openVarsearch();
      const [engine, ...others] = [...children()].filter((pid) => !before.has(pid));
      if (engine === undefined) throw new Error('no process was started');
      expect(others).toEqual([]);

      const options = { prompt: 'a red star', strategy: 'random', images: 5, seed: 3 } as const;
      const run = varsearch.generate({ ...options, images: 200 });
      const fault = 'RuntimeError: The engine was ended by SIGKILL, as the system does when memory runs out.';
      const iterate = async (): Promise<void> => {
        for await (const event of run) if (event.type === 'judged') process.kill(engine, 'SIGKILL');
      };
      const failure: unknown = await iterate().catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(RuntimeError);
      expect(String(failure)).toBe(fault);
      await expect(run.result).rejects.toBe(failure);
      const best = await run.soFar();
      expect(best).toMatchObject({ complete: false, candidates: { length: 4 } });

      const [again, beside] = await Promise.all([0, 1].map(() => varsearch.generate(options).result));
      expect(again?.candidates.slice(0, 4)).toEqual(best?.candidates);
      expect(beside?.recipe.pixels).toBe(again?.recipe.pixels);
      // One process for both, and none is left of the first.
      const now = [...children()].filter((pid) => !before.has(pid));
      expect(now).toHaveLength(1);
      expect(now).not.toContain(engine);

      // This process has loaded no library of the engine, so that another version of it may be here.
      const library = /onnxruntime_binding|libonnxruntime/;
      expect(readFileSync('/proc/self/maps', 'utf8')).not.toMatch(library);
      vi.stubEnv('VARSEARCH_ENGINE', 'thread');
      const runtime = await createRuntime({ threads: 1 });
      await runtime.stats();
      await runtime.close();
      expect(readFileSync('/proc/self/maps', 'utf8')).toMatch(library);
    },
  );
});

describe('an engine that is held', () => {
  it('is tried again when it could not be opened again, and closed once', async () => {
    let [opened, closed, broken, fails] = [0, 0, false, false];
    const open = (): Promise<never> => {
      if (fails) return Promise.reject(new Error('not now'));
      opened++;
      const close = (): Promise<void> => {
        closed++;
        return Promise.resolve();
      };
      return Promise.resolve({ isBroken: () => broken, close } as never);
    };
    const held = await HeldEngine.open(open);
    const first = await held.engine();
    expect(await held.engine()).toBe(first);
    [broken, fails] = [true, true];
    await expect(held.engine()).rejects.toThrow('not now');
    await expect(held.engine()).rejects.toThrow('not now');
    expect([opened, closed]).toEqual([1, 1]);
    [broken, fails] = [false, false];
    const [one, other] = await Promise.all([held.engine(), held.engine()]);
    expect(one).toBe(other);
    expect(one).not.toBe(first);
    await held.close();
    expect([opened, closed]).toEqual([2, 2]);
  });
});

// Runs that share the memory of an engine: each keeps within what it has set aside, and none locks another out.

import { describe, expect, it } from 'vitest';

import { generate, openVarsearch, UsageError } from '../src/index.js';
import { memoryNeed, resolveSearch, type SearchOptions } from '../src/search/registry.js';
import { resolveJury } from '../src/verifiers/jury.js';
import { fakeCatalogs } from './fakes/catalogs.js';
import { cliBench } from './fakes/cli.js';
import { fakeModel, fakeSchedule } from './fakes/fake-model.js';
import { fakeVerifier } from './fakes/fake-verifier.js';

const BEAM = { prompt: 'red', strategy: 'beam', width: 3, candidates: 5 } as const;
const LARGE = { strategy: 'beam', width: 3, candidates: 40 } as const;
/** What rollouts may be. */
const KINDS = [
  {},
  { paper: true },
  { rollout: 'preview:1' },
  { rollout: 'preview:3', paper: true },
  { rollout: 'preview:2' },
  { rollout: 'none' },
] as const;
const JUDGES = [fakeVerifier({ name: 'red' }), fakeVerifier({ name: 'blue', likes: 'blue' })];
const RANK = { jury: resolveJury(['red', 'blue'], { rule: 'rank' }) };
const SCORE = { jury: resolveJury(['fake-score']) };

const needOf = ({ jury }: typeof SCORE, options: SearchOptions & { readonly prompt?: string } = BEAM) => {
  const schedule = fakeSchedule();
  const { prompt: _, ...search } = options;
  const need = memoryNeed(resolveSearch(search, schedule), { schedule, jury });
  if (!need) throw new Error('a strategy of ours says what it holds');
  return need;
};

describe('one run', () => {
  it.each([64, 4])('of beam search, 3 x 5, keeps within what it set aside (room %i)', async (room) => {
    for (const [judges, verifier] of [
      [SCORE, fakeVerifier()],
      [RANK, JUDGES],
    ] as const) {
      for (const more of KINDS) {
        const need = needOf(judges, { ...BEAM, ...more });
        for (const memory of [need.least, Math.ceil((need.least + need.most) / 2), 10 * need.most]) {
          const model = fakeModel({ room });
          await generate({ ...BEAM, ...more, model, verifier, memory }).result;
          const [reservation, ...others] = model.reservations;
          expect(others).toEqual([]);
          expect(reservation?.bytes).toBe(Math.min(memory, need.most));
          expect(reservation?.peak).toBeLessThanOrEqual(reservation?.bytes ?? NaN);
          // It was no idle promise: a good part of it was held.
          expect(reservation?.peak).toBeGreaterThan(0.2 * need.least);
          expect([reservation?.held, model.alive()]).toEqual([0, 0]);
        }
      }
    }
  });

  it('of a jury that compares draws the elected again where it cannot hold all, and finds the same', async () => {
    const options = { prompt: 'red', ...LARGE };
    const { least, most } = needOf(RANK, LARGE);
    const run = async (memory: number) =>
      await generate({ ...options, model: fakeModel({ room: 64 }), verifier: JUDGES, memory }).result;
    const [tight, ample] = [await run(least), await run(most)];
    expect(tight.candidates).toEqual(ample.candidates);
    expect(tight.image).toEqual(ample.image);
    expect(tight.ledger.nfe).toBe(ample.ledger.nfe);
    // The rest of the rollout of each elected candidate, three in every round but the last.
    expect(tight.ledger.forwards - ample.ledger.forwards).toBeLessThanOrEqual(3 * (3 + 2 + 1));
    expect(tight.ledger.forwards).toBeGreaterThan(ample.ledger.forwards);
  });

  it('that can never fit is refused before anything is loaded, with what it needs', async () => {
    const catalogs = fakeCatalogs();
    const failure: unknown = await generate({ prompt: 'red', memory: '1KB' }, { catalogs }).result.catch(
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(UsageError);
    expect(catalogs.loaded).toEqual({ models: [], verifiers: [] });
    const needed = /holds (\S+) at once/.exec(String(failure))?.[1];
    const { complete } = await generate({ prompt: 'red', memory: needed }, { catalogs }).result;
    expect(complete).toBe(true);
  });

  it('is refused by the commands in one line', async () => {
    const bench = cliBench();
    for (const words of [
      ['generate', 'red'],
      ['compare', 'red', '--budget', '300'],
    ]) {
      const { code, stdout, stderr } = await bench.run(...words, '--memory', '1KB');
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(
        /^varsearch: this search holds \S+ at once at least, and the engine may hold 1KB: [^\n]*--memory[^\n]*\n$/,
      );
    }
    expect(bench.catalogs.loaded.models).toEqual([]);
  });
});

describe('runs at once on one engine', () => {
  it.each([2, 8, 50])('%i of them all end, each within its share', async (count) => {
    const { least } = needOf(SCORE, BEAM);
    const model = fakeModel({ delay: 1 });
    // Two of the smallest searches, or one and a part: never all at once.
    await using open = await openVarsearch({
      model,
      verifier: fakeVerifier(),
      memory: Math.floor(2.5 * least),
    });
    let together = 0;
    const look = setInterval(() => {
      const held = model.reservations.reduce((sum, each) => sum + each.held, 0);
      together = Math.max(together, held);
    }, 1);
    const runs = Array.from({ length: count }, (_, seed) =>
      open.generate(
        seed % 3 === 0
          ? { ...BEAM, seed }
          : { prompt: 'red', strategy: 'random', images: 1 + (seed % 5), seed },
      ),
    );
    const results = await Promise.all(runs.map(({ result }) => result));
    clearInterval(look);
    expect(results.every(({ complete }) => complete)).toBe(true);
    expect(together).toBeGreaterThan(0);
    expect(together).toBeLessThanOrEqual(2.5 * least);
    for (const { bytes, peak, held } of model.reservations) {
      expect(peak).toBeLessThanOrEqual(bytes);
      expect(held).toBe(0);
    }
    // Alone it finds the same.
    expect((await open.generate({ ...BEAM, seed: 0 }).result).candidates).toEqual(results[0]?.candidates);
  });

  it('do not wait for one that is stopped while it waits', async () => {
    const { least } = needOf(SCORE, BEAM);
    const model = fakeModel({ delay: 5 });
    await using open = await openVarsearch({ model, verifier: fakeVerifier(), memory: least });
    const [first, second, third] = [0, 1, 2].map((seed) => open.generate({ ...BEAM, seed }));
    second?.stop();
    await expect(second?.result).rejects.toThrow(/abort/i);
    expect((await third?.result)?.ledger.milliseconds.waiting).toBeGreaterThan(0);
    expect((await first?.result)?.ledger.milliseconds.waiting).toBe(0);
    expect(model.reservations.map(({ peak }) => peak > 0)).toEqual([true, true]);
  });
});

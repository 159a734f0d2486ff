// What a line says of one search, whoever else is in the run.

import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { fakeCatalogs } from '../../test/fakes/catalogs.js';
import { diffusionSchedule } from '../../test/fakes/fake-diffusion.js';
import { fakeFlow, resolveFlow } from '../../test/fakes/fake-flow.js';
import type { OptionValues } from '../core/options.js';
import type { Catalogs } from '../engine/catalogs.js';
import { type BenchOptions, runBenchmark } from './index.js';
import type { PictureRecord } from './record.js';

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'bench-search-'));
const benchmark = join(newFolder(), 'prompts.csv');
writeFileSync(benchmark, 'prompt,kind\na cat,animals\na car,things\n');

async function recordsOf(
  options: Partial<BenchOptions>,
  catalogs: Catalogs = fakeCatalogs(),
): Promise<readonly PictureRecord[]> {
  const out = newFolder();
  await runBenchmark({ benchmark, holdOut: 'none', verifiers: 'coin', ...options, out }, { catalogs }).result;
  const text = readFileSync(join(out, 'pictures.jsonl'), 'utf8');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as PictureRecord);
}

/** The fakes, with a diffusion model that tells its steps beforehand, as real ones do. */
function withSteps(): Catalogs {
  const fakes = fakeCatalogs();
  const schedule = (given: OptionValues) => diffusionSchedule(resolveFlow(given));
  const flow = { ...fakes.findModel('flow'), load: () => Promise.resolve({ ...fakeFlow(), schedule }) };
  return { ...fakes, findModel: (name) => (name === 'flow' ? flow : fakes.findModel(name)) };
}

it('is the same whatever other cells there are', async () => {
  const strategies = ['beam:rollout=none', 'random:rollout=preview:3', 'random', 'single'];
  const options = { models: 'toybox,flow', budgets: [60], holdOut: 'clip-score' };
  const all = await recordsOf({ ...options, strategies: strategies.join() }, withSteps());
  expect(new Set(all.map(({ model }) => model)).size).toBe(2);
  for (const strategy of strategies) {
    const own = await recordsOf({ ...options, strategies: strategy }, withSteps());
    expect(own.length).toBeGreaterThan(0);
    expect(all.filter((line) => line.strategy === strategy)).toEqual(own);
  }
});

it('says where a winner was first drawn, though a later round took it over', async () => {
  const lines = await recordsOf({
    strategies: 'beam:keepElected:result=last-round',
    budgets: [60],
    seeds: '1-4',
  });
  expect(new Set(lines.map(({ found }) => found.rounds)).size).toBe(1);
  expect(lines.some(({ found }) => found.round < found.rounds)).toBe(true);
});

it('has verdicts of the detector for the pictures of its world alone', async () => {
  const own = join(newFolder(), 'own.csv');
  writeFileSync(own, 'prompt,kind\na red circle,one\na red sky,none\n');
  const lines = await recordsOf({ benchmark: own, models: 'toybox,large', strategies: 'single' });
  expect(lines.map(({ model, prompt, winner }) => [model, prompt.kind, typeof winner.right])).toEqual([
    ['toybox', 'one', 'boolean'],
    ['large', 'one', 'object'],
    ['toybox', 'none', 'object'],
    ['large', 'none', 'object'],
  ]);
});

it('keeps the first picture where no other is better', async () => {
  const plain = fakeCatalogs();
  const catalogs: Catalogs = {
    ...plain,
    findVerifier: (name) => ({
      ...plain.findVerifier(name),
      load: () =>
        Promise.resolve({
          name,
          hashes: () => Promise.resolve({}),
          prepare: () =>
            Promise.resolve({
              score: (images) => Promise.resolve(images.map(() => 1)),
              close: () => undefined,
            }),
          close: () => Promise.resolve(),
        }),
    }),
  };
  for (const line of await recordsOf(
    { strategies: 'random', verifiers: 'clip-score', budgets: [40] },
    catalogs,
  )) {
    expect(line.pool.scores).toEqual(Array.from({ length: 10 }, () => 1));
    expect(line.curve.map(({ pictures }) => pictures > 0)).toEqual([true]);
    expect([line.winner, line.found.tied]).toEqual([line.first, 10]);
  }
});

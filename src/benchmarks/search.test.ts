// What a line says of one search, whoever else is in the run.

import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { fakeCatalogs } from '../../test/fakes/catalogs.js';
import type { Catalogs } from '../engine/catalogs.js';
import { type BenchOptions, runBenchmark } from './index.js';
import type { PictureRecord } from './record.js';

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'bench-search-'));
const benchmark = join(newFolder(), 'prompts.csv');
writeFileSync(benchmark, 'prompt,kind\na cat,animals\na car,things\n');

async function recordsOf(
  options: Omit<BenchOptions, 'benchmark' | 'out'>,
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

it('is the same whatever other cells there are', async () => {
  const strategies = ['beam:rollout=none', 'random:rollout=preview:3', 'random', 'single'];
  const options = { models: 'toybox,flow', budgets: [60], holdOut: 'clip-score' };
  const all = await recordsOf({ ...options, strategies: strategies.join() });
  for (const strategy of strategies) {
    const own = await recordsOf({ ...options, strategies: strategy });
    expect(own.length).toBeGreaterThan(0);
    expect(all.filter((line) => line.strategy === strategy)).toEqual(own);
  }
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

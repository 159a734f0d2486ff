// Runs of benchmarks with fake models: what lines say, and that neither workers nor interruptions change a byte.

import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';

import { fakeCatalogs } from '../../test/fakes/catalogs.js';
import { type BenchOptions, runBenchmark } from './index.js';
import type { Manifest, PictureRecord, SpeedRecord } from './record.js';

afterEach(() => {
  vi.unstubAllEnvs();
});

const WORKER = { here: new URL('../../test/fakes/main.ts', import.meta.url).href, name: 'bench-worker' };
const newFolder = (): string => mkdtempSync(join(tmpdir(), 'bench-run-'));

/** Prompts of no embedded world: the detector has nothing to say of them, and costs nothing. */
const file = join(newFolder(), 'prompts.csv');
writeFileSync(file, 'prompt,kind\na cat,animals\na dog,animals\na car,things\n');

const optionsOf = (out: string, more: Partial<BenchOptions> = {}): BenchOptions => ({
  benchmark: file,
  out,
  strategies: 'single,random,beam,beam:keepElected',
  verifiers: 'clip-score,coin,image-reward+aesthetic',
  budgets: [40],
  seeds: '1-2',
  ...more,
});
const run = (options: BenchOptions) => runBenchmark(options, { catalogs: fakeCatalogs(), worker: WORKER });
const text = (folder: string): string => readFileSync(join(folder, 'pictures.jsonl'), 'utf8');
const records = (folder: string): PictureRecord[] =>
  text(folder)
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as PictureRecord);

it('writes a line for every picture, whose cells share their first picture', async () => {
  const folder = newFolder();
  const { done, total, manifest } = await run(optionsOf(folder)).result;
  expect([done, total, manifest.cells.length]).toEqual([60, 60, 10]);
  expect(JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'))).toMatchObject({
    hash: manifest.hash,
  });
  const lines = records(folder);
  expect(new Set(lines.map(({ id }) => id)).size).toBe(60);
  const [single] = lines;
  expect(single).toMatchObject({ strategy: 'single', jury: 'none', budget: { most: 4, unit: 'NFE' } });
  for (const line of lines.slice(0, 10)) {
    expect(line.first).toMatchObject({ right: null, scores: single?.first.scores ?? {} });
    const { scores, right } = line.pool;
    expect(right).toBe('?'.repeat(scores.length));
    expect(line.curve.at(-1)?.best).toBe(Math.max(...scores));
    expect(line.spent.nfe).toBeLessThanOrEqual(40);
    expect(line.spent).not.toHaveProperty('milliseconds');
  }
  const juries = lines.map(({ jury }) => jury);
  expect(juries).toContain('aesthetic+image-reward');
  expect(Object.keys(lines.find(({ jury }) => jury === 'coin')?.winner.scores ?? {})).toEqual([
    'aesthetic',
    'clip-score',
    'coin',
    'image-reward',
  ]);
});

it(
  'is the same by several processes, one of which is killed, and after an end by time',
  { timeout: 120_000 },
  async () => {
    const [one, many] = [newFolder(), newFolder()];
    const options = { strategies: 'single,beam', verifiers: 'clip-score' };
    await run(optionsOf(one, options)).result;
    const early = await run(optionsOf(many, { ...options, workers: 2, maxTime: 1 })).result;
    expect(early).toMatchObject({ endedBy: 'time', done: 0 });
    const deaths = newFolder();
    writeFileSync(join(deaths, 'one'), '');
    vi.stubEnv('VARSEARCH_TEST_DEATHS', deaths);
    const warnings: string[] = [];
    const running = run(optionsOf(many, { ...options, workers: 2 }));
    for await (const event of running) if (event.type === 'warning') warnings.push(event.message);
    expect(await running.result).toMatchObject({ endedBy: 'all', done: 12 });
    expect(warnings).toEqual([
      'A worker of the benchmark was ended by SIGKILL, as the system does when memory runs out. Another takes its place',
    ]);
    expect(text(many)).toBe(text(one));
    expect(existsSync(join(many, 'ahead.jsonl'))).toBe(false);
  },
);

it('does not do again what waited for its turn, and does what comes before', async () => {
  const [whole, folder] = [newFolder(), newFolder()];
  const options = { strategies: 'single,random', verifiers: 'coin', seeds: '1' };
  await run(optionsOf(whole, options)).result;
  await run(optionsOf(folder, { ...options, maxTime: 1 })).result;
  const lines = text(whole).split('\n');
  writeFileSync(join(folder, 'ahead.jsonl'), `${lines[4]}\n${lines[1]}\n`);
  const running = run(optionsOf(folder, options));
  const places: number[] = [];
  for await (const event of running) {
    if (event.type === 'ready') expect(event.done).toBe(2);
    if (event.type === 'done') places.push(lines.indexOf(JSON.stringify(event.line)));
  }
  expect(places).toEqual([0, 2, 3, 5]);
  expect(text(folder)).toBe(text(whole));
});

it('has no line of a search whose picture could not be kept', async () => {
  const folder = newFolder();
  writeFileSync(join(folder, 'export'), 'a file in the way');
  const options = { strategies: 'single', export: 't2i-compbench' as const };
  await expect(run(optionsOf(folder, options)).result).rejects.toThrow(/cannot write .*a cat_000000\.png: /);
  expect(text(folder)).toBe('');
});

it('refuses to go on with another run, and names what differs', async () => {
  const folder = newFolder();
  const options = { strategies: 'random', verifiers: 'coin', prompts: '1', seeds: '1' };
  await run(optionsOf(folder, options)).result;
  const before = text(folder);
  const again = await run(optionsOf(folder, options)).result;
  expect([again.done, text(folder)]).toEqual([1, before]);
  const refused = (more: Partial<BenchOptions>) => run(optionsOf(folder, { ...options, ...more })).result;
  await expect(refused({ budgets: [80] })).rejects.toThrow("another option 'budgets': 40 there, 80 here");
  await expect(refused({ cfg: 2 })).rejects.toThrow("another option 'cfg': nothing there, 2 here");
  const catalogs = fakeCatalogs({ hashes: { 'weights.pth': 'f'.repeat(64) } });
  await expect(runBenchmark(optionsOf(folder, options), { catalogs }).result).rejects.toThrow(
    /another file 'toybox\//,
  );
  expect(text(folder)).toBe(before);
});

it('keeps what was finished when it is stopped, and one run at a time', async () => {
  const folder = newFolder();
  const controller = new AbortController();
  const running = run(optionsOf(folder, { signal: controller.signal }));
  for await (const event of running) {
    if (event.type === 'ready') await expect(run(optionsOf(folder)).result).rejects.toThrow('another run');
    if (event.type === 'done' && event.done === 3) break;
  }
  controller.abort(new Error('enough'));
  await expect(running.result).rejects.toThrow('enough');
  const before = text(folder);
  expect(before.split('\n').length).toBeGreaterThan(3);
  await run(optionsOf(folder)).result;
  expect(text(folder).startsWith(before)).toBe(true);
});

it('leaves out what cannot be, and says why', async () => {
  const { manifest } = await run(
    optionsOf(newFolder(), { verifiers: 'coin', budgets: [8], prompts: '1', seeds: '1' }),
  ).result;
  expect(manifest.skipped.map(({ strategy }) => strategy)).toContain('beam');
  expect(manifest.skipped[0]?.why).toMatch(/budget/);
  for (const [more, words] of [
    [{ verifiers: 'nobody' }, "unknown verifier 'nobody'"],
    [{ models: 'large', verifiers: 'clip-score' }, 'knows the pictures of the embedded model alone'],
    [{ steps: 3 }, "none of the models takes the option 'steps'"],
    [{ benchmark: 'toybnch' }, "there is no benchmark 'toybnch'"],
  ] as const) {
    await expect(run(optionsOf(newFolder(), more)).result).rejects.toThrow(words);
  }
});

it('times searches in a run of its own', async () => {
  const folder = newFolder();
  const options = { measure: 'speed', strategies: 'random', verifiers: 'coin', seeds: '1' } as const;
  let extensions = 0;
  const catalogs = fakeCatalogs({ onExtend: () => extensions++ });
  await runBenchmark(optionsOf(folder, options), { catalogs }).result;
  // Once for each prompt, and once before, since what runs first is slower.
  const once = extensions / 4;
  const alone = { ...options, prompts: '1' };
  await runBenchmark(optionsOf(newFolder(), alone), { catalogs }).result;
  expect(extensions / once).toBe(6);
  const [line = ''] = readFileSync(join(folder, 'speed.jsonl'), 'utf8').split('\n');
  const record = JSON.parse(line) as SpeedRecord;
  expect(record.milliseconds).toBeGreaterThan(0);
  expect(record.ledger.nfe).toBe(40);
  expect(existsSync(join(folder, 'pictures.jsonl'))).toBe(false);
  expect(() => run(optionsOf(folder, { ...options, workers: 2 }))).toThrow(
    'searches that are timed run alone',
  );
});

it('keeps pictures as evaluators read them', async () => {
  const options = { strategies: 'single,random', verifiers: 'coin', seeds: '1-2' };
  const files = (folder: string): string[] =>
    readdirSync(join(folder, 'export'), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.\w+$/.test(name))
      .map((name) => name.replaceAll('\\', '/'))
      .sort();
  const draw = newFolder();
  await run(optionsOf(draw, { ...options, export: 'drawbench' })).result;
  const cell = '01-toybox-single-none-4NFE';
  expect(files(draw)).toContain(`${cell}/things/2/1.png`);
  expect(files(draw)).toContain(`${cell}/manifest.jsonl`);
  expect(files(draw)).toHaveLength(14);
  const comp = newFolder();
  await run(optionsOf(comp, { ...options, export: 't2i-compbench' })).result;
  expect(files(comp)).toContain(`${cell}/animals/samples/a dog_000003.png`);
  await expect(run(optionsOf(newFolder(), { ...options, export: 'geneval' })).result).rejects.toThrow(
    "option 'export' is 'geneval'",
  );
  const { exports } = JSON.parse(readFileSync(join(draw, 'manifest.json'), 'utf8')) as Manifest;
  expect(exports).toBe('drawbench');
});

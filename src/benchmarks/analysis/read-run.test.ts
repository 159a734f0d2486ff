// Folders of runs: read at any moment, and refused in one line where they are none.

import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

import { type SyntheticOptions, syntheticRun, writeRun } from '../../../test/fixtures/bench-runs.js';
import { joinRuns } from './join-runs.js';
import { readRun, type RunFolder } from './read-run.js';

const root = mkdtempSync(join(tmpdir(), 'varsearch-report-'));
afterAll(() => {
  rmSync(root, { recursive: true });
});

const SMALL = { prompts: 3, budgets: [35], juries: ['image-reward'] } as const;
const written = (name: string, options: SyntheticOptions = {}): string =>
  writeRun(join(root, name), syntheticRun({ ...SMALL, ...options }));
const read = (name: string, options: SyntheticOptions = {}): Promise<RunFolder> =>
  readRun(name, written(name, options));

describe('readRun', () => {
  it('gives what the files hold', async () => {
    const { pictures } = syntheticRun(SMALL);
    const found = await read('whole');
    expect(found.pictures).toEqual(pictures);
    expect(found.notes).toEqual([]);
  });

  it('leaves out a torn last line, and tells', async () => {
    const folder = written('torn');
    const file = join(folder, 'pictures.jsonl');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.slice(0, -40));
    const { pictures, notes } = await readRun('torn', folder);
    expect(pictures).toHaveLength(8);
    expect(notes).toEqual([
      'The last line of torn/pictures.jsonl is torn, as of a run that was ended in the middle of it: it is left out.',
    ]);
  });

  it('leaves out damaged lines, those of other work, and what is there twice', async () => {
    const folder = written('damaged');
    const [first] = syntheticRun(SMALL).pictures;
    const { first: _, ...lacking } = first ?? {};
    const others = [
      '{"half": ',
      JSON.stringify(lacking),
      JSON.stringify({ ...first, strategy: 'other' }),
      JSON.stringify({ ...first, seed: 8 }),
      JSON.stringify(first),
    ];
    appendFileSync(join(folder, 'pictures.jsonl'), `${others.join('\n')}\n`);
    const { pictures, notes } = await readRun('damaged', folder);
    expect(pictures).toHaveLength(9);
    expect(notes).toEqual([
      '2 lines of damaged/pictures.jsonl are damaged or torn (the first is line 10) and left out.',
      '2 lines of damaged/pictures.jsonl are of no work that its manifest names, and left out.',
      '1 lines of damaged/pictures.jsonl are of work that stands there before, and left out.',
    ]);
  });

  it('refuses what is no run', async () => {
    const folder = join(root, 'none');
    mkdirSync(folder);
    const manifest = join(folder, 'manifest.json');
    await expect(readRun('none', folder)).rejects.toThrow('none is not the folder of a benchmark run');
    await expect(readRun('gone', join(root, 'gone'))).rejects.toThrow('gone is not the folder');
    writeFileSync(manifest, '{"format": ');
    await expect(readRun('none', folder)).rejects.toThrow('none/manifest.json is not JSON');
    writeFileSync(manifest, '{"format": 2}');
    await expect(readRun('none', folder)).rejects.toThrow('is of format 2, this version of varsearch reads');
    writeFileSync(manifest, '{"format": 1}');
    await expect(readRun('none', folder)).rejects.toThrow('is no manifest of a benchmark run');
  });
});

describe('joinRuns', () => {
  const models = (runs: readonly RunFolder[]): readonly string[] => [
    ...new Set(joinRuns(runs).cells.map(({ model }) => model)),
  ];

  it('tells models by the options in which runs differ', async () => {
    const runs = [
      await read('hot', { modelOptions: { cfg: 1, temperature: 1.3 } }),
      await read('cold', { modelOptions: { cfg: 1, temperature: 0.7 } }),
    ];
    expect(models(runs)).toEqual(['toybox (temperature 0.7)', 'toybox (temperature 1.3)']);
    expect(models(runs.slice(1))).toEqual(['toybox']);
  });

  it('puts seeds and times of other runs together', async () => {
    const { cells } = joinRuns([
      await read('seed-1'),
      await read('seed-2', { seeds: [2] }),
      await read('speed', { measures: 'speed' }),
    ]);
    expect(cells.map(({ pictures, planned }) => [pictures.length, planned])).toEqual([
      [6, 6],
      [6, 6],
      [6, 6],
    ]);
    expect(cells.map(({ strategy, seconds }) => [strategy, seconds])).toEqual([
      ['random', 0.1],
      ['beam', 0.1],
      ['single', 0.02],
    ]);
  });

  it('takes a search that two runs have once, and tells where they differ', async () => {
    const [one, other] = [await read('one'), await read('other')];
    const [first, ...rest] = other.pictures;
    const changed = { ...other, pictures: first ? [{ ...first, pixels: 'x' }, ...rest] : [] };
    expect(joinRuns([one, other]).notes).toEqual([]);
    const { cells, notes } = joinRuns([one, changed]);
    expect(cells.map(({ pictures }) => pictures.length)).toEqual([3, 3, 3]);
    // Those of the run that is named first.
    expect(cells.flatMap(({ pictures }) => pictures).map(({ pixels }) => pixels)).not.toContain('x');
    expect(notes).toEqual([
      '1 searches came out different in two of the runs: those of the run named first are taken.',
    ]);
  });

  it('refuses what does not belong together, and what is empty', async () => {
    const one = await read('a');
    const empty = { ...one, pictures: [] };
    expect(() =>
      joinRuns([one, { ...one, manifest: { ...one.manifest, weights: { 'toybox/model': 'b' } } }]),
    ).toThrow('a and a were made with other files of toybox/model');
    const variants = { 'beam:x': { width: 1 } };
    const two = [variants, { 'beam:x': { width: 2 } }].map((each) => ({
      ...one,
      manifest: { ...one.manifest, variants: each },
    }));
    expect(() => joinRuns(two)).toThrow("mean other options by 'beam:x'");
    const plans = one.manifest.plans.map((plan, i) =>
      i === 0 ? { ...plan, search: { ...plan.search, keepElected: true } } : plan,
    );
    expect(() => joinRuns([one, { ...one, manifest: { ...one.manifest, plans } }])).toThrow(
      /^a and a mean other searches by '\w+' at \d+ NFE: versions with other defaults/,
    );
    const drawbench = await read('b', { benchmark: 'drawbench' });
    expect(() => joinRuns([one, drawbench])).toThrow(
      'a and b are of different benchmarks (toybench-hard and drawbench): make a report of each',
    );
    expect(() => joinRuns([empty])).toThrow('a: nothing is finished yet');
    const speed = await read('c', { measures: 'speed' });
    expect(() => joinRuns([speed])).toThrow('c: only times were measured');
  });
});

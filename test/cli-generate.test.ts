// varsearch generate: what it writes, what it prints, and what it costs to ask.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { describeStanding } from '../src/report/words.js';
import { hashPixels } from '../src/run/recipe.js';
import { decodeWithRecipe } from '../src/run/recipe.js';
import type { ResultJson } from '../src/run/result.js';
import { cliBench } from './fakes/cli.js';

const readJson = (...path: string[]): ResultJson =>
  JSON.parse(readFileSync(join(...path), 'utf8')) as ResultJson;

describe('varsearch generate', () => {
  it('writes the picture, result.json and the page, and nothing else', async () => {
    const bench = cliBench();
    const { code, stdout, stderr } = await bench.run(
      'generate',
      'a red circle',
      '--seed',
      '7',
      '--out',
      'here',
    );
    expect(code).toBe(0);
    expect(readdirSync(join(bench.folder, 'here')).sort()).toEqual([
      'index.html',
      'picture.png',
      'result.json',
    ]);
    expect(stdout).toContain('Beam search, width 3, 5 candidates, elected rollouts kept: 51 pictures, 132 NFE');
    expect(stdout).toContain('written to here');
    expect(stderr.trim().split('\n')).toHaveLength(5);
    expect(stderr).toMatch(
      /^loading toybox\nscale 1\/4 {2}15\/51 pictures {2}best \d\S+ {2}\d+ s, ~\d+ s left\n/,
    );
  });

  it('records resolved options, schedule, candidates, ledger, versions and hashes in result.json', async () => {
    const bench = cliBench();
    await bench.run(
      'generate',
      'a red circle',
      '--seed',
      '7',
      '--top-k',
      '2',
      '--cfg',
      '4,3,2,1',
      '--out',
      'here',
    );
    const result = readJson(bench.folder, 'here', 'result.json');
    expect(result.options).toEqual({
      prompt: 'a red circle',
      model: 'toybox',
      modelOptions: { cfg: [4, 3, 2, 1], temperature: 0.5, topK: 2, topP: 0 },
      jury: { judges: ['clip-score'], observers: [], weights: [1], rule: 'score' },
      seed: 7,
      search: { strategy: 'beam', width: 3, candidates: [5, 5, 5, 5], keepElected: true, result: 'best' },
    });
    expect(result).not.toHaveProperty('incomplete');
    expect(result.ledger).toMatchObject({ nfe: 132, imagesVerified: 51, imagesDecoded: 51 });
    expect(result.schedule).toMatchObject({ unit: 'scale', steps: { length: 4 } });
    expect(result.candidates).toHaveLength(60);
    expect(result.fates).toHaveLength(60);
    const best = Math.max(...result.candidates.map(({ scores }) => scores['clip-score'] ?? NaN));
    const winner = result.candidates.find(({ id }) => id === result.winner);
    expect(result.standing).toEqual({ score: best });
    expect(winner?.scores).toEqual({ 'clip-score': best });
    expect(Object.keys(result.versions)).toContain('varsearch');
    expect(result.hashes.model).toEqual({ 'fake.safetensors': 'a'.repeat(64) });
    const { image } = await decodeWithRecipe(readFileSync(join(bench.folder, 'here', 'picture.png')));
    expect(result.pixels).toBe(hashPixels(image));
    expect(bench.catalogs.loaded.models[0]?.prepared[0]?.options).toMatchObject({
      cfg: [4, 3, 2, 1],
      temperature: 0.5,
      topK: 2,
    });
  });

  it('makes the same picture again for the same seed, and another for another', async () => {
    const bench = cliBench();
    for (const [out, seed] of [
      ['a', '1'],
      ['b', '1'],
      ['c', '2'],
    ] as const) {
      await bench.run('generate', 'a red circle', '--seed', seed, '--out', out, '--quiet');
    }
    const [a, b, c] = ['a', 'b', 'c'].map((out) => readJson(bench.folder, out, 'result.json'));
    expect(b?.pixels).toBe(a?.pixels);
    expect([b?.candidates, b?.fates]).toEqual([a?.candidates, a?.fates]);
    expect(c?.pixels).not.toBe(a?.pixels);
  });

  it.each([
    [['--strategy', 'random', '--images', '6'], { strategy: 'random', images: 6 }, 6],
    [['--strategy', 'gto', '--candidates', '3'], { strategy: 'gto', candidates: [3, 3, 3, 3] }, 12],
    [
      ['--candidates', '4,3,2,1', '--width', '2'],
      { strategy: 'beam', width: 2, candidates: [4, 3, 2, 1] },
      14,
    ],
    [['--budget', '60', '--width', '1'], { strategy: 'beam', width: 1, candidates: [7, 6, 7, 6] }, 23],
    [['--paper', '--budget', '60', '--width', '1'], { keepElected: false, candidates: [6, 6, 6, 6] }, 24],
    [['--keep-elected', '--candidates', '2', '--width', '1'], { keepElected: true }, 5],
    [['--result', 'last-round', '--candidates', '1'], { result: 'last-round' }, 12],
  ])('understands %j', async (words, search, pictures) => {
    const bench = cliBench();
    const { code } = await bench.run('generate', 'red', '--out', 'here', '--quiet', ...words);
    expect(code).toBe(0);
    const result = readJson(bench.folder, 'here', 'result.json');
    expect(result.options.search).toMatchObject(search);
    expect(result.ledger.imagesVerified).toBe(pictures);
  });

  it('makes a new named folder below ./out for every run', async () => {
    const bench = cliBench();
    for (let i = 0; i < 2; i++) {
      await bench.run('generate', 'Two Stars, é/..!', '--candidates', '1', '--quiet');
    }
    expect(readdirSync(join(bench.folder, 'out')).sort()).toEqual([
      'two-stars-beam-seed0',
      'two-stars-beam-seed0-2',
    ]);
  });

  it('prints JSON alone on stdout with --json, and nothing at all with --quiet', async () => {
    const bench = cliBench();
    const json = await bench.run('generate', 'red', '--candidates', '1', '--json');
    const parsed = JSON.parse(json.stdout) as ResultJson & { folder: string };
    expect(parsed.format).toBe(2);
    expect(existsSync(join(parsed.folder, parsed.picture))).toBe(true);
    const quiet = await bench.run('generate', 'red', '--candidates', '1', '--quiet');
    expect([quiet.stdout, quiet.stderr]).toEqual(['', '']);
  });

  it('warns of words that the model does not know, and goes on', async () => {
    const { code, stderr } = await cliBench().run('generate', 'a unicorn', '--candidates', '1', '--quiet');
    expect(code).toBe(0);
    expect(stderr).toBe('varsearch: the embedded model does not know "unicorn"\n');
  });

  it('closes what it has loaded and leaks no prefix', async () => {
    const bench = cliBench();
    await bench.run('generate', 'red', '--quiet');
    const [model] = bench.catalogs.loaded.models;
    expect([model?.closed(), model?.alive()]).toEqual([true, 0]);
    expect(bench.catalogs.loaded.verifiers[0]?.closed()).toBe(true);
  });

  it('redraws one line of progress on a terminal, and shows the picture where there is colour', async () => {
    const terminal = { columns: 80, rows: 40 };
    const bench = cliBench({ terminal, env: { COLORTERM: 'truecolor' } });
    const coloured = await bench.run('generate', 'red', '--candidates', '1');
    expect(coloured.stderr).toContain('\r\u001b[2K');
    expect(coloured.stderr).toMatch(/12\/12 pictures {2}best/);
    expect(coloured.stderr).not.toContain('\n');
    expect(coloured.stderr.endsWith('\r\u001b[2K')).toBe(true);
    expect(coloured.stdout.match(/\u2580/g)).toHaveLength(16 * 8);
    for (const [env, words] of [
      [{ COLORTERM: 'truecolor', NO_COLOR: '1' }, []],
      [{ TERM: 'xterm' }, []],
      [{ COLORTERM: 'truecolor' }, ['--quiet']],
      [{ COLORTERM: 'truecolor' }, ['--json']],
    ] as const) {
      const plain = await cliBench({ terminal, env }).run('generate', 'red', '--candidates', '1', ...words);
      expect(plain.stdout).not.toContain('\u2580');
    }
  });
});

describe('varsearch generate with several verifiers', () => {
  it("tells every member's scores on the way and in the end", async () => {
    const bench = cliBench();
    const words = ['--verifier', 'clip-score,aesthetic', '--ensemble', 'z-score', '--weights', '2,1'];
    const { code, stdout, stderr } = await bench.run('generate', 'red', ...words, '--out', 'here');
    expect(code).toBe(0);
    expect(stderr).toMatch(/15\/51 pictures {2}best clip-score -?\d\.\d{4}, aesthetic -?\d\.\d{4} {2}\d/);
    const [first, second, third] = stdout.split('\n');
    expect(first).toMatch(/^clip-score \S+, aesthetic \S+ \(the first picture: \S+, \S+\)$/);
    expect(second).toMatch(/^mean z-score \d\.\d{4} among 51$/);
    expect(third).toContain('51 pictures, 132 NFE');
    const { options, candidates, winner, ledger } = readJson(bench.folder, 'here', 'result.json');
    expect(options).toMatchObject({
      jury: { judges: ['clip-score', 'aesthetic'], rule: 'z-score', weights: [2, 1] },
    });
    expect(Object.keys(candidates[winner - 1]?.scores ?? {})).toEqual(['clip-score', 'aesthetic']);
    expect(ledger.imagesVerified).toBe(102);
    const ended = await bench.run('generate', 'red', ...words, '--result', 'last-round', '--out', 'there');
    expect(ended.stdout.split('\n')[1]).toMatch(/among 15$/);
    expect(readFileSync(join(bench.folder, 'there', 'index.html'), 'utf8')).toContain('among 15');
  });

  it('says the same mean rank in the terminal, on the page and in result.json, never with a minus', async () => {
    const bench = cliBench();
    const words = ['--verifier', 'clip-score,aesthetic,image-reward', '--seed', '3'];
    const { stdout } = await bench.run('generate', 'red', ...words, '--out', 'here');
    const { standing, options } = readJson(bench.folder, 'here', 'result.json');
    expect(standing).toEqual({ rank: expect.any(Number), of: 51 });
    expect('rank' in standing && standing.rank).toBeGreaterThanOrEqual(1);
    const said = describeStanding(standing, options.jury);
    expect(said).toMatch(/^mean rank \d+(\.\d\d?)? of 51$/);
    expect(stdout.split('\n')[1]).toBe(said);
    const page = readFileSync(join(bench.folder, 'here', 'index.html'), 'utf8');
    expect(page.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ')).toContain(said.replace(/^mean rank /, ''));
  });

  it('warns of verifier hacking in the summary, in result.json and with --json', async () => {
    const bench = cliBench();
    const search = ['--strategy', 'random', '--images', '100'];
    const words = ['generate', 'red', '--hold-out', 'image-reward', '--seed', '2', ...search];
    const { stdout } = await bench.run(...words, '--out', 'here');
    expect(stdout).toMatch(/verifier +role +first round \(100\) +first picture +winner +gain\n/);
    expect(stdout).toMatch(/clip-score +guiding +\S+ \+- \S+ +\S+ +\S+ +\+\d\.\d\d\n/);
    expect(stdout).toMatch(/image-reward +held-out .* -\d\.\d\d\n/);
    expect(stdout).toMatch(/\nverifier hacking: .*image-reward -/);
    const { report } = readJson(bench.folder, 'here', 'result.json');
    expect(report).toMatchObject({ hacking: true, pictures: 100 });
    const json = JSON.parse((await bench.run(...words, '--json')).stdout) as ResultJson;
    expect(json.report?.rows).toEqual(report?.rows);
  });
});

describe('varsearch generate --dry-run', () => {
  it("prints the paper's check values for 13 scales", async () => {
    const bench = cliBench();
    const { code, stdout } = await bench.run('generate', '--dry-run', '--scales', '13', '--paper');
    expect(code).toBe(0);
    const numbers = stdout
      .split('\n')
      .map((row) => /\d+ +\d+ +\d+ +[\d.]+ [PT] +\d+$/.exec(row.replaceAll(',', ''))?.[0]?.split(/ {2,}/));
    expect(numbers.filter(Boolean)).toEqual([
      ['1365', '1171', '1646641', '18.5 P', '195'],
      ['1131', '973', '1348873', '15.2 P', '159'],
      ['1365', '1261', '1104601', '12.1 P', '105'],
      ['2535', '2341', '2051401', '22.4 P', '195'],
      ['13', '13', '10521', '115 T', '1'],
    ]);
    expect(bench.catalogs.loaded.models).toHaveLength(0);
    expect(readdirSync(bench.folder)).toEqual([]);
    const usual = await bench.run('generate', '--dry-run', '--scales', '13');
    expect(usual.stdout).toMatch(/elected rollouts kept +1,131 +973 [^]*5 candidates +1,365 +1,171 /);
  });

  it("counts on the model's own scales without --scales, as JSON on request", async () => {
    const { stdout } = await cliBench().run(
      'generate',
      'red',
      '--dry-run',
      '--json',
      '--strategy',
      'random',
      '--images',
      '2',
    );
    const { format, schedule, runs } = JSON.parse(stdout) as {
      format: number;
      schedule: { unit: string; steps: unknown[] };
      runs: { nfe: number; images: number }[];
    };
    expect([format, schedule.unit, schedule.steps.length, runs.length]).toEqual([2, 'scale', 4, 2]);
    expect(runs[0]).toMatchObject({ nfe: 8, images: 2 });
  });
});

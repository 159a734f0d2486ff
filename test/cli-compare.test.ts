// varsearch compare and varsearch models.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import type { CompareJson } from '../src/report/files.js';
import { heightOf } from '../src/verifiers/jury.js';
import { cliBench } from './fakes/cli.js';

describe('varsearch compare', () => {
  it('runs every strategy within the budget, with a page and a folder for each', async () => {
    const bench = cliBench();
    const { code, stdout } = await bench.run(
      'compare',
      'red',
      '--budget',
      '100',
      '--seed',
      '3',
      '--out',
      'here',
    );
    expect(code).toBe(0);
    const result = JSON.parse(readFileSync(join(bench.folder, 'here', 'result.json'), 'utf8')) as CompareJson;
    expect(result.results.map(({ options }) => options.search.strategy)).toEqual(['random', 'gto', 'beam']);
    for (const { ledger } of result.results) {
      expect(ledger.nfe).toBeLessThanOrEqual(100);
      expect(ledger.nfe).toBeGreaterThan(75);
    }
    const best = Math.max(...result.standings.map(heightOf));
    const named = result.results.findIndex(({ options }) => options.search.strategy === result.best);
    expect(result.standings[named]).toEqual({ score: best });
    for (const { picture } of result.results) {
      expect(existsSync(join(bench.folder, 'here', picture))).toBe(true);
    }
    const page = readFileSync(join(bench.folder, 'here', 'index.html'), 'utf8');
    for (const strategy of ['random', 'gto', 'beam']) expect(page).toContain(`href="${strategy}/index.html"`);
    expect(page).toContain(
      'varsearch compare red --model toybox --verifier clip-score --budget 100 --strategies random,gto,beam --seed 3',
    );
    expect(result.options).toMatchObject({ models: ['toybox'], budget: { unit: 'NFE', most: 100 }, seed: 3 });
    expect(stdout).toMatch(/\* (random|gto|beam)/);
    expect(bench.catalogs.loaded.models).toHaveLength(1);
    expect(bench.catalogs.loaded.models[0]?.alive()).toBe(0);
  });

  it('compares the strategies that are named, and prints JSON', async () => {
    const { stdout } = await cliBench().run(
      'compare',
      'red',
      '--budget',
      '60',
      '--strategies',
      'gto',
      'random',
      '--json',
    );
    expect((JSON.parse(stdout) as CompareJson).results.map(({ options }) => options.search.strategy)).toEqual(
      ['random', 'gto'],
    );
  });

  it("puts several verifiers' scores and the reports side by side", async () => {
    const bench = cliBench();
    const words = ['--verifier', 'clip-score,oracle', '--hold-out', 'image-reward', '--out', 'here'];
    const { code, stdout } = await bench.run('compare', 'red', '--budget', '60', '--seed', '2', ...words);
    expect(code).toBe(0);
    expect(stdout).toMatch(/strategy +sizes +mean rank +clip-score +oracle +image-reward \(held out\) +NFE/);
    expect(stdout).toMatch(/ gto .* \d+(\.\d+)? +\S+ +\S+ +\S+ \([+-]\d\.\d\d\)/);
    expect(
      stdout.match(/^(random|gto|beam): (verifier hacking|no sign of verifier hacking|the fall of)/gm),
    ).toHaveLength(3);
    const result = JSON.parse(readFileSync(join(bench.folder, 'here', 'result.json'), 'utf8')) as CompareJson;
    expect(result.standings).toHaveLength(3);
    for (const standing of result.standings) expect(standing).toMatchObject({ rank: expect.any(Number) });
    for (const { report } of result.results) expect(report?.rows).toHaveLength(3);
    const page = readFileSync(join(bench.folder, 'here', 'index.html'), 'utf8');
    expect(page).toContain('Gain by image-reward');
  });

  it('shows the best picture where there is colour, and not where nobody wants it', async () => {
    const bench = cliBench({ terminal: { columns: 80, rows: 40 }, env: { COLORTERM: 'truecolor' } });
    const words = ['compare', 'red', '--budget', '40', '--strategies', 'random,gto'];
    expect((await bench.run(...words)).stdout.match(/\u2580/g)).toHaveLength(16 * 8);
    expect((await bench.run(...words, '--no-preview')).stdout).not.toContain('\u2580');
  });

  it('prints costs with --dry-run', async () => {
    const bench = cliBench();
    const { stdout } = await bench.run('compare', '--budget', '1365', '--dry-run', '--scales', '13');
    expect(stdout.match(/1,365/g)).toHaveLength(3);
    expect(bench.catalogs.loaded.models).toHaveLength(0);
  });

  it('keeps finished strategies and the best of the running one on Ctrl-C', async () => {
    const bench = cliBench({ interruptAt: 40 });
    const { code, stderr } = await bench.run('compare', 'red', '--budget', '100', '--out', 'here', '--quiet');
    expect([code, stderr]).toEqual([130, 'varsearch: interrupted; what was finished is in here\n']);
    const result = JSON.parse(readFileSync(join(bench.folder, 'here', 'result.json'), 'utf8')) as CompareJson;
    expect(result.incomplete).toBe(true);
    expect(result.results.map(({ incomplete = false }) => incomplete)).toEqual([false, true]);
    expect(existsSync(join(bench.folder, 'here', 'gto', 'picture.png'))).toBe(true);
    expect(bench.catalogs.loaded.models[0]?.alive()).toBe(0);
  });
});

describe('varsearch models', () => {
  it('lists names, schedules and what is missing', async () => {
    const bench = cliBench();
    const { code, stdout } = await bench.run('models');
    expect(code).toBe(0);
    expect(stdout).toMatch(/\* toybox +4 scales to 4 . 4 +Apache-2\.0 +installed +draws circles/);
    expect(stdout).toContain('absent is not installed: weights.pth is missing');
    const { models } = JSON.parse((await bench.run('models', '--json')).stdout) as {
      models: { installed: boolean; schedule: unknown; defaults: unknown }[];
    };
    expect(models.map(({ installed }) => installed)).toEqual([true, false, true, false]);
    expect(models[0]).toMatchObject({
      schedule: { unit: 'scale', steps: { length: 4 } },
      defaults: { cfg: 4, temperature: 0.5 },
    });
    expect(stdout).toMatch(/infinity-2b +13 scales to 64 . 64 +MIT +not installed/);
  });
});

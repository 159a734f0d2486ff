// varsearch report: from folders to files, and one line where there is nothing to report.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { cliBench } from './fakes/cli.js';
import { syntheticRun, writeRun } from './fixtures/bench-runs.js';

const SMALL = { prompts: 6, budgets: [35] } as const;

describe('varsearch report', () => {
  it('writes the report of several runs, and prints the answer', async () => {
    const { folder, run } = cliBench();
    writeRun(join(folder, 'runs', 'one'), syntheticRun(SMALL));
    writeRun(join(folder, 'runs', 'speed'), syntheticRun({ ...SMALL, measures: 'speed' }));
    const words = [
      'report',
      'runs/one',
      'runs/speed/',
      '--out',
      'found',
      '--primary',
      'beam,random,image-reward,35',
    ];
    const { code, stdout, stderr } = await run(...words);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Primary comparison: beam against random on toybox at 35 NFE/);
    expect(stdout).toContain('Negative control, a coin as the guide');
    expect(stdout).toContain('written to found: report.html, report.md, report.json, tables');
    expect(readdirSync(join(folder, 'found')).sort()).toEqual([
      'report.html',
      'report.json',
      'report.md',
      'tables',
    ]);
    const text = readFileSync(join(folder, 'found', 'report.md'), 'utf8');
    expect(text).toContain('| runs/speed | toybench-har |');
    expect(text).toContain('Seconds are those of runs that measure speed alone');
  });

  it('takes the primary comparison from the folder of a run, and prints JSON', async () => {
    const { folder, run } = cliBench();
    writeFileSync(
      join(writeRun(join(folder, 'one'), syntheticRun(SMALL)), 'primary.txt'),
      'beam,random,coin,35\nwhy\n',
    );
    const { code, stdout } = await run('report', 'one', '--out', 'found', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      benchmark: 'toybench-hard',
      primary: { jury: 'coin', strategy: 'beam' },
    });
  });

  it('says in one line what cannot be reported, and writes nothing', async () => {
    const { folder, run } = cliBench();
    writeRun(join(folder, 'one'), syntheticRun(SMALL));
    writeRun(join(folder, 'other'), syntheticRun({ ...SMALL, benchmark: 'geneval' }));
    const empty = { ...syntheticRun(SMALL), pictures: [] };
    writeRun(join(folder, 'empty'), empty);
    const refused: readonly (readonly [words: readonly string[], message: string])[] = [
      [
        ['nowhere'],
        "nowhere is not the folder of a benchmark run: it has no manifest.json; give folders that 'varsearch bench' wrote",
      ],
      [
        ['one', 'other'],
        'one and other are of different benchmarks (toybench-hard and geneval): make a report of each',
      ],
      [['empty'], 'empty: nothing is finished yet, not a single search; wait for the run, or go on with it'],
      [['one', './one'], 'the run ./one is named twice: name each once'],
      [
        ['one', '--primary', 'beam'],
        "option 'primary' (--primary) has to be search, reference, guide, budget",
      ],
    ];
    for (const [words, message] of refused) {
      const { code, stdout, stderr } = await run('report', ...words, '--out', 'found');
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toContain(`varsearch: ${message}`);
      expect(stderr.trimEnd()).not.toContain('\n');
    }
    expect(existsSync(join(folder, 'found'))).toBe(false);
  });
});

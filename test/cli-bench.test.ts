// varsearch bench, and its way into varsearch report: what is written, how a run goes on, and one line for what cannot be.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import type { Manifest, PictureRecord } from '../src/benchmarks/index.js';
import { assetPath } from '../src/core/assets.js';
import { builtInCatalogs } from '../src/engine/catalogs.js';
import { type CliBench, cliBench, type CliBenchOptions } from './fakes/cli.js';
import {
  OWN_NAMES,
  tinyFluxTensors,
  WITH_TEXT,
  writeFluxText,
  writeOfficialFlux,
} from './fixtures/tiny-flux.js';

/** Surroundings with two prompts of no embedded world: the detector has nothing to do with them. */
function benchWithPrompts(options: CliBenchOptions = {}): CliBench {
  const bench = cliBench(options);
  writeFileSync(join(bench.folder, 'prompts.csv'), 'prompt,kind\na cat,animals\na car,things\n');
  return bench;
}

/** Four searches of 4 and 8 NFE. */
const SMALL = ['bench', 'prompts.csv', '--strategies', 'single,random', '--verifiers', 'coin'];
const TINY = [...SMALL, '--budgets', '8', '--hold-out', 'clip-score'];

const picturesIn = (folder: string): string => readFileSync(join(folder, 'pictures.jsonl'), 'utf8');
const recordsIn = (folder: string): PictureRecord[] =>
  picturesIn(folder)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as PictureRecord);
const manifestIn = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Manifest;

describe('varsearch bench', () => {
  it('writes a manifest and a line a search, says how far it is, and prints JSON', async () => {
    const { folder, run } = benchWithPrompts();
    const { code, stdout, stderr } = await run(...TINY, '--out', 'runs/one');
    expect([code, stdout]).toEqual([0, '4 of 4 searches are in runs/one\n']);
    expect(stderr).toContain('varsearch: 2 cells x 2 prompts x 1 seeds: 0 of 4 searches are done\n');
    expect(stderr).toMatch(/4\/4 searches .* 0 ms left\n$/);
    const out = join(folder, 'runs', 'one');
    expect(readdirSync(out).sort()).toEqual(['manifest.json', 'pictures.jsonl']);
    const { options, cells, plans } = manifestIn(out);
    expect(options).toMatchObject({ strategies: 'single,random', verifiers: 'coin', budgets: '8' });
    expect(cells.map(({ strategy, jury }) => [strategy, jury])).toEqual([
      ['single', 'none'],
      ['random', 'coin'],
    ]);
    expect(plans.map(({ cost }) => cost.nfe)).toEqual([4, 8]);
    const lines = recordsIn(out);
    expect(lines.map(({ prompt, strategy }) => `${prompt.text} ${strategy}`)).toEqual([
      'a cat single',
      'a cat random',
      'a car single',
      'a car random',
    ]);
    expect(lines.map(({ spent }) => spent.nfe)).toEqual([4, 8, 4, 8]);
    const json = await run(...TINY, '--out', 'runs/one', '--json', '--quiet');
    const { hash } = manifestIn(out);
    expect(JSON.parse(json.stdout)).toEqual({
      folder: out,
      hash,
      done: 4,
      total: 4,
      endedBy: 'all',
      skipped: [],
    });
  });

  it('tells what a budget cannot buy', async () => {
    const { folder, run } = benchWithPrompts();
    const words = [...SMALL, '--budgets', '10,3', '--prompts', '1', '--out', 'one'];
    const { stderr } = await run(...words);
    expect(stderr).toContain('varsearch: random on toybox by coin at 3 NFE is left out: ');
    expect(stderr).toContain('varsearch: random on toybox by coin cannot spend 20% of 10 NFE\n');
    expect(stderr).not.toContain('single on toybox');
    const shares = manifestIn(join(folder, 'one')).plans.map(({ unused }) => unused.toFixed(3));
    expect(shares).toEqual(['0.000', '0.200']);
    expect((await run(...words)).code).toBe(0);
  });

  it('goes on after Ctrl-C and after an end by time, to the same bytes', async () => {
    const whole = benchWithPrompts();
    await whole.run(...TINY, '--out', 'one', '--quiet');
    // In the search for the second picture of the first prompt.
    const stopped = benchWithPrompts({ interruptAt: 12 });
    const first = await stopped.run(...TINY, '--out', 'one');
    expect([first.code, first.stdout]).toEqual([130, '']);
    const out = join(stopped.folder, 'one');
    const expected = picturesIn(join(whole.folder, 'one'));
    const before = picturesIn(out);
    expect([before === '', before === expected, expected.startsWith(before)]).toEqual([false, false, true]);
    const timed = await stopped.run(...TINY, '--out', 'one', '--max-time', '1ms');
    expect([timed.code, picturesIn(out)]).toEqual([0, before]);
    expect(timed.stdout).toMatch(
      /^\d of 4 searches are in one; the time is up, and the same command goes on\n$/,
    );
    expect((await stopped.run(...TINY, '--out', 'one')).stdout).toBe('4 of 4 searches are in one\n');
    expect(picturesIn(out)).toBe(expected);
  });

  it('refuses another run in the folder, says what differs and what to do, and touches nothing', async () => {
    const { folder, run } = benchWithPrompts();
    await run(...TINY, '--out', 'one', '--quiet');
    const before = picturesIn(join(folder, 'one'));
    const manifest = manifestIn(join(folder, 'one'));
    const remedy = 'ask for the same to go on with it, or begin a new run in a new folder with --out\n';
    for (const [more, what] of [
      [['--budgets', '16'], 'another --budgets: 8 there, 16 here'],
      [['--seeds', '1-2'], 'another --seeds: 1 there, 1-2 here'],
      [['--prompts', '1'], 'another --prompts: all there, 1 here'],
      [['--temperature', '2'], 'another --temperature: nothing there, 2 here'],
    ] as const) {
      const { code, stdout, stderr } = await run(...TINY, '--out', 'one', ...more);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toBe(`varsearch: ${join(folder, 'one')} has a run with ${what}; ${remedy}`);
    }
    writeFileSync(join(folder, 'prompts.csv'), 'prompt,kind\na cat,animals\na dog,animals\n');
    const { stderr } = await run(...TINY, '--out', 'one');
    expect(stderr).toContain("a run with another benchmark 'sha256'");
    expect([picturesIn(join(folder, 'one')), manifestIn(join(folder, 'one'))]).toEqual([before, manifest]);
  });

  it('keeps pictures for evaluators, and one report is made of several runs', async () => {
    const { folder, run } = benchWithPrompts();
    await run(...TINY, '--export', 'drawbench', '--out', 'runs/one', '--quiet');
    await run(...TINY, '--seeds', '2', '--out', 'runs/two', '--quiet');
    await run(...TINY, '--measure', 'speed', '--out', 'runs/speed', '--quiet');
    const kept = readdirSync(join(folder, 'runs', 'one', 'export', '02-toybox-random-coin-8NFE'), {
      recursive: true,
      encoding: 'utf8',
    });
    const files = kept.map((name) => name.replaceAll('\\', '/'));
    expect(files).toEqual(expect.arrayContaining(['animals/0/0.png', 'things/1/0.png', 'manifest.jsonl']));
    expect(existsSync(join(folder, 'runs', 'two', 'export'))).toBe(false);
    const all = ['runs/one', 'runs/two', 'runs/speed'];
    const primary = ['--primary', 'random,single,coin,8'];
    const { code, stdout, stderr } = await run('report', ...all, '--out', 'found');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('No primary comparison was named');
    const text = readFileSync(join(folder, 'found', 'report.md'), 'utf8');
    for (const name of all) expect(text).toContain(`| ${name} |`);
    const wrong = await run('report', 'runs/one', '--out', 'other', ...primary);
    expect([wrong.code, existsSync(join(folder, 'other'))]).toEqual([2, false]);
    expect(wrong.stderr).toContain('names single guided by coin at 8 NFE, which no run has; there are: ');
  });

  it('says in one line what cannot be, and begins nothing', async () => {
    const { folder, run } = benchWithPrompts({ from: builtInCatalogs });
    const refused: readonly (readonly [words: readonly string[], message: string])[] = [
      [
        ['toybnch', '--out', 'x'],
        "there is no benchmark 'toybnch': did you mean 'toybench'? there are toybench, ",
      ],
      [['none.csv', '--out', 'x'], 'none.csv'],
      [['toybench'], '--out is missing: name the folder of the run'],
      [
        ['toybench', '--out', 'x', '--strategies', 'singel'],
        "there is no strategy 'singel': did you mean 'single'?",
      ],
      [['toybench', '--out', 'x', '--strategies', 'best-of-n'], "it is called 'random' here"],
      [
        ['toybench', '--out', 'x', '--strategies', 'beam:widht=2'],
        "does not take the option 'widht': it takes width, ",
      ],
      [['toybench', '--out', 'x', '--models', 'toybx'], "unknown model 'toybx': did you mean 'toybox'?"],
      [['toybench', '--out', 'x', '--verifiers', 'clip-scor'], "did you mean 'clip-score'?"],
      [['toybench', '--out', 'x', '--hold-out', 'oracel'], "did you mean 'oracle'?"],
      [['toybench', '--out', 'x', '--export', 'genevla'], "Did you mean 'geneval'?"],
      [['toybench', '--out', 'x', '--strategeis', 'beam'], 'Did you mean --strategies?'],
      [['toybench', '--out', 'x', '--budgets', '8', '--budget-flops', '1e9'], '--budgets'],
      [['toybench', '--out', 'x', '--measure', 'speed', '--workers', '2'], '--workers is for quality'],
      [['toybench', '--out', 'x', '--model-dirs', 'nowhere'], 'there is no model in the folder'],
      [['toybench', '--out', 'x', '--clip-dir', 'y'], '--clip-dir is for the verifier clip-dir'],
      [['toybench', '--out', 'x', '--models', 'infinity-2b'], "model 'infinity-2b' is not installed: "],
    ];
    for (const [words, message] of refused) {
      const { code, stdout, stderr } = await run('bench', ...words);
      expect([words, stdout, stderr]).toEqual([words, '', expect.stringContaining(message)]);
      expect([words, code === 0, stderr.trimEnd().split('\n').length]).toEqual([words, false, 1]);
    }
    expect(existsSync(join(folder, 'x', 'manifest.json'))).toBe(false);
  });

  it('draws by models of folders, beside those with names', async () => {
    const { folder, run } = benchWithPrompts();
    const words = [...TINY, '--models', 'toybox', '--model-dirs', 'models/mine', '--prompts', '1'];
    expect((await run(...words, '--out', 'one')).code).toBe(0);
    expect(recordsIn(join(folder, 'one')).map(({ model }) => model)).toEqual([
      'toybox',
      'toybox',
      'mine',
      'mine',
    ]);
    expect(manifestIn(join(folder, 'one')).options['models']).toBe('toybox,mine');
    const alone = ['bench', 'prompts.csv', '--model-dirs', 'models/mine', '--out', 'two'];
    expect((await run(...alone)).stderr).toContain(
      "what the model 'mine' draws, so that it has no usual judge",
    );
    const twice = await run(...TINY, '--model-dirs', 'a/mine,b/mine', '--out', 'three');
    expect(twice.stderr).toContain("two models are called 'mine', as their folders are: rename a folder");
  });

  it('is the same by two processes, which open a FLUX and a CLIP from folders', async () => {
    const { folder, run } = benchWithPrompts({ from: builtInCatalogs });
    const tiny = join(folder, 'tiny');
    writeOfficialFlux(tiny, tinyFluxTensors({ texts: WITH_TEXT }));
    writeFluxText(tiny, OWN_NAMES);
    const model = ['--model-dirs', tiny, '--steps', '2', '--size', '16x16'];
    const judge = [
      '--verifiers',
      'clip-dir',
      '--clip-dir',
      assetPath('toybox', 'clip'),
      '--hold-out',
      'clip-dir',
    ];
    const words = ['bench', 'prompts.csv', ...model, ...judge, '--strategies', 'single,random:images=2'];
    expect(await run(...words, '--out', 'one')).toMatchObject({ code: 0 });
    const two = await run(...words, '--workers', '2', '--threads', '2', '--out', 'two');
    expect([two.code, two.stdout]).toEqual([0, '4 of 4 searches are in two\n']);
    expect(picturesIn(join(folder, 'two'))).toBe(picturesIn(join(folder, 'one')));
    const [first, second] = recordsIn(join(folder, 'one'));
    expect([first?.model, second?.jury, Object.keys(second?.winner.scores ?? {})]).toEqual([
      'tiny',
      'clip-dir',
      ['clip-dir'],
    ]);
    expect(Object.keys(manifestIn(join(folder, 'one')).weights)).toEqual(
      expect.arrayContaining(['tiny/transformer']),
    );
  });
});

// Whatever goes wrong: one clear line on stderr, a fitting exit code, and nothing half done.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { decodeWithRecipe } from '../src/run/recipe.js';
import type { ResultJson } from '../src/run/result.js';
import { cliBench } from './fakes/cli.js';

describe('usage errors', () => {
  it.each([
    [['generate'], /the prompt is missing/],
    [['generate', ' '], /^varsearch: the prompt must be a text that is not empty/],
    [
      ['generate', 'red', '--strategy', 'beem'],
      /argument 'beem' is invalid\. Did you mean 'beam'\? Allowed choices are random, gto, beam/,
    ],
    [['generate', 'red', '--seed', '1.5'], /--seed.*It must be a whole number/],
    [['generate', 'red', '--seed=-1'], /--seed must be a whole number from 0/],
    [['generate', 'red', '--width', '0'], /--width must be a whole number of at least 1/],
    [['generate', 'red', '--candidates', '5,5'], /--candidates lists 2 numbers, but the model has 4 scales/],
    [['generate', 'red', '--candidates', '5,x'], /It must be a whole number/],
    [['generate', 'red', '--budget', '3'], /a budget of 3 function evaluations is too small/],
    [['generate', 'red', '--budget', '300', '--candidates', '2'], /give one of --candidates and --budget/],
    [['generate', 'red', '--strategy', 'random', '--width', '2'], /random search does not take --width/],
    [['generate', 'red', '--cfg', 'high'], /It must be a number/],
    [['generate', 'red', '--temperature', '0'], /--temperature must be a number above 0/],
    [['generate', 'red', '--top-p', '2'], /--top-p must be a number from 0 to 1/],
    [['generate', 'red', '--memory', 'lots'], /--memory must be bytes, or a size such as '2GB', got 'lots'/],
    [['generate', 'red', '--threads', '0'], /--threads must be a whole number from 1 to 1024/],
    [['generate', 'red', '--threads', '100000'], /--threads must be a whole number from 1 to 1024/],
    [['generate', 'red', '--cfg', '1e9'], /--cfg must be a number from 0 to 1000/],
    [['generate', 'red', '--cfg=-1'], /--cfg must be a number from 0 to 1000, or one per step, got -1/],
    [['generate', 'red', '--top-k', '3'], /--top-k must be a whole number from 0 to 2, got 3/],
    [['generate', 'red', '--memory', '10B'], /the engine may hold 10B: give it that much \(--memory\)/],
    [['generate', 'red', '--tau', '0'], /--tau must be a number above 0/],
    [['generate', 'red', '--tau=0'], /--tau must be a number above 0/],
    [['generate', 'red', '--tau', 'hot'], /'--tau <x>' argument 'hot' is invalid/],
    [['generate', 'red', '--guidance-scale', '4'], /'--guidance-scale': did you mean --cfg .*--guidance/],
    [['generate', 'red', '--num_images', '4'], /'--num_images': did you mean --images/],
    [['generate', 'red', '-n', '4'], /unknown option '-n': did you mean --images/],
    [
      ['generate', 'red', '--report', 'oracle'],
      /'--report': did you mean --hold-out, which it is called now/,
    ],
    [['generate', 'red', '--out', ' '], /--out names no folder/],
    [
      ['generate', 'red', '-o', 'a.b/x.PNG'],
      /x\.PNG the name of a file: --out a\.b\/x writes a\.b\/x\/picture\.png/,
    ],
    [['generate', 'red', '--seed', 'lucky'], /It must be a whole number, or 'random'/],
    [['generate', 'red', '--aspect-ratio', '1.78'], /width to height, such as 16:9 .*--h-div-w/],
    [['generate', 'red', '--csv', '--json'], /--csv.*cannot be used with.*--json/],
    [
      ['generate', 'red', '--width', '512'],
      /8,704 pictures, .* above 1,000 pictures.*say --yes.*--width is the number of beams; the size of pictures is --size/,
    ],
    [['compare', 'red', '--budget', '9000'], /NFE, .* above 1,000 pictures, 20,000 NFE.*say --yes/],
    [
      ['compare', 'red', '--budget', '60', '--strategies', 'random,bem'],
      /argument 'random,bem' is invalid\. Did you mean 'beam'\?/,
    ],
    [['completion', 'tcsh'], /Allowed choices are bash, zsh, fish/],
    [['generate', 'red', '--model', 'dali'], /unknown model 'dali': choose one of toybox, absent, large/],
    [['generate', 'red', '--verifier', 'taste'], /unknown verifier 'taste': choose one of clip-score/],
    [['generate', 'red', '--verifier', 'clip-score,taste'], /unknown verifier 'taste'/],
    [['generate', 'red', '--verifier', 'taste', '--verifier', 'oracle'], /unknown verifier 'taste'/],
    [['generate', 'red', '--verifier', 'oracle,oracle'], /'oracle' is named twice: name each once/],
    [
      ['generate', 'red', '--weights', '1,2'],
      /a rule and weights are for several verifiers named by --verifier, not for the usual one/,
    ],
    [
      ['generate', 'red', '--verifier', 'oracle,clip-score', '--weights', '1,2,3'],
      /2 verifiers and 3 weights/,
    ],
    [
      ['compare', 'red', '--budget', '60', '--verifier', 'oracle,clip-score', '--weights', '1'],
      /and 1 weights/,
    ],
    [
      ['generate', 'red', '--verifier', 'oracle,clip-score', '--ensemble', 'mean'],
      /Allowed choices are rank, z-score/,
    ],
    [['generate', 'red', '--hold-out', 'taste'], /unknown verifier 'taste'/],
    [
      ['compare', 'red', '--budget', '60', '--hold-out', 'oracle,oracle'],
      /--hold-out has the verifier 'oracle' twice/,
    ],
    [['generate', 'red', '--model', 'large', '--verifier', 'oracle'], /choose from clip-score-l14/],
    [
      ['generate', 'red', '--model', 'toybox', '--model-dir', 'x'],
      /give one of --model and --model-dir, not both/,
    ],
    [
      ['generate', 'red', '--clip-dir', 'x'],
      /--clip-dir is for the verifier clip-dir, which is not asked for/,
    ],
    [['generate', 'red', '--weights', 'x'], /It must be a number/],
    [
      ['generate', 'red', '--keep-elected', '--candidates', '1'],
      /--keep-elected needs at least 2 candidates/,
    ],
    [['generate', '--dry-run', '--model', 'dali'], /unknown model 'dali'/],
    [['generate', 'red', '--scales', '13'], /--scales is for --dry-run/],
    [['generate', '--dry-run', '--scales', '14'], /--scales must be 1 to 13, got 14/],
    [['generate', 'red', '--colour'], /unknown option '--colour'/],
    [['generate', 'red', 'blue'], /too many arguments/],
    [['compare', 'red'], /--budget is missing/],
    [['compare', 'red', '--budget', '60', '--strategies', 'best'], /Allowed choices are/],
    [['replay'], /missing required argument 'file'/],
    [['paint'], /unknown command 'paint'/],
  ])('%j', async (words, message) => {
    const bench = cliBench();
    const { code, stdout, stderr } = await bench.run(...words);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^varsearch: [^\n]*\n$/);
    expect([code, stdout]).toEqual([2, '']);
    expect(bench.catalogs.loaded.models).toHaveLength(0);
    expect(readdirSync(bench.folder)).toEqual([]);
  });

  it('exits 0 for help and version', async () => {
    const bench = cliBench();
    expect(await bench.run('generate', '--help')).toMatchObject({ code: 0, stderr: '' });
    expect((await bench.run('--version')).stdout).toMatch(/^\d+\.\d+\.\d+/);
    expect((await bench.run()).stdout).toContain('generate');
  });
});

describe('failures', () => {
  it('tries the output folder before anything is loaded', async () => {
    const bench = cliBench();
    writeFileSync(join(bench.folder, 'file'), '');
    for (const out of ['file', 'file/below']) {
      const { code, stderr } = await bench.run('generate', 'red', '--out', out);
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(/^varsearch: cannot write to the output folder .*--out\n$/),
      ]);
    }
    expect(bench.catalogs.loaded.models).toHaveLength(0);
  });

  it('says what is missing of a model that is not installed, and leaves no folder', async () => {
    const bench = cliBench();
    const { code, stderr } = await bench.run('generate', 'red', '--model', 'absent');
    expect(code).toBe(1);
    expect(stderr).toContain("model 'absent' is not installed: weights.pth is missing: put it there");
    expect(readdirSync(bench.folder)).toEqual([]);
  });

  it('names an unexpected failure in one line, with its stack for those who ask', async () => {
    const onExtend = (): void => {
      throw new TypeError('the engine\nbroke');
    };
    const { code, stderr } = await cliBench({ onExtend }).run('generate', 'red', '--quiet');
    expect(code).toBe(1);
    expect(stderr).toContain(
      'varsearch: unexpected failure: TypeError: the engine broke (VARSEARCH_DEBUG=1 shows where)\n',
    );
    expect(stderr).not.toContain('    at ');
    const debugged = await cliBench({ onExtend, env: { VARSEARCH_DEBUG: '1' } }).run(
      'generate',
      'red',
      '--quiet',
    );
    expect(debugged.stderr).toContain('    at ');
  });

  it('keeps the best picture when the engine fails half way', async () => {
    let calls = 0;
    const bench = cliBench({
      onExtend: () => {
        if (++calls > 30) throw new Error('out of memory');
      },
    });
    const { code, stderr } = await bench.run('generate', 'red', '--out', 'here', '--quiet');
    expect(code).toBe(1);
    expect(stderr).toMatch(/stopped; the best picture so far is here\/picture\.png\n.*out of memory/);
    expect(JSON.parse(readFileSync(join(bench.folder, 'here', 'result.json'), 'utf8'))).toMatchObject({
      incomplete: true,
    });
  });
});

describe('Ctrl-C', () => {
  it('keeps the best picture so far with an incomplete result, and exits 130', async () => {
    const bench = cliBench({ delay: 1, interruptAt: 3 });
    const early = await bench.run('generate', 'red', '--quiet');
    expect(early).toMatchObject({ code: 130, stdout: '' });
    expect(early.stderr).toBe(
      'varsearch: interrupted before the first picture was finished; nothing was written\n',
    );
    expect(existsSync(join(bench.folder, 'out'))).toBe(false);

    const later = cliBench({ interruptAt: 30, interruptBy: 'SIGTERM' });
    const { code, stderr } = await later.run('generate', 'red', '--out', 'here', '--quiet');
    expect(code).toBe(143);
    expect(stderr).toBe('varsearch: interrupted; the best picture so far is here/picture.png\n');
    const folder = join(later.folder, 'here');
    expect(readdirSync(folder).sort()).toEqual(['index.html', 'picture.png', 'result.json']);
    const result = JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8')) as ResultJson;
    expect(result.incomplete).toBe(true);
    expect(result.candidates.length).toBeGreaterThan(0);
    expect(result.candidates.length).toBeLessThan(60);
    const { recipe } = await decodeWithRecipe(readFileSync(join(folder, 'picture.png')));
    const { winner, standing } = result;
    expect(recipe).toMatchObject({ complete: false, candidate: winner, standing });
    expect(readFileSync(join(folder, 'index.html'), 'utf8')).toContain('This search was interrupted');
    const [model] = later.catalogs.loaded.models;
    expect([model?.closed(), model?.alive()]).toEqual([true, 0]);
  });

  it('leaves what was in the folder before', async () => {
    const bench = cliBench({ interruptAt: 2 });
    mkdirSync(join(bench.folder, 'here'));
    writeFileSync(join(bench.folder, 'here', 'notes.txt'), 'mine');
    const { code, stderr } = await bench.run('generate', 'red', '--out', 'here');
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('here has something in it (notes.txt): choose'),
    ]);
    expect((await bench.run('generate', 'red', '--out', 'here', '--force')).code).toBe(130);
    expect(readdirSync(join(bench.folder, 'here'))).toEqual(['notes.txt']);
  });
});

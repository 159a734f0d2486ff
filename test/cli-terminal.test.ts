// What a person meets in the terminal: progress and tables in its width, other names, pictures and lists of all candidates.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import type { CompareJson } from '../src/report/files.js';
import { decodeWithRecipe } from '../src/run/recipe.js';
import type { ResultJson } from '../src/run/result.js';
import { checkPrompt } from '../src/toybox/world/prompt-check.js';
import { cliBench } from './fakes/cli.js';

const readResult = (...path: string[]): ResultJson =>
  JSON.parse(readFileSync(join(...path, 'result.json'), 'utf8')) as ResultJson;

const optionsOf = async (...words: string[]) => {
  const bench = cliBench();
  const { code, stderr } = await bench.run('generate', 'red', '--quiet', '--out', 'here', ...words);
  expect([code, stderr]).toEqual([0, '']);
  return readResult(bench.folder, 'here').options;
};

/** The lines that were drawn over one another on a terminal. */
async function drawn(columns: number, env = {}, delay = 2): Promise<readonly string[]> {
  const bench = cliBench({ terminal: { columns, rows: 30 }, env, delay });
  const { code, stderr } = await bench.run('generate', 'red', '--candidates', '2');
  expect(code).toBe(0);
  return stderr.split('\r\u001b[2K').filter((text) => text !== '');
}

describe('progress on a terminal', () => {
  it.each([120, 80, 40, 24, 14])('keeps the score in %d columns', async (columns) => {
    const lines = await drawn(columns);
    expect(lines[0]).toBe('loading toybox  0 s'.slice(0, columns - 1));
    for (const text of lines) expect(text.length).toBeLessThan(columns);
    expect(lines.at(-1)).toMatch(/best \d\.\d{4}/);
    const judged = lines.filter((text) => text.includes('best'));
    expect(judged.length).toBeGreaterThan(4);
    if (columns >= 80) {
      expect(judged.at(-2)).toMatch(/scale 4\/4 {2}\d+\/15 pictures {2}best \S+ {2}\d+ s, ~\d+ s left/);
    }
    if (columns === 120) expect(judged.at(-1)).toContain('\u2588'.repeat(24));
  });

  it('moves within a round, by the forward passes', async () => {
    // Longer than it takes until the line is drawn anew.
    const lines = await drawn(120, {}, 100);
    const first = lines.filter((text) => text.includes('scale 1/4  0/15'));
    expect(new Set(first.map((text) => text.split('\u2588').length)).size).toBeGreaterThan(1);
  });

  it('is a line a round on a terminal that cannot take one back', async () => {
    const lines = await drawn(80, { TERM: 'dumb' });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^loading toybox\nscale 1\/4 {2}6\/15 pictures {2}best/);
  });
});

describe('tables', () => {
  it.each([['verifiers'], ['models'], ['words'], ['generate', '--dry-run'], ['pull']])(
    'of %s %s fit 40 and 80 columns',
    async (...words) => {
      for (const columns of [40, 80]) {
        const { code, stdout } = await cliBench({ terminal: { columns, rows: 30 } }).run(...words);
        expect(code).toBe(0);
        // What is meant to be copied stays whole: commands and paths.
        const lines = stdout.split('\n').filter((text) => !/^ {2}varsearch |^\S+$/.test(text));
        expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(columns);
      }
    },
  );
});

describe('names that others use', () => {
  it('are understood where they mean the same', async () => {
    expect(await optionsOf('--tau', '0.7', '--strategy', 'best-of-n', '--images', '2')).toMatchObject({
      modelOptions: { temperature: 0.7 },
      search: { strategy: 'random', images: 2 },
    });
    const bench = cliBench();
    const costs = async (...words: string[]): Promise<string> =>
      (await bench.run('generate', '--dry-run', '--model', 'infinity-2b', ...words)).stdout;
    const wide = await costs('--size', '0.25M', '--aspect-ratio', '7:4');
    expect(wide).toContain('10 scales to 24 \u00d7 42');
    expect(await costs('--pn', '0.25M', '--h-div-w', '0.571')).toBe(wide);
    expect(await costs('--size', '672x384')).toBe(wide);
  });

  it('go with -o, and with several strategies in one word', async () => {
    const bench = cliBench();
    const words = ['--strategies', 'best-of-n,beam', '--seed', 'random', '-o', 'here'];
    const { code, stdout } = await bench.run('compare', 'red', '--budget', '60', ...words);
    expect(code).toBe(0);
    const { results } = JSON.parse(
      readFileSync(join(bench.folder, 'here', 'result.json'), 'utf8'),
    ) as CompareJson;
    expect(results.map(({ options }) => options.search.strategy)).toEqual(['random', 'beam']);
    const [first, second] = results.map(({ options }) => options.seed);
    expect(second).toBe(first);
    expect(stdout).toContain(`seed ${first}`);
  });

  it('have another seed each time for --seed random', async () => {
    const seeds = await Promise.all([1, 2].map(() => optionsOf('--seed', 'random', '--candidates', '1')));
    expect(seeds[0]?.seed).not.toBe(seeds[1]?.seed);
  });
});

describe('a folder with something in it', () => {
  it('is written to with --force alone, and a result says what it is of', async () => {
    const bench = cliBench();
    const words = ['generate', 'red', '--candidates', '1', '--quiet', '--out', 'here'];
    expect((await bench.run(...words)).code).toBe(0);
    const again = await bench.run(...words);
    expect([again.code, again.stderr]).toEqual([
      2,
      'varsearch: the folder here holds a result already ("red"): choose another by --out, or say --force to replace what has the same name\n',
    ]);
    expect((await bench.run(...words, '--force', '--seed', '3')).code).toBe(0);
    expect(readResult(bench.folder, 'here').options.seed).toBe(3);
    const replayed = await bench.run('replay', 'here/picture.png', '--out', 'here');
    expect([replayed.code, replayed.stdout]).toEqual([2, '']);
  });
});

describe('all candidates', () => {
  it('are pictures of their own with --save-candidates, which can be made again', async () => {
    // Above the size of thumbnails: they are drawn again.
    for (const side of [4, 200]) {
      const bench = cliBench({ side });
      const words = ['generate', 'red', '--strategy', 'gto', '--candidates', '2', '--out', 'here'];
      const { code, stdout } = await bench.run(...words, '--save-candidates');
      expect(code).toBe(0);
      expect(stdout).toContain('index.html, candidates/\n');
      const folder = join(bench.folder, 'here', 'candidates');
      const ids = Array.from({ length: 8 }, (_, i) => `${i + 1}.png`);
      expect(readdirSync(folder).sort()).toEqual(ids);
      const { winner, pixels } = readResult(bench.folder, 'here');
      const own = await decodeWithRecipe(readFileSync(join(folder, `${winner}.png`)));
      expect(own.recipe.pixels).toBe(pixels);
      expect([own.image.width, own.recipe.candidate]).toEqual([side, winner]);
      for (const id of [1, 5]) {
        const replayed = await bench.run('replay', `here/candidates/${id}.png`);
        expect([id, replayed.code, replayed.stdout]).toEqual([
          id,
          0,
          expect.stringContaining('every pixel the same'),
        ]);
      }
      expect(bench.catalogs.loaded.models.every((model) => model.closed() && model.alive() === 0)).toBe(true);
      writeFileSync(join(folder, 'mine.txt'), '');
      expect((await bench.run(...words, '--force', '--quiet')).code).toBe(0);
      expect(readdirSync(folder)).toEqual(['mine.txt']);
    }
  });

  it('are lines of CSV with --csv', async () => {
    const bench = cliBench();
    const { code, stdout } = await bench.run(
      'generate',
      'red, or "blue"',
      '--candidates',
      '2',
      '--csv',
      '--out',
      'here',
    );
    expect(code).toBe(0);
    const { candidates, winner, fates } = readResult(bench.folder, 'here');
    const [head, ...lines] = stdout.trimEnd().split('\n');
    expect(head).toBe(
      'prompt,model,strategy,seed,id,parent,step,judgedAt,round,beam,number,sameAs,copies,weight,winner,clip-score',
    );
    expect(lines).toHaveLength(candidates.length);
    const [first] = candidates;
    const copies = fates.find(({ id }) => id === 1)?.copies;
    expect(lines[0]).toBe(
      `"red, or ""blue""",toybox,beam,0,1,0,1,4,1,0,0,,${copies},,${winner === 1 ? 1 : 0},${first?.scores['clip-score']}`,
    );
    expect(lines.filter((text) => /,1,[^,]+$/.test(text))).toHaveLength(1);
    const compared = await cliBench().run('compare', 'red', '--budget', '60', '--csv');
    expect(new Set(compared.stdout.split('\n').map((text) => text.split(',')[2]))).toEqual(
      new Set(['strategy', 'random', 'gto', 'beam', undefined]),
    );
  });
});

describe('large searches', () => {
  it('are run with --yes', async () => {
    const bench = cliBench();
    const words = ['generate', 'red', '--strategy', 'random', '--images', '1001', '--quiet'];
    expect((await bench.run(...words)).code).toBe(2);
    expect((await bench.run(...words, '--yes', '--stop-at', '-1000')).code).toBe(0);
  });

  it('may have more threads than there are cores, with a warning', async () => {
    const { code, stderr } = await cliBench().run(
      'generate',
      'red',
      '--candidates',
      '1',
      '--quiet',
      '--threads',
      '1024',
    );
    expect([code, stderr]).toEqual([
      0,
      expect.stringMatching(
        /^varsearch: --threads 1024 are more than the \d+ cores of this machine[^\n]*\n$/,
      ),
    ]);
  });
});

describe('varsearch words', () => {
  it('has examples that the embedded model knows every word of', async () => {
    const { code, stdout } = await cliBench().run('words', '--json');
    expect(code).toBe(0);
    const { words, examples } = JSON.parse(stdout) as {
      words: Record<string, readonly string[]>;
      examples: readonly string[];
    };
    expect(examples.map((text) => checkPrompt(text).warning)).toEqual([null, null, null]);
    for (const colour of words['colours'] ?? []) {
      for (const shape of words['shapes'] ?? []) {
        expect(checkPrompt(`one ${colour} ${shape}`).warning).toBeNull();
      }
    }
    expect((await cliBench().run('words')).stdout).toContain('circle, square, triangle, star');
  });
});

describe('help', () => {
  it('has groups and examples, and none of the other names', async () => {
    const { stdout } = await cliBench().run('generate', '--help');
    const titles = stdout.match(/^[A-Z][a-z ]+:$/gm);
    expect(titles).toEqual([
      'Arguments:',
      'Search:',
      'Model:',
      'Picture:',
      'Judges:',
      'Time and memory:',
      'Costs:',
      'Output:',
      'Options:',
      'Examples:',
    ]);
    expect(stdout).not.toMatch(/--tau|--pn|--output-dir/);
  });
});

describe('completion', () => {
  const bash = spawnSync('bash', ['--version']).status === 0;

  it.skipIf(!bash)('of bash knows commands, flags and values', async () => {
    const { code, stdout } = await cliBench().run('completion', 'bash');
    expect(code).toBe(0);
    const complete = (...words: string[]): readonly string[] => {
      const script = `${stdout}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _varsearch; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const { stdout: found, stderr } = spawnSync('bash', ['-c', script, 'bash', ...words], {
        encoding: 'utf8',
      });
      expect(stderr).toBe('');
      return found.trim().split('\n');
    };
    expect(complete('varsearch', 'comp')).toEqual(['compare', 'completion']);
    expect(complete('varsearch', 'generate', '--hold')).toEqual(['--hold-out']);
    expect(complete('varsearch', 'generate', '--strategy', 'b')).toEqual(['beam']);
    expect(complete('varsearch', 'generate', 'red', '--model', 'toy')).toEqual(['toybox']);
    expect(complete('varsearch', 'completion', '')).toEqual(['bash', 'zsh', 'fish']);
    expect(complete('varsearch', 'cache', '--strategy', 'b')).not.toContain('beam');
    expect(complete('varsearch', 'compare', '--strategies', 'random,be')).toEqual(['random,beam']);
    expect(complete('varsearch', 'generate', '--verifier', 'clip-score,ima')).toEqual([
      'clip-score,image-reward',
    ]);
    expect(complete('varsearch', 'compare', '--models', 'toybox,,lar')).toEqual(['toybox,,large']);
    expect(complete('varsearch', 'compare', '--models', 'lar')).toEqual(['large']);
  });

  it('of zsh and fish hold every flag of every command', async () => {
    const bench = cliBench();
    const [zsh, fish] = await Promise.all(
      ['zsh', 'fish'].map(async (shell) => (await bench.run('completion', shell)).stdout),
    );
    for (const flag of ['--keep-elected', '--save-candidates', '--accept-licence', '--clear']) {
      expect(zsh).toContain(`'*${flag}[`);
      expect(fish).toContain(` -l ${flag.slice(2)} `);
    }
    expect(zsh).toContain(':value:(random gto beam zero-order particles)');
    expect(zsh).toContain(':value:_values -s , name random gto beam zero-order particles');
    expect(fish).toContain(`-l strategies -x -a '(__fish_complete_list , "string split , random,gto,`);
    expect(fish).toContain("-l strategy -x -a 'random gto beam zero-order particles'");
    for (const [shell, script] of [
      ['zsh', zsh],
      ['fish', fish],
    ] as const) {
      if (spawnSync(shell, ['--version']).status !== 0) continue;
      const file = join(bench.folder, shell);
      writeFileSync(file, script ?? '');
      const { status, stderr } = spawnSync(shell, ['-n', file], { encoding: 'utf8' });
      expect([shell, status, stderr]).toEqual([shell, 0, '']);
    }
  });
});

it('writes nothing where a command is refused', async () => {
  const bench = cliBench();
  expect((await bench.run('generate', 'red', '--width', '512', '--out', 'here')).code).toBe(2);
  expect(existsSync(join(bench.folder, 'here'))).toBe(false);
});

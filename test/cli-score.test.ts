// varsearch score: the best of pictures that exist already, or a clear word about what is in the way.

import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import type { Image } from '../src/core/image.js';
import { builtInCatalogs } from '../src/engine/catalogs.js';
import { encodeWithRecipe, hashPixels } from '../src/run/recipe.js';
import { renderScene } from '../src/toybox/world/renderer.js';
import type { Colour, Shape } from '../src/toybox/world/scene.js';
import { plainPicture, type ScoreBench, scoreBench, type ScoreBenchOptions } from './fakes/score-bench.js';
import { encodePng } from './fixtures/write-png.js';

/** The PNG file of a picture that varsearch has made for a prompt. */
async function generated(prompt: string, red: number): Promise<Uint8Array> {
  const image = plainPicture(red);
  const jury = { judges: ['clip-score'], observers: [], weights: [1], rule: 'score' } as const;
  const options = {
    prompt,
    model: 'toybox',
    modelOptions: {},
    jury,
    seed: 0,
    search: { strategy: 'random' },
  };
  return await encodeWithRecipe(image, {
    format: 2,
    options,
    hashes: { model: {}, jury: {} },
    versions: { varsearch: '0.1.0' },
    standing: { score: 1 },
    candidate: 1,
    complete: true,
    pixels: hashPixels(image),
  });
}

/** Pictures a (half red), b (red and a little green) and c (green and blue). */
function threePictures(options: ScoreBenchOptions = {}): ScoreBench {
  const bench = scoreBench(options);
  bench.write('a.png', plainPicture(128, 0, 0));
  bench.write('b.png', plainPicture(255, 51, 0));
  bench.write('c.png', plainPicture(0, 255, 255));
  return bench;
}

const RED = ['--prompt', 'red', '--verifier', 'greenness'] as const;

describe('varsearch score', () => {
  it('prints a table, best first', async () => {
    const bench = threePictures();
    const { code, stdout, stderr } = await bench.run('score', 'a.png', 'b.png', 'c.png', ...RED);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toBe(
      '  #  picture  greenness\n* 1  c.png       1.0000\n  2  b.png       0.2000\n  3  a.png       0.0000\n',
    );
    expect(bench.loaded.map((judge) => [judge.closed(), judge.open()])).toEqual([[true, 0]]);
  });

  it('prints JSON with everything, and the path of the best alone', async () => {
    const bench = threePictures();
    const { stdout } = await bench.run('score', '.', ...RED, '--json', '--top', '2');
    expect(JSON.parse(stdout)).toMatchObject({
      format: 2,
      jury: { judges: ['greenness'], rule: 'score' },
      pictures: [
        {
          image: 'c.png',
          prompt: 'red',
          place: 1,
          best: true,
          standing: { score: 1 },
          scores: { greenness: 1 },
        },
        { image: 'b.png', place: 2, best: false, standing: { score: 0.2 } },
      ],
      ledger: { imagesVerified: 3 },
    });
    expect(await bench.run('score', '.', ...RED, '--best')).toEqual({
      code: 0,
      stdout: 'c.png\n',
      stderr: '',
    });
  });

  it('prints CSV that no spreadsheet runs, in the order given where asked', async () => {
    const bench = scoreBench();
    bench.write('=1+1.png', plainPicture(0, 51));
    bench.write('say "hi", x.png', plainPicture(0, 255));
    const words = ['score', '=1+1.png', 'say "hi", x.png', '--verifier', 'greenness'];
    const { stdout } = await bench.run(...words, '--prompt=@SUM(A1)', '--csv', '--no-sort');
    expect(stdout).toBe(
      'image,prompt,place,standing,greenness\n' +
        "./=1+1.png,'@SUM(A1),2,0.2,0.2\n" +
        '"say ""hi"", x.png",\'@SUM(A1),1,1,1\n',
    );
  });

  it('joins several verifiers by the rule asked for', async () => {
    const bench = threePictures();
    const words = [
      'score',
      '.',
      '--prompt',
      'x',
      '--verifier',
      'greenness,clip-score-large',
      '--verifier',
      'clip-score',
    ];
    const ranked = await bench.run(...words, '--quiet');
    expect(ranked.stdout).toBe(
      [
        '  #  picture  mean rank  greenness  clip-score-large  clip-score',
        '* 1  c.png    1.67 of 3     1.0000            1.0000      0.0000',
        '  2  b.png    1.83 of 3     0.2000            0.0000      1.0000',
        '  3  a.png     2.5 of 3     0.0000            0.0000      0.5020',
        '',
      ].join('\n'),
    );
    const weighted = await bench.run(
      ...words,
      '--quiet',
      '--ensemble',
      'weighted-sum',
      '--weights',
      '0,0,2',
      '--csv',
    );
    expect(weighted.stdout.split('\n')[1]).toBe('b.png,x,1,2,0.2,0,1');
    const distances = await bench.run(...words, '--quiet', '--ensemble', 'z-score', '--best');
    expect(distances.stdout).toBe('c.png\n');
  });

  it('takes the prompt of a picture from its recipe, and reads each prompt once', async () => {
    const bench = scoreBench();
    bench.write('one.png', await generated('a red star', 51));
    bench.write('two.png', await generated('a blue star', 102));
    bench.write('three.png', await generated('a red star', 255));
    const { stdout } = await bench.run('score', 'one.png', 'two.png', 'three.png', '--quiet');
    expect(stdout).toBe(
      [
        '  #  picture    clip-score  prompt',
        '* 1  three.png      1.0000  a red star',
        '  2  one.png        0.2000  a red star',
        '* 1  two.png        0.4000  a blue star',
        '',
      ].join('\n'),
    );
    expect(bench.loaded[0]?.calls).toEqual([
      { prompt: 'a red star', pictures: 2 },
      { prompt: 'a blue star', pictures: 1 },
    ]);
    expect((await bench.run('score', '.', '--best', '--quiet')).stdout).toBe('three.png\ntwo.png\n');
    const unsorted = await bench.run(
      'score',
      'one.png',
      'two.png',
      'three.png',
      '--no-sort',
      '--csv',
      '--quiet',
    );
    expect(unsorted.stdout.split('\n').map((row) => row.split(',')[0])).toEqual([
      'image',
      'one.png',
      'two.png',
      'three.png',
      '',
    ]);
    const given = await bench.run('score', '.', '--prompt', 'mine', '--no-sort', '--csv', '--quiet');
    expect(given.stdout).toContain('one.png,mine,3,0.2,0.2\nthree.png,mine,1,1,1\ntwo.png,mine,2,0.4,0.4\n');
  });

  it('reads lists in the ways that other programs write them', async () => {
    const bench = threePictures();
    const lists: Record<string, string | Buffer> = {
      'blanks.csv': 'image, prompt\n\n"a.png", "a red star"\nb.png , a red star \n',
      'tabs.tsv': 'image\tprompt\r\na.png\ta red star\r\nb.png\ta red star\r\n',
      'semicolons.csv': 'image;prompt\na.png;a red star\nb.png;"a red star"\n',
      'utf16.csv': Buffer.from('\ufeffimage,prompt\na.png,a red star\nb.png,a red star\n', 'utf16le'),
      'lines.jsonl':
        '{"image":"a.png","prompt":"a red star"}\r\n{"image":"b.png","prompt":" a red star "}\r\n',
    };
    for (const [name, content] of Object.entries(lists)) {
      bench.write(name, content);
      const { code, stdout, stderr } = await bench.run(
        'score',
        '--prompts',
        name,
        '--csv',
        '--verifier',
        'greenness',
      );
      expect([code, stderr], name).toEqual([0, '']);
      expect(stdout.split('\n').slice(1, 3), name).toEqual([
        'b.png,"a red star",1,0.2,0.2',
        'a.png,"a red star",2,0,0',
      ]);
    }
    bench.write('unmarked.csv', Buffer.from('image,prompt\na.png,red\n', 'utf16le'));
    bench.write('latin.csv', Buffer.from('image,prompt\na.png,caf\u00e9\n', 'latin1'));
    bench.write('comma.csv', 'image,prompt\na.png,a red star, and a blue circle\n');
    bench.write('late.csv', 'image,prompt\n\n\na.png,a red star\n\n\nb.png,\n');
    for (const [file, fault] of [
      ['unmarked.csv', /unmarked\.csv is not text, or UTF-16 without a mark: save it as UTF-8/],
      ['latin.csv', /latin\.csv is not UTF-8 text: save it as UTF-8/],
      ['comma.csv', /line 2 of comma\.csv has 3 cells, the head has 2: .* in quotes/],
      ['late.csv', /line 7 of late\.csv lacks the image or its prompt/],
    ] as const) {
      const { code, stdout, stderr } = await bench.run('score', '--prompts', file);
      expect([code, stdout, stderr]).toEqual([2, '', expect.stringMatching(fault)]);
    }
  });

  it('takes no entry of a list for a pattern', async () => {
    const bench = scoreBench();
    bench.write('a1.png', plainPicture(255));
    bench.write('list.csv', 'image,prompt\na[1].png,red\n');
    const words = ['score', '--prompts', 'list.csv', '--verifier', 'greenness'];
    const { code, stdout, stderr } = await bench.run(...words);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('cannot read a[1].png: no such file or folder; left out');
    bench.write('a[1].png', plainPicture(0, 51));
    expect((await bench.run(...words, '--best')).stdout).toBe('a[1].png\n');
  });

  it('scores a picture once that is named and listed, or found twice', async () => {
    const bench = threePictures();
    bench.write('list.csv', 'image,prompt\na.png,red\na.png,red \n./a.png,red\n');
    const counted = async (...words: readonly string[]): Promise<readonly string[]> => {
      const { code, stdout } = await bench.run('score', ...words, '--verifier', 'greenness', '--csv');
      expect(code).toBe(0);
      return stdout
        .trim()
        .split('\n')
        .slice(1)
        .map((row) => row.split(',').slice(0, 2).join(' '));
    };
    expect(await counted('a.png', '--prompts', 'list.csv')).toEqual(['a.png red']);
    expect(await counted('a.png', '--prompts', 'list.csv', '--prompt', ' red')).toEqual(['a.png red']);
    expect(await counted('.', '*.png', join(bench.folder, 'a.png'), '--prompt', 'red')).toHaveLength(3);
  });

  it.skipIf(process.platform === 'win32')(
    'tells what is found and cannot be scored, and scores the rest',
    async () => {
      const bench = threePictures();
      mkdirSync(join(bench.folder, 'x.png'));
      symlinkSync('nowhere.png', join(bench.folder, 'dangling.png'));
      bench.write('broken.png', encodePng(plainPicture(1)).subarray(0, 50));
      const isRaw = process.platform === 'linux';
      if (isRaw) writeFileSync(Buffer.concat([Buffer.from(`${bench.folder}/caf`), Buffer.from([0xe9]), Buffer.from('.png')]), encodePng(plainPicture(1))); // prettier-ignore
      bench.write(
        'list.csv',
        'image,prompt\na.png,red\nbroken.png,red\ngone.png,red\nb.png,red\nc.png,red\n',
      );
      for (const words of [['.'], ['*.png'], ['--prompts', 'list.csv']]) {
        const { code, stdout, stderr } = await bench.run('score', ...words, ...RED, '--best');
        expect([code, stdout], words[0]).toEqual([0, 'c.png\n']);
        expect(stderr).toMatch(/broken\.png is not a readable PNG file: [^\n]*; left out\n/);
        if (words[0] === '--prompts') {
          expect(stderr).toContain('cannot read gone.png: no such file or folder; left out');
          continue;
        }
        expect(stderr).toContain('cannot read dangling.png: no such file or folder; left out');
        expect(stderr).toContain('x.png is a folder, not a picture; left out');
        if (isRaw) {
          expect(stderr).toContain('caf\ufffd.png has a name that is not UTF-8: rename it; left out');
        }
      }
      const named = await bench.run('score', 'a.png', 'broken.png', ...RED);
      expect([named.code, named.stdout]).toEqual([1, '']);
    },
  );

  it('says which texts a picture without a recipe carries', async () => {
    const bench = scoreBench();
    bench.write('x.png', encodePng(plainPicture(1), { parameters: 'a cat', Software: 'other' }));
    const { code, stderr } = await bench.run('score', 'x.png', '--verifier', 'greenness');
    expect(code).toBe(2);
    expect(stderr).toContain(
      'x.png carries no recipe of varsearch, only the texts parameters, Software, so say with --prompt',
    );
  });

  it('reads a list of pictures and prompts, beside the pictures', async () => {
    const bench = scoreBench();
    bench.write('set/a.png', plainPicture(51));
    bench.write('set/b.png', plainPicture(102));
    bench.write('set/list.csv', '\ufeffprompt,image\r\n"red, or so",a.png\r\nblue,b.png\r\nblue,a.png\r\n');
    bench.write(
      'set/list.jsonl',
      '\ufeff{"image":"a.png","prompt":"red, or so"}\n\n{"image":"b.png","prompt":"blue"}\n',
    );
    const fromCsv = await bench.run('score', '--prompts', 'set/list.csv', '--csv', '--quiet');
    expect(fromCsv.stdout).toBe(
      'image,prompt,place,standing,clip-score\nset/a.png,"red, or so",1,0.2,0.2\nset/b.png,blue,1,0.4,0.4\nset/a.png,blue,2,0.2,0.2\n',
    );
    const fromLines = await bench.run('score', '--prompts', 'set/list.jsonl', '--best', '--quiet');
    expect(fromLines.stdout).toBe('set/a.png\nset/b.png\n');
    bench.write('bad.csv', 'picture,prompt\na.png,red\n');
    bench.write('torn.jsonl', '{"image":"a.png","prompt":"red"}\n{"image":\n');
    bench.write('quote.csv', 'image,prompt\na.png,"red\n');
    bench.write('empty.csv', 'image,prompt\na.png,\n');
    for (const [file, fault] of [
      ['bad.csv', /bad\.csv has the columns picture, prompt: it needs image and prompt/],
      ['torn.jsonl', /line 2 of torn\.jsonl is not JSON/],
      ['empty.csv', /line 2 of empty\.csv lacks the image or its prompt/],
      ['quote.csv', /quote\.csv is not CSV: line 2 has a quote out of place/],
    ] as const) {
      const { code, stderr } = await bench.run('score', '--prompts', file);
      expect([code, stderr]).toEqual([2, expect.stringMatching(fault)]);
    }
  });

  it('reads folders one level deep in natural order, and patterns that no shell has expanded', async () => {
    const bench = scoreBench();
    for (const name of ['p10.png', 'p2.png', 'P1.PNG', 'below/p3.png', 'below/deep/p4.png', '.hidden.png']) {
      bench.write(`in/${name}`, plainPicture(0));
    }
    bench.write('in/notes.txt', 'not a picture');
    const names = async (...images: string[]): Promise<string[]> => {
      const { stdout } = await bench.run('score', ...images, ...RED, '--csv');
      return stdout
        .trim()
        .split('\n')
        .slice(1)
        .map((row) => row.split(',')[0] ?? '');
    };
    expect(await names('in')).toEqual(['in/P1.PNG', 'in/p2.png', 'in/p10.png']);
    expect(await names('in/**')).toEqual([
      'in/below/deep/p4.png',
      'in/below/p3.png',
      'in/P1.PNG',
      'in/p2.png',
      'in/p10.png',
    ]);
    expect(await names('in/p[0-9].png', 'in/{below,nowhere}/*')).toEqual([
      'in/p2.png',
      'in/below/deep/p4.png',
      'in/below/p3.png',
    ]);
    expect(await names('in/bel*')).toEqual(['in/below/p3.png']);
    expect(await names('in/p2.png', 'in', join(bench.folder, 'in', 'p2.png'))).toEqual([
      'in/p2.png',
      'in/P1.PNG',
      'in/p10.png',
    ]);
    symlinkSync(join(bench.folder, 'in', 'p2.png'), join(bench.folder, 'link.png'));
    bench.write('odd[1].png', plainPicture(0));
    expect(await names('link.png', 'in/p2.png', 'odd[1].png')).toEqual(['link.png', 'odd[1].png']);
  });

  it('scores many pictures batch by batch', async () => {
    const bench = scoreBench();
    for (let i = 0; i < 40; i++) bench.write(`many/${i}.png`, plainPicture(0, i * 6));
    const { stdout } = await bench.run('score', 'many', ...RED, '--top', '2', '--csv');
    expect(
      stdout
        .split('\n')
        .slice(1, 3)
        .map((row) => row.split(',')[0]),
    ).toEqual(['many/39.png', 'many/38.png']);
    expect(bench.loaded[0]?.calls.map(({ pictures }) => pictures)).toEqual([16, 16, 8]);
  });

  it('shows progress on a terminal, and none elsewhere or when quiet', async () => {
    const words = ['score', '.', ...RED] as const;
    const shown = await threePictures({ terminal: true }).run(...words);
    expect(shown.stderr).toContain('3/3 pictures scored');
    expect(shown.stderr.endsWith('\r\u001b[2K')).toBe(true);
    expect((await threePictures({ terminal: true }).run(...words, '--quiet')).stderr).toBe('');
  });

  it('warns when verifiers of the toybox world are shown other pictures, and names those for them', async () => {
    const bench = threePictures();
    const { code, stderr } = await bench.run('score', '.', '--prompt', 'red');
    expect([code, stderr]).toEqual([
      0,
      "varsearch: clip-score can judge the embedded model's pictures of 64 x 64 pixels only, and 3 of 3 pictures are " +
        'others, such as a.png with 4 x 4: the scores say little; take clip-score-large (see varsearch verifiers)\n',
    ]);
    const small = scoreBench();
    small.write('a.png', plainPicture(255, 0, 0, 64));
    expect((await small.run('score', 'a.png', '--prompt', 'red')).stderr).toBe('');
  });
});

describe('what is in the way of scoring', () => {
  it.each([
    [['score'], /the pictures are missing/],
    [
      ['score', 'a.png'],
      /the prompt is missing: a\.png carries no recipe of varsearch, so say with --prompt/,
    ],
    [['score', 'a.png', '--prompt', ' '], /--prompt must be a text that is not empty/],
    [
      ['score', 'a.png', '--prompt', 'x', '--verifier', 'taste'],
      /unknown verifier 'taste': choose one of clip-score/,
    ],
    [['score', 'a.png', '--prompt', 'x', '--verifier', ''], /--verifier must be a name/],
    [
      ['score', 'a.png', '--prompt', 'x', '--verifier', 'greenness,'],
      /--verifier names nothing at one place/,
    ],
    [
      ['score', 'a.png', '--prompt', 'x', '--verifier', 'greenness,greenness'],
      /'greenness' is named twice: name each once/,
    ],
    [
      ['score', 'a.png', '--prompt', 'x', '--ensemble', 'rank'],
      /for several verifiers named by --verifier, not for .* alone/,
    ],
    [
      ['score', 'a.png', '--prompt', 'x', '--verifier', 'greenness', '--weights', '2'],
      /for several verifiers named by --verifier, not for 'greenness' alone/,
    ],
    [
      ['score', 'a.png', '--prompt', 'x', '--verifier', 'clip-score,greenness', '--weights', '1'],
      /2 verifiers and 1 weights/,
    ],
    [
      ['score', 'a.png', '--prompt', 'x', '--verifier', 'clip-score,greenness', '--weights', '1,x'],
      /must be a number/,
    ],
    [
      ['score', 'a.png', '--prompt', 'x', '--ensemble', 'mean'],
      /Allowed choices are rank, z-score, weighted-sum/,
    ],
    [['score', 'a.png', '--prompt', 'x', '--top', '0'], /--top must be at least 1/],
    [
      ['score', 'a.png', '--prompt', 'x', '--threads', '0'],
      /--threads must be a whole number from 1 to 1024/,
    ],
    [['score', 'a.png', '--prompt', 'x', '--json', '--csv'], /'--json' cannot be used with option '--csv'/],
    [['score', 'a.png', '--prompt', 'x', '--best', '--json'], /'--best' cannot be used with option '--json'/],
    [['score', '{a,b}'.repeat(12), '--prompt', 'x'], /more than 1000 alternatives/],
  ])('%j is a usage error', async (words, message) => {
    const bench = threePictures();
    const { code, stdout, stderr } = await bench.run(...words);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^varsearch: [^\n]*\n$/);
    expect([code, stdout, bench.loaded]).toEqual([2, '', []]);
  });

  it.each([
    ['gone.png', /cannot read gone\.png: no such file or folder/],
    ['a.png/x.png', /cannot read a\.png\/x\.png: a part of the path is a file/],
    ['nothing*.png', /the pattern nothing\*\.png matches nothing/],
    ['*.txt', /the pattern \*\.txt matches no picture files, only others such as notes\.txt/],
    [
      'empty',
      /the folder empty holds no picture files: folders are read one level deep, .*'empty\/\*\*\/\*\.png'/,
    ],
    ['notes.txt', /notes\.txt is not a picture that can be read: it has to be PNG/],
    ['void.png', /void\.png is an empty file/],
    ['cut.png', /cut\.png is not a readable PNG file/],
    ['photo.png', /photo\.png is a GIF picture, which cannot be read: convert it to PNG, JPEG or WebP/],
  ])('%s fails before anything is loaded, or is left out when asked', async (name, message) => {
    const bench = threePictures();
    const file = encodePng(plainPicture(1));
    bench.write('notes.txt', 'words');
    bench.write('empty/notes.txt', 'words');
    bench.write('void.png', '');
    bench.write('cut.png', file.subarray(0, file.length / 2));
    bench.write('photo.png', Buffer.from('GIF89a and so on', 'latin1'));
    const { code, stdout, stderr } = await bench.run('score', 'a.png', name, ...RED);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^varsearch: [^\n]* \(--skip-bad goes on without it\)\n$/);
    expect([code, stdout, bench.loaded]).toEqual([1, '', []]);

    const skipped = await bench.run('score', 'a.png', name, ...RED, '--skip-bad', '--best', '--quiet');
    expect([skipped.code, skipped.stdout]).toEqual([0, 'a.png\n']);
    expect(skipped.stderr).toMatch(message);
    expect(skipped.stderr).toMatch(/^varsearch: [^\n]*; left out\n$/);
  });

  it('says so when nothing is left, and what a verifier lacks', async () => {
    const bench = threePictures();
    const { code, stderr } = await bench.run('score', 'gone.png', ...RED, '--skip-bad');
    expect([code, stderr.split('\n')[1]]).toEqual([1, 'varsearch: no picture is left to score']);
    const absent = await bench.run('score', 'a.png', '--prompt', 'x', '--verifier', 'absent');
    expect([absent.code, absent.stderr]).toEqual([
      1,
      "varsearch: verifier 'absent' is not installed: weights.pth is missing: put it there\n",
    ]);
  });

  it('ends at once on Ctrl-C, and frees what was loaded', async () => {
    const bench = threePictures({
      onScore: (signal) => {
        bench.interrupt();
        signal?.throwIfAborted();
        return Promise.resolve();
      },
    });
    const { code, stdout } = await bench.run('score', '.', ...RED);
    expect([code, stdout]).toEqual([130, '']);
    expect(bench.loaded.map((judge) => [judge.closed(), judge.open()])).toEqual([[true, 0]]);
  });
});

describe('varsearch score with the embedded CLIP', () => {
  const scene = (shape: Shape, colour: Colour): Image =>
    renderScene({
      background: 'white',
      objects: [{ shape, colour, texture: 'plain', x: 32, y: 32, radius: 14 }],
    });

  it('finds the picture that shows what the prompt says', async () => {
    const bench = scoreBench({ catalogs: await builtInCatalogs() });
    const right = { 'circle.png': 'a red circle', 'star.png': 'a blue star', 'cross.png': 'a green cross' };
    bench.write('circle.png', scene('circle', 'red'));
    bench.write('star.png', scene('star', 'blue'));
    bench.write('cross.png', scene('cross', 'green'));
    const pairs = Object.values(right).flatMap((prompt) =>
      Object.keys(right).map((image) => ({ image, prompt })),
    );
    bench.write('pairs.jsonl', pairs.map((pair) => JSON.stringify(pair)).join('\n'));
    const words = ['score', '--prompts', 'pairs.jsonl', '--verifier', 'clip-score,oracle', '--threads', '1'];
    const { code, stdout, stderr } = await bench.run(...words, '--best');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.trim().split('\n')).toEqual(Object.keys(right));
  });
});

// varsearch replay: the same picture again, or a clear word about why not.

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';

import { decodeWithRecipe, encodeWithRecipe } from '../src/run/recipe.js';
import { type CliBench, cliBench } from './fakes/cli.js';
import { chunk, pngOf } from './fixtures/png-parts.js';
import { readPng } from './fixtures/read-png.js';
import { encodePng } from './fixtures/write-png.js';

/** Copies a picture into the folder of another bench. */
function carry(from: CliBench, to: CliBench, name = 'picture.png'): void {
  writeFileSync(join(to.folder, name), readFileSync(join(from.folder, 'here', 'picture.png')));
}

describe('varsearch replay', () => {
  it.each([
    [['--strategy', 'beam', '--seed', '7']],
    [['--strategy', 'random', '--budget', '40']],
    [
      [
        '--strategy',
        'gto',
        '--candidates',
        '3,2,2,1',
        '--keep-elected',
        '--cfg',
        '4,3,2,1',
        '--top-p',
        '0.9',
      ],
    ],
    [['--verifier', 'clip-score,aesthetic', '--ensemble', 'z-score', '--weights', '1,0.5']],
  ])('makes the picture of %j again, bit for bit', async (words) => {
    const bench = cliBench();
    await bench.run('generate', 'un cœur "rouge" 🟥', '--out', 'here', '--quiet', ...words);
    const { code, stdout } = await bench.run('replay', 'here/picture.png');
    expect(code).toBe(0);
    expect(stdout).toContain('here/picture.png was made again, every pixel the same');
    expect(bench.catalogs.loaded.models.map((model) => model.prepared[0])).toEqual([
      bench.catalogs.loaded.models[0]?.prepared[0],
      bench.catalogs.loaded.models[0]?.prepared[0],
    ]);
  });

  it('makes the picture of an interrupted search again', async () => {
    const bench = cliBench({ interruptAt: 30 });
    expect((await bench.run('generate', 'red', '--out', 'here', '--quiet')).code).toBe(130);
    const other = cliBench();
    carry(bench, other);
    expect(await other.run('replay', 'picture.png', '--quiet')).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(other.catalogs.loaded.models[0]?.alive()).toBe(0);
  });

  it('takes other rules and verifiers than the recipe, and reports on request', async () => {
    const bench = cliBench();
    await bench.run('generate', 'red', '--verifier', 'clip-score,aesthetic', '--out', 'here', '--quiet');
    const words = ['replay', 'here/picture.png', '--hold-out', 'image-reward', '--json'];
    const same = await bench.run(...words, '--ensemble', 'rank');
    expect(JSON.parse(same.stdout)).toMatchObject({ identical: true, report: { pictures: 15 } });
    const other = await bench.run('replay', 'here/picture.png', '--verifier', 'aesthetic');
    expect(other.stderr).toMatch(
      /made with other files: clip-score\/judge\.safetensors \(made with b{12}, here absent/,
    );
    const refused = await bench.run('replay', 'here/picture.png', '--weights', '1,2,3');
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('2 verifiers and 3 weights') });
  });

  it('writes the new run to --out, and tells the outcome as JSON', async () => {
    const bench = cliBench();
    await bench.run('generate', 'red', '--out', 'here', '--quiet');
    const { stdout } = await bench.run('replay', 'here/picture.png', '--out', 'again', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      identical: true,
      edited: false,
      differences: [],
      prompt: 'red',
      format: 2,
      standing: { score: expect.any(Number) },
      scores: { 'clip-score': expect.any(Number) },
    });
    const [before, after] = ['here', 'again'].map((folder) =>
      readFileSync(join(bench.folder, folder, 'picture.png')),
    );
    expect(after?.equals(before ?? Buffer.alloc(0))).toBe(true);
  });

  it('refuses other model files by name, unless any will do', async () => {
    const bench = cliBench();
    await bench.run('generate', 'red', '--out', 'here', '--quiet');
    const other = cliBench({ hashes: { 'fake.safetensors': 'f'.repeat(64) }, side: 20 });
    carry(bench, other);
    const refused = await other.run('replay', 'picture.png');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(
      /picture\.png was made with other files: fake\.safetensors \(made with a{12}, here f{12}\)/,
    );
    const { code, stderr } = await other.run('replay', 'picture.png', '--any-model', '--quiet');
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('came out different; it was made with other files'),
    ]);
  });

  it('finds the recipe where other programs have packed it', async () => {
    const bench = cliBench();
    await bench.run('generate', 'red', '--out', 'here', '--quiet');
    const file = readFileSync(join(bench.folder, 'here', 'picture.png'));
    const recipe = Buffer.from(readPng(file).text['varsearch'] ?? '', 'latin1');
    const pixels = file.subarray(file.indexOf('IDAT') - 4, -12);
    const chunks = {
      zTXt: chunk('zTXt', Buffer.concat([Buffer.from('varsearch\0\0'), deflateSync(recipe)])),
      iTXt: chunk('iTXt', Buffer.concat([Buffer.from('varsearch\0\0\0\0\0'), recipe])),
    };
    for (const [type, packed] of Object.entries(chunks)) {
      writeFileSync(join(bench.folder, `${type}.png`), pngOf(file.subarray(8, 33), packed, pixels));
      const { code, stdout } = await bench.run('replay', `${type}.png`);
      expect([code, stdout]).toEqual([0, expect.stringContaining('every pixel the same')]);
    }
  });

  it('cannot be done where nothing was written beside the pixels', async () => {
    const bench = cliBench();
    await bench.run('generate', 'red', '--out', 'here', '--quiet', '--no-metadata');
    const file = readFileSync(join(bench.folder, 'here', 'picture.png'));
    expect(readPng(file).text).toEqual({});
    const { code, stderr } = await bench.run('replay', 'here/picture.png');
    expect([code, stderr]).toEqual([2, expect.stringContaining('here/picture.png carries no recipe: only')]);
    await bench.run('compare', 'red', '--out', 'both', '--quiet', '--budget', '40', '--no-metadata');
    expect(readPng(readFileSync(join(bench.folder, 'both', 'random', 'picture.png'))).text).toEqual({});
  });

  it('notices a picture whose pixels were changed', async () => {
    const bench = cliBench();
    await bench.run('generate', 'red', '--out', 'here', '--quiet');
    const { image, recipe } = await decodeWithRecipe(readFileSync(join(bench.folder, 'here', 'picture.png')));
    image.data[0] = 255 - (image.data[0] ?? 0);
    writeFileSync(join(bench.folder, 'edited.png'), await encodeWithRecipe(image, recipe));
    const { code, stderr } = await bench.run('replay', 'edited.png', '--quiet');
    expect([code, stderr]).toEqual([1, expect.stringContaining('somebody has changed its pixels')]);
  });

  it.each([
    ['no recipe', {}, /carries no recipe/, 2],
    ['broken JSON', { varsearch: '{"format":1' }, /not readable JSON/, 2],
    ['a damaged recipe', { varsearch: '{"format":1,"options":{}}' }, /damaged recipe/, 2],
    ['a damaged recipe of today', { varsearch: '{"format":2,"options":{}}' }, /damaged recipe/, 2],
    ['a later format', { varsearch: '{"format":3}' }, /newer varsearch/, 2],
  ])('explains a picture with %s', async (_, text, message, expected) => {
    const bench = cliBench();
    const image = { width: 2, height: 2, data: new Uint8Array(12) };
    writeFileSync(join(bench.folder, 'x.png'), encodePng(image, text));
    const { code, stderr } = await bench.run('replay', 'x.png');
    expect([code, stderr]).toEqual([expected, expect.stringMatching(message)]);
  });

  it.skipIf(process.platform === 'win32')('refuses a pipe or a device, which might never end', async () => {
    const bench = cliBench();
    execFileSync('mkfifo', [join(bench.folder, 'pipe.png')]);
    for (const [name, fault] of [
      ['pipe.png', 'pipe.png is not a file'],
      ['/dev/zero', '/dev/zero is not a file'],
      ['.', '. is a folder, not a picture'],
    ] as const) {
      expect(await bench.run('replay', name)).toEqual({
        code: 1,
        stdout: '',
        stderr: `varsearch: ${fault}\n`,
      });
    }
  });

  it('explains a file that is absent or no PNG, and options in a recipe that cannot be', async () => {
    const bench = cliBench();
    expect(await bench.run('replay', 'x.png')).toMatchObject({
      code: 1,
      stderr: 'varsearch: cannot read x.png: no such file or folder\n',
    });
    writeFileSync(join(bench.folder, 'x.png'), 'not a picture');
    expect((await bench.run('replay', 'x.png')).stderr).toBe(
      'varsearch: x.png is not a picture that can be read: it has to be PNG, JPEG or WebP\n',
    );
    await bench.run('generate', 'red', '--out', 'here', '--quiet');
    const { image, text } = readPng(readFileSync(join(bench.folder, 'here', 'picture.png')));
    const hostile = (text['varsearch'] ?? '').replace('"seed":0', '"seed":-5');
    writeFileSync(join(bench.folder, 'x.png'), encodePng(image, { varsearch: hostile }));
    expect(await bench.run('replay', 'x.png')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--seed must be'),
    });
  });

  describe('obeys nobody else', () => {
    /** A picture of this bench with another recipe. */
    async function forged(
      bench: CliBench,
      change: (options: Record<string, unknown>) => void,
    ): Promise<void> {
      await bench.run('generate', 'red', '--out', 'here', '--quiet');
      const { image, recipe } = await decodeWithRecipe(
        readFileSync(join(bench.folder, 'here', 'picture.png')),
      );
      const copy = structuredClone(recipe);
      change(copy.options as unknown as Record<string, unknown>);
      writeFileSync(join(bench.folder, 'x.png'), await encodeWithRecipe(image, copy));
      bench.catalogs.loaded.models.length = 0;
      bench.catalogs.loaded.verifiers.length = 0;
    }
    const judged = (name: string) => (options: Record<string, unknown>) => {
      options['jury'] = { judges: [name], observers: [], weights: [1], rule: 'score' };
    };
    const nothingLoaded = ({ catalogs: { loaded } }: CliBench): void => {
      expect([loaded.models, loaded.verifiers]).toEqual([[], []]);
    };

    it('says what will be run before anything is', async () => {
      const bench = cliBench();
      await forged(bench, () => {});
      const { stderr } = await bench.run('replay', 'x.png', '--json');
      expect(stderr.split('\n')[0]).toMatch(
        /^replay of x\.png: toybox, judged by clip-score: Beam search, .*; 51 pictures, 132 NFE, .*FLOPs$/,
      );
    });

    it('asks no endpoint without a word of the user', async () => {
      const bench = cliBench();
      await forged(bench, judged('llava-endpoint'));
      expect(await bench.run('replay', 'x.png')).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(
          /asks for the verifier 'llava-endpoint', which sends .*--allow-endpoint/,
        ),
      });
      nothingLoaded(bench);
      await bench.run('replay', 'x.png', '--allow-endpoint');
      await bench.run('replay', 'x.png', '--verifier', 'llava-endpoint');
      expect(bench.catalogs.loaded.verifiers.map(({ name }) => name)).toEqual([
        'llava-endpoint',
        'llava-endpoint',
      ]);
    });

    it.each(['/etc', '../../model', 'clip-score:/etc'])('opens no path, such as %s', async (path) => {
      const bench = cliBench();
      await forged(bench, judged(path));
      expect((await bench.run('replay', 'x.png')).code).toBe(2);
      await forged(bench, (options) => (options['model'] = path));
      expect(await bench.run('replay', 'x.png')).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('--model-dir'),
      });
      nothingLoaded(bench);
    });

    it('begins no search above the limit without a word of the user', async () => {
      const bench = cliBench();
      await forged(bench, (options) => (options['search'] = { strategy: 'random', images: 1_000_000 }));
      expect(await bench.run('replay', 'x.png')).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(
          /a search of 1,000,000 pictures, .*: above 1,000 pictures, .*--allow-large/,
        ),
      });
      nothingLoaded(bench);
      await forged(bench, (options) => (options['search'] = { strategy: 'random', images: 1001 }));
      expect((await bench.run('replay', 'x.png')).code).toBe(2);
      expect((await bench.run('replay', 'x.png', '--allow-large', '--quiet')).stderr).toMatch(
        /came out different/,
      );
    });

    it('takes any name of a file for a name', async () => {
      const bench = cliBench();
      await bench.run('generate', 'red', '--out', 'here', '--quiet');
      const { image, text } = readPng(readFileSync(join(bench.folder, 'here', 'picture.png')));
      const names = '"model":{"constructor":"aa","__proto__":"bb",';
      const recipe = (text['varsearch'] ?? '').replace('"model":{', names);
      writeFileSync(join(bench.folder, 'x.png'), encodePng(image, { varsearch: recipe }));
      expect(await bench.run('replay', 'x.png', '--quiet')).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(
          /made with other files: constructor \(made with aa, here absent\); __proto__/,
        ),
      });
    });
  });

  it('makes a picture of a recipe with fewer hashes again, and says which were not compared', async () => {
    const bench = cliBench();
    await bench.run('generate', 'red', '--out', 'here', '--quiet');
    const { image, recipe } = await decodeWithRecipe(readFileSync(join(bench.folder, 'here', 'picture.png')));
    const older = { ...recipe, hashes: { ...recipe.hashes, model: {} } };
    writeFileSync(join(bench.folder, 'x.png'), await encodeWithRecipe(image, older));
    const { code, stdout } = await bench.run('replay', 'x.png', '--json');
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { uncompared: ['fake.safetensors'] }]);
    // Judges of whom the recipe knows nothing are others.
    expect(
      (await bench.run('replay', 'x.png', '--verifier', 'clip-score,aesthetic', '--quiet')).stderr,
    ).toContain('aesthetic/judge.safetensors (made without it)');
  });

  it('makes a picture of a folder model again, and says how', async () => {
    const bench = cliBench();
    const words = ['--model-dir', 'models/mine', '--verifier', 'clip-score'];
    await bench.run('generate', 'red', '--out', 'here', '--quiet', ...words);
    expect((await bench.run('replay', 'here/picture.png')).stderr).toMatch(
      /made by the model 'mine', which does not come with varsearch: if it is a folder of yours, name it \(--model-dir\)/,
    );
    const again = await bench.run('replay', 'here/picture.png', '--model-dir', 'models/mine');
    expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('every pixel the same')]);
  });
});

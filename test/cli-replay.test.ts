// varsearch replay: the same picture again, or a clear word about why not.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { decodePng, encodePng } from '../src/core/image.js';
import { decodeWithRecipe, encodeWithRecipe } from '../src/run/recipe.js';
import { type CliBench, cliBench } from './fakes/cli.js';

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
    const words = ['replay', 'here/picture.png', '--report', 'image-reward', '--json'];
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

  it('notices a picture whose pixels were changed', async () => {
    const bench = cliBench();
    await bench.run('generate', 'red', '--out', 'here', '--quiet');
    const { image, recipe } = decodeWithRecipe(readFileSync(join(bench.folder, 'here', 'picture.png')));
    image.data[0] = 255 - (image.data[0] ?? 0);
    writeFileSync(join(bench.folder, 'edited.png'), encodeWithRecipe(image, recipe));
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

  it('explains a file that is absent or no PNG, and options in a recipe that cannot be', async () => {
    const bench = cliBench();
    expect(await bench.run('replay', 'x.png')).toMatchObject({
      code: 1,
      stderr: 'varsearch: cannot read x.png: no such file or folder\n',
    });
    writeFileSync(join(bench.folder, 'x.png'), 'not a picture');
    expect((await bench.run('replay', 'x.png')).stderr).toBe('varsearch: x.png is not a readable PNG file\n');
    await bench.run('generate', 'red', '--out', 'here', '--quiet');
    const { image, text } = decodePng(readFileSync(join(bench.folder, 'here', 'picture.png')));
    const hostile = (text['varsearch'] ?? '').replace('"seed":0', '"seed":-5');
    writeFileSync(join(bench.folder, 'x.png'), encodePng(image, { varsearch: hostile }));
    expect(await bench.run('replay', 'x.png')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--seed must be'),
    });
  });
});

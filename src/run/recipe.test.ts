import { describe, expect, it } from 'vitest';

import { readPng } from '../../test/fixtures/read-png.js';
import { createImage, encodePng } from '../core/image.js';
import { decodePicture } from '../core/image-file.js';
import { resolveJury } from '../verifiers/jury.js';
import {
  compareHashes,
  decodeWithRecipe,
  encodeWithRecipe,
  hashPixels,
  parseRecipe,
  type Recipe,
} from './recipe.js';

const image = createImage(2, 1, Uint8Array.of(1, 2, 3, 4, 5, 6));

const recipe: Recipe = {
  format: 2,
  options: {
    prompt: 'ein süßes "Herz" \u2764\ufe0f \\ \u0007 \ud83d\ude00',
    model: 'toybox',
    modelOptions: { cfg: 4, topK: 0, topP: 0 },
    jury: resolveJury(['clip-score']),
    seed: 2 ** 53 - 1,
    search: { strategy: 'random', images: 3 },
  },
  hashes: { model: { 'a.pth': 'aa' }, jury: {} },
  versions: { varsearch: '0.1.0' },
  standing: { score: 0.1 + 0.2 },
  candidate: 3,
  complete: true,
  pixels: hashPixels(image),
};

describe('a recipe', () => {
  it('travels in a picture unharmed, as plain ASCII', async () => {
    const png = await encodeWithRecipe(image, recipe);
    expect(await decodeWithRecipe(png)).toEqual({ image, recipe });
    expect(readPng(png).text['varsearch']).toMatch(/^[\x20-\x7e]+$/);
  });

  it('stands before the pixels, beside the text that galleries read', async () => {
    const plain = { ...recipe, options: { ...recipe.options, prompt: 'a red star,\na blue circle' } };
    const png = Buffer.from(await encodeWithRecipe(image, plain, { steps: 13 }));
    expect(png.indexOf('varsearch')).toBeLessThan(png.indexOf('IDAT'));
    expect(readPng(png).text['parameters']).toBe(
      'a red star,\na blue circle\n' +
        'Steps: 13, Sampler: varsearch random, CFG scale: 4, Seed: 9007199254740991, Size: 2x1, Model: toybox, ' +
        'Version: varsearch 0.1.0',
    );
    const { text } = await decodePicture(await encodeWithRecipe(image, recipe), 'x.png');
    expect(text['parameters']).toMatch(
      /^ein s\u00fc\u00dfes "Herz" \u2764\ufe0f \\ {3}\ud83d\ude00\nSampler: /,
    );
  });

  it('can be left out, so that the picture carries nothing', async () => {
    const png = await encodeWithRecipe(image, recipe, { metadata: false });
    expect(png).toEqual(await encodePng(image));
    await expect(decodeWithRecipe(png, 'x.png')).rejects.toThrow('x.png carries no recipe: only');
  });

  it('is read from what other programs leave of the picture', async () => {
    const text = { Comment: 'hello', varsearch: JSON.stringify(recipe.candidate) };
    await expect(decodeWithRecipe(await encodePng(image, text), 'x.png')).rejects.toThrow(
      'x.png carries a damaged recipe',
    );
    await expect(decodeWithRecipe(await encodePng(image, { Comment: 'hello' }), 'x.png')).rejects.toThrow(
      'x.png carries no recipe, only the text Comment: only pictures written by varsearch can be replayed',
    );
    const many = Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => [name, name]));
    await expect(decodeWithRecipe(await encodePng(image, many), 'x.png')).rejects.toThrow(
      'only the texts a, b, c, d, e and 2 more',
    );
  });

  it('is refused when any part is missing or of another kind', () => {
    const whole = JSON.parse(JSON.stringify(recipe)) as Record<string, unknown>;
    for (const name of Object.keys(whole)) {
      for (const value of [undefined, null, [], true, name === 'candidate' ? 'x' : 5]) {
        if (value === true && name === 'complete') continue;
        const broken = JSON.stringify({ ...whole, [name]: value });
        expect(() => parseRecipe(broken), broken).toThrow(/recipe/);
      }
    }
    expect(parseRecipe(JSON.stringify(recipe))).toEqual(recipe);
  });

  it('knows which files differ, and of which it says nothing', () => {
    expect(compareHashes({ a: '1', b: '2' }, { a: '1', b: '2' })).toEqual({ differences: [], unknown: [] });
    expect(compareHashes({ a: '1', b: '2' }, { a: '3', c: '4' })).toEqual({
      differences: ['a (made with 1, here 3)', 'b (made with 2, here absent)'],
      unknown: ['c'],
    });
  });

  it('may have any name for a file', () => {
    const hostile = '{"constructor":"1","__proto__":"2","toString":"3"}';
    const { differences } = compareHashes(JSON.parse(hostile) as Record<string, string>, {});
    expect(differences).toEqual(
      [...Object.entries({ constructor: 1, ['__proto__']: 2, toString: 3 })].map(
        ([name, hash]) => `${name} (made with ${hash}, here absent)`,
      ),
    );
  });

  it('is bounded in size, members and depth, and refused at once', () => {
    const jury = (judges: readonly string[]): string =>
      JSON.stringify({
        ...recipe,
        options: {
          ...recipe.options,
          jury: { ...recipe.options.jury, judges, weights: judges.map(() => 1) },
        },
      });
    const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `judge-${i}`);
    const nested = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const start = performance.now();
    expect(() => parseRecipe(jury(names(100_000)))).toThrow(/a recipe of \d+ characters: at most 1048576/);
    expect(() => parseRecipe(jury(names(20_000)))).toThrow(/more than 10000 values, which is not read/);
    expect(() => parseRecipe(jury(names(65)))).toThrow('damaged recipe');
    expect(() => parseRecipe(nested)).toThrow(/more than 8 lists and objects within each other/);
    expect(performance.now() - start).toBeLessThan(2000);
    expect(parseRecipe(jury(names(64))).options.jury.judges).toHaveLength(64);
  });

  describe('of format 1', () => {
    const old = {
      format: 1,
      options: {
        prompt: 'red',
        model: 'toybox',
        verifier: 'clip-score',
        ensemble: null,
        seed: 3,
        cfg: [4, 3],
        temperature: null,
        topK: 0,
        topP: 0,
        size: null,
        aspectRatio: null,
        search: { strategy: 'random', images: 3 },
      },
      hashes: { model: { vae: 'aa' }, verifier: { weights: 'bb' } },
      versions: { varsearch: '0.1.0' },
      score: 0.25,
      node: 2,
      complete: true,
      pixels: 'cc',
    };
    const read = (change: object): Recipe =>
      parseRecipe(JSON.stringify({ ...old, ...change, options: { ...old.options, ...change } }));

    it('becomes one of today', () => {
      expect(read({})).toEqual({
        format: 2,
        options: {
          prompt: 'red',
          model: 'toybox',
          modelOptions: { cfg: [4, 3], topK: 0, topP: 0 },
          jury: resolveJury(['clip-score']),
          seed: 3,
          search: { strategy: 'random', images: 3 },
        },
        hashes: { model: { vae: 'aa' }, jury: { 'clip-score/weights': 'bb' } },
        versions: { varsearch: '0.1.0' },
        standing: { score: 0.25 },
        candidate: 2,
        complete: true,
        pixels: 'cc',
      });
      // Written before several verifiers could be joined.
      expect(read({ ensemble: undefined })).toEqual(read({}));
    });

    it('parts the verifiers that were one text, and turns their ranks over', () => {
      const hashes = { model: {}, verifier: { 'a/weights': 'bb', 'b/weights': 'dd' } };
      const {
        options,
        standing,
        hashes: found,
      } = read({
        verifier: 'a,b',
        ensemble: { by: 'rank', weights: [2, 1] },
        score: -1.5,
        hashes,
      });
      expect(options.jury).toEqual(resolveJury(['a', 'b'], { rule: 'rank', weights: [2, 1] }));
      expect(standing).toEqual({ rank: 1.5, of: 0 });
      expect(found.jury).toEqual({ 'a/weights': 'bb', 'b/weights': 'dd' });
    });

    it('calls a CLIP by the option that names its folder', () => {
      const one = read({ verifier: 'clip-score:/some,where' });
      expect([one.options.jury.judges, one.hashes.jury]).toEqual([
        ['clip-dir'],
        { 'clip-dir/weights': 'bb' },
      ]);
      const two = read({
        verifier: 'a,clip-score:/x/y',
        ensemble: { by: 'z-score', weights: [1, 1] },
        hashes: { model: {}, verifier: { 'clip-score:/x/y/weights': 'bb' } },
      });
      expect([two.options.jury.judges, two.hashes.jury]).toEqual([
        ['a', 'clip-dir'],
        { 'clip-dir/weights': 'bb' },
      ]);
    });
  });
});

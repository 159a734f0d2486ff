import { describe, expect, it } from 'vitest';

import { createImage, decodePng, encodePng } from '../core/image.js';
import {
  decodeWithRecipe,
  encodeWithRecipe,
  hashDifferences,
  hashPixels,
  parseRecipe,
  type Recipe,
} from './recipe.js';

const image = createImage(2, 1, Uint8Array.of(1, 2, 3, 4, 5, 6));

const recipe: Recipe = {
  format: 1,
  options: {
    prompt: 'ein süßes "Herz" \u2764\ufe0f \\ \u0007 \ud83d\ude00',
    model: 'toybox',
    verifier: 'clip-score',
    ensemble: null,
    seed: 2 ** 53 - 1,
    cfg: 4,
    temperature: null,
    topK: 0,
    topP: 0,
    size: null,
    aspectRatio: null,
    search: { strategy: 'random', images: 3 },
  },
  hashes: { model: { 'a.pth': 'aa' }, verifier: {} },
  versions: { varsearch: '0.1.0' },
  score: 0.1 + 0.2,
  node: 3,
  complete: true,
  pixels: hashPixels(image),
};

describe('a recipe', () => {
  it('travels in a picture unharmed, as plain ASCII', () => {
    const png = encodeWithRecipe(image, recipe);
    expect(decodeWithRecipe(png)).toEqual({ image, recipe });
    expect(decodePng(png).text['varsearch']).toMatch(/^[\x20-\x7e]+$/);
  });

  it('is read from what other programs leave of the picture', () => {
    const text = { Comment: 'hello', varsearch: JSON.stringify(recipe.score) };
    expect(() => decodeWithRecipe(encodePng(image, text), 'x.png')).toThrow('x.png carries a damaged recipe');
    expect(() => decodeWithRecipe(encodePng(image, { Comment: 'hello' }), 'x.png')).toThrow(
      'x.png carries no recipe',
    );
  });

  it('is refused when any part is missing or of another kind', () => {
    const whole = JSON.parse(JSON.stringify(recipe)) as Record<string, unknown>;
    for (const name of Object.keys(whole)) {
      for (const value of [undefined, null, [], true, name === 'score' || name === 'node' ? 'x' : 5]) {
        if (value === true && name === 'complete') continue;
        const broken = JSON.stringify({ ...whole, [name]: value });
        expect(() => parseRecipe(broken), broken).toThrow(/recipe/);
      }
    }
    expect(parseRecipe(JSON.stringify(recipe))).toEqual(recipe);
  });

  it('knows which files differ', () => {
    expect(hashDifferences({ a: '1', b: '2' }, { a: '1', b: '2' })).toEqual([]);
    expect(hashDifferences({ a: '1', b: '2' }, { a: '3', c: '4' })).toEqual([
      'a (made with 1, here 3)',
      'b (made with 2, here absent)',
      'c (made with absent, here 4)',
    ]);
  });
});

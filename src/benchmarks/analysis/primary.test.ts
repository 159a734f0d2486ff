// How a primary comparison is named.

import { describe, expect, it } from 'vitest';

import { parsePrimary } from './primary.js';

describe('parsePrimary', () => {
  it.each([
    ['beam,random,image-reward,315', 'beam', 'random', 'image-reward', 315, 'NFE'],
    [
      ' beam , single,clip-score+aesthetic , 2e12 FLOPs',
      'beam',
      'single',
      'aesthetic+clip-score',
      2e12,
      'FLOPs',
    ],
    [
      'beam:candidates=9,7,5:keepElected,random,coin,20s',
      'beam:candidates=9,7,5:keepElected',
      'random',
      'coin',
      20,
      'seconds',
    ],
  ])('reads %s', (text, strategy, reference, jury, most, unit) => {
    expect(parsePrimary(text)).toEqual({ strategy, reference, jury, budget: { most, unit } });
  });

  it('reads a model, whatever its options', () => {
    expect(parsePrimary('beam,random,coin,315 NFE,toybox (cfg 1, temperature 0.7)').model).toBe(
      'toybox (cfg 1, temperature 0.7)',
    );
  });

  it.each([
    '',
    'beam,random,coin',
    'beam,random,coin,many',
    'beam,random,coin,0',
    'beam,random,coin,3 eggs',
    'beam,,coin,3',
  ])('refuses %j', (text) => {
    expect(() => parsePrimary(text)).toThrow(
      "option 'primary' (--primary) has to be search, reference, guide",
    );
  });
});

// Strategies as a study names them.

import { expect, it } from 'vitest';

import { parseVariants } from './variants.js';

it('reads strategies with options, lists of numbers and values with colons', () => {
  const text = 'single, random,beam:width=2:keepElected,beam:candidates=9,7,5,4,3,2,random:rollout=preview:5';
  expect(parseVariants(text)).toEqual([
    { label: 'single', strategy: 'random', sizes: { images: 1 }, fixed: true },
    { label: 'random', strategy: 'random', sizes: {}, fixed: false },
    {
      label: 'beam:width=2:keepElected',
      strategy: 'beam',
      sizes: { width: 2, keepElected: true },
      fixed: false,
    },
    {
      label: 'beam:candidates=9,7,5,4,3,2',
      strategy: 'beam',
      sizes: { candidates: [9, 7, 5, 4, 3, 2] },
      fixed: true,
    },
    { label: 'random:rollout=preview:5', strategy: 'random', sizes: { rollout: 'preview:5' }, fixed: false },
  ]);
});

it.each([
  ['beem', "there is no strategy 'beem'"],
  ['random,,beam', 'names nothing at one place'],
  ['random,random', "has 'random' twice"],
  ['random:width=2', "does not take the option 'width'"],
  ['beam:width=x', "'width' must be a whole number"],
  ['beam:2', "has an option '2': write it as name=value"],
])('refuses %s', (text, words) => {
  expect(() => parseVariants(text)).toThrow(words);
});

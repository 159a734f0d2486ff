// The order of a benchmark's prompts: fair samples that contain each other.

import { expect, it } from 'vitest';

import { TOYBENCH_HARD } from './lists/toybench.js';
import { choosePrompts, parseRanges, spread } from './spread.js';

it('gives every kind its share in any beginning, and the rest apart', async () => {
  const { prompts } = await TOYBENCH_HARD.load();
  expect(prompts).toHaveLength(200);
  expect(new Set(prompts.map(({ text }) => text)).size).toBe(200);
  const half = choosePrompts(prompts, '100');
  const counts: Record<string, number> = {};
  for (const { kind } of half) counts[kind] = (counts[kind] ?? 0) + 1;
  expect(counts).toEqual({ counting: 3, position: 18, complex: 79 });
  expect(choosePrompts(prompts, '50')).toEqual(half.slice(0, 50));
  const all = [...half, ...choosePrompts(prompts, '100-199')];
  expect(all.map(({ index }) => index).sort((a, b) => a - b)).toEqual(prompts.map(({ index }) => index));
});

it('puts the members of a kind into the middles of its parts, so that none comes first or last by its size', () => {
  const kinds = ['many', 'many', 'many', 'many', 'one', 'two', 'two'];
  const order = spread(kinds.map((kind, index) => ({ index, kind, text: String(index) })));
  // Many at 1/8, 3/8, 5/8 and 7/8, one at 1/2, two at 1/4 and 3/4.
  expect(order.map(({ kind }) => kind)).toEqual(['many', 'two', 'many', 'one', 'many', 'two', 'many']);
});

it('reads ranges, and refuses what is none', () => {
  expect(parseRanges('1-3, 7', 'seeds')).toEqual([1, 2, 3, 7]);
  expect(() => parseRanges('3-1', 'seeds')).toThrow("option 'seeds' must be whole numbers");
  expect(() => parseRanges('1,1', 'seeds')).toThrow('names a number twice');
  expect(() => choosePrompts([], '1')).toThrow('has 0 prompts');
});

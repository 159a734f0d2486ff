import { expect, it } from 'vitest';

import { describeStrategy, meanScore, picturesOf, play } from './strategy.suite.js';

describeStrategy('random', [
  { strategy: 'random', images: 1 },
  { strategy: 'random', images: 12 },
  { strategy: 'random', images: 9, rollout: 'preview:2' },
  { strategy: 'random', images: 5, rollout: 'none' },
]);

it('finds better pictures the more it draws', async () => {
  const one = await meanScore({ strategy: 'random', images: 1 });
  const four = await meanScore({ strategy: 'random', images: 4 });
  const sixteen = await meanScore({ strategy: 'random', images: 16 });
  expect(four).toBeGreaterThan(one + 1);
  expect(sixteen).toBeGreaterThan(four + 1);
});

it('draws whole pictures: every candidate fixes all steps, and nothing is drawn from it', async () => {
  const { result } = await play({ strategy: 'random', images: 5 });
  expect(result.candidates.map(({ step, parent, path }) => [step, parent, ...path])).toEqual(
    [0, 1, 2, 3, 4].map((number) => [4, 0, 1, 0, number]),
  );
  expect(result.fates.map(({ copies }) => copies)).toEqual([0, 0, 0, 0, 0]);
});

it('judges the first pictures early, however many are to come', async () => {
  const { events } = await play({ strategy: 'random', images: 100 });
  const sizes = events.flatMap((event) => (event.type === 'judged' ? [event.candidates.length] : []));
  expect(sizes).toEqual([4, 16, 64, 16]);
});

it('draws the same pictures first, however many follow', async () => {
  const few = await play({ strategy: 'random', images: 3 });
  const many = await play({ strategy: 'random', images: 9 });
  expect(picturesOf(many).slice(0, 3)).toEqual(picturesOf(few));
});

import { expect, it } from 'vitest';

import { describeStrategy, meanScore, play } from './strategy.suite.js';

describeStrategy('random', [{ images: 1 }, { images: 12 }]);

it('finds better pictures the more it draws', async () => {
  const one = await meanScore({ strategy: 'random', images: 1 });
  const four = await meanScore({ strategy: 'random', images: 4 });
  const sixteen = await meanScore({ strategy: 'random', images: 16 });
  expect(four).toBeGreaterThan(one + 1);
  expect(sixteen).toBeGreaterThan(four + 1);
});

it('draws whole pictures: every candidate fixes all scales', async () => {
  const { result } = await play({ strategy: 'random', images: 5 });
  expect(result.tree.nodes.map(({ scale, beam, candidate }) => [scale, beam, candidate])).toEqual(
    [0, 1, 2, 3, 4].map((candidate) => [4, 0, candidate]),
  );
});

it('draws the same pictures first, however many follow', async () => {
  const few = await play({ strategy: 'random', images: 3 });
  const many = await play({ strategy: 'random', images: 9 });
  const scores = ({ result }: typeof few): number[] => result.tree.nodes.map(({ score }) => score);
  expect(scores(many).slice(0, 3)).toEqual(scores(few));
});

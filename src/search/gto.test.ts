import { expect, it } from 'vitest';

import { describeStrategy, meanScore, play } from './strategy.suite.js';

describeStrategy('gto', [
  { candidates: 1 },
  { candidates: 5 },
  { candidates: [6, 1, 3, 2], result: 'last-round' },
  { candidates: 4, keepElected: true },
  { candidates: [5, 1, 1, 4], keepElected: true, result: 'last-round' },
]);

it('is better than chance, and better the more candidates it has', async () => {
  const chance = await meanScore({ strategy: 'random', images: 1 });
  const two = await meanScore({ strategy: 'gto', candidates: 2 });
  const eight = await meanScore({ strategy: 'gto', candidates: 8 });
  expect(two).toBeGreaterThan(chance + 1);
  expect(eight).toBeGreaterThan(two + 1);
});

it('never gets worse from round to round when elected rollouts are kept', async () => {
  for (let seed = 0; seed < 20; seed++) {
    const { events } = await play({ strategy: 'gto', candidates: 3, keepElected: true }, seed);
    const elected = events.flatMap((event) =>
      event.type === 'elected' ? [event.nodes[0]?.score ?? NaN] : [],
    );
    expect(elected).toEqual([...elected].sort((a, b) => a - b));
  }
});

it('may get worse when they are not kept', async () => {
  const rounds = async (seed: number): Promise<number[]> => {
    const { events } = await play({ strategy: 'gto', candidates: 2 }, seed);
    return events.flatMap((event) => (event.type === 'elected' ? [event.nodes[0]?.score ?? NaN] : []));
  };
  const all = await Promise.all(Array.from({ length: 20 }, (_, seed) => rounds(seed)));
  expect(all.some((scores) => scores.some((score, k) => score < (scores[k - 1] ?? -Infinity)))).toBe(true);
});

it('begins with the pictures of random search: what is compared differs in the search alone', async () => {
  const gto = await play({ strategy: 'gto', candidates: 6 });
  const random = await play({ strategy: 'random', images: 6 });
  expect(gto.result.tree.nodes.slice(0, 6).map(({ image }) => image)).toEqual(
    random.result.tree.nodes.map(({ image }) => image),
  );
});

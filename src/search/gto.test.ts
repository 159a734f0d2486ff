import { expect, it } from 'vitest';

import { bestOfRounds, describeStrategy, meanScore, picturesOf, play } from './strategy.suite.js';

describeStrategy('gto', [
  { strategy: 'gto', candidates: 1 },
  { strategy: 'gto', candidates: 5 },
  { strategy: 'gto', candidates: [6, 1, 3, 2], result: 'last-round' },
  { strategy: 'gto', candidates: 4, keepElected: true },
  { strategy: 'gto', candidates: [5, 1, 1, 4], keepElected: true, result: 'last-round' },
  { strategy: 'gto', candidates: 4, rollout: 'preview:1' },
  { strategy: 'gto', candidates: 3, keepElected: true, result: 'last-round', rollout: 'preview:3' },
  { strategy: 'gto', candidates: [5, 1, 4, 2], result: 'last-round', rollout: 'none' },
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
    const rounds = bestOfRounds(await play({ strategy: 'gto', candidates: 3, keepElected: true }, { seed }));
    expect(rounds).toEqual(rounds.toSorted((a, b) => a - b));
  }
});

it('may get worse when they are not kept', async () => {
  const searches = Array.from({ length: 20 }, (_, seed) =>
    play({ strategy: 'gto', candidates: 2 }, { seed }),
  );
  const all = (await Promise.all(searches)).map(bestOfRounds);
  expect(all.some((scores) => scores.some((score, k) => score < (scores[k - 1] ?? -Infinity)))).toBe(true);
});

it('begins with the pictures of random search: what is compared differs in the search alone', async () => {
  const gto = await play({ strategy: 'gto', candidates: 6 });
  const random = await play({ strategy: 'random', images: 6 });
  expect(picturesOf(gto).slice(0, 6)).toEqual(picturesOf(random));
});

it('carries one prefix from round to round, and none from the last', async () => {
  const { events } = await play({ strategy: 'gto', candidates: 3 });
  const copies = events.flatMap((event) =>
    event.type === 'elected' ? [event.fates.map((fate) => fate.copies)] : [],
  );
  expect(copies).toEqual([[1, 0, 0], [1, 0, 0], [1, 0, 0], [0, 0, 0]]); // prettier-ignore
});

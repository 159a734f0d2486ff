import { describe, expect, it } from 'vitest';

import type { SearchOptions } from './registry.js';
import { describeStrategy, meanScore, play } from './strategy.suite.js';

describeStrategy('beam', [
  { width: 1, candidates: 1 },
  { width: 3, candidates: 5 },
  { width: 2, candidates: [4, 1, 3, 2], result: 'last-round' },
  { width: 3, candidates: 2, keepElected: true },
  { width: 2, candidates: [3, 1, 1, 4], keepElected: true, result: 'last-round' },
]);

it('is better than chance, and better the more it carries', async () => {
  const chance = await meanScore({ strategy: 'random', images: 1 });
  const narrow = await meanScore({ strategy: 'beam', width: 2, candidates: 1 });
  const wide = await meanScore({ strategy: 'beam', width: 4, candidates: 4 });
  expect(narrow).toBeGreaterThan(chance + 1);
  expect(wide).toBeGreaterThan(narrow + 1);
});

it('of width 1 is greedy token optimisation', async () => {
  for (const keepElected of [false, true]) {
    const beam = await play({ strategy: 'beam', width: 1, candidates: 4, keepElected });
    const gto = await play({ strategy: 'gto', candidates: 4, keepElected });
    expect(beam.result).toEqual(gto.result);
    expect(beam.events).toEqual(gto.events);
  }
});

it('may elect several beams from one parent', async () => {
  let siblings = 0;
  for (let seed = 0; seed < 10; seed++) {
    const { events } = await play({ strategy: 'beam', width: 3, candidates: 5 }, seed);
    for (const event of events) {
      if (event.type !== 'elected' || event.scale === 1) continue;
      expect(event.nodes).toHaveLength(3);
      if (new Set(event.nodes.map(({ parent }) => parent)).size < 3) siblings++;
    }
  }
  expect(siblings).toBeGreaterThan(0);
});

describe('elected rollouts that are kept', () => {
  const options: SearchOptions = { strategy: 'beam', width: 3, candidates: 3, keepElected: true };

  it('make the best score monotone over the rounds', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const { events, result } = await play(options, seed);
      const best = events.flatMap((event) =>
        event.type === 'elected' ? [event.nodes[0]?.score ?? NaN] : [],
      );
      expect(best).toEqual([...best].sort((a, b) => a - b));
      expect(result.score).toBe(best.at(-1));
    }
  });

  it('are the first candidate of their beam, and cost nothing', async () => {
    const { result, model } = await play(options);
    const inherited = result.tree.nodes.filter((node) => node.inherited);
    expect(inherited.map(({ scale, beam, candidate }) => [scale, beam, candidate])).toEqual(
      [2, 3, 4].flatMap((scale) => [0, 1, 2].map((beam) => [scale, beam, 0])),
    );
    for (const node of inherited) {
      const parent = result.tree.nodes[node.parent - 1];
      expect(node.image).toBe(parent?.image);
      expect(node.score).toBe(parent?.score);
    }
    const { nfe, imagesDecoded, imagesVerified } = model.ledger.record();
    expect(nfe).toBe(9 * 4 + 6 * (3 + 2 + 1));
    expect([imagesDecoded, imagesVerified]).toEqual([9 + 6 * 3, 9 + 6 * 3]);
  });
});

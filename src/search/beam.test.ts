import { describe, expect, it } from 'vitest';

import { BitModel } from './bit-model.suite.js';
import type { SearchOptions } from './registry.js';
import {
  bestOfRounds,
  describeStrategy,
  meanScore,
  picturesOf,
  play,
  scoreOf,
  WORLD,
} from './strategy.suite.js';

it('keeps a child of every beam where the verifier finds all alike, and no more of the first draws than of others', async () => {
  const places: number[] = [];
  for (let seed = 0; seed < 20; seed++) {
    const model = new BitModel(WORLD, { corrupt: (scores) => scores.map(() => ({ target: 1 })), room: 4 });
    const options = { strategy: 'beam', width: 3, candidates: 5 } as const;
    const { result } = await play(options, { seed, model });
    expect(result.winner).toBe(1);
    const copied = new Set(result.fates.filter(({ copies }) => copies > 0).map(({ id }) => id));
    const elected = result.candidates.filter(({ id }) => copied.has(id));
    for (const step of [2, 3]) {
      expect(new Set(elected.filter((each) => each.step === step).map(({ parent }) => parent)).size).toBe(3);
    }
    places.push(...elected.filter(({ step }) => step === 1).map(({ path: [, , number = 0] }) => number));
  }
  // 60 of 15 places: their mean would be 1 if the earliest were taken.
  const mean = places.reduce((sum, place) => sum + place, 0) / places.length;
  expect(Math.abs(mean - 7)).toBeLessThan(2);
});

describeStrategy('beam', [
  { strategy: 'beam', width: 1, candidates: 1 },
  { strategy: 'beam', width: 3, candidates: 5, paper: true },
  { strategy: 'beam', width: 2, candidates: [4, 1, 3, 2], paper: true, result: 'last-round' },
  { strategy: 'beam', width: 3, candidates: 2 },
  { strategy: 'beam', width: 2, candidates: [3, 1, 1, 4], result: 'last-round' },
  { strategy: 'beam', width: 3, candidates: 3, paper: true, rollout: 'preview:2' },
  { strategy: 'beam', width: 2, candidates: [4, 2, 3], rollout: 'preview:3' },
  { strategy: 'beam', width: 2, candidates: 2, paper: true, result: 'last-round', rollout: 'preview:3' },
  { strategy: 'beam', width: 2, candidates: 3, rollout: 'none' },
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
    const { events, result } = await play({ strategy: 'beam', width: 3, candidates: 5 }, { seed });
    for (const event of events) {
      if (event.type !== 'elected' || event.round === 1 || event.round === 4) continue;
      const elected = event.fates.filter(({ copies }) => copies > 0);
      expect(elected).toHaveLength(3);
      const parents = elected.map(({ id }) => result.candidates[id - 1]?.parent);
      if (new Set(parents).size < 3) siblings++;
    }
  }
  expect(siblings).toBeGreaterThan(0);
});

describe('elected rollouts that are kept', () => {
  const options: SearchOptions = { strategy: 'beam', width: 3, candidates: 3, keepElected: true };

  it('make the best score monotone over the rounds', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const played = await play(options, { seed });
      const best = bestOfRounds(played);
      expect(best).toEqual(best.toSorted((a, b) => a - b));
      expect(scoreOf(played)).toBe(best.at(-1));
    }
  });

  it('are the first candidate of their beam, the same as what they were, and cost nothing', async () => {
    const played = await play(options);
    const { candidates } = played.result;
    const pictures = picturesOf(played);
    const same = candidates.filter(({ sameAs }) => sameAs !== undefined);
    expect(same.map(({ path }) => path)).toEqual(
      [2, 3, 4].flatMap((round) => [0, 1, 2].map((beam) => [round, beam, 0])),
    );
    for (const { id, parent, sameAs = 0, scores } of same) {
      const before = candidates[parent - 1];
      // Always the candidate that was drawn, also after several rounds.
      expect(sameAs).toBe(before?.sameAs ?? before?.id);
      expect(candidates[sameAs - 1]?.sameAs).toBeUndefined();
      expect(scores).toEqual(before?.scores);
      expect(pictures[id - 1]).toEqual(pictures[parent - 1]);
    }
    const { nfe, imagesDecoded, imagesVerified } = played.model.ledger.record();
    expect(nfe).toBe(9 * 4 + 6 * (3 + 2 + 1));
    expect([imagesDecoded, imagesVerified]).toEqual([9 + 6 * 3, 9 + 6 * 3]);
    expect(played.shown).toHaveLength(9 + 6 * 3);
  });
});

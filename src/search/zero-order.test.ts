import { describe, expect, it } from 'vitest';

import { BitModel } from './bit-model.suite.js';
import type { SearchEvent } from './contract.js';
import { dryRun } from './dry-run.js';
import { estimate, resolveSearch } from './registry.js';
import { diffusionSteps } from './schedules.suite.js';
import { bestOfRounds, describeStrategy, picturesOf, play, WORLD } from './strategy.suite.js';

describeStrategy('zero-order', [
  { strategy: 'zero-order', neighbours: 3, rounds: 4 },
  { strategy: 'zero-order', neighbours: 5, rounds: 2, radius: 1 },
]);

const options = { strategy: 'zero-order', neighbours: 6, rounds: 5, radius: 0.4 } as const;

it('has every round around the best of the one before, which is told as the parent', async () => {
  const { result, events } = await play(options);
  const rounds = events.flatMap((event) => (event.type === 'elected' ? [event.fates] : []));
  for (const [index, fates] of rounds.entries()) {
    const [best] = fates;
    const isLast = index === rounds.length - 1;
    expect(fates.map(({ copies }) => copies)).toEqual([isLast ? 0 : 1, 0, 0, 0, 0, 0]);
    const next = result.candidates.filter(({ path: [round] }) => round === index + 2);
    expect(next.map(({ parent }) => parent)).toEqual(isLast ? [] : Array(6).fill(best?.id));
  }
  expect(result.candidates.slice(0, 6).map(({ parent }) => parent)).toEqual(Array(6).fill(0));
});

it('begins with the picture that every strategy draws first', async () => {
  const [first] = picturesOf(await play({ strategy: 'random', images: 1 }));
  expect(picturesOf(await play(options))[0]).toEqual(first);
});

it('keeps nothing alive but the empty prefix from round to round', async () => {
  const model = new BitModel(WORLD, { room: 2 });
  const ends: number[] = [];
  const onEvent = (event: SearchEvent): void => {
    if (event.type === 'elected') ends.push(model.alive);
  };
  await play(options, { model, onEvent });
  expect(ends).toEqual([1, 1, 1, 1, 1]);
});

it('draws likenesses of the pivot, the more so the smaller the radius', async () => {
  const differing = async (radius: number): Promise<number> => {
    let sum = 0;
    for (let seed = 0; seed < 30; seed++) {
      const [pivot = [], ...others] = picturesOf(await play({ ...options, rounds: 1, radius }, { seed }));
      for (const other of others) {
        sum += other.flat().filter((bit, i) => bit !== pivot.flat()[i]).length / 18;
      }
    }
    return sum / (30 * 5);
  };
  const [near, far, anywhere] = [await differing(0.05), await differing(0.4), await differing(1)];
  expect(near).toBeLessThan(0.06);
  expect(far).toBeGreaterThan(near + 0.05);
  expect(anywhere).toBeGreaterThan(far + 0.1);
});

it('climbs: later rounds are better than the first', async () => {
  let [first, last] = [0, 0];
  for (let seed = 0; seed < 40; seed++) {
    const best = bestOfRounds(await play(options, { seed }));
    first += best[0] ?? NaN;
    last += best.at(-1) ?? NaN;
  }
  expect(last / 40).toBeGreaterThan(first / 40 + 2);
});

describe('costs', () => {
  const flux = diffusionSteps(30, 'plain');

  it.each([{ budget: 2880 }, { rounds: 24 }, { rounds: 8, neighbours: 12 }])(
    'count 96 pictures of 30 steps as 2880 evaluations: %o',
    async (sizes) => {
      const search = resolveSearch({ strategy: 'zero-order', ...sizes }, flux);
      expect(estimate(search, flux)).toMatchObject({ nfe: 2880, images: 96, exact: true });
      expect(await dryRun(search, flux)).toMatchObject({ nfe: 2880, imagesVerified: 96, leaked: 0 });
    },
  );

  it('need a budget of one round at least', () => {
    const small = () => resolveSearch({ strategy: 'zero-order', budget: 119 }, flux);
    expect(small).toThrow(
      'a budget of 119 function evaluations is too small for this search: it needs at least 120',
    );
  });
});

it('tells its radius in its sizes, and refuses one that is none', () => {
  const search = resolveSearch(options, diffusionSteps(4, 'plain'));
  expect(search).toEqual(options);
  for (const radius of [0, 1.5, NaN]) {
    expect(() => resolveSearch({ ...options, radius }, diffusionSteps(4, 'plain'))).toThrow(
      /'radius' must be/,
    );
  }
});

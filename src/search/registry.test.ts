import { describe, expect, it } from 'vitest';

import { UsageError } from '../core/errors.js';
import { squareScales } from './dry-run.js';
import { DEFAULTS, MOST_CANDIDATES } from './options.js';
import { estimate, optionsFor, resolveSearch, STRATEGIES, STRATEGY_INFO } from './registry.js';

const scales = (count: number) => squareScales(Array.from({ length: count }, (_, i) => i + 1));
const resolve = (options: object, count = 13) => resolveSearch(options, scales(count));
const nfe = (options: object, count = 13): number => estimate(resolve(options, count), scales(count)).nfe;

describe('defaults', () => {
  it('is beam search of w * c = 15', () => {
    expect(resolve({}, 3)).toEqual({
      strategy: 'beam',
      width: 3,
      candidates: [5, 5, 5],
      keepElected: false,
      result: 'best',
    });
  });

  it.each([1, 2, 6, 7, 13])('every strategy costs about the same at %i scales', (count) => {
    const [random = 0, gto = 0, beam = 0] = STRATEGIES.map((strategy) => nfe({ strategy }, count));
    expect(gto).toBe(beam);
    expect(random).toBeLessThanOrEqual(beam);
    expect(random).toBeGreaterThan(beam - count);
  });

  it('takes what is undefined for not said', () => {
    const nothing = { width: undefined, candidates: undefined, images: undefined, budget: undefined };
    expect(resolve({ ...nothing, keepElected: undefined, result: undefined, strategy: undefined })).toEqual(
      resolve({}),
    );
  });
});

describe('resolving', () => {
  it.each([
    { strategy: 'random', images: 7 },
    { strategy: 'gto', candidates: [3, 2, 1], keepElected: true, result: 'last-round' },
    { strategy: 'beam', width: 4, candidates: 2 },
  ])('%o gives the same when it is done again, also from JSON', (options) => {
    const once = resolve(options, 3);
    expect(resolve(once, 3)).toEqual(once);
    expect(JSON.parse(JSON.stringify(once))).toEqual(once);
  });

  it('leaves out what a strategy does not take', () => {
    const options = { keepElected: true, budget: 300, width: 2 };
    for (const strategy of STRATEGIES) expect(() => resolve(optionsFor(strategy, options))).not.toThrow();
    expect(resolve(optionsFor('random', options))).toEqual({ strategy: 'random', images: 23 });
  });

  it('describes every strategy', () => {
    expect(Object.keys(STRATEGY_INFO)).toEqual([...STRATEGIES]);
  });
});

describe('budgets', () => {
  it.each([
    [{ strategy: 'random', budget: 1365 }, { images: 105 }],
    [{ strategy: 'random', budget: 2535 }, { images: 195 }],
    [{ strategy: 'random', budget: 1364 }, { images: 104 }],
    [{ strategy: 'gto', budget: 1365 }, { candidates: Array(13).fill(15) }],
    [
      { strategy: 'beam', budget: 1365 },
      { width: 3, candidates: Array(13).fill(5) },
    ],
    [
      { strategy: 'beam', budget: 1365, width: 5 },
      { width: 5, candidates: Array(13).fill(3) },
    ],
    [
      { strategy: 'beam', budget: 1364 },
      { width: DEFAULTS.width, candidates: Array(13).fill(4) },
    ],
  ])('%o gives %o', (options, expected) => {
    expect(resolve(options)).toMatchObject(expected);
  });

  const searches = [
    { strategy: 'random' },
    { strategy: 'gto' },
    { strategy: 'gto', keepElected: true },
    { strategy: 'beam' },
    { strategy: 'beam', width: 2, keepElected: true },
  ];
  it.each(searches)('%o spends as much of a budget as it can, and never more', (options) => {
    for (const budget of [300, 301, 500, 777, 1365, 5000]) {
      const search = resolve({ ...options, budget }, 7);
      expect(estimate(search, scales(7)).nfe).toBeLessThanOrEqual(budget);
      const more =
        search.strategy === 'random'
          ? { ...search, images: search.images + 1 }
          : { ...search, candidates: search.candidates.map((candidates) => candidates + 1) };
      expect(estimate(more, scales(7)).nfe).toBeGreaterThan(budget);
    }
  });

  it.each(searches)('%o names the least budget, which then is enough', (options) => {
    let message = '';
    try {
      resolve({ ...options, budget: 1 }, 6);
    } catch (error) {
      expect(error).toBeInstanceOf(UsageError);
      message = (error as Error).message;
    }
    const least = Number(/at least (\d+)$/.exec(message)?.[1]);
    expect(() => resolve({ ...options, budget: least - 1 }, 6)).toThrow('too small');
    expect(nfe({ ...options, budget: least }, 6)).toBe(least);
  });
});

describe('refusals', () => {
  it.each([
    [{ strategy: 'bream' }, /no strategy 'bream': there are random, gto, beam/],
    [{ strategy: 'toString' }, /no strategy 'toString'/],
    [
      { strategy: 'random', width: 3 },
      /random search does not take the option 'width': it takes images, budget/,
    ],
    [{ strategy: 'random', keepElected: false }, /does not take the option 'keepElected'/],
    [{ strategy: 'gto', images: 3 }, /does not take the option 'images'/],
    [{ strategy: 'gto', width: 1 }, /does not take the option 'width'/],
    [{ strategy: 'beam', beams: 1 }, /does not take the option 'beams'/],
    [{ strategy: 'beam', budget: 500, candidates: 5 }, /one of 'candidates' and 'budget', not both/],
    [{ strategy: 'random', budget: 500, images: 5 }, /one of 'images' and 'budget', not both/],
    [{ strategy: 'random', images: 0 }, /'images' must be a whole number of at least 1, got 0/],
    [{ strategy: 'random', images: 2.5 }, /got 2.5/],
    [{ strategy: 'random', images: '5' }, /got '5'/],
    [{ strategy: 'random', images: 1e9 }, new RegExp(`at most ${MOST_CANDIDATES}`)],
    [{ strategy: 'random', budget: 1e12 }, /too many/],
    [{ strategy: 'beam', width: NaN }, /'width' must be a whole number of at least 1, got NaN/],
    [{ strategy: 'beam', width: 2000, candidates: 1000 }, /2000000 candidates in one round are too many/],
    [{ strategy: 'beam', candidates: [1, 2] }, /lists 2 numbers, but the model has 13 scales/],
    [{ strategy: 'beam', candidates: Array(13).fill(0) }, /'candidates' must be/],
    [{ strategy: 'beam', candidates: 'many' }, /a number, or a list/],
    [{ strategy: 'beam', budget: 10.5 }, /'budget' must be/],
    [{ strategy: 'beam', keepElected: 'yes' }, /'keepElected' must be true or false/],
    [{ strategy: 'beam', result: 'first' }, /'result' must be one of best, last-round/],
    [{ strategy: 'gto', candidates: 1, keepElected: true }, /'keepElected' needs at least 2 candidates/],
  ])('%o', (options, message) => {
    expect(() => resolve(options)).toThrow(UsageError);
    expect(() => resolve(options)).toThrow(message);
  });

  it('a schedule without scales', () => {
    expect(() => resolve({}, 0)).toThrow(/at least one scale/);
  });
});

import { describe, expect, it } from 'vitest';

import { diffusionSchedule } from '../../test/fakes/fake-diffusion.js';
import { UsageError } from '../core/errors.js';
import { RandomKey } from '../core/random.js';
import { MODELS } from '../models/catalog.js';
import { resolveJury } from '../verifiers/jury.js';
import { MOST_CANDIDATES } from './budget.js';
import { dryRun } from './dry-run.js';
import {
  checkSearch,
  estimate,
  findStrategy,
  optionsFor,
  type ResolvedSearch,
  resolveSearch,
  SEARCH_OPTIONS,
  type SearchOptions,
  STRATEGIES,
} from './registry.js';
import { diffusionSteps, squareScales } from './schedules.suite.js';
import { DEFAULTS } from './sizes.js';

const scales = (count: number) => squareScales(Array.from({ length: count }, (_, i) => i + 1));
const resolve = (options: object, count = 13): ResolvedSearch => resolveSearch(options, scales(count));
const nfe = (options: object, count = 13): number => estimate(resolve(options, count), scales(count)).nfe;
const names = STRATEGIES.map(({ name }) => name);

describe('defaults', () => {
  it('is beam search of w * c = 15', () => {
    expect(resolve({}, 3)).toEqual({
      strategy: 'beam',
      width: 3,
      candidates: [5, 5, 5],
      keepElected: true,
      result: 'best',
    });
  });

  it.each([1, 2, 6, 7, 13])('every strategy costs about the same at %i scales', (count) => {
    const [random = 0, gto = 0, beam = 0] = names.map((strategy) => nfe({ strategy }, count));
    expect(nfe({ strategy: 'beam', paper: true }, count)).toBe(gto);
    // Without the rollouts that beam search keeps.
    expect(beam).toBe(gto - (3 * count * (count - 1)) / 2);
    expect(random).toBeLessThanOrEqual(beam);
    expect(random).toBeGreaterThan(beam - count);
  });

  it('is random search where only the first step draws, since there is nothing to elect step by step', () => {
    const plain = diffusionSteps(4, 'plain');
    const beam = { strategy: 'beam', width: 3, candidates: [5, 5, 5, 5, 1] };
    expect(resolveSearch({}, diffusionSteps(4, 'stochastic'))).toMatchObject(beam);
    // As much as that beam search would cost, whose only round is that of the noise.
    expect(resolveSearch({}, plain)).toEqual({ strategy: 'random', images: 15 });
    expect(resolve({}, 1)).toMatchObject({ strategy: 'beam', candidates: [5] });
  });

  it('takes what is undefined for not said', () => {
    const nothing = { width: undefined, candidates: undefined, images: undefined, budget: undefined };
    expect(resolve({ ...nothing, keepElected: undefined, result: undefined, strategy: undefined })).toEqual(
      resolve({}),
    );
  });
});

describe('types', () => {
  it('know which strategy takes which option', () => {
    const right: readonly SearchOptions[] = [
      {},
      { width: 3 },
      { strategy: 'random', images: 3 },
      { strategy: 'gto', candidates: [1, 2], keepElected: true, result: 'last-round' },
      { strategy: 'beam', width: 3, budget: undefined },
    ];
    const wrong: readonly SearchOptions[] = [
      // @ts-expect-error Random search has no beams.
      { strategy: 'random', width: 3 },
      // @ts-expect-error Greedy token optimisation has one.
      { strategy: 'gto', width: 3 },
      // @ts-expect-error Beam search, the usual one, follows candidates.
      { images: 3 },
      // @ts-expect-error There is no such strategy.
      { strategy: 'bream' },
      // @ts-expect-error Nor such a result.
      { strategy: 'beam', result: 'first' },
    ];
    for (const options of right) expect(() => resolve(options, 2)).not.toThrow();
    for (const options of wrong) expect(() => resolve(options, 2)).toThrow(UsageError);
  });
});

describe('resolving', () => {
  it.each([
    { strategy: 'random', images: 7 },
    { strategy: 'random', budget: 100 },
    { strategy: 'gto', candidates: [3, 2, 1], keepElected: true, result: 'last-round' },
    { strategy: 'beam', width: 4, candidates: 2 },
    { strategy: 'beam', width: 2, budget: 200, keepElected: true },
    { strategy: 'zero-order', budget: 50 },
    { strategy: 'particles', particles: [4, 3, 2], resampleAt: 2, potential: 'max', lambda: 0 },
    { strategy: 'particles', budget: 50 },
  ])('%o gives the same when it is done again, also from JSON', (options) => {
    const once = resolve(options, 3);
    expect(resolve(once, 3)).toEqual(once);
    expect(JSON.parse(JSON.stringify(once))).toEqual(once);
  });

  it('leaves out what a strategy does not take', () => {
    const options = { keepElected: true, budget: 300, width: 2 };
    for (const strategy of names) expect(() => resolve(optionsFor(strategy, options))).not.toThrow();
    expect(resolve(optionsFor('random', options))).toEqual({ strategy: 'random', images: 23 });
  });

  it('knows every strategy by its name, and every option of one', () => {
    expect(names).toEqual(['random', 'gto', 'beam', 'zero-order', 'particles']);
    for (const strategy of STRATEGIES) {
      expect(findStrategy(strategy.name)).toBe(strategy);
      expect(SEARCH_OPTIONS).toMatchObject(strategy.options);
    }
    expect(findStrategy()).toBe(STRATEGIES[2]);
    const own = [
      'clusterAt',
      'lambda',
      'neighbours',
      'particles',
      'potential',
      'radius',
      'resampleAt',
      'rounds',
    ];
    const options = [
      'budget',
      'candidates',
      'images',
      'keepElected',
      ...own,
      'paper',
      'result',
      'rollout',
      'width',
    ].sort();
    expect(Object.keys(SEARCH_OPTIONS).sort()).toEqual(options);
  });

  it.each([
    [{ strategy: 'random', images: 1 }, '1 image'],
    [{ strategy: 'random', images: 12 }, '12 images'],
    [{ strategy: 'gto', candidates: 1 }, '1 candidate'],
    [{ strategy: 'gto', candidates: [1, 2, 1] }, '1, 2, 1 candidates'],
    [
      { strategy: 'beam', width: 2, keepElected: true, result: 'last-round' },
      'width 2, 5 candidates, elected rollouts kept, best of the last round',
    ],
  ])('tells %o in words', (options, words) => {
    const search = resolve(options, 3);
    expect(findStrategy(search.strategy).words(search)).toBe(words);
  });
});

describe('elected rollouts', () => {
  const keeps = (options: object, count = 6): boolean =>
    (resolve({ strategy: 'beam', ...options }, count) as { keepElected: boolean }).keepElected;

  it('are kept by beam search where nothing is said and there are some', () => {
    expect(keeps({})).toBe(true);
    expect(keeps({ budget: 200 })).toBe(true);
    expect(keeps({ rollout: 'preview:3' })).toBe(true);
    expect(keeps({ strategy: 'gto' })).toBe(false);
    expect(keeps({ rollout: 'none' })).toBe(false);
    expect(keeps({ rollout: 'preview:1' })).toBe(false);
    expect(keeps({ candidates: 1 })).toBe(false);
    expect(keeps({}, 1)).toBe(false);
  });

  it("are not by the paper's rule", () => {
    expect(keeps({ paper: true })).toBe(false);
    expect(keeps({ keepElected: false })).toBe(false);
    expect(keeps({ paper: false })).toBe(true);
  });
});

describe('budgets', () => {
  it.each([
    [{ strategy: 'random', budget: 1365 }, { images: 105 }],
    [{ strategy: 'random', budget: 2535 }, { images: 195 }],
    [{ strategy: 'random', budget: 1364 }, { images: 104 }],
    [{ strategy: 'gto', budget: 1365 }, { candidates: Array(13).fill(15) }],
    [
      { strategy: 'beam', budget: 1365, paper: true },
      { width: 3, candidates: Array(13).fill(5) },
    ],
    [
      { strategy: 'beam', budget: 1365, width: 5, paper: true },
      { width: 5, candidates: Array(13).fill(3) },
    ],
    [
      { strategy: 'beam', budget: 1364, paper: true },
      // The rest of it: one more at all scales but the last, and 2 evaluations that buy nothing.
      { width: DEFAULTS.width, candidates: [...Array<number>(12).fill(5), 4] },
    ],
  ])('%o gives %o', (options, expected) => {
    expect(resolve(options)).toMatchObject(expected);
  });

  it('buy candidates where steps draw, and one where they do not', () => {
    const schedule = diffusionSteps(4, 'stochastic');
    // A gto of c candidates: c * (4 + 4 + 3 + 2) evaluations; the last step draws nothing and belongs to the round before it.
    for (const [budget, count] of [
      [13, 1],
      [26, 2],
      [52, 4],
    ] as const) {
      const search = resolveSearch({ strategy: 'gto', budget }, schedule);
      expect(search).toMatchObject({ candidates: [count, count, count, count, 1] });
      expect(estimate(search, schedule).nfe).toBe(13 * count);
    }
    expect(() => resolveSearch({ strategy: 'gto', budget: 12 }, schedule)).toThrow(/it needs at least 13/);
    const kept = resolveSearch({ strategy: 'gto', budget: 60, keepElected: true }, schedule);
    expect(estimate(kept, schedule).nfe).toBeLessThanOrEqual(60);
    expect(kept).toMatchObject({ candidates: [6, 5, 5, 5, 1] });
  });

  it('are those of the schedule: 2880 buy 96 pictures of noise and 30 steps', () => {
    const flux = diffusionSteps(30, 'plain');
    const search = resolveSearch({ strategy: 'random', budget: 2880 }, flux);
    expect(search).toEqual({ strategy: 'random', images: 96 });
    expect(estimate(search, flux)).toMatchObject({ nfe: 2880, images: 96 });
  });

  const searches = [
    { strategy: 'random' },
    { strategy: 'gto' },
    { strategy: 'gto', keepElected: true },
    { strategy: 'beam', paper: true },
    { strategy: 'beam', width: 2 },
    { strategy: 'zero-order' },
    { strategy: 'particles' },
    { strategy: 'particles', resampleAt: [1, 4, 5] },
  ];
  const cheaper = [
    { strategy: 'random', rollout: 'preview:3' },
    { strategy: 'gto', rollout: 'none' },
    { strategy: 'beam', rollout: 'preview:5' },
    { strategy: 'beam', width: 2, rollout: 'preview:2', keepElected: true },
  ];
  type Searches<Name> = Extract<ResolvedSearch, { readonly strategy: Name }>;
  /** The next larger search. */
  const oneMore = (search: Searches<'random' | 'zero-order' | 'particles'>): ResolvedSearch => {
    if (search.strategy === 'random') return { ...search, images: search.images + 1 };
    if (search.strategy === 'zero-order') return { ...search, rounds: search.rounds + 1 };
    return { ...search, particles: search.particles.map((count) => count + 1) };
  };
  const uneven = scales(7).steps.map((step, i) => ({ ...step, nfe: [0, 1, 2, 1, 0, 3, 1][i] ?? 1 }));
  const schedules = [
    ['7 scales', scales(7)],
    ['noise and 6 steps', diffusionSteps(6, 'stochastic')],
    ['steps that cost differently', { unit: 'step', steps: uneven }],
    ['steps that are looked at by evaluations', diffusionSchedule({ solver: 'stochastic', steps: 6 })],
  ] as const;
  describe.each(schedules)('over %s', (_, schedule) => {
    it.each([...searches, ...cheaper])('%o leaves less than a candidate costs', (options) => {
      for (let budget = 200; budget < 1500; budget += 37) {
        const search = resolveSearch({ ...options, budget } as SearchOptions, schedule);
        const { nfe } = estimate(search, schedule);
        expect(nfe).toBeLessThanOrEqual(budget);
        if (!('candidates' in search)) {
          expect(estimate(oneMore(search), schedule).nfe).toBeGreaterThan(budget);
          continue;
        }
        const bought: number[] = [];
        for (const [at, count] of search.candidates.entries()) {
          const candidates = search.candidates.with(at, count + 1);
          const more = estimate({ ...search, candidates }, schedule).nfe;
          const buys = schedule.steps[at]?.draws === true && more > nfe;
          if (buys) expect(more).toBeGreaterThan(budget);
          // Nothing is to be had at steps that draw nothing, and nothing has to be bought that costs nothing.
          if (buys) bought.push(count);
          else expect(count).toBe(1);
        }
        expect(Math.max(...bought) - Math.min(...bought)).toBeLessThan(3);
      }
    });

    it.each([...searches, ...cheaper])('%o names the least budget, which then is enough', (options) => {
      const attempt = (budget: number): ResolvedSearch =>
        resolveSearch({ ...options, budget } as SearchOptions, schedule);
      let message = '';
      try {
        attempt(1);
      } catch (error) {
        expect(error).toBeInstanceOf(UsageError);
        message = (error as Error).message;
      }
      const least = Number(/at least (\d+)$/.exec(message)?.[1]);
      expect(() => attempt(least - 1)).toThrow('too small');
      expect(estimate(attempt(least), schedule).nfe).toBe(least);
    });
  });
});

describe('equal budgets', () => {
  // Where whole pictures are all that can be searched, what is left may be as much as one of them.
  const models = MODELS.filter(({ schedule }) => schedule().steps.every(({ draws }) => draws)).flatMap(
    (model) => {
      const large = model.name.startsWith('infinity-') && !model.name.endsWith('-512');
      const sizes = large ? [{ size: '0.06M' }, { size: '0.25M' }, { size: '1M' }] : [{}];
      return sizes.map((size) => [`${model.name} ${JSON.stringify(size)}`, model.schedule(size)] as const);
    },
  );
  const arms = [
    { strategy: 'gto' },
    { strategy: 'gto', keepElected: true },
    { strategy: 'beam' },
    { strategy: 'beam', width: 2, rollout: 'preview:5' },
    { strategy: 'beam', rollout: 'none' },
  ] as const;

  it.each(models)(
    'are spent to within three in a hundred, and cost what is foretold, by %s',
    async (_, schedule) => {
      const draws = RandomKey.fromSeed(11).uniform(12);
      for (const [i, draw] of draws.entries()) {
        const budget = 280 + Math.floor(draw * 2000);
        for (const arm of arms) {
          const search = resolveSearch({ ...arm, budget }, schedule);
          const { nfe, forwards, tokens } = estimate(search, schedule);
          expect(nfe).toBeGreaterThanOrEqual(0.97 * budget);
          expect(nfe).toBeLessThanOrEqual(budget);
          if (i > 1) continue;
          expect(await dryRun(search, schedule)).toMatchObject({ nfe, forwards, tokens });
        }
      }
    },
  );

  it('of 300 are 300 with 6 scales, whoever searches: but for rounds of four pictures', () => {
    const six = scales(6);
    const spent = names.map((strategy) => [strategy, nfe({ strategy, budget: 300 }, 6)]);
    expect(Object.fromEntries(spent)).toEqual({
      random: 300,
      gto: 300,
      beam: 300,
      'zero-order': 12 * 4 * 6,
      particles: 300,
    });
    expect(resolveSearch({ strategy: 'beam', budget: 300 }, six)).toMatchObject({
      candidates: [6, 5, 6, 5, 5, 5],
    });
    expect(resolveSearch({ strategy: 'beam', budget: 300, paper: true }, six)).toMatchObject({
      candidates: [5, 5, 5, 4, 4, 5],
    });
    expect(resolveSearch({ strategy: 'gto', budget: 300 }, six)).toMatchObject({
      candidates: [15, 14, 14, 14, 14, 14],
    });
  });
});

describe('refusals', () => {
  it.each([
    [
      { strategy: 'bream' },
      /no strategy 'bream': did you mean 'beam'\? there are random, gto, beam, zero-order, particles/,
    ],
    [{ strategy: 'toString' }, /no strategy 'toString'/],
    [{ strategy: 'particles', budget: 500, particles: 5 }, /one of 'particles' and 'budget', not both/],
    [
      { strategy: 'particles', particles: [2, 1] },
      /'particles' lists 2 numbers, but the model has 13 scales/,
    ],
    [
      { strategy: 'particles', particles: [2, 2, 3, ...Array<number>(10).fill(3)], resampleAt: 5 },
      /'particles' has more at scale 3 than before it: .* name 2 in option 'resampleAt'/,
    ],
    [{ strategy: 'particles', resampleAt: [6, 13] }, /'resampleAt' names scale 13, .* scales from 1 to 12/],
    [{ strategy: 'particles', resampleAt: 0 }, /'resampleAt' must be a whole number of at least 1/],
    [{ strategy: 'particles', potential: 'least' }, /'potential' must be one of difference, max, sum, value/],
    [{ strategy: 'particles', lambda: -1 }, /'lambda' must be a number of at least 0/],
    [{ strategy: 'zero-order', budget: 500, rounds: 5 }, /one of 'rounds' and 'budget', not both/],
    [
      { strategy: 'random', width: 3 },
      /random search does not take the option 'width': it takes images, budget, rollout/,
    ],
    [{ strategy: 'random', keepElected: false }, /does not take the option 'keepElected'/],
    [{ strategy: 'gto', images: 3 }, /does not take the option 'images'/],
    [{ strategy: 'gto', width: 1 }, /does not take the option 'width'/],
    [{ strategy: 'beam', beams: 1 }, /does not take the option 'beams'/],
    [{ strategy: 'beam', toString: 1 }, /does not take the option 'toString'/],
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
    [{ strategy: 'beam', candidates: 'many' }, /a whole number of at least 1, or a list/],
    [{ strategy: 'beam', budget: 10.5 }, /'budget' must be/],
    [{ strategy: 'beam', budget: 0 }, /'budget' must be a whole number of function evaluations, at least 1/],
    [{ strategy: 'beam', keepElected: 'yes' }, /'keepElected' must be true or false/],
    [{ strategy: 'beam', result: 'first' }, /'result' must be one of best, last-round/],
    [
      { strategy: 'beam', rollout: 'preview' },
      /'rollout' must be 'full', 'none' or 'preview:N'.*got 'preview'/,
    ],
    [{ strategy: 'beam', rollout: 'preview:0' }, /'rollout' must be/],
    [{ strategy: 'random', rollout: 'preview:2.5' }, /'rollout' must be/],
    [
      { strategy: 'gto', rollout: 'preview:13' },
      /'rollout' is 'preview:13', but the model has 13 scales: preview:1 to preview:12 stop before the last/,
    ],
    [{ strategy: 'random', rollout: 'preview:999' }, /the model has 13 scales/],
    [{ strategy: 'beam', paper: true, keepElected: true }, /give one of 'paper' and 'keepElected', not both/],
    [{ strategy: 'gto', rollout: 'none', keepElected: true }, /'keepElected' keeps rollouts/],
    [
      { strategy: 'gto', rollout: 'preview:3', candidates: [1, 2] },
      /lists 2 numbers, but previews are of 3 scales: give one number per scale, or one for all/,
    ],
    [{ strategy: 'gto', candidates: 1, keepElected: true }, /'keepElected' needs at least 2 candidates/],
  ])('%o', (options, message) => {
    expect(() => resolve(options)).toThrow(UsageError);
    expect(() => resolve(options)).toThrow(message);
  });

  it('a schedule without steps', () => {
    expect(() => resolve({}, 0)).toThrow(/at least one step/);
  });
});

describe('steps that draw nothing', () => {
  const jury = resolveJury(['judge']);
  const check = (options: object, schedule = diffusionSteps(4, 'plain')): (() => void) => {
    const search = resolveSearch(options, schedule);
    return () => {
      checkSearch(search, { schedule, jury });
    };
  };
  const stochastic = diffusionSteps(4, 'stochastic');
  const still = { unit: 'step', steps: stochastic.steps.map((step) => ({ ...step, draws: false })) } as const;

  it.each([
    ['gto of several', check({ strategy: 'gto', candidates: 3 })],
    ['gto of which nothing is said', check({ strategy: 'gto' })],
    ['beam search of which nothing is said', check({ strategy: 'beam' })],
    ['beam search of several', check({ strategy: 'beam', width: 2, candidates: 3 })],
    [
      'kept rollouts beside new ones',
      check({ strategy: 'gto', candidates: [3, 2, 1, 1, 1], keepElected: true }),
    ],
    ['several at the last step', check({ strategy: 'gto', candidates: [3, 3, 3, 3, 2] }, stochastic)],
    ['beams that would all be one', check({ strategy: 'beam', width: 2, candidates: 1 }, still)],
  ])('refuse %s', (_, checking) => {
    expect(checking).toThrow(UsageError);
    expect(checking).toThrow(
      /step \d+ \(.+\) draws no random numbers.* ask for one candidate at such steps, or/,
    );
  });

  it('refuse several whole pictures where none of them draws', () => {
    for (const strategy of ['random', 'zero-order'] as const) {
      expect(check({ strategy }, still)).toThrow(
        /search: steps 1 \(noise\) to 5 \(step 4\) draw no random numbers/,
      );
    }
    expect(check({ strategy: 'random', images: 1 }, still)).not.toThrow();
  });

  it('are named: the first of them', () => {
    expect(check({ strategy: 'gto', candidates: 3 })).toThrow(/step 2 \(step 1\) draws/);
    expect(check({ strategy: 'gto', candidates: 3 }, stochastic)).toThrow(/step 5 \(step 4\) draws/);
    expect(check({ strategy: 'beam', width: 2, candidates: 1 }, still)).toThrow(/step 1 \(noise\) draws/);
  });

  it.each([
    ['random search', check({ strategy: 'random', images: 5 })],
    ['one candidate there', check({ strategy: 'gto', candidates: [3, 1, 1, 1, 1] })],
    [
      'beams of one candidate there',
      check({ strategy: 'beam', width: 3, candidates: [3, 2, 2, 2, 1] }, stochastic),
    ],
    ['a search of one picture', check({ strategy: 'gto', candidates: 1 }, still)],
  ])('do not refuse %s', (_, checking) => {
    expect(checking).not.toThrow();
  });
});

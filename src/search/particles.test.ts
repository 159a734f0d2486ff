import { describe, expect, it } from 'vitest';

import { RandomKey } from '../core/random.js';
import { resolveJury } from '../verifiers/jury.js';
import { bitBench, BitModel, type Bits, BitWorld } from './bit-model.suite.js';
import { dryRun } from './dry-run.js';
import { systematic } from './flock.js';
import { checkSearch, estimate, resolveSearch, type SearchOptions, startSearch } from './registry.js';
import { diffusionSteps, INFINITY_SIDES, squareScales } from './schedules.suite.js';
import { describeStrategy, meanScore, picturesOf, play, WORLD } from './strategy.suite.js';

describeStrategy('particles', [
  { strategy: 'particles', particles: 8 },
  { strategy: 'particles', particles: 5, resampleAt: [1, 2, 3], potential: 'max', lambda: 0.3 },
  { strategy: 'particles', particles: [9, 6, 4, 3], resampleAt: 3, potential: 'value', lambda: 1 },
  { strategy: 'particles', particles: [2, 2, 6, 5], resampleAt: [2, 3], potential: 'sum', lambda: 0.1 },
]);

it('is better than as many pictures of random search, which it is without weights', async () => {
  const random = await meanScore({ strategy: 'random', images: 8 }, 80);
  const steered = await meanScore(
    { strategy: 'particles', particles: 8, resampleAt: [1, 2, 3], lambda: 1 },
    80,
  );
  expect(steered).toBeGreaterThan(random + 0.5);
});

it('draws its first round as every strategy does', async () => {
  const played = await play({ strategy: 'particles', particles: 4, resampleAt: 3 });
  const random = picturesOf(await play({ strategy: 'random', images: 4 }));
  expect(picturesOf(played).slice(0, 4)).toEqual(random.map((bits) => bits.slice(0, 3)));
});

describe('systematic resampling', () => {
  it('gives everybody the share of the count, rounded up or down', () => {
    const draw = RandomKey.fromSeed(3);
    for (let trial = 0; trial < 300; trial++) {
      const own = draw.fold(trial);
      const weights = [...own.uniform(7)].map((each) => each ** 4);
      const total = weights.reduce((sum, each) => sum + each, 0);
      for (const count of [1, 2, 7, 30]) {
        const copies = systematic(weights, count, own.fold(1).uniform(1)[0] ?? NaN);
        expect(copies.reduce((sum, each) => sum + each, 0)).toBe(count);
        copies.forEach((each, i) =>
          expect(Math.abs(each - (count * (weights[i] ?? 0)) / total)).toBeLessThan(1),
        );
      }
    }
  });

  it('draws each as often as it weighs, over all offsets', () => {
    const sums = [0, 0, 0];
    for (let i = 0; i < 1000; i++) {
      systematic([1, 2, 5], 3, i / 1000).forEach((each, j) => (sums[j] = (sums[j] ?? 0) + each));
    }
    [1, 2, 5].forEach((weight, j) => expect((sums[j] ?? 0) / 1000).toBeCloseTo((3 * weight) / 8, 2));
  });

  it('leaves equals as they are, and drops without copying where fewer are wanted', () => {
    for (const offset of [0, 0.3, 1 - 2 ** -32]) {
      for (const size of [1, 3, 8, 49, 100]) {
        expect(systematic(Array<number>(size).fill(1), size, offset)).toEqual(Array(size).fill(1));
      }
      expect(Math.max(...systematic(Array<number>(8).fill(1), 6, offset))).toBe(1);
    }
  });
});

describe('the distribution that it draws from', () => {
  // Three steps of one bit each: few enough pictures that all of them can be listed.
  const world = new BitWorld([1, 1, 1]);
  const lambda = 1.2;

  /** The chance of each picture, by the steps of the world: a bit is right with 0.3 + 0.4 of the quality before it. */
  function chances(): ReadonlyMap<string, { readonly chance: number; readonly score: number }> {
    const found = new Map<string, { chance: number; score: number }>();
    for (let code = 0; code < 8; code++) {
      const bits: Bits = [[code >> 2], [(code >> 1) & 1], [code & 1]];
      let chance = 1;
      let quality = 0.5;
      for (let k = 1; k <= 3; k++) {
        const right = world.scoresOf(bits.slice(0, k)).target - world.scoresOf(bits.slice(0, k - 1)).target;
        const likely = 0.3 + 0.4 * quality;
        chance *= right === 1 ? likely : 1 - likely;
        quality = right;
      }
      found.set(bits.flat().join(''), { chance, score: world.scoresOf(bits).target });
    }
    return found;
  }

  const all = chances();
  const total = [...all.values()].reduce(
    (sum, { chance, score }) => sum + chance * Math.exp(lambda * score),
    0,
  );

  it('is listed whole', () => {
    expect([...all.values()].reduce((sum, { chance }) => sum + chance, 0)).toBeCloseTo(1, 12);
  });

  const SEEDS = 100;

  it.each([
    { potential: 'difference', particles: 64 },
    { potential: 'max', particles: 64 },
    { potential: 'sum', particles: 64 },
    { potential: 'difference', particles: [96, 64, 48] },
    { potential: 'value', particles: [96, 64, 64], resampleAt: 2 },
  ] as const)("is the model's times exp(lambda * score), by weight: %o", async (options) => {
    const found = new Map<string, number>();
    for (let seed = 0; seed < SEEDS; seed++) {
      const model = new BitModel(world);
      const sizes = { strategy: 'particles', resampleAt: [1, 2], lambda, ...options } as const;
      const played = await play(sizes, { seed, model });
      const pictures = picturesOf(played);
      const last = played.events.at(-1);
      for (const { id, weight = NaN } of last?.type === 'elected' ? last.fates : []) {
        const key = (pictures[id - 1] ?? []).flat().join('');
        found.set(key, (found.get(key) ?? 0) + weight / SEEDS);
      }
    }
    // A weighted mean of k particles is off by about 1 / k of itself, and by chance: 0.02 is several of its deviations.
    for (const [key, { chance, score }] of all) {
      const expected = (chance * Math.exp(lambda * score)) / total;
      expect(Math.abs((found.get(key) ?? 0) - expected), key).toBeLessThan(0.02);
    }
    // The model's own distribution is far from it, so that the bound says something.
    const plain = Math.max(
      ...[...all.values()].map(({ chance, score }) =>
        Math.abs(chance - (chance * Math.exp(lambda * score)) / total),
      ),
    );
    expect(plain).toBeGreaterThan(0.15);
  });

  it('is hit by the mean of the weights too: the estimate of its total has no bias', async () => {
    // Del Moral, "Feynman-Kac Formulae" (2004), 7.4.1: the product of the rounds' mean weights, over many runs.
    let sum = 0;
    for (let seed = 0; seed < SEEDS; seed++) {
      const { result } = await play(
        { strategy: 'particles', particles: 4, resampleAt: [1, 2], lambda },
        { seed, model: new BitModel(world) },
      );
      const byId = new Map(result.candidates.map((each) => [each.id, each]));
      const product = [1, 2, 3].map((step) => {
        const round = result.candidates.filter((each) => each.step === step);
        const weights = round.map(({ parent, scores }) =>
          Math.exp(lambda * ((scores['target'] ?? NaN) - (byId.get(parent)?.scores['target'] ?? 0))),
        );
        return weights.reduce((all, each) => all + each, 0) / weights.length;
      });
      sum += product.reduce((all, each) => all * each, 1);
    }
    expect(sum / SEEDS / total).toBeCloseTo(1, 1);
  });
});

describe("TTS-VAR's schedule", () => {
  const schedule = squareScales(INFINITY_SIDES);
  const options = {
    strategy: 'particles',
    particles: [8, 8, 6, 6, 6, 4, 2, 2, 2, 1, 1, 1, 1],
    resampleAt: [6, 9],
    potential: 'value',
    lambda: 10,
  } as const;

  it('takes a batch that shrinks from scale to scale', async () => {
    const search = resolveSearch(options, schedule);
    expect(search).toEqual(options);
    const { nfe, images, forwards, exact } = estimate(search, schedule);
    expect([nfe, images, exact]).toEqual([48, 4 + 2 + 1, false]);
    const run = await dryRun(search, schedule);
    expect(run).toMatchObject({ nfe, imagesDecoded: images, leaked: 0 });
    expect(run.forwards).toBeLessThanOrEqual(forwards);
  });

  it('draws pictures of a model with 13 scales', async () => {
    const world = new BitWorld(INFINITY_SIDES.map((_, k) => k + 2));
    const { result } = await play(options, { model: new BitModel(world) });
    expect(result.candidates.map(({ step }) => step)).toEqual([6, 6, 6, 6, 9, 9, 13]);
    expect(result.winner).toBe(7);
  });
});

describe('clusters', () => {
  const schedule = squareScales(INFINITY_SIDES);
  const options = {
    strategy: 'particles',
    particles: [8, 8, 6, 6, 6, 4, 2, 2, 2, 1, 1, 1, 1],
    resampleAt: [6, 9],
    clusterAt: [5, 2],
    potential: 'value',
    lambda: 10,
  } as const;

  it('thin a batch out by its looks, at the cost of a look', async () => {
    const search = resolveSearch(options, schedule);
    expect(search).toEqual({ ...options, clusterAt: [2, 5] });
    const { nfe, images } = estimate(search, schedule);
    expect([nfe, images]).toEqual([48, 8 + 6 + 4 + 2 + 1]);
    expect(await dryRun(search, schedule)).toMatchObject({ nfe, imagesDecoded: images, leaked: 0 });
    // A look that is an evaluation is the next step's for those that go on, and lost for the others.
    const looked = diffusionSteps(12, 'stochastic');
    const steps = looked.steps.map((step, i) => {
      return { ...step, readout: { ...step.readout, nfe: looked.steps[i + 1]?.nfe ?? 0 } };
    });
    const flow = { ...looked, steps };
    const found = resolveSearch({ ...options, resampleAt: 9 }, flow);
    const plain = resolveSearch({ ...options, resampleAt: 9, clusterAt: [] }, flow);
    expect(estimate(found, flow).nfe - estimate(plain, flow).nfe).toBe(2 + 2);
    expect((await dryRun(found, flow)).nfe).toBe(estimate(found, flow).nfe);
  });

  it('keep other particles than chance does, and the same every time', async () => {
    const world = new BitWorld(INFINITY_SIDES.map((_, k) => k + 2));
    const run = async (search: SearchOptions): Promise<unknown> =>
      (await play(search, { model: new BitModel(world) })).result.candidates;
    const { clusterAt: _, ...chance } = options;
    expect(await run(options)).toEqual(await run(options));
    expect(await run(options)).not.toEqual(await run(chance));
  });

  it('are asked for where fewer particles go on', () => {
    const asking = (more: object) => () => resolveSearch({ ...options, ...more }, schedule);
    expect(asking({ clusterAt: 1 })).toThrow(
      /'clusterAt' names scale 1, .* give fewer at scale 2 in option 'particles'/,
    );
    expect(asking({ clusterAt: 6 })).toThrow(/'clusterAt' names scale 6/);
    expect(asking({ clusterAt: 13 })).toThrow(/'clusterAt' names scale 13/);
  });
});

describe('what it needs', () => {
  const jury = resolveJury(['target']);
  const options = { strategy: 'particles', particles: 6 } as const;
  const checking = (
    schedule = squareScales([1, 2, 3]),
    more: {
      room?: (from: number, until: number) => number;
      jury?: typeof jury;
      options?: SearchOptions;
    } = {},
  ): (() => void) => {
    return () => {
      const search = resolveSearch(more.options ?? options, schedule);
      checkSearch(search, { schedule, jury: more.jury ?? jury, room: more.room });
    };
  };

  it('is a draw between two readouts: a plain solver is refused', () => {
    expect(checking(diffusionSteps(10, 'plain'))).toThrow(
      /^particle search: steps 7 \(step 6\) to 8 \(step 7\) draw no random numbers.*a solver that draws/,
    );
    expect(checking(diffusionSteps(10, 'stochastic'))).not.toThrow();
    const last = { ...options, resampleAt: [4, 10] };
    expect(checking(diffusionSteps(10, 'stochastic'), { options: last })).toThrow(
      /step 11 \(step 10\) draws no/,
    );
    const alone = { ...options, particles: [...Array<number>(10).fill(6), 1], resampleAt: [4, 10] };
    expect(checking(diffusionSteps(10, 'stochastic'), { options: alone })).not.toThrow();
  });

  it('is room for all particles at once', () => {
    expect(checking(undefined, { room: () => 6 })).not.toThrow();
    expect(checking(undefined, { room: (_, until) => 8 - until })).toThrow(
      "6 candidates have to live together at scale 3, and 5 fit into the model's memory: ask for at most 5, or give more memory",
    );
  });

  it('is scores that mean the same in every round', () => {
    for (const rule of ['rank', 'z-score'] as const) {
      expect(checking(undefined, { jury: resolveJury(['target', 'light'], { rule }) })).toThrow(
        `a jury by ${rule} has none: name one verifier, or join several by option 'ensemble' weighted-sum`,
      );
    }
    expect(
      checking(undefined, { jury: resolveJury(['target', 'light'], { rule: 'weighted-sum' }) }),
    ).not.toThrow();
  });
});

it('works whatever the scores are: far apart, or so high that their exponentials have no number', async () => {
  const model = new BitModel(WORLD, {
    corrupt: (scores) => scores.map(({ target = 0 }) => ({ target: 1e4 * target })),
  });
  const search = resolveSearch({ strategy: 'particles', particles: 6 }, WORLD.schedule);
  const events = startSearch(search, {
    generator: model,
    bench: bitBench(model),
    draw: RandomKey.fromSeed(1),
  });
  for (let next = await events.next(); next.done !== true; next = await events.next()) {
    if (next.value.type !== 'elected') continue;
    for (const { weight = NaN } of next.value.fates) expect(weight).toBeGreaterThanOrEqual(0);
  }
  expect(model.alive).toBe(0);
});

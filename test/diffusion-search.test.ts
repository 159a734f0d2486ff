// The strategies over models whose steps are not scales: a diffusion model's noise and denoising steps.

import { describe, expect, it } from 'vitest';

import type { Image } from '../src/core/image.js';
import { Ledger } from '../src/core/ledger.js';
import { RandomKey } from '../src/core/random.js';
import type { Bench, Candidate, Shown } from '../src/search/contract.js';
import {
  checkSearch,
  estimate,
  resolveSearch,
  type SearchOptions,
  startSearch,
} from '../src/search/registry.js';
import { resolveJury } from '../src/verifiers/jury.js';
import { diffusionSchedule, FakeDiffusion, type FakeDiffusionOptions } from './fakes/fake-diffusion.js';

const JURY = resolveJury(['bright']);
const DRAW = RandomKey.fromSeed(4);
type Solver = FakeDiffusionOptions['solver'];

const brightness = ({ data }: Image): number => data.reduce((sum, value) => sum + value, 0) / data.length;

/** Runs a search to its end; the pictures as they were shown. */
async function search(solver: Solver, options: SearchOptions) {
  const generator = new FakeDiffusion({ solver });
  const bench: Bench = {
    jury: JURY,
    judge: (images) => Promise.resolve(images.map((image) => ({ bright: brightness(image) }))),
  };
  const sizes = resolveSearch(options, generator.schedule);
  checkSearch(sizes, { schedule: generator.schedule, jury: JURY });
  const shown: Shown[] = [];
  const show = (pictures: readonly Shown[]) => {
    shown.push(...pictures);
    return Promise.resolve();
  };
  const events = startSearch(sizes, { generator, bench, draw: DRAW, show });
  let step = await events.next();
  while (step.done !== true) step = await events.next();
  const cost = generator.ledger.record();
  // Every picture is drawn again from its state by one decode.
  for (const { image, state } of shown) {
    const prefix = generator.unpack(state);
    expect(await generator.decode([prefix], 'own', { ledger: new Ledger() })).toEqual([image]);
    prefix.release();
  }
  expect(generator.ledger.record()).toMatchObject({ nfe: cost.nfe, forwards: cost.forwards });
  generator.close();
  return { result: step.value, cost, expected: estimate(sizes, generator.schedule) };
}

const best = (candidates: readonly Candidate[]): number =>
  Math.max(...candidates.map(({ scores }) => scores['bright'] ?? -Infinity));

const SEARCHES: readonly (readonly [Solver, SearchOptions])[] = [
  ['plain', { strategy: 'random', images: 7 }],
  ['stochastic', { strategy: 'random', images: 7 }],
  ['stochastic', { strategy: 'gto', candidates: [4, 4, 4, 4, 1] }],
  ['stochastic', { strategy: 'gto', candidates: [4, 3, 2, 2, 1], keepElected: true }],
  ['stochastic', { strategy: 'beam', width: 2, candidates: [3, 3, 3, 3, 1] }],
  // A look at an unfinished picture is an evaluation, which one of those that go on from there need not pay again.
  ['plain', { strategy: 'random', images: 7, rollout: 'preview:3' }],
  ['stochastic', { strategy: 'gto', candidates: [4, 4, 3], rollout: 'preview:3' }],
  ['stochastic', { strategy: 'beam', width: 2, candidates: 3, keepElected: true, rollout: 'preview:2' }],
  ['stochastic', { strategy: 'beam', width: 2, candidates: [3, 3, 3, 3, 1], rollout: 'none' }],
  ['stochastic', { strategy: 'beam', width: 2, budget: 90, rollout: 'preview:4' }],
  // A plain solver's candidates are told apart by their noise alone.
  ['plain', { strategy: 'gto', candidates: [6, 1, 1, 1, 1] }],
  ['plain', { strategy: 'zero-order', neighbours: 3, rounds: 4 }],
  ['stochastic', { strategy: 'zero-order', neighbours: 3, rounds: 4 }],
];

describe('the search of a diffusion model', () => {
  it.each(SEARCHES)('%s solver, %o', async (solver, options) => {
    const { result, cost, expected } = await search(solver, options);
    const winner = result.candidates.find(({ id }) => id === result.winner);
    const most = Math.max(...result.candidates.map(({ judgedAt }) => judgedAt));
    expect(winner?.scores['bright']).toBe(
      best(result.candidates.filter(({ judgedAt }) => judgedAt === most)),
    );
    expect(cost).toMatchObject({
      nfe: expected.nfe,
      forwards: expected.forwards,
      tokens: expected.tokens,
      transformerFlops: expected.flops,
      imagesDecoded: expected.images,
    });
    expect((await search(solver, options)).result).toEqual(result);
  });

  it.each([1, 2, 3])(
    'by particles counts a readout once, also of those that are pruned, seed %i',
    async (seed) => {
      const options = {
        strategy: 'particles',
        particles: 6,
        resampleAt: [2, 3],
        lambda: 0.1 * seed,
      } as const;
      const { result, cost, expected } = await search('stochastic', options);
      // 6 particles take 4 steps each after the noise. Looking is the next step's evaluation of those that go on, and of their
      // copies one each pays for it; who is dropped has paid for nothing else.
      const pruned = [1, 2].map((round) => {
        const own = new Set(result.candidates.filter(({ path }) => path[0] === round).map(({ id }) => id));
        return result.fates.filter(({ id, copies }) => own.has(id) && copies === 0).length;
      });
      const [first = 0, second = 0] = pruned;
      expect(first + second).toBeGreaterThan(0);
      expect(cost).toMatchObject({ nfe: 6 * 4 + first + second, imagesDecoded: 18 });
      // The noise of 6 particles, then every prefix once: 6 looked at after steps 2 and 3, 6 at each of the others.
      expect(cost.forwards).toBe(6 + 6 + 6 + 6);
      expect(expected).toMatchObject({ nfe: 6 * 4 + 5 + 5, forwards: 24, images: 18, exact: false });
      expect((await search('stochastic', options)).result).toEqual(result);
    },
  );

  it('refuses particles where nothing is drawn after the noise, and names the remedy', async () => {
    await expect(search('plain', { strategy: 'particles', particles: 4 })).rejects.toThrow(
      /^particle search: steps? .* no random numbers.*a solver that draws/,
    );
  });

  it('plays no round at a step that draws nothing', async () => {
    const idle = await search('plain', { strategy: 'beam', width: 2, candidates: [3, 1, 1, 1, 1] });
    expect(idle.result.candidates.map(({ step, path }) => [step, path[0]])).toEqual(Array(6).fill([5, 1]));
    expect(idle.cost.imagesDecoded).toBe(6);
    const kept = { strategy: 'gto', candidates: [4, 3, 2, 2, 1], keepElected: true } as const;
    const { candidates } = (await search('stochastic', kept)).result;
    expect([...new Set(candidates.map(({ step }) => step))]).toEqual([1, 2, 3, 5]);
    // No picture is judged twice, but for those that are taken over.
    const drawn = candidates.filter(({ sameAs }) => sameAs === undefined);
    expect(new Set(drawn.map(({ scores }) => scores['bright'])).size).toBe(drawn.length);
  });

  it('counts 96 pictures of 30 steps as 2880 evaluations, as the paper does', () => {
    const schedule = diffusionSchedule({ solver: 'plain', steps: 30 });
    expect(estimate(resolveSearch({ strategy: 'random', images: 96 }, schedule), schedule).nfe).toBe(2880);
    expect(resolveSearch({ strategy: 'random', budget: 2880 }, schedule)).toMatchObject({ images: 96 });
  });

  it('refuses candidates at steps that draw nothing, and names the remedy', () => {
    const refused = (solver: Solver, options: SearchOptions) => () => {
      const schedule = diffusionSchedule({ solver });
      checkSearch(resolveSearch(options, schedule), { schedule, jury: JURY });
    };
    const gto = { strategy: 'gto', candidates: 3 } as const;
    const beam = { strategy: 'beam', width: 2, candidates: 2 } as const;
    expect(refused('plain', gto)).toThrow(/step 2 \(t = 1\.00\) draws no random numbers.*search at random/);
    expect(refused('plain', beam)).toThrow('step 2 (t = 1.00) draws no random numbers');
    expect(refused('stochastic', gto)).toThrow('step 5 (t = 0.25) draws no random numbers');
    expect(refused('plain', { ...gto, candidates: [3, 1, 1, 1, 1] })).not.toThrow();
    expect(refused('plain', { strategy: 'random', images: 50 })).not.toThrow();
  });
});

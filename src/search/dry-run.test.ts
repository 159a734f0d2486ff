// PAPER.md's check values, counted by running the strategies, and the arithmetic that foretells them.

import { describe, expect, it } from 'vitest';

import { RandomKey } from '../core/random.js';
import type { Schedule } from '../models/contract.js';
import { JURY_RULES, type JuryRule, resolveJury } from '../verifiers/jury.js';
import { costOf, evaluationsFrom } from './cost.js';
import { dryRun, type DryRunOptions } from './dry-run.js';
import { estimate, resolveSearch, type SearchOptions } from './registry.js';
import { diffusionSteps, INFINITY_SIDES, squareScales } from './schedules.suite.js';

const SCALES = squareScales(INFINITY_SIDES);
const scales = (count: number): Schedule => squareScales(INFINITY_SIDES.slice(0, count));

/** Judges of different opinions, which do not look at the pictures. */
function judges(rule: JuryRule, count: number): Required<Pick<DryRunOptions, 'jury' | 'score'>> {
  const names = Array.from({ length: count }, (_, judge) => `judge ${judge}`);
  return {
    jury: resolveJury(names, { rule }),
    score: (name, picture) =>
      RandomKey.fromSeed(1).fold(names.indexOf(name)).fold(picture).uniform(1)[0] ?? NaN,
  };
}

/** What a search costs, counted with several juries and foretold: always the same. */
async function count(options: SearchOptions, schedule = SCALES) {
  const search = resolveSearch(options, schedule);
  const foretold = estimate(search, schedule);
  for (const rule of [null, ...JURY_RULES]) {
    const run = await dryRun(search, schedule, rule === null ? {} : judges(rule, 3));
    const { nfe, forwards, tokens, transformerFlops: flops, imagesDecoded: images } = run;
    expect({ nfe, forwards, tokens, flops, images, exact: true }, `the arithmetic, ${rule}`).toEqual(
      foretold,
    );
    expect(run.imagesVerified).toBe(rule === null ? images : 3 * images);
    expect(run.leaked).toBe(0);
  }
  return foretold;
}

describe("PAPER.md's check values at 13 scales", () => {
  it.each([
    ['one image', { strategy: 'random', images: 1 }, { images: 1, nfe: 13, forwards: 13 }],
    ['random search, 105 images', { strategy: 'random', images: 105 }, { images: 105, nfe: 1365 }],
    ['random search, 195 images', { strategy: 'random', images: 195 }, { images: 195, nfe: 2535 }],
    ['GTO, c = 15', { strategy: 'gto', candidates: 15 }, { images: 195, nfe: 1365, forwards: 1171 }],
    [
      'beam, w = 3, c = 5',
      { strategy: 'beam', width: 3, candidates: 5, paper: true },
      { images: 195, nfe: 1365, forwards: 1171 },
    ],
    [
      'beam, w = 5, c = 3',
      { strategy: 'beam', width: 5, candidates: 3, paper: true },
      { images: 195, nfe: 1365, forwards: 1171 },
    ],
    [
      'beam, w = 3, c = 5, elected rollouts kept',
      { strategy: 'beam', width: 3, candidates: 5 },
      { images: 15 + 12 * 12, forwards: 973 },
    ],
  ] as const)('%s', async (_, options, expected) => {
    expect(await count(options)).toMatchObject(expected);
  });

  it('tokens: 1,646,641 for full rollouts of w * c = 15', async () => {
    const { tokens } = await count({ strategy: 'beam', width: 3, candidates: 5, paper: true });
    expect(tokens).toBe(1_646_641);
  });

  it('tokens: 39,841 for the search of scales 1 to 7', async () => {
    const { tokens } = await count({ strategy: 'gto', candidates: 15 }, scales(7));
    expect(tokens).toBe(39_841);
  });
});

describe('previews', () => {
  it('of 256 pixels: 49,841 tokens where full rollouts of w * c = 15 take 1,646,641', async () => {
    const beam = { strategy: 'beam', width: 3, candidates: 5, paper: true, rollout: 'preview:7' } as const;
    const found = await count(beam);
    expect(found).toMatchObject({ tokens: 49_841, images: 15 * 7 + 1, nfe: 15 * 28 + 6 });
    expect(await count({ strategy: 'gto', candidates: 15, rollout: 'preview:7' })).toEqual(found);
  });

  it.each([1, 5, 12])(
    'stopping at scale %i cost a search of so many scales, and the rest once',
    async (N) => {
      const tail = SCALES.steps.slice(N).reduce((sum, { tokens }) => sum + tokens, 0);
      for (const options of [
        { strategy: 'random', images: 9 },
        { strategy: 'gto', candidates: 4 },
        { strategy: 'beam', width: 2, candidates: 3, keepElected: N > 1 },
      ] as const) {
        const short = await count(options, scales(N));
        const found = await count({ ...options, rollout: `preview:${N}` });
        expect(found).toMatchObject({
          nfe: short.nfe + 13 - N,
          forwards: short.forwards + 13 - N,
          tokens: short.tokens + tail,
          images: short.images + 1,
        });
      }
    },
  );

  it('that are none at all cost a forward pass of every beam at every scale', async () => {
    const { steps } = SCALES;
    const all = steps.reduce((sum, { tokens }) => sum + tokens, 0);
    const found = await count({ strategy: 'beam', width: 5, candidates: 10, rollout: 'none' });
    expect(found).toMatchObject({
      nfe: 50 * 13,
      images: 50 * 13,
      forwards: 1 + 5 * 12,
      tokens: 1 + 5 * (all - 1),
    });
    expect(await count({ strategy: 'random', images: 9, rollout: 'none' })).toEqual(
      await count({ strategy: 'random', images: 9 }),
    );
  });

  it('of a diffusion model cost a look each, which the one that is completed has paid', async () => {
    const flux = diffusionSteps(4, 'plain');
    const steps = flux.steps.map((step, i) => {
      return { ...step, readout: { ...step.readout, nfe: i < 4 ? 1 : 0 } };
    });
    const schedule: Schedule = { ...flux, steps };
    const found = await count({ strategy: 'random', images: 5, rollout: 'preview:3' }, schedule);
    // Noise and two steps, and the third's evaluation to look; the third is then taken at no cost, and the fourth.
    expect(found).toMatchObject({ nfe: 5 * 3 + 1, forwards: 5 * 3 + 1, images: 6 });
  });

  it('compute a winner again where its rollout could not be held, and that alone', async () => {
    const search = resolveSearch({ strategy: 'random', images: 40, rollout: 'preview:7' }, SCALES);
    for (const rule of JURY_RULES) {
      const wide = await dryRun(search, SCALES, judges(rule, 3));
      const tight = await dryRun(search, SCALES, { ...judges(rule, 3), room: 1 });
      expect([tight.nfe, tight.leaked]).toEqual([wide.nfe, 0]);
      expect(tight.mostHeld).toBeLessThan(wide.mostHeld);
    }
  });
});

describe('the general formulas', () => {
  const sizes = [1, 2, 6, 10].flatMap((K) => [1, 2, 4].flatMap((w) => [1, 2, 5].map((c) => ({ K, w, c }))));

  it.each(sizes)('K = $K, w = $w, c = $c', async ({ K, w, c }) => {
    const beam = await count({ strategy: 'beam', width: w, candidates: c, paper: true }, scales(K));
    expect(beam.images).toBe(w * c * K);
    expect(beam.nfe).toBe((w * c * K * (K + 1)) / 2);
    expect(beam.forwards).toBe(1 + (w * c * K * (K - 1)) / 2);
    expect(await count({ strategy: 'gto', candidates: w * c }, scales(K))).toEqual(beam);

    const random = await count({ strategy: 'random', images: w * c }, scales(K));
    expect(random).toMatchObject({ images: w * c, nfe: w * c * K, forwards: 1 + w * c * (K - 1) });

    if (c === 1 && K > 1) return;
    const kept = await count({ strategy: 'beam', width: w, candidates: c, keepElected: true }, scales(K));
    expect(kept.forwards).toBe(1 + w * c * (K - 1) + ((w * c - w) * (K - 1) * (K - 2)) / 2);
    expect(kept.images).toBe(w * c + (w * c - w) * (K - 1));
  });

  it('takes a number of candidates for every scale', async () => {
    const options: SearchOptions = { strategy: 'beam', width: 2, candidates: [6, 3, 1, 2], paper: true };
    const { nfe, images, forwards } = await count(options, scales(4));
    expect(images).toBe(2 * (6 + 3 + 1 + 2));
    expect(nfe).toBe(2 * (6 * 4 + 3 * 3 + 1 * 2 + 2 * 1));
    expect(forwards).toBe(1 + 2 * (6 * 3 + 3 * 2 + 1 * 1 + 2 * 0));
  });

  it('counts no images in rounds that only take over what was elected', async () => {
    const options: SearchOptions = { strategy: 'gto', candidates: [5, 1, 4, 1], keepElected: true };
    const { images } = await count(options, scales(4));
    expect(images).toBe(5 + 3);
  });
});

describe('schedules of other models', () => {
  it("96 pictures of noise and 30 steps are FLUX's 2880 evaluations", async () => {
    const flux = diffusionSteps(30, 'plain');
    expect(await count({ strategy: 'random', images: 96 }, flux)).toMatchObject({
      images: 96,
      nfe: 2880,
      // The noise runs nothing, and nothing is shared after it.
      forwards: 2880,
      tokens: 2880 * 4096,
    });
  });

  it('noise costs nothing in a search step by step either', async () => {
    const steps = diffusionSteps(3, 'stochastic');
    const options: SearchOptions = { strategy: 'beam', width: 2, candidates: [3, 3, 3, 1], paper: true };
    // At the noise 6 of 3 evaluations each, then 6 of 3 and 6 of 2; the first of each is shared from then on. The last step draws
    // nothing, and is no round.
    expect(await count(options, steps)).toMatchObject({
      nfe: 6 * 3 + 6 * 3 + 6 * 2,
      forwards: 6 * 3 + 6 * 2 + 6 * 1,
      images: 6 + 6 + 6,
    });
  });

  it('steps of several evaluations, such as those of a solver of second order, count as many', async () => {
    const steps = scales(3).steps.map((step, i) => ({ ...step, nfe: [2, 0, 3][i] ?? 0 }));
    const schedule: Schedule = { unit: 'step', steps };
    expect(evaluationsFrom(2, steps)).toBe(3);
    expect(costOf([{ step: 2, drawn: 4 }], schedule).nfe).toBe(12);
    const { nfe, forwards } = await count({ strategy: 'gto', candidates: [2, 3, 4] }, schedule);
    expect(nfe).toBe(2 * 5 + 3 * 3 + 4 * 3);
    // Steps that run: the first once, the third after each of the candidates of the rounds before the last.
    expect(forwards).toBe(1 + 2 + 3);
    expect(
      await count({ strategy: 'beam', width: 2, candidates: 2, keepElected: true }, schedule),
    ).toMatchObject({
      nfe: 4 * 5 + 2 * 3 + 2 * 3,
      images: 4 + 2 + 2,
    });
  });

  it('calls of the model are those that run something', async () => {
    const noise = diffusionSteps(1, 'plain');
    const run = await dryRun(resolveSearch({ strategy: 'random', images: 2 }, noise), noise);
    expect(run).toMatchObject({ forwardCalls: 1, forwards: 2, nfe: 2 });
  });
});

describe('memory', () => {
  const room = 8;
  const chain = SCALES.steps.slice(0, -1).reduce((sum, { heldBytes }) => sum + heldBytes, 0);

  it.each([
    { strategy: 'random', images: 50 },
    { strategy: 'gto', candidates: 20 },
    { strategy: 'gto', candidates: 20, keepElected: true },
    { strategy: 'beam', width: 3, candidates: 10, paper: true },
    { strategy: 'beam', width: 3, candidates: 10, keepElected: true },
    { strategy: 'beam', width: 3, candidates: 10, paper: true, rollout: 'preview:12' },
  ] as const)('$strategy keeps within the room, kept rollouts included', async (options) => {
    const search = resolveSearch(options, SCALES);
    const run = await dryRun(search, SCALES, { room });
    // Elected prefixes hold the few tokens of their coarse scales besides.
    expect(run.mostHeld).toBeLessThanOrEqual(1.01 * room * chain);
    expect(run.leaked).toBe(0);
    // Candidates that no other is ahead of for good stay until their round is through, with one scale each of their own.
    for (const rule of ['rank', 'z-score'] as const) {
      const compared = await dryRun(search, SCALES, { room, ...judges(rule, 2) });
      expect(compared.mostHeld).toBeLessThanOrEqual(1.75 * room * chain);
    }
  });
});

// PAPER.md's check values, counted by running the strategies, and the arithmetic that foretells them.

import { describe, expect, it } from 'vitest';

import { RandomKey } from '../core/random.js';
import { combineScores, ENSEMBLE_RULES } from '../verifiers/ensemble.js';
import { dryRun, type DryRunOptions, INFINITY_SIDES, squareScales } from './dry-run.js';
import { estimate, resolveSearch, type SearchOptions } from './registry.js';

const SCALES = squareScales(INFINITY_SIDES);

async function count(options: SearchOptions, scales = SCALES) {
  const search = resolveSearch(options, scales);
  const plain = await dryRun(search, scales);
  for (const by of [null, ...ENSEMBLE_RULES]) {
    const run = by === null ? plain : await dryRun(search, scales, { panel: judges(by, 3) });
    const { nfe, forwards, tokens, imagesDecoded: images } = run;
    expect({ nfe, forwards, tokens, images }, `the arithmetic, ${by}`).toEqual(estimate(search, scales));
    expect(run.imagesVerified).toBe(by === null ? images : 3 * images);
    expect(run.leaked).toBe(0);
  }
  const { nfe, forwards, tokens, imagesDecoded: images } = plain;
  return { nfe, forwards, tokens, images };
}

/** Judges of different opinions, which do not look at the pictures. */
function judges(by: (typeof ENSEMBLE_RULES)[number], count: number): NonNullable<DryRunOptions['panel']> {
  const members = Array.from({ length: count }, (_, member) => `judge ${member}`);
  return (ledger) => {
    let calls = 0;
    return {
      members,
      relative: by !== 'weighted-sum',
      combine: (scores) => combineScores(scores, { by }),
      judgeMembers: (images) => {
        const key = RandomKey.fromSeed(1).fold(calls++);
        ledger.add({ imagesVerified: members.length * images.length });
        return Promise.resolve(members.map((_, member) => [...key.fold(member).uniform(images.length)]));
      },
    };
  };
}

describe("PAPER.md's check values at 13 scales", () => {
  it.each([
    ['one image', { strategy: 'random', images: 1 }, { images: 1, nfe: 13, forwards: 13 }],
    ['random search, 105 images', { strategy: 'random', images: 105 }, { images: 105, nfe: 1365 }],
    ['random search, 195 images', { strategy: 'random', images: 195 }, { images: 195, nfe: 2535 }],
    ['GTO, c = 15', { strategy: 'gto', candidates: 15 }, { images: 195, nfe: 1365, forwards: 1171 }],
    [
      'beam, w = 3, c = 5',
      { strategy: 'beam', width: 3, candidates: 5 },
      { images: 195, nfe: 1365, forwards: 1171 },
    ],
    [
      'beam, w = 5, c = 3',
      { strategy: 'beam', width: 5, candidates: 3 },
      { images: 195, nfe: 1365, forwards: 1171 },
    ],
    [
      'beam, w = 3, c = 5, elected rollouts kept',
      { strategy: 'beam', width: 3, candidates: 5, keepElected: true },
      { images: 15 + 12 * 12, forwards: 973 },
    ],
  ] as const)('%s', async (_, options, expected) => {
    expect(await count(options)).toMatchObject(expected);
  });

  it('tokens: 1,646,641 for full rollouts of w * c = 15', async () => {
    const { tokens } = await count({ strategy: 'beam', width: 3, candidates: 5 });
    expect(tokens).toBe(1_646_641);
  });

  it('tokens: 39,841 for the search of scales 1 to 7', async () => {
    const { tokens } = await count({ strategy: 'gto', candidates: 15 }, SCALES.slice(0, 7));
    expect(tokens).toBe(39_841);
  });
});

describe('the general formulas', () => {
  const sizes = [1, 2, 6, 10].flatMap((K) => [1, 2, 4].flatMap((w) => [1, 2, 5].map((c) => ({ K, w, c }))));

  it.each(sizes)('K = $K, w = $w, c = $c', async ({ K, w, c }) => {
    const scales = SCALES.slice(0, K);
    const beam = await count({ strategy: 'beam', width: w, candidates: c }, scales);
    expect(beam.images).toBe(w * c * K);
    expect(beam.nfe).toBe((w * c * K * (K + 1)) / 2);
    expect(beam.forwards).toBe(1 + (w * c * K * (K - 1)) / 2);
    expect(await count({ strategy: 'gto', candidates: w * c }, scales)).toEqual(beam);

    const random = await count({ strategy: 'random', images: w * c }, scales);
    expect(random).toMatchObject({ images: w * c, nfe: w * c * K, forwards: 1 + w * c * (K - 1) });

    if (c === 1 && K > 1) return;
    const kept = await count({ strategy: 'beam', width: w, candidates: c, keepElected: true }, scales);
    expect(kept.forwards).toBe(1 + w * c * (K - 1) + ((w * c - w) * (K - 1) * (K - 2)) / 2);
    expect(kept.images).toBe(w * c + (w * c - w) * (K - 1));
  });

  it('takes a number of candidates for every scale', async () => {
    const scales = SCALES.slice(0, 4);
    const { nfe, images, forwards } = await count(
      { strategy: 'beam', width: 2, candidates: [6, 3, 1, 2] },
      scales,
    );
    expect(images).toBe(2 * (6 + 3 + 1 + 2));
    expect(nfe).toBe(2 * (6 * 4 + 3 * 3 + 1 * 2 + 2 * 1));
    expect(forwards).toBe(1 + 2 * (6 * 3 + 3 * 2 + 1 * 1 + 2 * 0));
  });

  it('counts no images in rounds that only take over what was elected', async () => {
    const scales = SCALES.slice(0, 4);
    const { images } = await count({ strategy: 'gto', candidates: [5, 1, 4, 1], keepElected: true }, scales);
    expect(images).toBe(5 + 3);
  });
});

describe('memory', () => {
  const concurrency = 8;
  const chain = SCALES.slice(0, -1).reduce((sum, { height, width }) => sum + height * width, 0);

  it.each([
    { strategy: 'random', images: 50 },
    { strategy: 'gto', candidates: 20 },
    { strategy: 'gto', candidates: 20, keepElected: true },
    { strategy: 'beam', width: 3, candidates: 10 },
    { strategy: 'beam', width: 3, candidates: 10, keepElected: true },
  ] as const)('$strategy keeps within the concurrency, kept rollouts included', async (options) => {
    const run = await dryRun(resolveSearch(options, SCALES), SCALES, { concurrency });
    // Elected prefixes hold the few tokens of their coarse scales besides.
    expect(run.mostHeld).toBeLessThanOrEqual(1.01 * concurrency * chain);
    expect(run.leaked).toBe(0);
    const search = resolveSearch(options, SCALES);
    const ranked = await dryRun(search, SCALES, { concurrency, panel: judges('rank', 2) });
    // Candidates that no other is ahead of for good stay until their round is through, with one scale each of their own.
    expect(ranked.mostHeld).toBeLessThanOrEqual(1.5 * concurrency * chain);
  });
});

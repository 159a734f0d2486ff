// What a search holds at most, foretold by arithmetic and measured by running the strategies over prefixes that are charged.

import { describe, expect, it } from 'vitest';

import { UsageError } from '../core/errors.js';
import { RandomKey } from '../core/random.js';
import { parseMemory } from '../engine/memory.js';
import type { Schedule } from '../models/contract.js';
import { isRelative, JURY_RULES, resolveJury } from '../verifiers/jury.js';
import { dryRun, type DryRunOptions } from './dry-run.js';
import { checkMemory, formatMemory } from './memory.js';
import { estimate, memoryNeed, resolveSearch, type SearchOptions } from './registry.js';
import { rolloutOf, untilOf } from './rollout.js';
import { diffusionSteps, squareScales } from './schedules.suite.js';

/** Schedules whose prefixes, passes and pictures weigh something each. */
const weighed = (schedule: Schedule, more: Partial<Schedule> = {}): Schedule => ({
  ...schedule,
  ...more,
  steps: schedule.steps.map((step, i) => ({
    ...step,
    heldBytes: 1000 * step.heldBytes + 7,
    prefixBytes: 40 + i,
    runBytes: 90 * i,
    readout: { width: 1 + i, height: 1, nfe: step.readout.nfe },
  })),
});
/** A schedule whose unfinished pictures are predicted by the evaluation of the next step. */
function looked(schedule: Schedule): Schedule {
  const steps = schedule.steps.map((step, i) => {
    return { ...step, readout: { ...step.readout, nfe: schedule.steps[i + 1]?.nfe ?? 0 } };
  });
  return { ...schedule, steps };
}
const SCHEDULES: Readonly<Record<string, Schedule>> = {
  scales: weighed(squareScales([1, 2, 3, 5, 8])),
  'a solver that draws': weighed(diffusionSteps(4, 'stochastic'), { standsAlone: true }),
  'a solver whose looks are evaluations': weighed(looked(diffusionSteps(4, 'stochastic')), {
    standsAlone: true,
  }),
  'one step': weighed(squareScales([3])),
};

const JURIES: readonly (readonly [string, Pick<DryRunOptions, 'jury' | 'score'>])[] = [
  ['all alike', {}],
  ...(['score', ...JURY_RULES] as const).map((rule) => {
    const names = rule === 'score' ? ['one'] : ['one', 'two'];
    const jury = rule === 'score' ? resolveJury(names) : resolveJury(names, { rule });
    // The later the better by the one, the worse by the other: nobody is ahead of anybody for good.
    const score = (name: string, picture: number): number =>
      rule === 'rank' ? (name === 'one' ? picture : -picture) : draw(name, picture);
    return [rule, { jury, score }] as const;
  }),
];
const draw = (name: string, picture: number): number =>
  RandomKey.fromSeed(name.length).fold(picture).uniform(1)[0] ?? NaN;

const SEARCHES: readonly SearchOptions[] = [
  { strategy: 'random', images: 1 },
  { strategy: 'random', images: 200 },
  { strategy: 'gto', candidates: 9 },
  { strategy: 'gto', candidates: 30, keepElected: true },
  { strategy: 'beam', width: 3, candidates: 5 },
  { strategy: 'beam', width: 4, candidates: 20 },
  { strategy: 'beam', width: 3, candidates: 6, keepElected: true },
  { strategy: 'zero-order', neighbours: 5, rounds: 3 },
  { strategy: 'random', images: 1, rollout: 'preview:2' },
  { strategy: 'random', images: 150, rollout: 'preview:3' },
  { strategy: 'gto', candidates: 9, rollout: 'preview:4' },
  { strategy: 'gto', candidates: 70, rollout: 'preview:1' },
  { strategy: 'gto', candidates: 30, keepElected: true, rollout: 'preview:3' },
  { strategy: 'beam', width: 4, candidates: 20, rollout: 'preview:3' },
  {
    strategy: 'beam',
    width: 3,
    candidates: 6,
    keepElected: true,
    rollout: 'preview:2',
    result: 'last-round',
  },
  { strategy: 'particles', particles: 7 },
  { strategy: 'particles', particles: 90 },
  { strategy: 'particles', particles: [9, 7, 5, 5, 5], resampleAt: 3, clusterAt: [1, 2] },
  { strategy: 'gto', candidates: 30, rollout: 'none' },
  { strategy: 'beam', width: 4, candidates: 20, rollout: 'none' },
];

/** With one candidate at every step that draws nothing, and whole rollouts where there are too few steps for previews. */
function suited(options: SearchOptions, { steps }: Schedule): SearchOptions {
  const until = untilOf(rolloutOf(options));
  const { rollout: _, ...full } = options as SearchOptions & { readonly rollout?: string };
  const fits = typeof until !== 'number' || until < steps.length;
  const given = fits ? options : full;
  if (!('candidates' in given)) return given;
  const searched = typeof until === 'number' && fits ? steps.slice(0, until) : steps;
  const candidates = searched.map(({ draws }) => (draws ? Number(given.candidates) : 1));
  return { ...given, candidates };
}

describe.each(Object.entries(SCHEDULES))('over %s', (_, schedule) => {
  describe.each(JURIES)('by %s', (__, how) => {
    const isAsked = ({ strategy }: SearchOptions): boolean =>
      strategy !== 'particles' ||
      (schedule.steps.length > 1 && !isRelative(how.jury ?? resolveJury(['none'])));
    it.each(SEARCHES.filter(isAsked))(
      '%o holds no more than was set aside, whatever that is',
      async (options) => {
        const jury = how.jury ?? resolveJury(['none']);
        const search = resolveSearch(suited(options, schedule), schedule);
        const need = memoryNeed(search, { schedule, jury });
        if (!need) throw new Error('a strategy of ours says what it holds');
        const free = await dryRun(search, schedule, how);
        for (const memory of [need.least, (need.least + need.most) / 2, need.most, 10 * need.most]) {
          const run = await dryRun(search, schedule, { ...how, memory });
          expect(run.mostHeld).toBeLessThanOrEqual(memory);
          expect(run).toMatchObject({
            leaked: 0,
            heldAtEnd: 0,
            nfe: free.nfe,
            imagesDecoded: free.imagesDecoded,
          });
          const { forwards, exact } = estimate(search, schedule);
          if (memory >= need.most && exact) expect(run.forwards).toBe(forwards);
          else expect(run.forwards).toBeGreaterThanOrEqual(free.forwards);
        }
        await expect(dryRun(search, schedule, { ...how, memory: need.least - 1 })).rejects.toThrow(
          UsageError,
        );
      },
    );
  });
});

describe('the need', () => {
  it('of a jury that compares is more than its least by what every candidate holds', () => {
    const schedule = SCHEDULES['scales'] as Schedule;
    const search = resolveSearch({ strategy: 'gto', candidates: 300 }, schedule);
    const [one, ranks] = [resolveJury(['one']), resolveJury(['one', 'two'], { rule: 'rank' })].map((jury) =>
      memoryNeed(search, { schedule, jury }),
    );
    expect(ranks?.least).toBe(one?.least);
    // 300 - 64 candidates with the pass of the largest scale that more come after, 25 tokens of 1000 bytes.
    expect((ranks?.most ?? 0) - (one?.most ?? 0)).toBeGreaterThan(200 * 25_000);
  });

  it('is less while whole pictures are decoded, and not where somebody draws from what is before', () => {
    const letGo = (options: SearchOptions, name = 'scales'): number | undefined => {
      const schedule = SCHEDULES[name] as Schedule;
      return memoryNeed(resolveSearch(options, schedule), { schedule, jury: resolveJury(['one']) })?.letGo;
    };
    // The passes of all steps but the first, whose prefix others may begin from: 4 + 9 + 25 tokens of 1000 bytes, and 7 a pass.
    expect(letGo({ strategy: 'random', images: 2 })).toBe(38_000 + 4 * 7);
    expect(letGo({ strategy: 'random', images: 2, rollout: 'preview:3' })).toBe(0);
    expect(letGo({ strategy: 'beam', width: 2, candidates: 2 })).toBe(0);
    expect(letGo({ strategy: 'beam', width: 2, candidates: 2, paper: true })).toBe(0);
    expect(letGo({ strategy: 'random', images: 2 }, 'a solver that draws')).toBe(0);
  });

  it('is told so that so much is enough', () => {
    for (const bytes of [1, 999, 1000, 1001, 123_456, 99_999_999, 6.73e9, 2 ** 31]) {
      const text = formatMemory(bytes);
      expect(text).toMatch(/^\d+(\.\d)?(B|KB|MB|GB)$/);
      expect(parseMemory(text)).toBeGreaterThanOrEqual(bytes);
      expect(parseMemory(text)).toBeLessThanOrEqual(Math.max(bytes + 1, bytes * 1.1));
    }
    expect(() => checkMemory({ least: 5, most: 9 }, 5)).not.toThrow();
    expect(() => checkMemory({ least: 1_234_567, most: 9e9 }, 1000)).toThrow(
      /holds 1\.3MB at once at least, and the engine may hold 1KB: give it that much .* beams or none$/,
    );
    expect(() => checkMemory({ least: 5, most: 9 }, 4, { keepElected: true })).toThrow(
      /no rollouts \(option 'paper'\)$/,
    );
  });
});

// Particle search: Feynman-Kac steering (Singhal et al., arXiv 2501.06848) over steps of any kind. k particles are taken step by
// step; after some steps the picture of every unfinished prefix is judged, a potential of its scores weighs it, and the next
// particles are copies drawn by weight. On a diffusion model that is their method; on Infinity it is TTS-VAR's resampling
// (arXiv 2507.18537), and its thinning out by clusters (clusters.ts).

import { UsageError } from '../core/errors.js';
import { choice, isWhole, listed, number, type OptionsOf, value, wholes } from '../core/options.js';
import type { Schedule } from '../models/contract.js';
import { isRelative } from '../verifiers/jury.js';
import { affordable } from './budget.js';
import type { Needs, Search, SearchContext, Strategy } from './contract.js';
import type { Estimate } from './cost.js';
import { Flock, type ParticleSizes, type Potential, POTENTIALS } from './flock.js';
import { memoryOf, noPlaceFor, type RoundSize } from './memory.js';
import { BUDGET, countsPerStep, exclusive } from './sizes.js';

const USUAL = { particles: 8, potential: 'difference', lambda: 10 } as const;

const OPTIONS = {
  particles: wholes('particles, one number or one per step: 8 or 8,8,4,2', 1, {
    usual: String(USUAL.particles),
  }),
  resampleAt: value<number | readonly number[]>(
    'steps after which particles are judged and drawn anew: 6,9',
    (given) => isWhole(1)(given) || (Array.isArray(given) && given.every(isWhole(1))),
    'a whole number of at least 1, or a list of them',
    {
      kind: 'wholes',
      usual: 'after half and after three quarters of the steps',
      placeholder: 'steps',
      show: listed,
    },
  ),
  clusterAt: value<number | readonly number[]>(
    'steps after which fewer particles go on, those that stand for clusters of their pictures: 3,6',
    (given) => isWhole(1)(given) || (Array.isArray(given) && given.every(isWhole(1))),
    'a whole number of at least 1, or a list of them',
    { kind: 'wholes', usual: 'nowhere: chance keeps some', placeholder: 'steps', show: listed },
  ),
  potential: choice(
    "what weighs a particle: its score's rise, its highest or its summed scores, or the score itself",
    Object.keys(POTENTIALS) as Potential[],
    { usual: USUAL.potential },
  ),
  lambda: number(
    'how much a score of 1 weighs: exp(lambda * potential)',
    (given) => given >= 0,
    'a number of at least 0',
    { usual: String(USUAL.lambda) },
  ),
  budget: BUDGET,
};

function resolve(given: OptionsOf<typeof OPTIONS>, schedule: Schedule): ParticleSizes {
  const { particles, budget, potential = USUAL.potential, lambda = USUAL.lambda } = given;
  exclusive({ particles, budget });
  const resampleAt = stepsOf(given.resampleAt, schedule);
  const clusterAt = given.clusterAt === undefined ? [] : ascending(given.clusterAt);
  // One particle's readouts are what its next steps pay for: only others' may be lost.
  const one = costOfParticles(
    { particles: schedule.steps.map(() => 1), resampleAt, clusterAt },
    schedule,
  ).nfe;
  const two = costOfParticles(
    { particles: schedule.steps.map(() => 2), resampleAt, clusterAt },
    schedule,
  ).nfe;
  const price = { each: two - one, fixed: 2 * one - two };
  const chosen = budget === undefined ? (particles ?? USUAL.particles) : affordable(budget, price);
  const counts = countsPerStep(chosen, 'particles', schedule);
  const rise = counts.findIndex(
    (count, i) => i > 0 && count > (counts[i - 1] ?? 0) && !resampleAt.includes(i),
  );
  if (rise > 0) {
    throw new UsageError(
      `option 'particles' has more at ${schedule.unit} ${rise + 1} than before it: ` +
        `they can grow in number only where they are drawn anew, so name ${rise} in option 'resampleAt'`,
    );
  }
  const idle = clusterAt.find(
    (step) => resampleAt.includes(step) || (counts[step] ?? Infinity) >= (counts[step - 1] ?? 0),
  );
  if (idle !== undefined) {
    throw new UsageError(
      `option 'clusterAt' names ${schedule.unit} ${idle}, after which no fewer particles go on as they are: ` +
        `give fewer at ${schedule.unit} ${idle + 1} in option 'particles', and do not draw them anew there`,
    );
  }
  return {
    particles: counts,
    resampleAt,
    ...(clusterAt.length === 0 ? {} : { clusterAt }),
    potential,
    lambda,
  };
}

const ascending = (given: number | readonly number[]): number[] =>
  [...new Set(typeof given === 'number' ? [given] : given)].sort((a, b) => a - b);

/** Where particles are drawn anew: as asked for, or where TTS-VAR's code does of 13 scales, after 7 and 10, if something is left to draw. */
function stepsOf(given: number | readonly number[] | undefined, { unit, steps }: Schedule): number[] {
  const last = steps.length;
  if (given === undefined) {
    const parts = [1 / 2, 3 / 4].map((part) => Math.round(part * last));
    const usual = [...new Set(parts)].filter((step) => step >= 1 && step < last);
    const drawn = usual.filter((step) => steps.slice(step).some(({ draws }) => draws));
    return drawn.length > 0 ? drawn : usual;
  }
  const list = ascending(given);
  const beyond = list.find((step) => step >= last);
  if (beyond === undefined) return list;
  throw new UsageError(
    `option 'resampleAt' names ${unit} ${beyond}, but nothing is drawn after ${unit} ${last - 1}: name ${unit}s from 1 to ${last - 1}`,
  );
}

function needs({ particles, resampleAt }: ParticleSizes, { steps }: Schedule): Needs {
  const starts = [0, ...resampleAt];
  const forks = starts.map((start, i) => {
    return { from: start + 1, until: starts[i + 1] ?? steps.length, candidates: particles[start] ?? 1 };
  });
  return { forks, alive: particles, absolute: true };
}

/**
 * At most so much, since copies share the forward pass of their prefix, and a readout's evaluation is the next step's: only that
 * of particles that are not drawn again is paid for beside the steps.
 */
function costOfParticles(
  { particles, resampleAt, clusterAt = [] }: Pick<ParticleSizes, 'particles' | 'resampleAt' | 'clusterAt'>,
  { steps }: Schedule,
): Estimate {
  const cost = { nfe: 0, forwards: 0, tokens: 0, flops: 0, images: particles.at(-1) ?? 0 };
  steps.forEach(({ nfe, tokens, flops }, i) => {
    const count = particles[i] ?? 0;
    const before = i === 0 ? 1 : (particles[i - 1] ?? 0);
    const isLooked = resampleAt.includes(i) || clusterAt.includes(i);
    const looked = isLooked ? (steps[i - 1]?.readout.nfe ?? 0) : 0;
    const distinct = looked > 0 ? before : Math.min(before, count);
    // Of clusters all go on that are kept; of those that are drawn anew at least one.
    cost.nfe += count * nfe + looked * (before - (clusterAt.includes(i) ? count : 1));
    cost.forwards += nfe > 0 ? distinct : 0;
    cost.tokens += distinct * tokens;
    cost.flops += distinct * flops;
    cost.images += isLooked ? before : 0;
  });
  return { ...cost, exact: resampleAt.length === 0 };
}

/** Its rounds as far as what they hold goes: all particles live together. */
function roundSizes({ particles, resampleAt }: ParticleSizes, { steps }: Schedule): RoundSize[] {
  const starts = [0, ...resampleAt];
  return starts.map((from, i) => {
    const until = starts[i + 1] ?? steps.length;
    const candidates = Math.max(...particles.slice(from, until));
    const beams = from === 0 ? 0 : (particles[from - 1] ?? 0);
    return { beams, from, step: until, until, candidates, elect: 0, keepElected: false, together: true };
  });
}

/** Takes particles to the end, drawn anew by weight on their way. */
async function* run(context: SearchContext, sizes: ParticleSizes): Search {
  const { reservation, generator, bench } = context;
  const need = memoryOf(generator.schedule, roundSizes(sizes, generator.schedule), isRelative(bench.jury));
  if (reservation && need.least > reservation.bytes) throw noPlaceFor(reservation.bytes);
  const flock = new Flock(context, sizes);
  try {
    const ends = [...sizes.resampleAt, generator.schedule.steps.length];
    let sources = flock.begin();
    for (const [index, step] of ends.entries()) {
      const round = index + 1;
      const count = sizes.particles[step - 1] ?? 0;
      yield { type: 'round', round, rounds: ends.length, step, candidates: count };
      const particles = await flock.advance(flock.spread(sources, round), step);
      const candidates = await flock.judge(particles, step);
      yield { type: 'judged', candidates: [...candidates], best: flock.best };
      const elected = flock.elect(particles, candidates, step);
      sources = elected.sources;
      yield { type: 'elected', round, fates: elected.fates };
    }
    return flock.result();
  } finally {
    flock.close();
  }
}

/** Particle search. */
export const PARTICLES = {
  name: 'particles',
  title: 'particle search',
  description: 'Takes many pictures along together, and draws those that go on by their scores.',
  options: OPTIONS,
  resolve,
  needs,
  cost: costOfParticles,
  rounds: roundSizes,
  words: ({ particles, resampleAt, clusterAt = [], potential, lambda }) =>
    `${listed(particles)} particle${particles.every((count) => count === 1) ? '' : 's'}, ` +
    (resampleAt.length === 0
      ? 'never drawn anew'
      : `drawn anew after ${resampleAt.join(', ')} by ${potential}, lambda ${lambda}`) +
    (clusterAt.length === 0 ? '' : `, clustered after ${clusterAt.join(', ')}`),
  run,
} as const satisfies Strategy<'particles', OptionsOf<typeof OPTIONS>, ParticleSizes>;

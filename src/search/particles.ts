// Particle search: Feynman-Kac steering (Singhal et al., arXiv 2501.06848) over steps of any kind. k particles are taken step by
// step; after some steps the picture of every unfinished prefix is judged, a potential of its scores weighs it, and the next
// particles are copies drawn by weight. On a diffusion model that is their method; on Infinity it is TTS-VAR's resampling
// (arXiv 2507.18537; the clustering that it does before that needs a network of its own, and is not here).
//
// Random numbers: as in rollouts.ts, a particle draws step s with draw.fold(round).fold(beam).fold(copy).fold(s), where a beam is
// what the round before kept, and a round ends where pictures are judged. What is drawn after step s takes draw.fold(0).fold(s).

import { throwIfAborted, UsageError } from '../core/errors.js';
import { choice, isWhole, listed, number, type OptionsOf, value, wholes } from '../core/options.js';
import type { Draw } from '../core/random.js';
import type { Prefix, Schedule } from '../models/contract.js';
import { combine, isRelative } from '../verifiers/jury.js';
import { affordable } from './budget.js';
import { judgeAll, letGo } from './completion.js';
import { Contest } from './contest.js';
import type { Candidate, Fate, Needs, Search, SearchContext, SearchResult, Strategy } from './contract.js';
import type { Estimate } from './cost.js';
import { memoryOf, noPlaceFor, type RoundSize } from './memory.js';
import { Owned } from './owned.js';
import { BUDGET, countsPerStep, exclusive } from './sizes.js';

/** The logarithm of what a particle is weighed by, over lambda, from the scores of its pictures until then. */
const POTENTIALS = {
  difference: (scores: readonly number[]): number => (scores.at(-1) ?? 0) - (scores.at(-2) ?? 0),
  max: (scores: readonly number[]): number => Math.max(...scores),
  sum: (scores: readonly number[]): number => scores.reduce((sum, score) => sum + score, 0),
  value: (scores: readonly number[]): number => scores.at(-1) ?? 0,
} as const;

type Potential = keyof typeof POTENTIALS;

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

/** Sizes of a particle search. */
export interface ParticleSizes {
  /** How many take each step. */
  readonly particles: readonly number[];
  /** After which steps they are judged and drawn anew, besides the last. */
  readonly resampleAt: readonly number[];
  readonly potential: Potential;
  readonly lambda: number;
}

function resolve(given: OptionsOf<typeof OPTIONS>, schedule: Schedule): ParticleSizes {
  const { particles, budget, potential = USUAL.potential, lambda = USUAL.lambda } = given;
  exclusive({ particles, budget });
  const resampleAt = stepsOf(given.resampleAt, schedule);
  // One particle's readouts are what its next steps pay for: only others' may be lost.
  const one = costOfParticles({ particles: schedule.steps.map(() => 1), resampleAt }, schedule).nfe;
  const two = costOfParticles({ particles: schedule.steps.map(() => 2), resampleAt }, schedule).nfe;
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
  return { particles: counts, resampleAt, potential, lambda };
}

/** Where particles are drawn anew: as asked for, or where TTS-VAR's code does of 13 scales, after 7 and 10, if something is left to draw. */
function stepsOf(given: number | readonly number[] | undefined, { unit, steps }: Schedule): number[] {
  const last = steps.length;
  if (given === undefined) {
    const parts = [1 / 2, 3 / 4].map((part) => Math.round(part * last));
    const usual = [...new Set(parts)].filter((step) => step >= 1 && step < last);
    const drawn = usual.filter((step) => steps.slice(step).some(({ draws }) => draws));
    return drawn.length > 0 ? drawn : usual;
  }
  const list = [...new Set(typeof given === 'number' ? [given] : given)].sort((a, b) => a - b);
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
  { particles, resampleAt }: Pick<ParticleSizes, 'particles' | 'resampleAt'>,
  { steps }: Schedule,
): Estimate {
  const cost = { nfe: 0, forwards: 0, tokens: 0, flops: 0, images: particles.at(-1) ?? 0 };
  steps.forEach(({ nfe, tokens, flops }, i) => {
    const count = particles[i] ?? 0;
    const before = i === 0 ? 1 : (particles[i - 1] ?? 0);
    const looked = resampleAt.includes(i) ? (steps[i - 1]?.readout.nfe ?? 0) : 0;
    const distinct = looked > 0 ? before : Math.min(before, count);
    cost.nfe += count * nfe + looked * (before - 1);
    cost.forwards += nfe > 0 ? distinct : 0;
    cost.tokens += distinct * tokens;
    cost.flops += distinct * flops;
    cost.images += resampleAt.includes(i) ? before : 0;
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

/** A prefix on its way. */
interface Particle {
  readonly parent: Candidate | null;
  readonly path: readonly number[];
  readonly draw: Draw;
  readonly prefix: Prefix;
  /** Scores of its ancestors' pictures. */
  readonly scores: readonly number[];
  /** The sum of the logarithms of what its ancestors were weighed by. */
  readonly weighed: number;
}

/** What particles of a round come from. */
interface Source extends Omit<Particle, 'path' | 'draw'> {
  readonly copies: number;
}

/** The particles of one search. */
class Flock {
  readonly #context: SearchContext;
  readonly #sizes: ParticleSizes;
  readonly #owned = new Owned();
  readonly #candidates: Candidate[] = [];
  readonly #fates: Fate[] = [];
  /** The candidates of the round under way: pictures at different steps do not compete. */
  #contest: Contest;

  constructor(context: SearchContext, sizes: ParticleSizes) {
    this.#context = context;
    this.#sizes = sizes;
    this.#contest = new Contest(context.bench.jury);
  }

  begin(): Source[] {
    const prefix = this.#owned.add(this.#context.generator.begin());
    return [{ parent: null, prefix, scores: [], weighed: 0, copies: this.#sizes.particles[0] ?? 1 }];
  }

  /** The particles of a round; the sources' own prefixes are released. */
  spread(sources: readonly Source[], round: number): Particle[] {
    const root = this.#context.draw.fold(round);
    const particles = sources.flatMap(({ copies, ...source }, beam) =>
      Array.from({ length: copies }, (_, copy): Particle => {
        const path = [round, beam, copy];
        this.#owned.add(source.prefix.retain());
        return { ...source, path, draw: root.fold(beam).fold(copy) };
      }),
    );
    for (const { prefix } of sources) this.#owned.release(prefix);
    return particles;
  }

  /** Takes all particles to a step together; where fewer go on, as good as any, those that chance keeps. */
  async advance(particles: readonly Particle[], until: number): Promise<Particle[]> {
    const { generator, signal } = this.#context;
    let flock = [...particles];
    for (let step = (flock[0]?.prefix.step ?? 0) + 1; step <= until; step++) {
      throwIfAborted(signal);
      const copies = this.#copies(
        flock.map(() => 1),
        step,
      );
      for (const [i, { prefix }] of flock.entries()) if (copies[i] === 0) this.#owned.release(prefix);
      flock = flock.filter((_, i) => copies[i] !== 0);
      const requests = flock.map(({ prefix, draw }) => ({ prefix, draw: draw.fold(step) }));
      const extended = await generator.extend(requests, { signal });
      for (const prefix of extended) this.#owned.add(prefix);
      for (const { prefix } of flock) this.#owned.release(prefix);
      flock = flock.map((particle, i) => ({ ...particle, prefix: extended[i] as Prefix }));
    }
    return flock;
  }

  /** Judges the particles' pictures as far as they have come, and shows them. */
  async judge(particles: readonly Particle[], step: number): Promise<Candidate[]> {
    const { generator, bench, signal, show } = this.#context;
    throwIfAborted(signal);
    const prefixes = particles.map(({ prefix }) => prefix);
    const judged = await judgeAll(this.#context, prefixes, 'own');
    const entered = particles.map(({ parent, path }, i): Candidate => {
      const id = this.#candidates.length + i + 1;
      return { id, parent: parent?.id ?? 0, step, judgedAt: step, path, scores: judged[i]?.scores ?? {} };
    });
    this.#candidates.push(...entered);
    this.#contest = new Contest(bench.jury);
    this.#contest.enter(entered);
    if (show) {
      const shown = entered.map((candidate, i) => {
        const [prefix, image] = [prefixes[i], judged[i]?.image];
        if (!prefix || !image) throw new RangeError(`expected ${entered.length} pictures, got ${i}`);
        return { candidate, image, state: generator.pack(prefix) };
      });
      await show(shown);
      throwIfAborted(signal);
    }
    letGo(this.#context, judged);
    return entered;
  }

  get best(): number {
    return this.#contest.best().id;
  }

  /** Weighs a round's candidates, and draws what the next particles are copies of: nothing after the last step. */
  elect(
    particles: readonly Particle[],
    candidates: readonly Candidate[],
    step: number,
  ): { sources: Source[]; fates: Fate[] } {
    const last = step === this.#context.generator.schedule.steps.length;
    const { lambda, potential } = this.#sizes;
    const numbers = combine(candidates.map(({ scores }) => scores), this.#context.bench.jury); // prettier-ignore
    const paths = particles.map(({ scores }, i) => [...scores, numbers[i] ?? NaN]);
    // In the end the product of all weights is exp(lambda * score), whatever particles were drawn by on their way.
    const logs = particles.map(({ weighed }, i) =>
      last ? lambda * (numbers[i] ?? NaN) - weighed : lambda * POTENTIALS[potential](paths[i] ?? []),
    );
    const weights = shares(logs);
    const copies = last ? weights.map(() => 0) : this.#copies(weights, step + 1);
    const places = new Map(candidates.map((candidate, i) => [candidate, i]));
    const ranking = this.#contest
      .ranking()
      .map((candidate) => ({ candidate, i: places.get(candidate) ?? 0 }));
    const sources: Source[] = [];
    const fates = ranking.map(({ candidate, i }): Fate => {
      const count = copies[i] ?? 0;
      const particle = particles[i];
      if (particle && count > 0) {
        const { prefix, weighed } = particle;
        this.#owned.add(prefix.retain());
        sources.push({
          parent: candidate,
          prefix,
          scores: paths[i] ?? [],
          weighed: weighed + (logs[i] ?? 0),
          copies: count,
        });
      }
      return {
        id: candidate.id,
        standing: this.#contest.standingOf(candidate),
        copies: count,
        weight: weights[i] ?? 0,
      };
    });
    for (const { prefix } of particles) this.#owned.release(prefix);
    this.#fates.push(...fates);
    return { sources, fates };
  }

  result(): SearchResult {
    const winner = this.#contest.best();
    const standing = this.#contest.standingOf(winner);
    return { winner: winner.id, standing, candidates: [...this.#candidates], fates: [...this.#fates] };
  }

  close(): void {
    this.#owned.releaseAll();
  }

  /** How many of the particles that take a step are copies of each of some that weigh so much. */
  #copies(weights: readonly number[], step: number): number[] {
    const count = this.#sizes.particles[step - 1] ?? 1;
    if (step === 1) return weights.map(() => 1);
    const [offset = 0] = this.#context.draw
      .fold(0)
      .fold(step - 1)
      .uniform(1);
    return systematic(weights, count, offset);
  }
}

/** Positive numbers of these logarithms that sum up to 1. */
function shares(logs: readonly number[]): number[] {
  const most = Math.max(...logs);
  const numbers = logs.map((log) => Math.exp(log - most));
  const total = numbers.reduce((sum, each) => sum + each, 0);
  return numbers.map((each) => each / total);
}

/**
 * Systematic resampling: `count` places at equal distances from an offset in [0, 1) on, each taken by whom it falls to. Everybody
 * gets his share of the count, rounded up or down; equal weights lose nobody where the count is theirs.
 */
export function systematic(weights: readonly number[], count: number, offset: number): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let [sum, taken] = [0, 0];
  return weights.map((weight, i) => {
    sum += weight;
    // The sum of shares may end a little below 1.
    const until = i === weights.length - 1 ? count : Math.ceil((count * sum) / total - offset);
    const copies = Math.min(count, Math.max(until, taken)) - taken;
    taken += copies;
    return copies;
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
  words: ({ particles, resampleAt, potential, lambda }) =>
    `${listed(particles)} particle${particles.every((count) => count === 1) ? '' : 's'}, ` +
    (resampleAt.length === 0
      ? 'never drawn anew'
      : `drawn anew after ${resampleAt.join(', ')} by ${potential}, lambda ${lambda}`),
  run,
} as const satisfies Strategy<'particles', OptionsOf<typeof OPTIONS>, ParticleSizes>;

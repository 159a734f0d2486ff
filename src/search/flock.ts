// The particles of a search: prefixes that are taken along together, judged, and drawn anew by weight.
//
// Random numbers: as in rollouts.ts, a particle draws step s with draw.fold(round).fold(beam).fold(copy).fold(s), where a beam is
// what the round before kept, and a round ends where pictures are judged. What is drawn after step s takes draw.fold(0).fold(s).

import { throwIfAborted } from '../core/errors.js';
import type { Draw } from '../core/random.js';
import type { Prefix } from '../models/contract.js';
import { combine } from '../verifiers/jury.js';
import { describe, representatives } from './clusters.js';
import { judgeAll, letGo } from './completion.js';
import { Contest } from './contest.js';
import type { Candidate, Fate, SearchContext, SearchResult } from './contract.js';
import { Owned } from './owned.js';

/** The logarithm of what a particle is weighed by, over lambda, from the scores of its pictures until then. */
export const POTENTIALS = {
  difference: (scores: readonly number[]): number => (scores.at(-1) ?? 0) - (scores.at(-2) ?? 0),
  max: (scores: readonly number[]): number => Math.max(...scores),
  sum: (scores: readonly number[]): number => scores.reduce((sum, score) => sum + score, 0),
  value: (scores: readonly number[]): number => scores.at(-1) ?? 0,
} as const;

/** One of the potentials. */
export type Potential = keyof typeof POTENTIALS;

/** Sizes of a particle search. */
export interface ParticleSizes {
  /** How many take each step. */
  readonly particles: readonly number[];
  /** After which steps they are judged and drawn anew, besides the last. */
  readonly resampleAt: readonly number[];
  /** After which of the others fewer go on, and those that stand for all by their looks. @default nowhere: chance decides */
  readonly clusterAt?: readonly number[];
  readonly potential: Potential;
  readonly lambda: number;
}

/** A prefix on its way. */
export interface Particle {
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
export interface Source extends Omit<Particle, 'path' | 'draw'> {
  readonly copies: number;
}

/** The particles of one search. */
export class Flock {
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

  /** Takes all particles to a step together; where fewer go on, those that stand for all by their looks, or that chance keeps. */
  async advance(particles: readonly Particle[], until: number): Promise<Particle[]> {
    const { generator, signal } = this.#context;
    let flock = [...particles];
    for (let step = (flock[0]?.prefix.step ?? 0) + 1; step <= until; step++) {
      throwIfAborted(signal);
      const staying = await this.#staying(flock, step);
      for (const [i, { prefix }] of flock.entries()) if (!staying.has(i)) this.#owned.release(prefix);
      flock = flock.filter((_, i) => staying.has(i));
      const requests = flock.map(({ prefix, draw }) => ({ prefix, draw: draw.fold(step) }));
      const extended = await generator.extend(requests, { signal });
      for (const prefix of extended) this.#owned.add(prefix);
      for (const { prefix } of flock) this.#owned.release(prefix);
      flock = flock.map((particle, i) => ({ ...particle, prefix: extended[i] as Prefix }));
    }
    return flock;
  }

  /** The places of those that take a step. */
  async #staying(flock: readonly Particle[], step: number): Promise<ReadonlySet<number>> {
    if (this.#sizes.clusterAt?.includes(step - 1) !== true) {
      const copies = this.#copies(
        flock.map(() => 1),
        step,
      );
      return new Set(copies.flatMap((count, i) => (count > 0 ? [i] : [])));
    }
    const { generator, reservation, signal, draw } = this.#context;
    const prefixes = flock.map(({ prefix }) => prefix);
    const images = await generator.decode(prefixes, 'own', { signal });
    const bytes = images.reduce((sum, { data }) => sum + data.length, 0);
    reservation?.charge(bytes);
    const looks = await describe(images);
    reservation?.refund(bytes);
    const count = this.#sizes.particles[step - 1] ?? 1;
    return new Set(representatives(looks, count, draw.fold(0).fold(step - 1)));
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

// The sizes of a search: what may be asked for, what is assumed, and how a budget is turned into sizes.

import { UsageError } from '../core/errors.js';

/** Which picture a search by scales gives: the best of all rollouts, or the best of the last round. */
export const RESULT_CHOICES = ['best', 'last-round'] as const;

/** One of the pictures that a search by scales may give. */
export type ResultChoice = (typeof RESULT_CHOICES)[number];

/** Every default of the strategies; by default all of them cost about the same, in NFE. */
export const DEFAULTS = { width: 3, candidates: 5, keepElected: false, result: 'best' } as const;

/** More candidates than this in one round are taken for a mistake. */
export const MOST_CANDIDATES = 1_000_000;

/** What a caller may say about the sizes of a search; each strategy takes some of it. */
export interface SizeOptions {
  /** Beam search: prefixes that are kept, at least 1. @default 3 */
  readonly width?: number | undefined;
  /** GTO and beam search: candidates per beam, for all scales or per scale. @default 5 per beam, 15 for GTO */
  readonly candidates?: number | readonly number[] | undefined;
  /** Random search: pictures to draw. @default what the default beam search would cost */
  readonly images?: number | undefined;
  /** Function evaluations (NFE) that may be spent; images or candidates follow from it. */
  readonly budget?: number | undefined;
  /** GTO and beam search: the elected rollout is a candidate of the next round, at no cost. @default false */
  readonly keepElected?: boolean | undefined;
  /** GTO and beam search: the best of all rollouts, or of the last round. @default 'best' */
  readonly result?: ResultChoice | undefined;
}

/** Sizes of a random search. */
export interface RandomSizes {
  readonly images: number;
}

/** Sizes of a greedy token optimisation. */
export interface GtoSizes {
  /** Candidates of every scale. */
  readonly candidates: readonly number[];
  readonly keepElected: boolean;
  readonly result: ResultChoice;
}

/** Sizes of a beam search; `candidates` are per beam. */
export interface BeamSizes extends GtoSizes {
  readonly width: number;
}

/** The sizes of a random search over K scales. */
export function randomSizes({ images, budget }: SizeOptions, scales: number): RandomSizes {
  exclusive({ images, budget });
  if (images !== undefined) return { images: count(images, 'images') };
  const evaluations = budget ?? DEFAULTS.width * DEFAULTS.candidates * evaluationsPerCandidate(scales);
  return { images: affordable(evaluations, { each: scales, free: 0, least: 1 }) };
}

/** The sizes of a greedy token optimisation over K scales. */
export function gtoSizes(options: SizeOptions, scales: number): GtoSizes {
  return sizesByScale(options, { scales, width: 1, usual: DEFAULTS.width * DEFAULTS.candidates });
}

/** The sizes of a beam search over K scales. */
export function beamSizes(options: SizeOptions, scales: number): BeamSizes {
  const width = count(options.width ?? DEFAULTS.width, 'width');
  return { width, ...sizesByScale(options, { scales, width, usual: DEFAULTS.candidates }) };
}

interface ByScale {
  readonly scales: number;
  readonly width: number;
  /** Candidates per beam where nothing is said. */
  readonly usual: number;
}

function sizesByScale(options: SizeOptions, { scales, width, usual }: ByScale): GtoSizes {
  const { candidates, budget, keepElected = DEFAULTS.keepElected, result = DEFAULTS.result } = options;
  exclusive({ candidates, budget });
  if (typeof keepElected !== 'boolean') throw wrong('keepElected', 'true or false', keepElected);
  if (!RESULT_CHOICES.includes(result)) throw wrong('result', `one of ${RESULT_CHOICES.join(', ')}`, result);
  const each = width * evaluationsPerCandidate(scales);
  // A kept rollout stands for one candidate of every beam in every round but the first.
  const free = keepElected ? width * evaluationsPerCandidate(scales - 1) : 0;
  const least = keepElected && scales > 1 ? 2 : 1;
  const chosen = budget === undefined ? (candidates ?? usual) : affordable(budget, { each, free, least });
  const perScale = listOf(chosen, scales);
  if (keepElected && scales > 1 && perScale.every((number) => number === 1)) {
    throw new UsageError(
      "option 'keepElected' needs at least 2 candidates at some scale: one candidate would only ever be the elected rollout",
    );
  }
  const most = width * Math.max(...perScale);
  if (most > MOST_CANDIDATES) throw tooMany(most);
  return { candidates: perScale, keepElected, result };
}

/** Function evaluations of rollouts begun at each of K scales, one per scale: K + (K-1) + ... + 1. */
function evaluationsPerCandidate(scales: number): number {
  return (scales * (scales + 1)) / 2;
}

interface Price {
  /** Evaluations that one unit costs. */
  readonly each: number;
  /** Evaluations that need not be paid for. */
  readonly free: number;
  /** The fewest units that make a search. */
  readonly least: number;
}

/** How many units a budget buys. */
function affordable(budget: number, { each, free, least }: Price): number {
  if (!Number.isSafeInteger(budget) || budget < 1) {
    throw wrong('budget', 'a whole number of function evaluations, at least 1', budget);
  }
  const bought = Math.floor((budget + free) / each);
  if (bought < least) {
    throw new UsageError(
      `a budget of ${budget} function evaluations is too small for this search: it needs at least ${least * each - free}`,
    );
  }
  if (bought > MOST_CANDIDATES) throw tooMany(bought);
  return bought;
}

function listOf(candidates: number | readonly number[], scales: number): readonly number[] {
  if (typeof candidates === 'number') {
    return Array.from({ length: scales }, () => count(candidates, 'candidates'));
  }
  if (!Array.isArray(candidates)) {
    throw wrong('candidates', 'a number, or a list of one per scale', candidates);
  }
  if (candidates.length !== scales) {
    throw new UsageError(
      `option 'candidates' lists ${candidates.length} numbers, but the model has ${scales} scales: give one number per scale, or one for all`,
    );
  }
  return candidates.map((number: number) => count(number, 'candidates'));
}

/** A whole number of at least 1. */
function count(value: number, option: string): number {
  if (!Number.isSafeInteger(value) || value < 1) throw wrong(option, 'a whole number of at least 1', value);
  if (value > MOST_CANDIDATES) throw tooMany(value);
  return value;
}

function exclusive(options: Readonly<Record<string, unknown>>): void {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  if (given.length > 1) {
    throw new UsageError(
      `give one of ${given.map(([name]) => `'${name}'`).join(' and ')}, not both: one follows from the other`,
    );
  }
}

function tooMany(value: number): UsageError {
  return new UsageError(`${value} candidates in one round are too many: at most ${MOST_CANDIDATES}`);
}

function wrong(option: string, expected: string, value: unknown): UsageError {
  const shown = typeof value === 'string' ? `'${value}'` : String(value);
  return new UsageError(`option '${option}' must be ${expected}, got ${shown}`);
}

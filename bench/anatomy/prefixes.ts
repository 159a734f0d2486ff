// What prefixes decide: several of every length, each completed several times, so that the variance of what comes out can be parted
// into that between prefixes, which choosing there can use, and that within them, which is noise to whoever elects by one rollout.

import { type Image, Ledger, RandomKey } from '../../src/index.js';
import type { Generator, ImageModel, Prefix } from '../../src/models/contract.js';
import { judgePicture } from '../../src/toybox/judge/judge.js';
import { parsePrompt } from '../../src/toybox/world/parser.js';
import type { Judge, Verifier } from '../../src/verifiers/contract.js';
import { mean } from '../resumed.js';

/** Numbers by prefix and by rollout. */
export type Grid = readonly (readonly number[])[];

/** What the rollouts of some prefixes came to: right or not by the detector, and scores by judge, the oracle among them. */
export interface Rolled {
  readonly right: Grid;
  readonly scores: Readonly<Record<string, Grid>>;
}

/** What is rolled out. */
export interface RollUnit {
  readonly prompt: string;
  readonly seed: number;
  /** Scales that a prefix fixes. */
  readonly step: number;
  readonly prefixes: number;
  /** Of each prefix. */
  readonly rollouts: number;
  readonly cfg: number;
  readonly temperature: number;
}

/** The most rollouts under way. */
const GROUP = 48;

/** Extends prefixes until a step and releases what they come from. */
async function extendTo(
  generator: Generator,
  starts: readonly { readonly prefix: Prefix; readonly draw: RandomKey }[],
  last: number,
): Promise<Prefix[]> {
  let current = starts.map(({ prefix }) => prefix);
  for (let step = (current[0]?.step ?? 0) + 1; step <= last; step++) {
    const requests = starts.map(({ draw }, i) => ({ prefix: current[i] as Prefix, draw: draw.fold(step) }));
    const next = await generator.extend(requests);
    for (const prefix of current) prefix.release();
    current = next;
  }
  return current;
}

/** Draws prefixes independently of each other, completes each of them several times, and judges what comes out. */
export async function rollPrefixes(
  model: ImageModel,
  verifiers: readonly Verifier[],
  { prompt, seed, step, prefixes: count, rollouts, cfg, temperature }: RollUnit,
): Promise<Rolled> {
  const generator = await model.prepare(prompt, new Ledger(), model.resolve({ cfg, temperature }));
  const parsed = parsePrompt(prompt);
  const judges: Judge[] = [];
  for (const verifier of verifiers) judges.push(await verifier.prepare(prompt, new Ledger()));
  const root = RandomKey.fromSeed(seed).fold(step);
  const draws = Array.from({ length: count }, (_, i) => root.fold(i));
  const empty = draws.map((draw) => ({ prefix: generator.begin(), draw }));
  const prefixes = await extendTo(generator, empty, step);
  const right: number[] = [];
  const oracle: number[] = [];
  const scores: Record<string, number[]> = { oracle };
  const all = prefixes.flatMap((prefix, i) =>
    Array.from({ length: rollouts }, (_, j) => ({ prefix, draw: (draws[i] as RandomKey).fold(j) })),
  );
  for (let at = 0; at < all.length; at += GROUP) {
    const group = all.slice(at, at + GROUP).map((each) => ({ ...each, prefix: each.prefix.retain() }));
    const ends = await extendTo(generator, group, generator.schedule.steps.length);
    const images: Image[] = await generator.decode(ends, 'own');
    for (const end of ends) end.release();
    for (const [i, judge] of judges.entries()) {
      (scores[verifiers[i]?.name ?? ''] ??= []).push(...(await judge.score(images)));
    }
    for (const image of images) {
      const { correct, score } = judgePicture(parsed, image);
      right.push(Number(correct));
      oracle.push(score);
    }
  }
  for (const prefix of prefixes) prefix.release();
  for (const judge of judges) judge.close();
  generator.close();
  const grid = (flat: readonly number[]): Grid =>
    prefixes.map((_, i) => flat.slice(i * rollouts, (i + 1) * rollouts).map(rounded));
  return {
    right: grid(right),
    scores: Object.fromEntries(Object.entries(scores).map(([name, flat]) => [name, grid(flat)])),
  };
}

/** Four digits are enough for a line of a file. */
export function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}

/** Sums of squares between and within the prefixes of a prompt, and their degrees of freedom. */
export interface Squares {
  readonly between: number;
  readonly within: number;
  readonly prefixes: number;
  readonly rollouts: number;
}

/** Those of one prompt. */
export function squaresOf(grid: Grid): Squares {
  const means = grid.map(mean);
  const all = mean(means);
  let [between, within] = [0, 0];
  grid.forEach((row, i) => {
    const own = means[i] ?? NaN;
    between += row.length * (own - all) ** 2;
    within += row.reduce((sum, value) => sum + (value - own) ** 2, 0);
  });
  return { between, within, prefixes: grid.length - 1, rollouts: grid.flat().length - grid.length };
}

/**
 * The share of a prompt's variance that lies between prefixes: the intraclass correlation of a one-way layout (Shrout and Fleiss 1979,
 * ICC(1)), the mean squares pooled over prompts. It can come out below 0 where there is nothing.
 */
export function shareBetween(squares: readonly Squares[]): number {
  const sum = (of: (each: Squares) => number): number => squares.reduce((all, each) => all + of(each), 0);
  const [prefixes, rollouts] = [sum((each) => each.prefixes), sum((each) => each.rollouts)];
  const noise = sum(({ within }) => within) / rollouts;
  // Rollouts of each prefix.
  const size = (rollouts + prefixes + squares.length) / (prefixes + squares.length);
  const signal = (sum(({ between }) => between) / prefixes - noise) / size;
  return signal / (signal + noise);
}

/** What is elected from, and by how much. */
interface Election {
  /** Candidates to elect one of. */
  readonly candidates: number;
  /** Rollouts of each that it is elected by, by their mean. */
  readonly by: number;
}

/**
 * What an election gains: one candidate of some is elected by the mean score of some rollouts, and counted is `value` in its other
 * rollouts, above that in all prefixes'. The mean over disjoint sets of candidates and over the rollouts that elect.
 */
export function gainOf({ score, value }: { score: Grid; value: Grid }, { candidates, by }: Election): number {
  const size = score[0]?.length ?? 0;
  const all = mean(value.map(mean));
  const gains: number[] = [];
  for (let first = 0; first + candidates <= score.length; first += candidates) {
    for (let from = 0; from + by <= size; from += by) {
      const elects = (_: number, j: number): boolean => j >= from && j < from + by;
      const worth = score.slice(first, first + candidates).map((row) => mean(row.filter(elects)));
      const elected = first + worth.indexOf(Math.max(...worth));
      gains.push(mean((value[elected] ?? []).filter((each, j) => !elects(each, j))) - all);
    }
  }
  return mean(gains);
}

/** How often the best prefix, by the mean of its other rollouts, is among the `elect` best by one rollout. */
export function findsBest(score: Grid, elect: number): number {
  const found: number[] = [];
  for (let j = 0; j < (score[0]?.length ?? 0); j++) {
    const others = score.map((row) => mean(row.filter((_, other) => other !== j)));
    const best = others.indexOf(Math.max(...others));
    const ahead = score.filter((row) => (row[j] ?? NaN) > (score[best]?.[j] ?? NaN)).length;
    found.push(Number(ahead < elect));
  }
  return mean(found);
}

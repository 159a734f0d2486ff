// Several verifiers as one: by mean rank, as the paper joins them, by z-score, or by a weighted sum. Ranks and z-scores are
// relative to the pictures that are scored together, so that a picture's score says nothing outside of its call: whoever
// compares pictures of several calls keeps the members' own scores (`judgeMembers`) and combines them anew (`combineScores`).

import { UsageError } from '../core/errors.js';
import type { Ledger } from '../core/ledger.js';
import type { Judge, Panel, Verifier } from './contract.js';

/** How the members' scores become one. */
export const ENSEMBLE_RULES = ['rank', 'z-score', 'weighted-sum'] as const;

/** See ENSEMBLE_RULES. */
export type EnsembleRule = (typeof ENSEMBLE_RULES)[number];

/** Options of an ensemble. */
export interface EnsembleOptions {
  /**
   * rank: the mean rank over the members, 1 for the best of the call and ties sharing their mean, with a minus, so that
   * higher is better. z-score: the mean of the scores' distances from their mean, in deviations. weighted-sum: the scores as
   * they are. @default rank
   */
  readonly by?: EnsembleRule;
  /** The members' weights, from 0 on, in their order; only their ratios matter, but for the weighted sum. @default 1 each */
  readonly weights?: readonly number[];
}

/** The rule of an ensemble with its defaults filled in. */
export type ResolvedEnsemble = Readonly<Required<EnsembleOptions>>;

/** A judge that tells its members' scores too. */
export interface EnsembleJudge extends Judge, Panel {}

/** An ensemble; its judges tell the members' scores too. */
export interface Ensemble extends Verifier {
  /** The members' names, in their order. */
  readonly members: readonly string[];
  readonly rule: ResolvedEnsemble;
  prepare(prompt: string, ledger: Ledger): Promise<EnsembleJudge>;
}

/**
 * Joins verifiers, which it closes when it is closed. Its scores by rank and z-score are exempt from the contract's rule that
 * a picture's score never depends on the others: comparing is what they are for. Throws UsageError for no members, two of
 * the same name, or weights that do not fit.
 */
export function ensemble(members: readonly Verifier[], options: EnsembleOptions = {}): Ensemble {
  const names = members.map(({ name }) => name);
  const rule = resolveEnsemble(names, options);
  return {
    name: 'ensemble',
    members: names,
    rule,
    hashes: async () => {
      const hashes = await Promise.all(members.map((member) => member.hashes()));
      return Object.fromEntries(
        hashes.flatMap((files, i) =>
          Object.entries(files).map(([file, hash]) => [`${names[i]}/${file}`, hash]),
        ),
      );
    },
    prepare: async (prompt, ledger) => ensembleJudge(names, rule, await prepareAll(members, prompt, ledger)),
    close: async () => {
      for (const member of members) await member.close();
    },
  };
}

/** True for a verifier made by `ensemble`. */
export function isEnsemble(verifier: Verifier): verifier is Ensemble {
  return 'members' in verifier && 'rule' in verifier;
}

/** The rule for members of these names; throws UsageError for no members, a name twice or with a comma, or weights that do not fit. */
export function resolveEnsemble(names: readonly string[], options: EnsembleOptions = {}): ResolvedEnsemble {
  if (names.length === 0) throw new UsageError('an ensemble needs at least one verifier');
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new UsageError(`the ensemble has the verifier '${twice}' twice: name each once`);
  }
  const comma = names.length > 1 && names.find((name) => name.includes(','));
  if (typeof comma === 'string') {
    throw new UsageError(`'${comma}' cannot be in an ensemble: commas part the names of its members`);
  }
  checkOptions(names.length, options);
  return { by: options.by ?? 'rank', weights: options.weights ?? names.map(() => 1) };
}

/** True for rules whose scores are relative to the pictures that are scored together. */
export function isRelative({ by }: ResolvedEnsemble): boolean {
  return by !== 'weighted-sum';
}

/** Prepares the members one after the other; when one fails, the others are closed again. */
async function prepareAll(members: readonly Verifier[], prompt: string, ledger: Ledger): Promise<Judge[]> {
  const judges: Judge[] = [];
  try {
    for (const member of members) judges.push(await member.prepare(prompt, ledger));
    return judges;
  } catch (error) {
    for (const judge of judges) judge.close();
    throw error;
  }
}

function ensembleJudge(
  members: readonly string[],
  rule: ResolvedEnsemble,
  judges: readonly Judge[],
): EnsembleJudge {
  const combine: Panel['combine'] = (scores) => combineScores(scores, rule);
  const judgeMembers: EnsembleJudge['judgeMembers'] = async (images, call) => {
    const scores: number[][] = [];
    // One after the other: they share the engine, and each one's time goes to the ledger.
    for (const judge of judges) scores.push(await judge.score(images, call));
    return scores;
  };
  return {
    members,
    relative: isRelative(rule),
    judgeMembers,
    combine,
    score: async (...call) => combine(await judgeMembers(...call)),
    close: () => {
      for (const judge of judges) judge.close();
    },
  };
}

/** Scores of members, [member][picture], as one score a picture. Throws UsageError for weights that do not fit. */
export function combineScores(
  scores: readonly (readonly number[])[],
  options: EnsembleOptions = {},
): number[] {
  checkOptions(scores.length, options);
  const { by = 'rank' } = options;
  const weights = options.weights ?? scores.map(() => 1);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const scale = by === 'weighted-sum' ? 1 : 1 / total;
  const parts = scores.map(RULES[by]);
  const pictures = scores[0]?.length ?? 0;
  return Array.from({ length: pictures }, (_, picture) =>
    parts.reduce((sum, part, member) => sum + (weights[member] ?? 0) * scale * (part[picture] ?? NaN), 0),
  );
}

const RULES: Readonly<Record<EnsembleRule, (scores: readonly number[]) => readonly number[]>> = {
  rank: (scores) => ranks(scores).map((rank) => -rank),
  'z-score': zScores,
  'weighted-sum': (scores) => scores,
};

/** The place of every score, 1 for the highest; equal scores share the mean of their places. */
export function ranks(scores: readonly number[]): number[] {
  const sorted = scores.toSorted((a, b) => b - a);
  const places = new Map<number, number>();
  for (let first = 0; first < sorted.length;) {
    const score = sorted[first] ?? NaN;
    let end = first + 1;
    while (sorted[end] === score) end++;
    places.set(score, (first + 1 + end) / 2);
    first = end;
  }
  return scores.map((score) => places.get(score) ?? NaN);
}

/** Distances from the mean in standard deviations; all 0 where all scores are the same. */
export function zScores(scores: readonly number[]): number[] {
  if (scores.every((score) => score === scores[0])) return scores.map(() => 0);
  // Summed in the order of their size, so that not even the last bit depends on the order of the pictures.
  const sorted = scores.toSorted((a, b) => a - b);
  const mean = sorted.reduce((sum, score) => sum + score, 0) / scores.length;
  // In units of the largest distance, so that squares of tiny distances do not vanish.
  const unit = Math.max(mean - (sorted[0] ?? 0), (sorted.at(-1) ?? 0) - mean);
  const squares = sorted.reduce((sum, score) => sum + ((score - mean) / unit) ** 2, 0);
  const deviation = Math.sqrt(squares / scores.length);
  return scores.map((score) => (score - mean) / unit / deviation);
}

function checkOptions(members: number, { by = 'rank', weights }: EnsembleOptions): void {
  if (!ENSEMBLE_RULES.includes(by)) {
    throw new UsageError(`unknown rule '${by}' of an ensemble: choose one of ${ENSEMBLE_RULES.join(', ')}`);
  }
  if (weights === undefined) return;
  if (weights.length !== members) {
    throw new UsageError(
      `the ensemble has ${members} verifiers and ${weights.length} weights: give one each`,
    );
  }
  const right =
    weights.every((weight) => Number.isFinite(weight) && weight >= 0) && weights.some((weight) => weight > 0);
  if (!right) {
    throw new UsageError(`weights have to be numbers from 0 on, not all 0; got ${weights.join(', ')}`);
  }
}

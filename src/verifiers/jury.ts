// The jury of a search, as data: who judges, who only looks on, and the rule that makes one number of the judges' scores.
// Ranks and z-scores say something only among the candidates that were compared: whoever compares others combines anew.
// No rule depends on the order in which judges are named.

import { UsageError } from '../core/errors.js';
import { firstRepeated } from '../core/repeated.js';

/** How the scores of several judges become one. */
export const JURY_RULES = ['rank', 'z-score', 'weighted-sum'] as const;

/** See JURY_RULES. */
export type JuryRule = (typeof JURY_RULES)[number];

/** Who looks at the candidates of a search. */
export interface Jury {
  /** The verifiers that guide: at least one. */
  readonly judges: readonly string[];
  /** The verifiers that score what they are shown, and never guide. */
  readonly observers: readonly string[];
  /** The judges' weights, in their order; only their ratios matter, but for the weighted sum. */
  readonly weights: readonly number[];
  /** 'score' for a judge alone: its own score. */
  readonly rule: JuryRule | 'score';
}

/** What the judges gave a candidate, by name. */
export type Scores = Readonly<Record<string, number>>;

/**
 * What a candidate is worth, as people read it: a score (of one judge, or a weighted sum), or a place among the `of`
 * candidates that it was compared with: the mean rank over the judges, 1 for the best, or the mean z-score.
 */
export type Standing =
  | { readonly score: number }
  | { readonly rank: number; readonly of: number }
  | { readonly zScore: number; readonly of: number };

/** What may be said about a jury besides its members. */
export interface JuryOptions {
  readonly rule?: JuryRule | undefined;
  readonly weights?: readonly number[] | undefined;
}

/** A jury with its defaults filled in; a UsageError for no judges, one named twice, or weights that do not fit. */
export function resolveJury(
  judges: readonly string[],
  { rule, weights }: JuryOptions = {},
  observers: readonly string[] = [],
): Jury {
  const [first] = judges;
  if (first === undefined) throw new UsageError('a jury needs at least one verifier');
  const twice = firstRepeated(judges);
  if (twice !== undefined) throw new UsageError(`the verifier '${twice}' is named twice: name each once`);
  if (judges.length === 1) {
    if (rule === undefined && weights === undefined) {
      return { judges, observers, weights: [1], rule: 'score' };
    }
    throw new UsageError(
      `a rule and weights are for several verifiers named by option 'verifier', not for '${first}' alone`,
    );
  }
  if (weights !== undefined) checkWeights(judges, weights);
  return { judges, observers, weights: weights ?? judges.map(() => 1), rule: rule ?? 'rank' };
}

function checkWeights(judges: readonly string[], weights: readonly number[]): void {
  if (weights.length !== judges.length) {
    throw new UsageError(`there are ${judges.length} verifiers and ${weights.length} weights: give one each`);
  }
  const right =
    weights.every((weight) => Number.isFinite(weight) && weight >= 0) && weights.some((weight) => weight > 0);
  if (!right) {
    throw new UsageError(`weights have to be numbers from 0 on, not all 0; got ${weights.join(', ')}`);
  }
}

/** True where a candidate's number depends on the candidates that it is compared with. */
export function isRelative({ rule }: Pick<Jury, 'rule'>): boolean {
  return rule === 'rank' || rule === 'z-score';
}

/**
 * One number a candidate, higher is better, of all judges' scores of the candidates that are compared. A candidate that no
 * judge finds worse than another never gets a lower number.
 */
export function combine(scores: readonly Scores[], { judges, weights, rule }: Jury): number[] {
  const units = rule === 'weighted-sum' || rule === 'score' ? weights : inRatio(weights);
  const parts = judges
    .map((name, i) => ({ name, weight: units[i] ?? 0, own: scores.map((each) => each[name] ?? NaN) }))
    // Sums of floating-point numbers depend on their order: that of the names is the same for everybody.
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ weight, own }) => ({ weight, values: PARTS[rule](own) }));
  const total = isRelative({ rule }) ? parts.reduce((sum, { weight }) => sum + weight, 0) : 1;
  // Mean ranks are summed whole (a tie's is a half) and divided once, so that equal means are equal to the last bit.
  return scores.map(
    (_, i) => parts.reduce((sum, { weight, values }) => sum + weight * (values[i] ?? NaN), 0) / total,
  );
}

/** Units of weights that are tried: 3 : 1, 2.5 : 1 (5 : 2) and 1 : 1/3 (3 : 1) are whole in one of them. */
const MOST_UNITS = 1000;

/**
 * Weights of the same ratios, in the smallest whole numbers where they have any: 0.3 and 0.1 weigh what 3 and 1 weigh, to
 * the last bit. Where they have none, in shares of the largest.
 */
function inRatio(weights: readonly number[]): readonly number[] {
  const least = Math.min(...weights.filter((weight) => weight > 0));
  const ratios = weights.map((weight) => weight / least);
  for (let unit = 1; unit <= MOST_UNITS; unit++) {
    const whole = ratios.map((ratio) => Math.round(ratio * unit));
    const right = whole.every((number, i) => {
      const exact = (ratios[i] ?? 0) * unit;
      return Number.isSafeInteger(number) && Math.abs(exact - number) <= 1e-12 * exact;
    });
    if (right) return whole;
  }
  const most = Math.max(...weights);
  return weights.map((weight) => weight / most);
}

const PARTS: Readonly<Record<Jury['rule'], (scores: readonly number[]) => readonly number[]>> = {
  rank: (scores) => ranks(scores).map((rank) => -rank),
  'z-score': zScores,
  'weighted-sum': (scores) => scores,
  score: (scores) => scores,
};

/** The number that `combine` gave, as people read it, among so many candidates. */
export function standingOf(number: number, { rule }: Pick<Jury, 'rule'>, of: number): Standing {
  if (rule === 'rank') return { rank: number === 0 ? 0 : -number, of };
  if (rule === 'z-score') return { zScore: number, of };
  return { score: number };
}

/** For comparing standings of the same jury: higher is better. */
export function heightOf(standing: Standing): number {
  if ('rank' in standing) return -standing.rank;
  return 'zScore' in standing ? standing.zScore : standing.score;
}

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

/** Distances from the mean in standard deviations; all 0 where all scores are the same. Finite for all finite scores. */
export function zScores(given: readonly number[]): number[] {
  if (given.every((score) => score === given[0])) return given.map(() => 0);
  // Summed in the order of their size, so that not even the last bit depends on the order of the candidates.
  const rising = given.toSorted((a, b) => a - b);
  // A power of two brings huge scores down without rounding them.
  const scale = Math.max(-(rising[0] ?? 0), rising.at(-1) ?? 0) > 2 ** 900 ? 2 ** -200 : 1;
  const [scores, sorted] = [given, rising].map((all) => all.map((score) => score * scale)) as [
    number[],
    number[],
  ];
  const mean = sorted.reduce((sum, score) => sum + score, 0) / scores.length;
  // In units of the largest distance, so that squares of tiny distances do not vanish.
  const unit = Math.max(mean - (sorted[0] ?? 0), (sorted.at(-1) ?? 0) - mean);
  const squares = sorted.reduce((sum, score) => sum + ((score - mean) / unit) ** 2, 0);
  const deviation = Math.sqrt(squares / scores.length);
  return scores.map((score) => (score - mean) / unit / deviation);
}

/**
 * Whether a candidate comes before another in every company. `preferred` says that it does where they are equal: then equal
 * scores are enough, and otherwise it has to win with every judge who has a say.
 */
export function isAhead(one: Scores, other: Scores, { judges, weights }: Jury, preferred: boolean): boolean {
  return judges.every((name, i) => {
    if (weights[i] === 0) return true;
    const [own = NaN, against = NaN] = [one[name], other[name]];
    return preferred ? own >= against : own > against;
  });
}

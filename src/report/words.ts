// Options and results in words, the same in the terminal and on pages.

import { formatScore } from '../core/format.js';
import { described } from '../core/options.js';
import type { Schedule } from '../models/contract.js';
import { MODEL_OPTIONS, type ResolvedOptions } from '../run/options.js';
import type { Candidate } from '../search/contract.js';
import { findStrategy, type ResolvedSearch, SEARCH_OPTIONS, type StrategyName } from '../search/registry.js';
import { heightOf, type Jury, type JuryRule, type Standing } from '../verifiers/jury.js';

/** The name of a strategy as a title. */
export function strategyTitle(strategy: StrategyName): string {
  const { title } = findStrategy(strategy);
  return title.charAt(0).toUpperCase() + title.slice(1);
}

/** The sizes of a search in words, for example "width 3, 5 candidates". */
export function describeSizes(search: ResolvedSearch): string {
  return findStrategy(search.strategy).words(search);
}

/** A search in one line, for example "Beam search, width 3, 5 candidates". */
export function describeSearch(search: ResolvedSearch): string {
  return `${strategyTitle(search.strategy)}, ${describeSizes(search)}`;
}

/** How many steps there are and what the last is, for example "6 scales to 8 x 8". */
export function describeSchedule({ unit, steps }: Schedule): string {
  return `${steps.length} ${unit}s to ${steps.at(-1)?.label ?? '?'}`;
}

const RULE_TITLES: Readonly<Record<JuryRule, string>> = {
  rank: 'mean rank',
  'z-score': 'mean z-score',
  'weighted-sum': 'weighted sum',
};

/** What the numbers of a jury are called: the judge's name where there is one only. */
export function describeRule({ judges, rule }: Jury): string {
  return rule === 'score' ? (judges[0] ?? 'score') : RULE_TITLES[rule];
}

/** A jury in words, for example "mean rank, weights 1, 2". */
export function describeJury(jury: Jury): string {
  const { weights, rule } = jury;
  const equal = weights.every((weight) => weight === weights[0]);
  return `${describeRule(jury)}${equal && rule !== 'weighted-sum' ? '' : `, weights ${weights.join(', ')}`}`;
}

/** A standing as a number in brief: "1.75" for a mean rank. */
export function shortStanding(standing: Standing): string {
  if ('rank' in standing) return formatRank(standing.rank);
  return formatScore('zScore' in standing ? standing.zScore : standing.score);
}

/** A mean rank with as many digits as it needs, at most two. */
export function formatRank(rank: number): string {
  return String(Math.round(rank * 100) / 100);
}

/** A standing in words, for example "mean rank 1.75 of 15"; of a judge alone its score. */
export function describeStanding(standing: Standing, jury: Jury): string {
  const among = 'of' in standing && standing.of > 0 ? ` of ${standing.of}` : '';
  return `${describeRule(jury)} ${shortStanding(standing)}${among}`;
}

/** Every judge's own score of a candidate, for example "clip-score 2.1034, oracle 1.0000". */
export function describeScores({ scores }: Pick<Candidate, 'scores'>): string {
  return Object.entries(scores)
    .map(([name, score]) => `${name} ${formatScore(score)}`)
    .join(', ');
}

/** A scale for charts of standings: what is drawn for one, higher is better, and how a value at the axis is written. */
export function standingAxis(jury: Jury): {
  readonly title: string;
  readonly of: (standing: Standing) => number;
  readonly tick: (value: number) => string;
} {
  // The best rank is the lowest number and stands on top.
  const tick =
    jury.rule === 'rank' ? (value: number) => formatRank(-value) : (value: number) => String(value);
  return { title: describeRule(jury), of: heightOf, tick };
}

/** Every option of a run as name and value. */
export function describeOptions(
  options: ResolvedOptions,
): readonly (readonly [name: string, value: string])[] {
  const { prompt, model, modelOptions, jury, seed, search } = options;
  const several = jury.judges.length > 1;
  return [
    ['prompt', prompt],
    ['model', model],
    [several ? 'verifiers' : 'verifier', jury.judges.join(', ')],
    ...(several ? [['joined by', describeJury(jury)] as const] : []),
    ...(jury.observers.length > 0 ? [['observers', jury.observers.join(', ')] as const] : []),
    ['strategy', search.strategy],
    ...described(search, SEARCH_OPTIONS),
    ['seed', String(seed)],
    ...described(modelOptions, MODEL_OPTIONS),
  ];
}

// Options and results in words, the same in the terminal and on pages.

import { formatCount, formatScore } from '../core/format.js';
import { described, type OptionTable, titleOf } from '../core/options.js';
import type { Schedule } from '../models/contract.js';
import { MODEL_OPTIONS } from '../models/options.js';
import type { ResolvedOptions } from '../run/options.js';
import type { GenerateResult } from '../run/result.js';
import { drawn } from '../run/standings.js';
import type { Candidate } from '../search/contract.js';
import { type AnySearch, SEARCH_OPTIONS, titleOfStrategy, wordsOfSearch } from '../search/registry.js';
import { heightOf, type Jury, type JuryRule, type Standing } from '../verifiers/jury.js';

/** The name of a strategy as a title. */
export function strategyTitle(strategy: string): string {
  const title = titleOfStrategy(strategy);
  return title.charAt(0).toUpperCase() + title.slice(1);
}

/** The sizes of a search in words, for example "width 3, 5 candidates". */
export function describeSizes(search: AnySearch): string {
  return wordsOfSearch(search);
}

/** A search in one line, for example "Beam search, width 3, 5 candidates". */
export function describeSearch(search: AnySearch): string {
  return `${strategyTitle(search.strategy)}, ${describeSizes(search)}`;
}

/** How many evaluations there are and what the last is, for example "6 scales to 8 x 8". */
export function describeSchedule({ unit, steps }: Schedule): string {
  return `${steps.filter(({ nfe }) => nfe > 0).length} ${unit}s to ${steps.at(-1)?.label ?? '?'}`;
}

const RULE_TITLES: Readonly<Record<JuryRule, string>> = {
  rank: 'mean rank',
  'z-score': 'mean z-score',
  'weighted-sum': 'weighted sum',
};

/** Whether the scores of several judges become one. */
export function isJoined({ judges }: Jury): boolean {
  return judges.length > 1;
}

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

/** Among how many a standing is one, for example "of 15"; nothing for a score, which says the same in any company. */
export function describeAmong(standing: Standing): string {
  // Recipes of versions before this one do not tell how many there were.
  if (!('of' in standing) || standing.of === 0) return '';
  return `${'rank' in standing ? 'of' : 'among'} ${standing.of}`;
}

/** A standing in words, for example "mean rank 1.75 of 15"; of a judge alone its score. */
export function describeStanding(standing: Standing, jury: Jury): string {
  return `${describeRule(jury)} ${shortStanding(standing)} ${describeAmong(standing)}`.trimEnd();
}

/** Every judge's own score of a candidate, for example "clip-score 2.1034, oracle 1.0000". */
export function describeScores({ scores }: Pick<Candidate, 'scores'>): string {
  return Object.entries(scores)
    .map(([name, score]) => `${name} ${formatScore(score)}`)
    .join(', ');
}

/** The judges' own scores of a candidate; the name of a judge alone is left out. */
export function briefScores(candidate: Pick<Candidate, 'scores'>): string {
  const [only, ...others] = Object.values(candidate.scores);
  return only !== undefined && others.length === 0 ? formatScore(only) : describeScores(candidate);
}

/** What a candidate was judged by: a whole picture, or one that was not finished. */
export function describeJudged(
  { judgedAt, view }: Pick<Candidate, 'judgedAt' | 'view'>,
  { steps }: Schedule,
): 'picture' | 'preview' | 'partial picture' {
  if (judgedAt === steps.length) return 'picture';
  return view === 'full' ? 'partial picture' : 'preview';
}

/** How many of the pictures of a search were not finished, for example "40 of them previews of 48 × 48"; nothing where all were. */
export function describeUnfinished({
  candidates,
  schedule,
}: Pick<GenerateResult, 'candidates' | 'schedule'>): string {
  const unfinished = drawn(candidates).filter(({ judgedAt }) => judgedAt < schedule.steps.length);
  const [first] = unfinished;
  if (!first) return '';
  const kind = describeJudged(first, schedule);
  const { width, height } = schedule.steps[first.judgedAt - 1]?.readout ?? {};
  const size = kind === 'preview' ? ` of ${width} \u00d7 ${height}` : '';
  return `${formatCount(unfinished.length)} of them ${kind}s${size}`;
}

/** A scale for charts of standings. */
export interface StandingAxis {
  readonly title: string;
  /** What is drawn for a standing: higher is better. */
  readonly of: (standing: Standing) => number;
  /** How a value at the axis is written, '' for one that no standing has; as a plain number where there is no such function. */
  readonly tick?: (value: number) => string;
}

/** The scale for charts of a jury's standings. */
export function standingAxis(jury: Jury): StandingAxis {
  const axis = { title: describeRule(jury), of: heightOf };
  // The best rank is the lowest number and stands on top; there is none below 1.
  const tick = (height: number): string => (height > -1 ? '' : formatRank(-height));
  return jury.rule === 'rank' ? { ...axis, tick } : axis;
}

/** Values as name and words: those that no table of this package knows, of a strategy or model of one's own, come last. */
function describedAll(values: object, table: OptionTable): readonly (readonly [string, string])[] {
  const others = Object.entries(values).filter(
    ([name, value]) => !Object.hasOwn(table, name) && value !== undefined,
  );
  return [
    ...described(values, table),
    ...others.map(([name, value]) => {
      return [titleOf(name), typeof value === 'string' ? value : JSON.stringify(value)] as const;
    }),
  ];
}

/** Every option of a run as name and value. */
export function describeOptions(
  options: ResolvedOptions,
): readonly (readonly [name: string, value: string])[] {
  const { prompt, model, modelOptions, jury, seed } = options;
  const { strategy, ...sizes } = options.search;
  const several = isJoined(jury);
  return [
    ['prompt', prompt],
    ['model', model],
    [several ? 'verifiers' : 'verifier', jury.judges.join(', ')],
    ...(several ? [['joined by', describeJury(jury)] as const] : []),
    ...(jury.observers.length > 0 ? [['observers', jury.observers.join(', ')] as const] : []),
    ['strategy', strategy],
    ...describedAll(sizes, SEARCH_OPTIONS),
    ['seed', String(seed)],
    ...describedAll(modelOptions, MODEL_OPTIONS),
  ];
}

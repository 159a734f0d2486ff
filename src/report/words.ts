// Options and results in words, the same in the terminal and in reports.

import { formatScore } from '../core/format.js';
import type { ResolvedOptions } from '../engine/options.js';
import type { Scale } from '../models/contract.js';
import type { ResolvedSearch, StrategyName } from '../search/registry.js';
import { STRATEGY_INFO } from '../search/registry.js';
import type { TreeNode } from '../search/tree.js';
import type { EnsembleRule, ResolvedEnsemble } from '../verifiers/ensemble.js';

/** The name of a strategy as a title. */
export function strategyTitle(strategy: StrategyName): string {
  const { title } = STRATEGY_INFO[strategy];
  return title.charAt(0).toUpperCase() + title.slice(1);
}

/** A list of numbers in brief: one number where all are the same. */
export function describeList(values: number | readonly number[]): string {
  if (typeof values === 'number') return String(values);
  const [first] = values;
  if (first !== undefined && values.every((value) => value === first)) return String(first);
  return values.join(', ');
}

/** A scale as "4 x 4". */
export function describeScale({ height, width }: Scale): string {
  return `${height} \u00d7 ${width}`;
}

const NAMES: Readonly<Record<string, string>> = { keepElected: 'keep elected' };

function describeValue(value: unknown): string {
  if (Array.isArray(value)) return describeList(value as number[]);
  return typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value);
}

/** The sizes of a search as name and value, without the strategy's name. */
function describeSizes(search: ResolvedSearch): readonly (readonly [name: string, value: string])[] {
  return Object.entries(search)
    .filter(([name, value]) => name !== 'strategy' && value !== undefined)
    .map(([name, value]) => [NAMES[name] ?? name, describeValue(value)] as const);
}

/** The sizes of a search in words, for example "width 3, 5 candidates". */
export function describeSizesBriefly(search: ResolvedSearch): string {
  if (search.strategy === 'random') return search.images === 1 ? '1 image' : `${search.images} images`;
  const { candidates, keepElected, result } = search;
  return [
    search.strategy === 'beam' ? `width ${search.width}` : '',
    `${describeList(candidates)} candidate${candidates.every((count) => count === 1) ? '' : 's'}`,
    keepElected ? 'elected rollouts kept' : '',
    result === 'best' ? '' : 'best of the last round',
  ]
    .filter((words) => words !== '')
    .join(', ');
}

/** A search in one line, for example "Beam search, width 3, 5 candidates". */
export function describeSearch(search: ResolvedSearch): string {
  return `${strategyTitle(search.strategy)}, ${describeSizesBriefly(search)}`;
}

const RULE_TITLES: Readonly<Record<EnsembleRule, string>> = {
  rank: 'mean rank',
  'z-score': 'mean z-score',
  'weighted-sum': 'weighted sum',
};

/** The rule of an ensemble in words, for example "mean rank, weights 1, 2". */
export function describeEnsemble({ by, weights }: ResolvedEnsemble): string {
  const equal = weights.every((weight) => weight === weights[0]);
  return `${RULE_TITLES[by]}${equal && by !== 'weighted-sum' ? '' : `, weights ${weights.join(', ')}`}`;
}

/** The rule of an ensemble as a title. */
export function describeRule({ by }: ResolvedEnsemble): string {
  return RULE_TITLES[by];
}

/** What a chart of scores has along its side: higher is better, so that ranks stand there with a minus. */
export function describeAxis({ verifier, ensemble }: ResolvedOptions): string {
  if (!ensemble) return verifier;
  return ensemble.by === 'rank' ? 'minus the mean rank' : RULE_TITLES[ensemble.by];
}

/** A score in brief; a mean rank as it is counted, from 1 for the best. */
export function shortScore(score: number, ensemble: ResolvedEnsemble | null): string {
  return ensemble?.by === 'rank' ? `#${(-score).toFixed(1)}` : formatScore(score);
}

/** Every verifier's own score of a picture, for example "clip-score 2.1034, oracle 1.0000". */
export function describeScores({ scores }: Pick<TreeNode, 'scores'>): string {
  return Object.entries(scores)
    .map(([name, score]) => `${name} ${formatScore(score)}`)
    .join(', ');
}

/** A joined score in words, for example "mean rank 3.50" (ranks are kept with a minus: higher is better). */
export function describeJoined(score: number, { by }: ResolvedEnsemble): string {
  return `${RULE_TITLES[by]} ${by === 'rank' ? (-score).toFixed(2) : formatScore(score)}`;
}

/** Every option of a run as name and value. */
export function describeOptions(
  options: ResolvedOptions,
): readonly (readonly [name: string, value: string])[] {
  const { prompt, model, verifier, ensemble, seed, cfg, temperature, topK, topP, size, aspectRatio, search } =
    options;
  return [
    ['prompt', prompt],
    ['model', model],
    [ensemble ? 'verifiers' : 'verifier', ensemble ? verifier.split(',').join(', ') : verifier],
    ...(ensemble ? [['ensemble', describeEnsemble(ensemble)] as const] : []),
    ['strategy', search.strategy],
    ...describeSizes(search),
    ['seed', String(seed)],
    ['cfg', cfg === null ? "the model's own" : describeList(cfg)],
    ['temperature', temperature === null ? "the model's own" : describeList(temperature)],
    ['top-k', topK === 0 ? 'off' : String(topK)],
    ['top-p', topP === 0 ? 'off' : String(topP)],
    ...(size === null ? [] : [['size', size] as const]),
    ...(aspectRatio === null ? [] : [['aspect ratio', String(aspectRatio)] as const]),
  ];
}

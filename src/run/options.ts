// The options of a run: one table, from which types, checks, flags and words follow. The sizes of a search are the strategy's
// (search/registry.ts), the sampling is the model's (models/infinity/options.ts).

import { UsageError } from '../core/errors.js';
import {
  checkOptions,
  isNumber,
  isObject,
  isText,
  type OptionsOf,
  type OptionTable,
  type OptionValues,
  pick,
  SIGNAL,
  value,
  whole,
} from '../core/options.js';
import { checkOpenOptions, OPEN_OPTIONS, type OpenOptions } from '../engine/options.js';
import { INFINITY_OPTIONS } from '../models/infinity/options.js';
import {
  type AnySearch,
  type AnyStrategy,
  DEFAULT_STRATEGY,
  isStrategyName,
  type OwnSearchOptions,
  SEARCH_OPTIONS,
  type SearchOptions,
  STRATEGIES,
  type StrategyName,
} from '../search/registry.js';
import type { Rollout } from '../search/rollout.js';
import { BUDGET } from '../search/sizes.js';
import type { Jury } from '../verifiers/jury.js';
import { parseTime } from './time.js';

/** A score at which a search ends; null for what is none. */
export function parseStopAt(given: unknown): number | 'most' | null {
  if (given === 'most') return given;
  const score = isText(given) ? Number(given) : given;
  return isNumber(score) ? score : null;
}

/** What a caller says about the picture, whatever draws it and however it is searched for. */
export const PICTURE_OPTIONS = {
  prompt: value<string>('what to draw', isText, 'a text that is not empty'),
  seed: whole('root of all random numbers', 0, { usual: '0', expected: 'a whole number from 0 to 2^53 - 1' }),
  time: value<number | string>(
    'time to search, such as 30s: the result is the best until then',
    (given) => parseTime(given) !== null,
    "milliseconds, or a time such as '30s', '2min' or '500ms'",
    { kind: 'text', usual: 'until the search is through', placeholder: 'time' },
  ),
  stopAt: value<number | string>(
    "score at which the search ends, or 'most' for the highest that the verifier can give",
    (given) => parseStopAt(given) !== null,
    "a number, or 'most'",
    { kind: 'text', placeholder: 'score' },
  ),
  signal: SIGNAL,
};

/** The options of the models of this package. */
export const MODEL_OPTIONS = INFINITY_OPTIONS;

const names = STRATEGIES.map(({ name }) => name);

const isStrategy = (given: unknown): boolean =>
  isObject(given) &&
  ['name', 'title'].every((part) => isText((given as OptionValues)[part])) &&
  isObject((given as OptionValues)['options']) &&
  ['resolve', 'refuses', 'cost', 'words', 'run'].every(
    (part) => typeof (given as OptionValues)[part] === 'function',
  );

/** How to search. */
export const STRATEGY_OPTION = {
  strategy: value<StrategyName | AnyStrategy>(
    'how to search',
    (given) => isText(given) || isStrategy(given),
    `one of ${names.join(', ')}, or a strategy of your own`,
    { kind: 'choice', choices: names, usual: DEFAULT_STRATEGY.name, placeholder: 'name' },
  ),
};

/** What a comparison is told about the searches besides what they share. */
export const COMPARE_ONLY = {
  strategies: value<readonly StrategyName[]>(
    'which to compare',
    (given) =>
      Array.isArray(given) && given.length > 0 && given.every((name) => isStrategyName(String(name))),
    `a list of ${names.join(', ')}`,
    { choices: names, usual: 'all' },
  ),
  budget: { ...BUDGET, words: 'function evaluations that each strategy may spend' },
};

type Common = { readonly prompt: string } & OptionsOf<typeof PICTURE_OPTIONS> &
  OptionsOf<typeof MODEL_OPTIONS>;

/** How one picture is searched for. */
export type PictureOptions = Common & SearchOptions;

/** How one picture is searched for by a strategy of the caller's own. */
export type OwnPictureOptions<Own extends AnyStrategy = AnyStrategy> = Common & OwnSearchOptions<Own>;

/** Everything that a search for one picture may be told. */
export type GenerateOptions = OpenOptions & PictureOptions;

/** Everything that a search by a strategy of the caller's own may be told. */
export type OwnGenerateOptions<Own extends AnyStrategy = AnyStrategy> = OpenOptions & OwnPictureOptions<Own>;

/** Of either kind. */
export type AnyPictureOptions = PictureOptions | OwnPictureOptions;

/** How a comparison of strategies is told about the picture: the budget gives their sizes. */
export type ComparePictureOptions = Common & {
  /** Function evaluations (NFE) that each strategy may spend. */
  readonly budget: number;
  /** @default all of them */
  readonly strategies?: readonly StrategyName[] | undefined;
  readonly width?: number | undefined;
  readonly keepElected?: boolean | undefined;
  readonly result?: 'best' | 'last-round' | undefined;
  readonly rollout?: Rollout | undefined;
};

/** Everything that a comparison may be told. */
export type CompareOptions = OpenOptions & ComparePictureOptions;

/** The options that make a picture what it is, with every default filled in: plain data. */
export interface ResolvedOptions {
  readonly prompt: string;
  /** Its name. */
  readonly model: string;
  /** The model's own options. */
  readonly modelOptions: OptionValues;
  readonly jury: Jury;
  readonly seed: number;
  readonly search: AnySearch;
}

/** The seed where none is given. */
export const DEFAULT_SEED = 0;

// What the values of a search's and a model's options may be is checked by the strategy and the model, which know the schedule.
const loosely = (table: OptionTable): OptionTable =>
  Object.fromEntries(Object.entries(table).map(([name, option]) => [name, { ...option, check: anything }]));
const anything = (_: unknown): _ is unknown => true;

const COMMON_TABLE: OptionTable = { ...PICTURE_OPTIONS, ...loosely(MODEL_OPTIONS) };
const PICTURE_TABLE: OptionTable = { ...COMMON_TABLE, ...STRATEGY_OPTION, ...loosely(SEARCH_OPTIONS) };

/** The options of a search that a comparison shares out; what a budget decides is not among them. */
export const COMPARE_SEARCH_OPTIONS: OptionTable = Object.fromEntries(
  Object.entries(SEARCH_OPTIONS).filter(([name]) => !['images', 'candidates', 'budget'].includes(name)),
);
const COMPARE_TABLE: OptionTable = { ...COMMON_TABLE, ...loosely(COMPARE_SEARCH_OPTIONS), ...COMPARE_ONLY };

/** The strategy of the caller's own, where one was given. */
function ownStrategy({ strategy }: { readonly strategy?: unknown }): AnyStrategy | null {
  return isStrategy(strategy) ? (strategy as AnyStrategy) : null;
}

/** The options of one picture: those of the caller's own strategy in place of those of the package's. */
function pictureTable(options: object): OptionTable {
  const own = ownStrategy(options);
  if (!own) return PICTURE_TABLE;
  const taken = { ...OPEN_OPTIONS, ...COMMON_TABLE, ...STRATEGY_OPTION };
  const clash = Object.keys(own.options).find((name) => Object.hasOwn(taken, name));
  if (clash === undefined) return { ...COMMON_TABLE, ...STRATEGY_OPTION, ...own.options };
  throw new UsageError(
    `the strategy '${own.name}' has an option '${clash}', which means something else already`,
  );
}

/** The names of all options, for programs that turn messages about them into their own words. */
export const OPTION_NAMES: readonly string[] = Object.keys({
  ...OPEN_OPTIONS,
  ...PICTURE_TABLE,
  ...COMPARE_TABLE,
});

/** Options with those of opening apart from those of the picture. */
export interface SplitOptions<Picture> {
  readonly open: OpenOptions;
  readonly picture: Picture;
}

function split<Picture extends object>(options: OpenOptions & Picture): SplitOptions<Picture> {
  const rest = Object.entries(options).filter(([name]) => !Object.hasOwn(OPEN_OPTIONS, name));
  return {
    open: checkOpenOptions(pick(options, OPEN_OPTIONS)),
    picture: Object.fromEntries(rest) as Picture,
  };
}

/** The options of one picture that are the model's, and those of the search. */
export function partPicture(options: AnyPictureOptions): {
  readonly modelOptions: OptionValues;
  readonly search: SearchOptions | OwnSearchOptions;
} {
  const sizes = ownStrategy(options)?.options ?? SEARCH_OPTIONS;
  const own = Object.entries(options).filter(([name]) => !Object.hasOwn(PICTURE_OPTIONS, name));
  const isSearch = ([name]: [string, unknown]): boolean =>
    Object.hasOwn(STRATEGY_OPTION, name) || Object.hasOwn(sizes, name);
  return {
    modelOptions: Object.fromEntries(own.filter((entry) => !isSearch(entry) && entry[1] !== undefined)),
    search: Object.fromEntries(own.filter(isSearch)),
  };
}

/** The options of a comparison: which strategies, the sizes that each takes its own of, and the picture. */
export function partCompare(options: ComparePictureOptions): {
  readonly strategies: readonly StrategyName[] | undefined;
  readonly sizes: OptionValues;
  readonly picture: object;
} {
  const { strategies, ...rest } = options;
  const entries = Object.entries(rest);
  const isSize = ([name]: [string, unknown]): boolean => Object.hasOwn(SEARCH_OPTIONS, name);
  return {
    strategies,
    sizes: Object.fromEntries(entries.filter(isSize)),
    picture: Object.fromEntries(entries.filter((entry) => !isSize(entry))),
  };
}

/** Checks the options of one picture; throws a UsageError that names the first fault. */
export function checkPictureOptions(options: AnyPictureOptions): AnyPictureOptions {
  checkOptions(options, pictureTable(options), { required: ['prompt'] });
  return options;
}

/** Checks the options of a comparison; throws a UsageError that names the first fault. */
export function checkCompareOptions(options: ComparePictureOptions): ComparePictureOptions {
  checkOptions(options, COMPARE_TABLE, { required: ['prompt', 'budget'] });
  return options;
}

/** Checks and parts the options of one picture and of opening. */
export function splitGenerateOptions(
  options: GenerateOptions | OwnGenerateOptions,
): SplitOptions<AnyPictureOptions> {
  checkOptions(options, { ...OPEN_OPTIONS, ...pictureTable(options) }, { required: ['prompt'] });
  return split<AnyPictureOptions>(options);
}

/** Checks and parts the options of a comparison and of opening. */
export function splitCompareOptions(options: CompareOptions): SplitOptions<ComparePictureOptions> {
  checkOptions(options, { ...OPEN_OPTIONS, ...COMPARE_TABLE }, { required: ['prompt', 'budget'] });
  return split<ComparePictureOptions>(options);
}

/**
 * The options that make the same picture again: what a recipe holds, as a caller would write it. `own` stands for a strategy
 * that is not of this package, since a recipe has its name alone.
 */
export function asPictureOptions(
  { prompt, seed, modelOptions, search }: ResolvedOptions,
  own?: AnyStrategy,
): AnyPictureOptions {
  const { strategy, ...sizes } = search;
  return { strategy: own ?? strategy, ...sizes, ...modelOptions, prompt, seed } as AnyPictureOptions;
}

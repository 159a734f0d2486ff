// The options of a run: one table, from which types, checks, flags and words follow. The sizes of a search are the strategy's
// (search/registry.ts), the sampling is the model's (models/infinity/options.ts).

import {
  checkOptions,
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
  type ResolvedSearch,
  SEARCH_OPTIONS,
  type SearchOptions,
  STRATEGIES,
  type StrategyName,
} from '../search/registry.js';
import { BUDGET } from '../search/sizes.js';
import type { Jury } from '../verifiers/jury.js';

/** What a caller says about the picture, whatever draws it and however it is searched for. */
const PICTURE_OPTIONS = {
  prompt: value<string>('what to draw', isText, 'a text that is not empty'),
  seed: whole('root of all random numbers', 0, { usual: '0', expected: 'a whole number from 0 to 2^53 - 1' }),
  signal: SIGNAL,
};

/** The options of the models of this package. */
export const MODEL_OPTIONS = INFINITY_OPTIONS;

const names: readonly string[] = STRATEGIES.map(({ name }) => name);

const STRATEGY_OPTION = value<StrategyName>('how to search', () => true, 'what there is');

const COMPARE_ONLY = {
  strategies: value<readonly StrategyName[]>(
    'which to compare',
    (given) =>
      Array.isArray(given) && given.length > 0 && given.every((name) => names.includes(name as string)),
    `a list of ${names.join(', ')}`,
  ),
  budget: BUDGET,
};

type Common = { readonly prompt: string } & OptionsOf<typeof PICTURE_OPTIONS> &
  OptionsOf<typeof MODEL_OPTIONS>;

/** How one picture is searched for. */
export type PictureOptions = Common & SearchOptions;

/** Everything that a search for one picture may be told. */
export type GenerateOptions = OpenOptions & PictureOptions;

/** How a comparison of strategies is told about the picture: the budget gives their sizes. */
export type ComparePictureOptions = Common & {
  /** Function evaluations (NFE) that each strategy may spend. */
  readonly budget: number;
  /** @default all of them */
  readonly strategies?: readonly StrategyName[] | undefined;
  readonly width?: number | undefined;
  readonly keepElected?: boolean | undefined;
  readonly result?: 'best' | 'last-round' | undefined;
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
  readonly search: ResolvedSearch;
}

/** The seed where none is given. */
export const DEFAULT_SEED = 0;

// What the values of a search's and a model's options may be is checked by the strategy and the model, which know the schedule.
const loosely = (table: OptionTable): OptionTable =>
  Object.fromEntries(Object.entries(table).map(([name, option]) => [name, { ...option, check: anything }]));
const anything = (_: unknown): _ is unknown => true;

const COMMON_TABLE: OptionTable = { ...PICTURE_OPTIONS, ...loosely(MODEL_OPTIONS) };
const PICTURE_TABLE: OptionTable = { ...COMMON_TABLE, strategy: STRATEGY_OPTION, ...loosely(SEARCH_OPTIONS) };
const COMPARE_TABLE: OptionTable = {
  ...COMMON_TABLE,
  ...Object.fromEntries(
    Object.entries(loosely(SEARCH_OPTIONS)).filter(([name]) => !['images', 'candidates'].includes(name)),
  ),
  ...COMPARE_ONLY,
};

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
export function partPicture(options: PictureOptions): {
  readonly modelOptions: OptionValues;
  readonly search: SearchOptions;
} {
  const own = Object.entries(options).filter(([name]) => !Object.hasOwn(PICTURE_OPTIONS, name));
  const isSearch = ([name]: [string, unknown]): boolean =>
    name === 'strategy' || Object.hasOwn(SEARCH_OPTIONS, name);
  return {
    modelOptions: Object.fromEntries(own.filter((entry) => !isSearch(entry) && entry[1] !== undefined)),
    search: Object.fromEntries(own.filter(isSearch)) as SearchOptions,
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
export function checkPictureOptions(options: PictureOptions): PictureOptions {
  checkOptions(options, PICTURE_TABLE, { required: ['prompt'] });
  return options;
}

/** Checks the options of a comparison; throws a UsageError that names the first fault. */
export function checkCompareOptions(options: ComparePictureOptions): ComparePictureOptions {
  checkOptions(options, COMPARE_TABLE, { required: ['prompt', 'budget'] });
  return options;
}

/** Checks and parts the options of one picture and of opening. */
export function splitGenerateOptions(options: GenerateOptions): SplitOptions<PictureOptions> {
  checkOptions(options, { ...OPEN_OPTIONS, ...PICTURE_TABLE }, { required: ['prompt'] });
  return split<PictureOptions>(options);
}

/** Checks and parts the options of a comparison and of opening. */
export function splitCompareOptions(options: CompareOptions): SplitOptions<ComparePictureOptions> {
  checkOptions(options, { ...OPEN_OPTIONS, ...COMPARE_TABLE }, { required: ['prompt', 'budget'] });
  return split<ComparePictureOptions>(options);
}

/** The options that make the same picture again: what a recipe holds, as a caller would write it. */
export function asPictureOptions({ prompt, seed, modelOptions, search }: ResolvedOptions): PictureOptions {
  return { ...search, ...modelOptions, prompt, seed } as PictureOptions;
}

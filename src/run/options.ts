// The options of a run: one table, from which types, checks, flags and words follow. The sizes of a search are the strategy's
// (search/registry.ts), the sampling is the models' (models/options.ts).

import { UsageError } from '../core/errors.js';
import {
  checkOptions,
  isNumber,
  isObject,
  isText,
  number,
  type OptionsOf,
  type OptionTable,
  type OptionValues,
  pick,
  SIGNAL,
  value,
  whole,
} from '../core/options.js';
import { isPrompt, PROMPT_WORDS } from '../core/text.js';
import { checkOpenOptions, OPEN_OPTIONS, type OpenOptions } from '../engine/options.js';
import type { ImageModel } from '../models/contract.js';
import { MODEL_OPTIONS } from '../models/options.js';
import type { BEAM } from '../search/beam.js';
import type { PARTICLES } from '../search/particles.js';
import {
  type AnySearch,
  type AnyStrategy,
  DEFAULT_STRATEGY,
  isStrategyName,
  type OwnSearchOptions,
  SEARCH_OPTIONS,
  type SearchOptions,
  STRATEGIES,
  STRATEGY_SYNONYMS,
  type StrategyName,
} from '../search/registry.js';
import { BUDGET, exclusive } from '../search/sizes.js';
import type { ZERO_ORDER } from '../search/zero-order.js';
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
  prompt: value<string>('what to draw', isPrompt, PROMPT_WORDS),
  seed: {
    ...whole('root of all random numbers', 0, { usual: '0', expected: 'a whole number from 0 to 2^53 - 1' }),
    kind: 'seed',
  } as const,
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
  film: value<boolean>(
    "keeps the winner's picture after each of its steps: a few decodes, which are not in the ledger",
    (given) => typeof given === 'boolean',
    'true or false',
    { usual: 'false' },
  ),
  signal: SIGNAL,
};

const names = STRATEGIES.map(({ name }) => name);

const isStrategy = (given: unknown): boolean =>
  isObject(given) &&
  ['name', 'title'].every((part) => isText((given as OptionValues)[part])) &&
  isObject((given as OptionValues)['options']) &&
  ['resolve', 'cost', 'words', 'run'].every((part) => typeof (given as OptionValues)[part] === 'function');

/** How to search. */
export const STRATEGY_OPTION = {
  strategy: value<StrategyName | AnyStrategy>(
    'how to search',
    (given) => isText(given) || isStrategy(given),
    `one of ${names.join(', ')}, or a strategy of your own`,
    {
      kind: 'choice',
      choices: names,
      synonyms: STRATEGY_SYNONYMS,
      usual: `${DEFAULT_STRATEGY.name}, where steps draw, else random`,
      placeholder: 'name',
    },
  ),
};

/** The strategies that a comparison is of where none is named. */
export const COMPARED: readonly StrategyName[] = ['random', 'gto', 'beam'];

/** What a comparison is told about the searches besides what they share. */
export const COMPARE_ONLY = {
  strategies: value<readonly StrategyName[]>(
    'which to compare',
    (given) =>
      Array.isArray(given) && given.length > 0 && given.every((name) => isStrategyName(String(name))),
    `a list of ${names.join(', ')}`,
    { kind: 'choices', choices: names, synonyms: STRATEGY_SYNONYMS, usual: COMPARED.join(',') },
  ),
  budget: { ...BUDGET, words: 'function evaluations that each strategy may spend' },
  budgetFlops: number(
    'operations that each may spend in its place, decoder and verifiers included: 2e11',
    (given) => given > 0,
    'a number of floating-point operations above 0',
    { placeholder: 'flops' },
  ),
  budgetSeconds: number(
    'seconds that each may spend in its place, decoder and verifiers included, loading not',
    (given) => given > 0,
    'a number of seconds above 0',
    { placeholder: 's' },
  ),
};

const areModels = (given: unknown): boolean =>
  isText(given) ||
  (Array.isArray(given) && given.length > 0 && given.every((each) => isText(each) || isObject(each)));

/** Which models are compared, in place of the one of the options of opening. */
export const COMPARE_MODELS = {
  models: value<string | readonly (string | ImageModel)[]>(
    'models to compare at the same budget, each with the strategies that suit it: a,b',
    areModels,
    'a name, a loaded model, or a list of them',
    { kind: 'names' },
  ),
  modelDirs: value<string | readonly string[]>(
    'folders with models, after those that are named: a,b',
    areModels,
    'the path of a folder, or a list of them',
    { kind: 'names', placeholder: 'dirs' },
  ),
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

/** What a comparison's budget is counted in. */
export type BudgetUnit = 'NFE' | 'FLOPs' | 'seconds';

/** What every search of a comparison may spend. */
export interface Budget {
  readonly unit: BudgetUnit;
  readonly most: number;
}

/** What each strategy may spend, in one of three units. */
type GivenBudget =
  | { readonly budget: number; readonly budgetFlops?: undefined; readonly budgetSeconds?: undefined }
  | { readonly budgetFlops: number; readonly budget?: undefined; readonly budgetSeconds?: undefined }
  | { readonly budgetSeconds: number; readonly budget?: undefined; readonly budgetFlops?: undefined };

/** The budget of a comparison with its unit. */
export function budgetOf({ budget, budgetFlops, budgetSeconds }: GivenBudget): Budget {
  if (budgetFlops !== undefined) return { unit: 'FLOPs', most: budgetFlops };
  return budgetSeconds !== undefined
    ? { unit: 'seconds', most: budgetSeconds }
    : { unit: 'NFE', most: budget };
}

/** The sizes of searches that no budget decides. */
type SharedSizes = Omit<
  OptionsOf<(typeof BEAM)['options']> &
    OptionsOf<(typeof ZERO_ORDER)['options']> &
    OptionsOf<(typeof PARTICLES)['options']>,
  'candidates' | 'rounds' | 'particles' | 'budget'
>;

/** How a comparison of strategies is told about the picture: the budget gives their sizes. */
export type ComparePictureOptions = Common &
  GivenBudget & {
    /** @default random, gto and beam */
    readonly strategies?: readonly StrategyName[] | undefined;
  } & SharedSizes;

/** Everything that a comparison may be told. */
export type CompareOptions = OpenOptions & ComparePictureOptions & OptionsOf<typeof COMPARE_MODELS>;

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

/** Options whose values follow from a budget. */
const BY_BUDGET: readonly string[] = ['images', 'candidates', 'rounds', 'particles', 'budget'];

/** The options of a search that a comparison shares out; what a budget decides is not among them. */
export const COMPARE_SEARCH_OPTIONS: OptionTable = Object.fromEntries(
  Object.entries(SEARCH_OPTIONS).filter(([name]) => !BY_BUDGET.includes(name)),
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
  // What a model is opened with may be one of its own options too: recipes have it there.
  const rest = Object.entries(options).filter(
    ([name]) => !Object.hasOwn(OPEN_OPTIONS, name) || Object.hasOwn(MODEL_OPTIONS, name),
  );
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

/** The options of a comparison: which strategies, the sizes and model options that each takes its own of, and the picture. */
export function partCompare(options: ComparePictureOptions): {
  readonly strategies: readonly StrategyName[] | undefined;
  readonly sizes: OptionValues;
  readonly modelOptions: OptionValues;
  readonly picture: { readonly prompt: string } & OptionsOf<typeof PICTURE_OPTIONS>;
} {
  const { prompt, strategies } = options;
  return {
    strategies,
    sizes: pick(options, COMPARE_SEARCH_OPTIONS),
    modelOptions: pick(options, MODEL_OPTIONS),
    picture: { ...pick(options, PICTURE_OPTIONS), prompt },
  };
}

/** Checks the options of one picture; throws a UsageError that names the first fault. */
export function checkPictureOptions(options: AnyPictureOptions): AnyPictureOptions {
  checkOptions(options, pictureTable(options), { required: ['prompt'] });
  return options;
}

/** Checks the options of a comparison; throws a UsageError that names the first fault. */
export function checkCompareOptions(options: ComparePictureOptions): ComparePictureOptions {
  checkOptions(options, COMPARE_TABLE, { required: compareNeeds(options) });
  return options;
}

/** What a comparison cannot do without: a budget in one of its units. */
function compareNeeds({ budget, budgetFlops, budgetSeconds }: GivenBudget): readonly string[] {
  exclusive({ budget, budgetFlops, budgetSeconds });
  return (budgetFlops ?? budgetSeconds) === undefined ? ['prompt', 'budget'] : ['prompt'];
}

/** Checks and parts the options of one picture and of opening. */
export function splitGenerateOptions(
  options: GenerateOptions | OwnGenerateOptions,
): SplitOptions<AnyPictureOptions> {
  checkOptions(options, { ...OPEN_OPTIONS, ...pictureTable(options) }, { required: ['prompt'] });
  return split<AnyPictureOptions>(options);
}

/** Checks and parts the options of a comparison and of opening. */
export function splitCompareOptions(options: CompareOptions): SplitOptions<ComparePictureOptions> & {
  /** What each model is opened by. */
  readonly models: readonly OpenOptions[];
} {
  checkOptions(
    options,
    { ...OPEN_OPTIONS, ...COMPARE_MODELS, ...COMPARE_TABLE },
    { required: compareNeeds(options) },
  );
  const { models, modelDirs, ...rest } = options;
  const parts = split<ComparePictureOptions>(rest);
  const named = listOf(models).map((model) => ({ ...parts.open, model }));
  const folders = listOf(modelDirs).map((modelDir) => ({ ...parts.open, modelDir }));
  const chosen = [...named, ...folders];
  if (chosen.length > 0) exclusive({ models: models ?? modelDirs, model: rest.model ?? rest.modelDir });
  return { ...parts, models: chosen.map(checkOpenOptions) };
}

/** The members of an option that is a text with commas, or a list. */
function listOf<T>(given: string | readonly (string | T)[] | undefined): readonly (string | T)[] {
  return typeof given === 'string' ? given.split(',').map((name) => name.trim()) : (given ?? []);
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

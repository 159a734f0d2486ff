// The strategies, as a list: a new one is a file and a line here. Types, checks and flags follow from it.

import { UsageError } from '../core/errors.js';
import { didYouMean } from '../core/nearest.js';
import {
  checkOptions,
  type OptionsOf,
  type OptionTable,
  type OptionValues,
  pick,
  titleOf,
} from '../core/options.js';
import type { Schedule } from '../models/contract.js';
import { isRelative, type Jury } from '../verifiers/jury.js';
import { BEAM } from './beam.js';
import type { Search, SearchContext, Strategy } from './contract.js';
import type { Estimate } from './cost.js';
import { GTO } from './gto.js';
import { type MemoryNeed, memoryOf } from './memory.js';
import { type Means, refusalOf } from './needs.js';
import { PARTICLES } from './particles.js';
import { RANDOM } from './random.js';
import { electsByStep } from './sizes.js';
import { ZERO_ORDER } from './zero-order.js';

/** All strategies. */
export const STRATEGIES = [RANDOM, GTO, BEAM, ZERO_ORDER, PARTICLES] as const;

/** What others call them, for command lines: programs use the names. */
export const STRATEGY_SYNONYMS: Readonly<Record<string, (typeof STRATEGIES)[number]['name']>> = {
  'best-of-n': 'random',
  bon: 'random',
  'random-search': 'random',
  'greedy-token-optimization': 'gto',
  'beam-search': 'beam',
  smc: 'particles',
  'zero-order-search': 'zero-order',
};

/** The strategy where none is named and steps can be elected one by one. */
export const DEFAULT_STRATEGY = BEAM;

/** The strategy where none is named: where only the first step draws, whole pictures are all that can be searched. */
function usualStrategy(schedule: Schedule): AnyStrategy {
  return electsByStep(schedule) ? DEFAULT_STRATEGY : RANDOM;
}

type Known = (typeof STRATEGIES)[number];

/** The name of a strategy. */
export type StrategyName = Known['name'];

/** What a caller may say about a search: a strategy, and the options that it takes. */
export type SearchOptions =
  | {
      [Each in Known as Each['name']]: { readonly strategy: Each['name'] } & OptionsOf<Each['options']>;
    }[StrategyName]
  | ({ readonly strategy?: undefined } & OptionsOf<(typeof DEFAULT_STRATEGY)['options']>);

/** A strategy as those see it who do not care which it is. */
export type AnyStrategy = Strategy<string, unknown>;

/** What a caller may say about a search by a strategy of their own: the strategy itself, and the options that it takes. */
export type OwnSearchOptions<Own extends AnyStrategy = AnyStrategy> = {
  readonly strategy: Own;
} & OptionsOf<Own['options']>;

/** A strategy by name with all of its sizes, as plain data; resolving it again gives the same. */
export type ResolvedSearch = {
  [Each in Known as Each['name']]: { readonly strategy: Each['name'] } & ReturnType<Each['resolve']>;
}[StrategyName];

/** The same of any strategy, of the caller's own too. */
export type AnySearch = ResolvedSearch | ({ readonly strategy: string } & OptionValues);

/** Every option that some strategy takes. */
export const SEARCH_OPTIONS: OptionTable = Object.assign(
  {},
  ...STRATEGIES.map(({ options }) => options),
) as OptionTable;

/** True for the names of the strategies of this package. */
export function isStrategyName(name: string): name is StrategyName {
  return STRATEGIES.some((each) => each.name === name);
}

/** The strategy of a name; a UsageError that lists the names when there is none. */
export function findStrategy(name: string = DEFAULT_STRATEGY.name): AnyStrategy {
  const found = STRATEGIES.find((each) => each.name === name);
  if (found) return found;
  throw unknownStrategy(name);
}

/** What is thrown for a name that no strategy has; `more` are names that are known besides. */
export function unknownStrategy(name: string, more: readonly string[] = []): UsageError {
  const names = [...more, ...STRATEGIES.map((each) => each.name)];
  const synonym = Object.hasOwn(STRATEGY_SYNONYMS, name) ? STRATEGY_SYNONYMS[name] : undefined;
  const meant = synonym === undefined ? didYouMean(name, names) : `: it is called '${synonym}' here;`;
  return new UsageError(`there is no strategy '${name}'${meant || ':'} there are ${names.join(', ')}`);
}

/** The strategy that is meant: by name, or the caller's own. */
export function strategyOf(given: string | AnyStrategy | undefined): AnyStrategy {
  if (typeof given !== 'object') return findStrategy(given);
  // A recipe holds the name alone, and would be replayed by the other one.
  if (!isStrategyName(given.name)) return given;
  throw new UsageError(
    `a strategy of your own cannot be called '${given.name}': varsearch has one of that name`,
  );
}

/** A strategy of one's own, with the types of its options and sizes found by the compiler. */
export function defineStrategy<const Name extends string, Table extends OptionTable, Sizes extends object>(
  strategy: Strategy<Name, OptionsOf<Table>, Sizes> & { readonly options: Table },
): Strategy<Name, OptionsOf<Table>, Sizes> & { readonly options: Table } {
  return strategy;
}

/**
 * Works out the sizes of a search over a schedule. Throws a UsageError for an unknown strategy, an option that it does
 * not take, a value that cannot be used, options that contradict each other, and a budget that is too small.
 */
export function resolveSearch(options: SearchOptions, schedule: Schedule): ResolvedSearch;
export function resolveSearch(options: SearchOptions | OwnSearchOptions, schedule: Schedule): AnySearch;
export function resolveSearch(options: SearchOptions | OwnSearchOptions, schedule: Schedule): AnySearch {
  const { strategy: asked, ...given } = options;
  if (schedule.steps.length === 0) throw new RangeError('a schedule needs at least one step');
  const strategy = asked === undefined ? usualStrategy(schedule) : strategyOf(asked);
  checkOptions(given, strategy.options, { whose: strategy.title });
  return { strategy: strategy.name, ...strategy.resolve(given, schedule) };
}

/** Those of some options that a strategy takes: one set of options for several strategies. */
export function optionsFor(strategy: StrategyName, options: object): SearchOptions {
  return { strategy, ...pick(options, findStrategy(strategy).options) };
}

/** Throws a UsageError where a search asks for what model, memory or jury have not got. */
export function checkSearch(
  search: AnySearch,
  means: Means,
  strategy: AnyStrategy = findStrategy(search.strategy),
): void {
  const refusal = refusalOf(strategy.needs?.(search, means.schedule) ?? {}, means);
  if (refusal !== null) throw new UsageError(`${strategy.title}: ${refusal}`);
}

/** Begins a search; nothing happens until its first event is asked for. */
export function startSearch(
  search: AnySearch,
  context: SearchContext,
  strategy = findStrategy(search.strategy),
): Search {
  return strategy.run(context, search);
}

/** What a search will cost. */
export function estimate(
  search: AnySearch,
  schedule: Schedule,
  strategy = findStrategy(search.strategy),
): Estimate {
  return strategy.cost(search, schedule);
}

/** What a search holds at once; null for a strategy that does not say. */
export function memoryNeed(
  search: AnySearch,
  { schedule, jury }: { readonly schedule: Schedule; readonly jury: Jury },
  strategy = findStrategy(search.strategy),
): MemoryNeed | null {
  const rounds = strategy.rounds?.(search, schedule);
  return rounds ? memoryOf(schedule, rounds, isRelative(jury)) : null;
}

/** The title of a strategy; of one that is not of this package its name. */
export function titleOfStrategy(name: string): string {
  return isStrategyName(name) ? findStrategy(name).title : name;
}

/** The sizes of a search in words; of a strategy that is not of this package its sizes as they are called. */
export function wordsOfSearch({ strategy, ...sizes }: AnySearch): string {
  if (isStrategyName(strategy)) return findStrategy(strategy).words(sizes);
  return Object.entries(sizes)
    .map(([name, size]) => `${titleOf(name)} ${Array.isArray(size) ? size.join(', ') : String(size)}`)
    .join(', ');
}

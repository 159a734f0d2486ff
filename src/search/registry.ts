// The strategies, as a list: a new one is a file and a line here. Types, checks and flags follow from it.

import { UsageError } from '../core/errors.js';
import { checkOptions, type OptionsOf, type OptionTable, pick } from '../core/options.js';
import type { Schedule } from '../models/contract.js';
import type { Jury } from '../verifiers/jury.js';
import { BEAM } from './beam.js';
import type { Search, SearchContext, Strategy } from './contract.js';
import type { Estimate } from './cost.js';
import { GTO } from './gto.js';
import { RANDOM } from './random.js';

/** All strategies. */
export const STRATEGIES = [RANDOM, GTO, BEAM] as const;

/** The strategy where none is named. */
export const DEFAULT_STRATEGY = BEAM;

type Known = (typeof STRATEGIES)[number];

/** The name of a strategy. */
export type StrategyName = Known['name'];

/** What a caller may say about a search: a strategy, and the options that it takes. */
export type SearchOptions =
  | {
      [Each in Known as Each['name']]: { readonly strategy: Each['name'] } & OptionsOf<Each['options']>;
    }[StrategyName]
  | ({ readonly strategy?: undefined } & OptionsOf<(typeof DEFAULT_STRATEGY)['options']>);

/** A strategy with all of its sizes, as plain data; resolving it again gives the same. */
export type ResolvedSearch = {
  [Each in Known as Each['name']]: { readonly strategy: Each['name'] } & ReturnType<Each['resolve']>;
}[StrategyName];

/** Every option that some strategy takes. */
export const SEARCH_OPTIONS: OptionTable = Object.assign(
  {},
  ...STRATEGIES.map(({ options }) => options),
) as OptionTable;

/** A strategy as those see it who do not care which it is. */
type Any = Strategy<StrategyName, unknown>;

/** The strategy of a name; a UsageError that lists the names when there is none. */
export function findStrategy(name: string = DEFAULT_STRATEGY.name): Any {
  const found = STRATEGIES.find((each) => each.name === name) as Any | undefined;
  if (found) return found;
  throw new UsageError(
    `there is no strategy '${name}': there are ${STRATEGIES.map((each) => each.name).join(', ')}`,
  );
}

/**
 * Works out the sizes of a search over a schedule. Throws a UsageError for an unknown strategy, an option that it does
 * not take, a value that cannot be used, options that contradict each other, and a budget that is too small.
 */
export function resolveSearch(options: SearchOptions, schedule: Schedule): ResolvedSearch {
  const { strategy: name, ...given } = options;
  const strategy = findStrategy(name);
  if (schedule.steps.length === 0) throw new RangeError('a schedule needs at least one step');
  checkOptions(given, strategy.options, { whose: strategy.title });
  return { strategy: strategy.name, ...strategy.resolve(given, schedule) } as ResolvedSearch;
}

/** Those of some options that a strategy takes: one set of options for several strategies. */
export function optionsFor(strategy: StrategyName, options: object): SearchOptions {
  return { strategy, ...pick(options, findStrategy(strategy).options) };
}

/** Throws a UsageError where a strategy cannot search this schedule with this jury. */
export function checkSearch(search: ResolvedSearch, schedule: Schedule, jury: Jury): void {
  const refusal = findStrategy(search.strategy).refuses(search, schedule, jury);
  if (refusal !== null) throw new UsageError(refusal);
}

/** Begins a search; nothing happens until its first event is asked for. */
export function startSearch(search: ResolvedSearch, context: SearchContext): Search {
  return findStrategy(search.strategy).run(context, search);
}

/** What a search will cost. */
export function estimate(search: ResolvedSearch, schedule: Schedule): Estimate {
  return findStrategy(search.strategy).cost(search, schedule);
}

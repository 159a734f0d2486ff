// The strategies by name: what each is, which options it takes, what it costs, and how it is started.

import { UsageError } from '../core/errors.js';
import type { Scale } from '../models/contract.js';
import { beamSearch } from './beam.js';
import type { Search, SearchContext } from './contract.js';
import { costOf, type Estimate } from './cost.js';
import { greedyTokenOptimisation } from './gto.js';
import {
  type BeamSizes,
  beamSizes,
  type GtoSizes,
  gtoSizes,
  type RandomSizes,
  randomSizes,
  type SizeOptions,
} from './options.js';
import { randomSearch } from './random.js';

/** The names of all strategies. */
export const STRATEGIES = ['random', 'gto', 'beam'] as const;

/** The name of a strategy. */
export type StrategyName = (typeof STRATEGIES)[number];

/** The strategy where none is named. */
export const DEFAULT_STRATEGY: StrategyName = 'beam';

/** What a person is told about a strategy, and the options that it takes. */
export interface StrategyInfo {
  readonly title: string;
  readonly description: string;
  readonly options: readonly (keyof SizeOptions)[];
}

/** Every strategy in words. */
export const STRATEGY_INFO: Readonly<Record<StrategyName, StrategyInfo>> = {
  random: {
    title: 'random search',
    description: 'Draws independent pictures and keeps the best.',
    options: ['images', 'budget'],
  },
  gto: {
    title: 'greedy token optimisation',
    description: 'Fixes scale after scale to that of the best completed candidate.',
    options: ['candidates', 'budget', 'keepElected', 'result'],
  },
  beam: {
    title: 'beam search',
    description: 'Carries the best prefixes, several at once, from scale to scale.',
    options: ['width', 'candidates', 'budget', 'keepElected', 'result'],
  },
};

/** What a caller may say about a search. */
export interface SearchOptions extends SizeOptions {
  /** @default 'beam' */
  readonly strategy?: StrategyName | undefined;
}

/** A strategy with all of its sizes, as plain data; resolving it again gives the same. */
export type ResolvedSearch =
  | ({ readonly strategy: 'random' } & RandomSizes)
  | ({ readonly strategy: 'gto' } & GtoSizes)
  | ({ readonly strategy: 'beam' } & BeamSizes);

/**
 * Works out the sizes of a search over a schedule. Throws a UsageError for an unknown strategy, an option that it does
 * not take, a value that cannot be used, options that contradict each other, and a budget that is too small.
 */
export function resolveSearch(options: SearchOptions, scales: readonly Scale[]): ResolvedSearch {
  const { strategy = DEFAULT_STRATEGY, ...sizes } = options;
  const info = STRATEGIES.includes(strategy) ? STRATEGY_INFO[strategy] : undefined;
  if (!info) throw new UsageError(`there is no strategy '${strategy}': there are ${STRATEGIES.join(', ')}`);
  if (scales.length === 0) throw new RangeError('a schedule needs at least one scale');
  for (const [name, value] of Object.entries(sizes)) {
    if (value !== undefined && !(info.options as readonly string[]).includes(name)) {
      throw new UsageError(
        `${info.title} does not take the option '${name}': it takes ${info.options.join(', ')}`,
      );
    }
  }
  switch (strategy) {
    case 'random':
      return { strategy, ...randomSizes(sizes, scales.length) };
    case 'gto':
      return { strategy, ...gtoSizes(sizes, scales.length) };
    case 'beam':
      return { strategy, ...beamSizes(sizes, scales.length) };
  }
}

/** Those of the options that a strategy takes: one set of options for several strategies. */
export function optionsFor(strategy: StrategyName, options: SizeOptions): SearchOptions {
  const { options: taken } = STRATEGY_INFO[strategy];
  return { strategy, ...Object.fromEntries(taken.map((name) => [name, options[name]])) };
}

/** Begins a search; nothing happens until its first event is asked for. */
export function startSearch(search: ResolvedSearch, context: SearchContext): Search {
  const { length } = context.generator.scales;
  if (search.strategy !== 'random' && search.candidates.length !== length) {
    throw new RangeError(`the search is for ${search.candidates.length} scales, the generator has ${length}`);
  }
  switch (search.strategy) {
    case 'random':
      return randomSearch(context, search);
    case 'gto':
      return greedyTokenOptimisation(context, search);
    case 'beam':
      return beamSearch(context, search);
  }
}

/** What a search will cost. */
export function estimate(search: ResolvedSearch, scales: readonly Scale[]): Estimate {
  if (search.strategy === 'random') return costOf([{ scale: 1, drawn: search.images }], scales);
  const width = search.strategy === 'beam' ? search.width : 1;
  const rounds = search.candidates.map((candidates, index) => {
    const inherited = search.keepElected && index > 0 ? 1 : 0;
    return { scale: index + 1, drawn: width * (candidates - inherited) };
  });
  return costOf(rounds, scales);
}

export type { Estimate } from './cost.js';
export { RESULT_CHOICES, type ResultChoice } from './options.js';

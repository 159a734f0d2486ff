// The largest search that a budget buys a strategy, by arithmetic on what is known of a model: no weights are needed but for a
// budget in seconds, for which somebody has to time it.

import { UsageError } from '../core/errors.js';
import type { OptionValues } from '../core/options.js';
import type { Schedule } from '../models/contract.js';
import type { Estimate } from '../search/cost.js';
import { memoryRefusal } from '../search/memory.js';
import { type Means, refusalOf } from '../search/needs.js';
import {
  estimate,
  findStrategy,
  memoryNeed,
  optionsFor,
  type ResolvedSearch,
  resolveSearch,
  type StrategyName,
} from '../search/registry.js';
import type { Budget } from './options.js';

/** What is known of a model with some options, without a step taken. */
export interface ModelFacts extends Means {
  readonly schedule: Schedule;
  /** Operations of decoding and judging one picture; or the names of those parts whose operations nobody knows. */
  readonly perPicture: number | { readonly unknown: string };
  /** Bytes that the engine may hold. @default as many as are needed */
  readonly memory?: number | undefined;
}

/** What a search costs, in the unit of a budget. */
export type Price = (cost: Estimate) => number;

/** A search with what keeps it below the budget, or why there can be none, in one line each. */
export type Sized =
  { readonly search: ResolvedSearch; readonly limit: string | null } | { readonly refusal: string };

/** What a strategy is sized by. */
export interface SizeRequest {
  readonly strategy: StrategyName;
  /** Sizes that no budget decides: the strategy takes its own of them. */
  readonly sizes: OptionValues;
  readonly budget: Budget;
}

/** No search that a budget buys is larger: years of any machine. */
const MOST_NFE = 2 ** 22;

/** The price in evaluations or operations, decoder and verifiers included. Throws a UsageError where operations are not known. */
export function countedPrice(
  unit: Exclude<Budget['unit'], 'seconds'>,
  { perPicture }: Pick<ModelFacts, 'perPicture'>,
): Price {
  if (unit === 'NFE') return ({ nfe }) => nfe;
  if (typeof perPicture === 'number') return ({ flops, images }) => flops + images * perPicture;
  throw new UsageError(
    `nobody knows the operations of ${perPicture.unknown}: give the budget in evaluations or seconds, or name another verifier`,
  );
}

/** The largest search within a budget; refused in words where there is none. */
export function sizeWithin(request: SizeRequest, facts: ModelFacts, priceOf: Price): Sized {
  const { budget } = request;
  try {
    const within = (search: ResolvedSearch): boolean =>
      priceOf(estimate(search, facts.schedule)) <= budget.most;
    const largest = largestOf(request, facts.schedule, within);
    const refused = refusalFor(largest, { schedule: facts.schedule, jury: facts.jury });
    if (refused !== null) return { refusal: refused };
    // What has to live together may be fewer than the budget would buy.
    const limit = refusalFor(largest, facts);
    if (limit === null) return { search: largest, limit };
    const fits = (search: ResolvedSearch): boolean => within(search) && refusalFor(search, facts) === null;
    const fitting = attempt(() => largestOf(request, facts.schedule, fits));
    return fitting ? { search: fitting, limit } : { refusal: limit };
  } catch (error) {
    if (error instanceof UsageError) return { refusal: error.message };
    throw error;
  }
}

type Place = Means & Pick<ModelFacts, 'memory'>;

function refusalFor(search: ResolvedSearch, { memory, ...means }: Place): string | null {
  const refused = refusalOf(findStrategy(search.strategy).needs?.(search, means.schedule) ?? {}, means);
  if (refused !== null || memory === undefined) return refused;
  const need = memoryNeed(search, means);
  return need && memoryRefusal(need, memory, search);
}

/** null where a search cannot be. */
function attempt(search: () => ResolvedSearch): ResolvedSearch | null {
  try {
    return search();
  } catch (error) {
    if (error instanceof UsageError) return null;
    throw error;
  }
}

/** The largest search of a strategy that passes, by the evaluations that it may spend. Throws a UsageError where none does. */
function largestOf(
  { strategy, sizes, budget }: SizeRequest,
  schedule: Schedule,
  passes: (search: ResolvedSearch) => boolean,
): ResolvedSearch {
  const resolve = (nfe: number): ResolvedSearch =>
    resolveSearch(optionsFor(strategy, { ...sizes, budget: nfe }), schedule);
  const tried = (nfe: number): ResolvedSearch | null => attempt(() => resolve(nfe));
  let enough = 1;
  while (tried(enough) === null && enough < MOST_NFE) enough *= 2;
  const least = lowest(Math.floor(enough / 2) + 1, enough, (nfe) => tried(nfe) !== null);
  const smallest = resolve(least);
  if (!passes(smallest)) {
    throw new UsageError(
      `a budget of ${budget.most} ${budget.unit} buys not even the smallest such search: give more`,
    );
  }
  const tooMuch = (nfe: number): boolean => {
    const search = tried(nfe);
    return search === null || !passes(search);
  };
  let above = 2 * least;
  while (!tooMuch(above) && above < MOST_NFE) above *= 2;
  return resolve(lowest(least + 1, above, tooMuch) - 1);
}

/** The lowest whole number between two for which something holds, as it does for all above it; `high` where it holds for none below. */
function lowest(low: number, high: number, holds: (value: number) => boolean): number {
  let [from, until] = [low, high];
  while (from < until) {
    const middle = Math.floor((from + until) / 2);
    if (holds(middle)) until = middle;
    else from = middle + 1;
  }
  return until;
}

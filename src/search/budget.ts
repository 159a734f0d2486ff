// How a budget is turned into sizes: searches by steps cannot spend any number of evaluations on the same number of candidates
// everywhere, and searches of the same budget are compared with each other, so that the rest goes to candidates at single steps.

import { UsageError } from '../core/errors.js';
import type { Schedule } from '../models/contract.js';

/** More candidates than this in one round are taken for a mistake. */
export const MOST_CANDIDATES = 1_000_000;

export function tooMany(value: number): UsageError {
  return new UsageError(`${value} candidates in one round are too many: at most ${MOST_CANDIDATES}`);
}

/** What units cost in evaluations: `fixed` whatever their number is, and `each`. */
interface Price {
  readonly each: number;
  readonly fixed: number;
}

/** How many units a budget buys, at least one. */
export function affordable(budget: number, { each, fixed }: Price): number {
  const bought = Math.floor((budget - fixed) / each);
  if (bought < 1) throw tooSmall(budget, each + fixed);
  if (bought > MOST_CANDIDATES) throw tooMany(bought);
  return bought;
}

/** What a budget is spent evenly on, step by step: as many candidates everywhere, as the paper has it, or as many evaluations. */
export const SPREADS = ['candidates', 'evaluations'] as const;

/** See SPREADS. */
export type Spread = (typeof SPREADS)[number];

/** A step that candidates are drawn at. */
interface Priced {
  /** Its index. */
  readonly at: number;
  /** Evaluations of one more candidate for every beam. */
  readonly each: number;
}

/** How a budget is spent. */
interface Spending {
  /** The cost of so many candidates per beam. */
  readonly nfeOf: (counts: readonly number[]) => number;
  /** Whether one candidate per beam costs nothing after the first step, and finds nothing: an elected rollout that is kept. */
  readonly idle: boolean;
  /** @default candidates */
  readonly spread?: Spread | undefined;
}

/**
 * Candidates per beam at every step for a budget; what is left buys no candidate anywhere. Spread over candidates, there are as many as
 * it buys at all steps that draw, and of the rest one more at single ones, coarse steps first, since what they decide later ones cannot
 * mend. Spread over evaluations, every step gets the same share: fine steps, whose rollouts are short, have more candidates.
 */
export function spend(
  budget: number,
  steps: Schedule['steps'],
  { nfeOf, idle, spread = 'candidates' }: Spending,
): readonly number[] {
  const counts = steps.map(() => 1);
  const least = nfeOf(counts);
  const prices = steps
    .map(({ draws }, at) => ({ at, draws, each: nfeOf(counts.with(at, 2)) - least }))
    .filter(({ draws, each }) => draws && each > 0);
  const cheapest = Math.min(...prices.map(({ each }) => each));
  const needed = least + (idle && prices.length > 0 ? cheapest : 0);
  if (budget < needed) throw tooSmall(budget, needed);
  if (prices.length === 0) return counts;
  const spent =
    spread === 'candidates' ? everywhere(budget - least, prices) : evenly(budget - least, prices, idle);
  for (const [at, more] of spent) counts[at] = 1 + more;
  return counts;
}

/** Candidates beyond the first, by step. */
type More = Map<number, number>;

function everywhere(extra: number, prices: readonly Priced[]): More {
  const all = prices.reduce((sum, { each }) => sum + each, 0);
  let rest = extra;
  const number = Math.floor(rest / all);
  if (number > MOST_CANDIDATES) throw tooMany(number);
  rest -= number * all;
  const more: More = new Map(prices.map(({ at }) => [at, number]));
  const cheapest = Math.min(...prices.map(({ each }) => each));
  while (rest >= cheapest) {
    for (const { at, each } of prices) {
      if (each > rest) continue;
      more.set(at, (more.get(at) ?? 0) + 1);
      rest -= each;
    }
  }
  return more;
}

/** Step by step the same share, and then one more where the least was spent, the coarsest of equals. */
function evenly(extra: number, prices: readonly Priced[], idle: boolean): More {
  const first = ({ at, each }: Priced): number => (idle && at > 0 ? 0 : each);
  const share = level(extra, prices.map(first));
  const more: More = new Map(
    prices.map((price) => [price.at, Math.max(0, Math.floor((share - first(price)) / price.each))]),
  );
  const most = Math.max(...more.values());
  if (most > MOST_CANDIDATES) throw tooMany(most);
  const spentAt = (price: Priced): number => first(price) + (more.get(price.at) ?? 0) * price.each;
  let rest = extra - prices.reduce((sum, { at, each }) => sum + (more.get(at) ?? 0) * each, 0);
  for (;;) {
    const payable = prices.filter(({ each }) => each <= rest);
    const [least] = payable.toSorted((a, b) => spentAt(a) - spentAt(b));
    if (!least) return more;
    more.set(least.at, (more.get(least.at) ?? 0) + 1);
    rest -= least.each;
  }
}

/** What each has when `extra` goes to those that have least, until it is used up. */
function level(extra: number, had: readonly number[]): number {
  const rising = had.toSorted((a, b) => a - b);
  let sum = extra;
  for (const [i, own] of rising.entries()) {
    sum += own;
    const share = sum / (i + 1);
    if (share <= (rising[i + 1] ?? Infinity)) return share;
  }
  return sum;
}

function tooSmall(budget: number, least: number): UsageError {
  return new UsageError(
    `a budget of ${budget} function evaluations is too small for this search: it needs at least ${least}`,
  );
}

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

/**
 * Candidates per beam at every step for a budget: as many as it buys at all steps that draw, and of the rest one more at single ones,
 * coarse steps first, since what they decide later ones cannot mend. What is left buys no candidate anywhere.
 */
export function spend(
  budget: number,
  steps: Schedule['steps'],
  { nfeOf, idle }: { readonly nfeOf: (counts: readonly number[]) => number; readonly idle: boolean },
): readonly number[] {
  const counts = steps.map(() => 1);
  const least = nfeOf(counts);
  const prices = steps
    .map(({ draws }, at) => ({ at, draws, each: nfeOf(counts.with(at, 2)) - least }))
    .filter(({ draws, each }) => draws && each > 0);
  const cheapest = Math.min(...prices.map(({ each }) => each));
  const needed = least + (idle && prices.length > 0 ? cheapest : 0);
  if (budget < needed) throw tooSmall(budget, needed);
  const all = prices.reduce((sum, { each }) => sum + each, 0);
  if (all === 0) return counts;
  let rest = budget - least;
  const everywhere = Math.floor(rest / all);
  if (everywhere > MOST_CANDIDATES) throw tooMany(everywhere);
  rest -= everywhere * all;
  for (const { at } of prices) counts[at] = 1 + everywhere;
  while (rest >= cheapest) {
    for (const { at, each } of prices) {
      if (each > rest) continue;
      counts[at] = (counts[at] ?? 0) + 1;
      rest -= each;
    }
  }
  return counts;
}

function tooSmall(budget: number, least: number): UsageError {
  return new UsageError(
    `a budget of ${budget} function evaluations is too small for this search: it needs at least ${least}`,
  );
}

// Zero-order search over the random numbers of whole pictures (Ma et al., arXiv 2501.09732, section 3.2): N pictures in the
// neighbourhood of a pivot's numbers, the best of them becomes the pivot, and so on. A diffusion model's numbers are its noise.
//
// The first pivot is the first picture that any strategy draws with this seed; of the first round it is itself one of the N. A
// neighbour's numbers correlate with the pivot's by sqrt(1 - radius^2) and stay normal (Draw.near), where the authors' code
// (their "threshold" is that correlation, 0.95) keeps the pivot's length instead: in thousands of numbers that is the same.

import { number, type OptionsOf, whole } from '../core/options.js';
import type { Draw } from '../core/random.js';
import type { Schedule } from '../models/contract.js';
import { affordable } from './budget.js';
import type { Candidate, Search, SearchContext, Strategy } from './contract.js';
import { costOf, evaluationsFrom } from './cost.js';
import { Rollouts } from './rollouts.js';
import { BUDGET, checkCount, exclusive, usualBudget } from './sizes.js';

/** Four neighbours a round at a correlation of 0.95, as the authors' code has it. */
const USUAL = { neighbours: 4, radius: 0.31 } as const;

const OPTIONS = {
  neighbours: whole('pictures a round, in the neighbourhood of the pivot', 1, {
    usual: String(USUAL.neighbours),
  }),
  rounds: whole('rounds, each around the best of the one before', 1, {
    usual: 'as many as the default beam search costs',
  }),
  radius: number(
    'how far neighbours are from the pivot: 0 is the pivot, 1 is anywhere',
    (value) => value > 0 && value <= 1,
    'a number above 0, at most 1',
    { usual: String(USUAL.radius) },
  ),
  budget: BUDGET,
};

/** Sizes of a zero-order search. */
export interface ZeroOrderSizes {
  readonly neighbours: number;
  readonly rounds: number;
  readonly radius: number;
}

function resolve(given: OptionsOf<typeof OPTIONS>, schedule: Schedule): ZeroOrderSizes {
  const { rounds, budget, radius = USUAL.radius } = given;
  exclusive({ rounds, budget });
  const neighbours = checkCount(given.neighbours ?? USUAL.neighbours, 'neighbours');
  const each = neighbours * evaluationsFrom(1, schedule.steps);
  const usual = Math.max(1, Math.floor(usualBudget(schedule) / each));
  const bought = budget === undefined ? usual : affordable(budget, { each, fixed: 0 });
  return { neighbours, rounds: checkCount(rounds ?? bought, 'rounds'), radius };
}

/** Draws whole pictures around a pivot, which moves to the best of every round. */
async function* run(context: SearchContext, { neighbours, rounds, radius }: ZeroOrderSizes): Search {
  const rollouts = new Rollouts(context);
  try {
    const step = context.generator.schedule.steps.length;
    const start = rollouts.begin();
    let candidate: Candidate | null = null;
    let pivot = context.draw.fold(1).fold(0).fold(0);
    for (let round = 1; round <= rounds; round++) {
      const around = rollouts.again({ ...start, candidate, near: { pivot, radius } });
      const [best] = yield* rollouts.play([around], { round, rounds, step, total: neighbours }, 1);
      if (!best) break;
      candidate = best.candidate;
      pivot = drawOf(candidate, { root: context.draw, pivot, radius });
    }
    return rollouts.result('best');
  } finally {
    rollouts.close();
  }
}

/** The random numbers of a candidate of the round around a pivot. */
function drawOf(
  { path }: Candidate,
  { root, pivot, radius }: { readonly root: Draw; readonly pivot: Draw; readonly radius: number },
): Draw {
  return path.reduce((draw, index) => draw.fold(index), root).near(pivot, radius);
}

/** Zero-order search. */
export const ZERO_ORDER = {
  name: 'zero-order',
  title: 'zero-order search',
  description: 'Draws whole pictures around the best of the round before.',
  options: OPTIONS,
  resolve,
  needs: ({ neighbours, rounds }, { steps }) => ({
    forks: [{ from: 1, until: steps.length, candidates: neighbours * rounds }],
  }),
  cost: ({ neighbours, rounds }, schedule) => costOf([{ step: 1, drawn: neighbours * rounds }], schedule),
  rounds: ({ neighbours, rounds }, { steps: { length } }) =>
    Array.from({ length: rounds }, () => {
      return {
        beams: 1,
        from: 0,
        step: length,
        until: length,
        candidates: neighbours,
        elect: 1,
        keepElected: false,
      };
    }),
  words: ({ neighbours, rounds, radius }) =>
    `${rounds} round${rounds === 1 ? '' : 's'} of ${neighbours}, radius ${radius}`,
  run,
} as const satisfies Strategy<'zero-order', OptionsOf<typeof OPTIONS>, ZeroOrderSizes>;

// Random search, or best of n: the baseline. PAPER.md: n independent images, keep argmax S. n * K evaluations.

import { type OptionsOf, whole } from '../core/options.js';
import type { Schedule } from '../models/contract.js';
import { affordable } from './budget.js';
import type { Search, SearchContext, Strategy } from './contract.js';
import { costOf, type DrawnAt } from './cost.js';
import { completionRound, type RoundSize } from './memory.js';
import { ROLLOUT, type RolloutSize, rolloutSize, rolloutWords, searchedSteps, untilOf } from './rollout.js';
import { Rollouts } from './rollouts.js';
import { BUDGET, checkCount, exclusive, usualBudget } from './sizes.js';

const OPTIONS = {
  images: whole('pictures to draw', 1, { usual: 'as many as the default beam search costs' }),
  budget: BUDGET,
  rollout: ROLLOUT,
};

/** Sizes of a random search. */
export interface RandomSizes extends RolloutSize {
  readonly images: number;
}

function resolve(
  { images, budget, rollout: asked }: OptionsOf<typeof OPTIONS>,
  schedule: Schedule,
): RandomSizes {
  exclusive({ images, budget });
  // Its candidates fix all steps: without rollouts they are what they are with them.
  const size = rolloutSize(asked === 'none' ? 'full' : asked, schedule);
  if (images !== undefined) return { images: checkCount(images, 'images'), ...size };
  const nfeOf = (count: number): number => costOf(roundsOf({ images: count, ...size }), schedule).nfe;
  const each = nfeOf(2) - nfeOf(1);
  const bought = affordable(budget ?? usualBudget(schedule, size), { each, fixed: nfeOf(1) - each });
  return { images: bought, ...size };
}

/** The round, and the winner that is completed where it was one of previews. */
function roundsOf({ images, ...size }: RandomSizes): DrawnAt[] {
  const until = untilOf(size);
  if (typeof until !== 'number') return [{ step: 1, drawn: images }];
  return [
    { step: 1, drawn: images, until },
    { step: until + 1, drawn: 1 },
  ];
}

/** The same, for what it holds. */
function roundSizes({ images, ...size }: RandomSizes, schedule: Schedule): RoundSize[] {
  const step = searchedSteps(size, schedule).length;
  const round = { beams: 1, from: 0, step, until: step, candidates: images, elect: 0, keepElected: false };
  return size.rollout === undefined
    ? [round]
    : [{ ...round, previewsBefore: 0 }, completionRound(step, schedule)];
}

/** Draws pictures independently of each other and keeps the best. */
async function* run(context: SearchContext, { images, ...size }: RandomSizes): Search {
  const until = untilOf(size);
  const rollouts = new Rollouts(context, { until });
  try {
    // Nothing will be drawn from the winner, so that no prefix is elected: the picture is enough.
    const step = searchedSteps(size, context.generator.schedule).length;
    yield* rollouts.play([rollouts.begin()], { round: 1, rounds: 1, step, total: images }, 0);
    return yield* rollouts.complete('best');
  } finally {
    rollouts.close();
  }
}

/** Random search. */
export const RANDOM = {
  name: 'random',
  title: 'random search',
  description: 'Draws independent pictures and keeps the best.',
  options: OPTIONS,
  resolve,
  needs: ({ images }, { steps }) => ({ forks: [{ from: 1, until: steps.length, candidates: images }] }),
  cost: (sizes, schedule) => costOf(roundsOf(sizes), schedule),
  rounds: roundSizes,
  words: ({ images, ...size }) =>
    [images === 1 ? '1 image' : `${images} images`, rolloutWords(size)]
      .filter((words) => words !== '')
      .join(', '),
  run,
} as const satisfies Strategy<'random', OptionsOf<typeof OPTIONS>, RandomSizes>;

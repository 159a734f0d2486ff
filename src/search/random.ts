// Random search, or best of n: the baseline. PAPER.md: n independent images, keep argmax S. n * K evaluations.

import { type OptionsOf, whole } from '../core/options.js';
import type { Schedule } from '../models/contract.js';
import type { Search, SearchContext, Strategy } from './contract.js';
import { costOf, evaluationsFrom } from './cost.js';
import { Rollouts } from './rollouts.js';
import { affordable, BUDGET, checkCount, DEFAULTS, exclusive, roundsOf } from './sizes.js';

const OPTIONS = {
  images: whole('pictures to draw', 1, { usual: 'as many as the default beam search costs' }),
  budget: BUDGET,
};

/** Sizes of a random search. */
export interface RandomSizes {
  readonly images: number;
}

function resolve({ images, budget }: OptionsOf<typeof OPTIONS>, schedule: Schedule): RandomSizes {
  exclusive({ images, budget });
  if (images !== undefined) return { images: checkCount(images, 'images') };
  const candidates = schedule.steps.map(({ draws }) => (draws ? DEFAULTS.candidates : 1));
  const usual = costOf(roundsOf({ candidates }, DEFAULTS.width), schedule).nfe;
  return {
    images: affordable(budget ?? usual, { each: evaluationsFrom(1, schedule.steps), free: 0, least: 1 }),
  };
}

/** Draws pictures independently of each other and keeps the best. */
async function* run(context: SearchContext, { images }: RandomSizes): Search {
  const rollouts = new Rollouts(context);
  try {
    // Nothing will be drawn from the winner, so that no prefix is elected: the picture is enough.
    const step = context.generator.schedule.steps.length;
    yield* rollouts.play([rollouts.begin()], { round: 1, rounds: 1, step, total: images }, 0);
    return rollouts.result('best');
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
  refuses: () => null,
  cost: ({ images }, schedule) => costOf([{ step: 1, drawn: images }], schedule),
  words: ({ images }) => (images === 1 ? '1 image' : `${images} images`),
  run,
} as const satisfies Strategy<'random', OptionsOf<typeof OPTIONS>, RandomSizes>;

// Greedy token optimisation. PAPER.md: at every scale k draw c candidates for r_k from the current prefix, complete every
// one of them to a full image, commit to the r_k of the best image. c * K images, c * K(K+1)/2 evaluations.

import type { Search, SearchContext, Strategy } from './contract.js';
import { untilOf } from './rollout.js';
import { Rollouts } from './rollouts.js';
import {
  DEFAULTS,
  stepsOfRounds,
  STEPWISE_OPTIONS,
  stepwiseCost,
  type StepwiseGiven,
  stepwiseNeeds,
  stepwiseRounds,
  type StepwiseSizes,
  stepwiseSizes,
  stepwiseWords,
} from './sizes.js';

/** Fixes step after step to that of the best completed candidate. */
async function* run(
  context: SearchContext,
  { candidates, keepElected, result, ...size }: StepwiseSizes,
): Search {
  const rollouts = new Rollouts(context, { keepElected, until: untilOf(size) });
  try {
    let current = [rollouts.begin()];
    const rounds = stepsOfRounds(size, context.generator.schedule);
    for (const [index, { first, last }] of rounds.entries()) {
      const total = candidates[first - 1] ?? 1;
      const round = { round: index + 1, rounds: rounds.length, step: last, total };
      current = yield* rollouts.play(current, round, 1);
    }
    return yield* rollouts.complete(result);
  } finally {
    rollouts.close();
  }
}

/** Greedy token optimisation. */
export const GTO = {
  name: 'gto',
  title: 'greedy token optimisation',
  description: 'Fixes step after step to that of the best completed candidate.',
  options: STEPWISE_OPTIONS,
  resolve: (given, schedule) =>
    stepwiseSizes(given, schedule, { width: 1, usual: DEFAULTS.width * DEFAULTS.candidates, keeps: false }),
  needs: (sizes) => stepwiseNeeds(sizes),
  cost: (sizes, schedule) => stepwiseCost(sizes, 1, schedule),
  rounds: (sizes, schedule) => stepwiseRounds(sizes, 1, schedule),
  words: stepwiseWords,
  run,
} as const satisfies Strategy<'gto', StepwiseGiven, StepwiseSizes>;

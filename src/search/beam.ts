// Beam search. PAPER.md: keep w prefixes; at every scale k draw c candidates for each of them, complete all w * c to full
// images, score them, keep the w best prefixes (through scale k); at k = 1 all w * c come from the empty prefix.
// w * c * K images, w * c * K(K+1)/2 evaluations. Beams elected together may stem from the same parent.

import { type OptionsOf, whole } from '../core/options.js';
import type { Schedule } from '../models/contract.js';
import type { Search, SearchContext, Strategy } from './contract.js';
import { untilOf } from './rollout.js';
import { type Beam, Rollouts } from './rollouts.js';
import {
  checkCount,
  DEFAULTS,
  stepsOfRounds,
  STEPWISE_OPTIONS,
  stepwiseCost,
  stepwiseNeeds,
  stepwiseRounds,
  type StepwiseSizes,
  stepwiseSizes,
  stepwiseWords,
} from './sizes.js';

const OPTIONS = {
  width: whole('beams that are kept', 1, { usual: String(DEFAULTS.width) }),
  ...STEPWISE_OPTIONS,
};

/** Sizes of a beam search; `candidates` are per beam. */
export interface BeamSizes extends StepwiseSizes {
  readonly width: number;
}

function resolve({ width: given, ...rest }: OptionsOf<typeof OPTIONS>, schedule: Schedule): BeamSizes {
  const width = checkCount(given ?? DEFAULTS.width, 'width');
  return { width, ...stepwiseSizes(rest, schedule, { width, usual: DEFAULTS.candidates, keeps: true }) };
}

/** Carries the best prefixes, several at once, from step to step. */
async function* run(
  context: SearchContext,
  { width, candidates, keepElected, result, ...size }: BeamSizes,
): Search {
  const rollouts = new Rollouts(context, { keepElected, until: untilOf(size) });
  try {
    let beams: readonly Beam[] = [rollouts.begin()];
    const rounds = stepsOfRounds(size, context.generator.schedule);
    for (const [index, { first, last }] of rounds.entries()) {
      const total = width * (candidates[first - 1] ?? 1);
      const round = { round: index + 1, rounds: rounds.length, step: last, total };
      beams = yield* rollouts.play(beams, round, width);
    }
    return yield* rollouts.complete(result);
  } finally {
    rollouts.close();
  }
}

/** Beam search. */
export const BEAM = {
  name: 'beam',
  title: 'beam search',
  description: 'Carries the best prefixes, several at once, from step to step.',
  options: OPTIONS,
  resolve,
  needs: (sizes) => stepwiseNeeds(sizes, sizes.width),
  cost: (sizes, schedule) => stepwiseCost(sizes, sizes.width, schedule),
  rounds: (sizes, schedule) => stepwiseRounds(sizes, sizes.width, schedule),
  words: (sizes) => `width ${sizes.width}, ${stepwiseWords(sizes)}`,
  run,
} as const satisfies Strategy<'beam', OptionsOf<typeof OPTIONS>, BeamSizes>;

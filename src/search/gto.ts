// Greedy token optimisation. PAPER.md: at every scale k draw c candidates for r_k from the current prefix, complete every
// one of them to a full image, commit to the r_k of the best image. c * K images, c * K(K+1)/2 evaluations.

import type { Search, SearchContext } from './contract.js';
import type { GtoSizes } from './options.js';
import { type Beam, Rollouts } from './rollouts.js';

/** Fixes scale after scale to that of the best completed candidate. */
export async function* greedyTokenOptimisation(context: SearchContext, sizes: GtoSizes): Search {
  const { candidates, keepElected, result } = sizes;
  const rollouts = new Rollouts(context, { keepElected });
  try {
    let current: Beam = rollouts.begin();
    for (const [index, count] of candidates.entries()) {
      const scale = index + 1;
      yield { type: 'round', scale, rounds: candidates.length, candidates: count };
      const drafts = rollouts.draw([current], { round: scale, total: count });
      const best = yield* rollouts.completeOne(drafts);
      rollouts.release([current]);
      current = best;
      yield { type: 'elected', scale, nodes: [best.node] };
    }
    return rollouts.result(result);
  } finally {
    rollouts.close();
  }
}

// Beam search. PAPER.md: keep w prefixes; at every scale k draw c candidates for each of them, complete all w * c to full
// images, score them, keep the w best prefixes (through scale k); at k = 1 all w * c come from the empty prefix.
// w * c * K images, w * c * K(K+1)/2 evaluations. Beams elected together may stem from the same parent.

import type { Search, SearchContext } from './contract.js';
import type { BeamSizes } from './options.js';
import { type Beam, Rollouts } from './rollouts.js';

/** Carries the best prefixes, several at once, from scale to scale. */
export async function* beamSearch(context: SearchContext, sizes: BeamSizes): Search {
  const { width, candidates, keepElected, result } = sizes;
  const rollouts = new Rollouts(context, { keepElected });
  try {
    let beams: readonly Beam[] = [rollouts.begin()];
    for (const [index, perBeam] of candidates.entries()) {
      const scale = index + 1;
      const total = width * perBeam;
      yield { type: 'round', scale, rounds: candidates.length, candidates: total };
      const drafts = rollouts.draw(beams, { round: scale, total });
      const elected = yield* rollouts.complete(drafts, width);
      rollouts.release(beams);
      beams = elected;
      yield { type: 'elected', scale, nodes: elected.map(({ node }) => node) };
    }
    return rollouts.result(result);
  } finally {
    rollouts.close();
  }
}

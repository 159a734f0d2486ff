// Random search, or best of n: the baseline. PAPER.md: n independent images, keep argmax S. n * K evaluations.

import type { Search, SearchContext } from './contract.js';
import type { RandomSizes } from './options.js';
import { Rollouts } from './rollouts.js';

/** Draws pictures independently of each other and keeps the best. */
export async function* randomSearch(context: SearchContext, { images }: RandomSizes): Search {
  const rollouts = new Rollouts(context);
  try {
    const empty = rollouts.begin();
    yield { type: 'round', scale: 1, rounds: 1, candidates: images };
    const drafts = rollouts.draw([empty], {
      round: 1,
      total: images,
      scale: context.generator.scales.length,
    });
    // Nothing will be drawn from the winner, so that no prefix is elected: the picture is enough.
    yield* rollouts.complete(drafts, 0);
    const result = rollouts.result('best');
    yield { type: 'elected', scale: 1, nodes: [result.winner] };
    return result;
  } finally {
    rollouts.close();
  }
}

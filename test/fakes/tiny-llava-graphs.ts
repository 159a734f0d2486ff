// Random weights for the graphs of the tiny LLaVA.

import { RandomKey } from '../../src/core/random.js';
import type { LlavaWeights } from '../../training/llava/graphs.js';

/** Draws weights one after another; the same seed gives the same ones. */
export function randomWeights(seed: number): LlavaWeights {
  let drawn = 0;
  return {
    take: (graph, _name, shape, { spread, mean = 0 }) => {
      const count = shape.reduce((product, size) => product * size, 1);
      const draws = RandomKey.fromSeed(seed).fold(drawn++).uniform(count);
      return graph.constant(
        Float32Array.from(draws, (u) => mean + (2 * u - 1) * spread),
        shape,
      );
    },
  };
}

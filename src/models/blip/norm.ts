// The layer norms of BLIP's towers, from their tensors.

import type { GraphBuilder, NormOptions } from '../../runtime/graph/index.js';
import type { TensorSource } from '../../runtime/weights/index.js';

/** Weight and bias [C] of the layer norm `name`; throws CheckpointError for another width. */
export function normFrom(
  graph: GraphBuilder,
  blip: TensorSource,
  name: string,
  { width, eps }: { readonly width: number; readonly eps: number },
): NormOptions {
  return {
    eps,
    weight: graph.weightFrom(blip, `${name}.weight`, { expected: [width] }),
    bias: graph.weightFrom(blip, `${name}.bias`, { expected: [width] }),
  };
}

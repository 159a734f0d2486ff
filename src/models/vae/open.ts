// Opens a VAE checkpoint.

import { CheckpointError } from '../../core/errors.js';
import type { NamedWeights } from '../../runtime/graph/index.js';
import type { Runtime, Session } from '../../runtime/index.js';
import { openWeights, unwrapped } from '../../runtime/weights/index.js';
import type { VaeGraph } from './graph.js';

/** The official file keeps its state dict under the key 'vae'. */
const VAE = {
  marks: ['decoder', 'encoder'].flatMap((half) => [`${half}.conv_in.conv.weight`, `${half}.conv_in.weight`]),
  official: ['vae.'],
};

/** One half of a VAE, in the engine. */
export interface LoadedVae {
  /** The checkpoint's file, for hashes. */
  readonly file: string;
  readonly graph: VaeGraph;
  readonly session: Session;
}

/** Builds the graph of one half from a checkpoint and loads it. Throws CheckpointError. */
export async function openVae(
  runtime: Runtime,
  path: string,
  build: (weights: NamedWeights) => VaeGraph,
): Promise<LoadedVae> {
  const weights = openWeights(path);
  try {
    if (
      weights.has('decoder.mid.attn_1.q.weight') ||
      weights.has('decoder.mid_block.resnets.0.norm1.weight')
    ) {
      throw new CheckpointError(weights.label, "is FLUX's autoencoder: an Infinity needs its own, a BSQ-VAE");
    }
    const graph = build(unwrapped(weights, VAE));
    const session = await runtime.load(graph.model, { checkpoint: weights.label });
    return { file: weights.label, graph, session };
  } finally {
    weights.close();
  }
}

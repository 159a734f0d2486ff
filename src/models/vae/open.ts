// Opens a VAE checkpoint; the official file keeps its state dict under the key 'vae'.

import type { Runtime, Session } from '../../runtime/index.js';
import { openWeights, type TensorSource, withPrefix } from '../../runtime/weights/index.js';
import type { VaeGraph } from './graph.js';

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
  build: (weights: TensorSource) => VaeGraph,
): Promise<LoadedVae> {
  const weights = openWeights(path);
  try {
    const wrapped = weights.names.some((name) => name.startsWith('vae.'));
    const graph = build(wrapped ? withPrefix(weights, 'vae.') : weights);
    return { file: weights.label, graph, session: await runtime.load(graph.model) };
  } finally {
    weights.close();
  }
}

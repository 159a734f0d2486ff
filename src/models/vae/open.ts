// Opens a VAE checkpoint; the official file keeps its state dict under the key 'vae'.

import { openWeights } from '../../runtime/weights/open-weights.js';
import { type TensorSource, withPrefix } from '../../runtime/weights/tensor-source.js';

/** The tensors of a VAE under their bare names. The caller closes the source. */
export function openVae(path: string): TensorSource {
  const weights = openWeights(path);
  return weights.names.some((name) => name.startsWith('vae.')) ? withPrefix(weights, 'vae.') : weights;
}

// The multi-scale bitwise quantiser (infinity/models/bsq_vae/multiscale_bsq.py, inference): each scale takes the signs of
// what is left of the latent, shrunk by area; its codes of plus or minus 1/sqrt(d) grow linearly and are taken off.

import type { LatentPlanes } from './decoder.js';
import { interpolate, type PlaneSize } from './interpolate.js';

/** A latent cut into scales. */
interface Tokenised {
  /** Bits of every scale in the VAE's grid, [height, width, d]. */
  readonly bits: readonly Uint8Array[];
  /** The sum of all codes, [d, height, width]: what the decoder gets. */
  readonly sum: LatentPlanes;
}

/** Quantises a latent over a schedule of grids; a value of 0 or below is bit 0. */
export function tokenise(latent: LatentPlanes, channels: number, scales: readonly PlaneSize[]): Tokenised {
  const value = Math.fround(1 / Math.sqrt(channels));
  const residual = latent.data.slice();
  const sum = new Float32Array(latent.data.length);
  const bits = scales.map((scale) => {
    const shrunk = interpolate(residual, channels, latent, scale, 'area');
    const codes = shrunk.map((x) => (x > 0 ? value : -value));
    const grown = interpolate(codes, channels, scale, latent, 'linear');
    for (let i = 0; i < sum.length; i++) {
      residual[i] = (residual[i] ?? 0) - (grown[i] ?? 0);
      sum[i] = (sum[i] ?? 0) + (grown[i] ?? 0);
    }
    return gridBits(shrunk, channels, scale);
  });
  return { bits, sum: { height: latent.height, width: latent.width, data: sum } };
}

/** Signs of planes [d, height, width] as bits [height, width, d]. */
function gridBits(planes: Float32Array, channels: number, { height, width }: PlaneSize): Uint8Array {
  const places = height * width;
  const bits = new Uint8Array(planes.length);
  for (let channel = 0; channel < channels; channel++) {
    for (let place = 0; place < places; place++) {
      bits[place * channels + channel] = (planes[channel * places + place] ?? 0) > 0 ? 1 : 0;
    }
  }
  return bits;
}

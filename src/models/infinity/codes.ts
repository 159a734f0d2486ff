// Between bits and the latent: codes of plus or minus 1/sqrt(d), their sum over the scales, and the next scale's input
// (autoregressive_infer_cfg in infinity/models/infinity.py). Bits are kept in token order: [tokens, D], which with spatial
// patchify is PyTorch's pixel-unshuffle order of the 2 x 2 patch (D = 4 d: channel, then row, then column).

import { interpolate } from '../vae/interpolate.js';
import type { Scale } from './schedule.js';

/** How tokens lie over the latent grid. */
export interface CodeLayout {
  /** d: channels of the latent. */
  readonly channels: number;
  /** Side of the patch of latent places that one token covers: 1, or 2 with spatial patchify. */
  readonly patch: number;
}

/** A stack of planes: [channels, height, width]. */
export interface Latent {
  readonly height: number;
  readonly width: number;
  readonly data: Float32Array;
}

/** The latent grid of a scale given in tokens. */
export function latentGrid({ height, width }: Scale, { patch }: CodeLayout): Scale {
  return { height: height * patch, width: width * patch };
}

/** Calls `visit` for every value of a scale with its place in token order and in the planes. */
function forEachBit(scale: Scale, layout: CodeLayout, visit: (token: number, plane: number) => void): void {
  const { channels, patch } = layout;
  const grid = latentGrid(scale, layout);
  const depth = channels * patch * patch;
  for (let y = 0; y < grid.height; y++) {
    for (let x = 0; x < grid.width; x++) {
      const token = Math.floor(y / patch) * scale.width + Math.floor(x / patch);
      const place = (y % patch) * patch + (x % patch);
      for (let c = 0; c < channels; c++) {
        visit(token * depth + c * patch * patch + place, (c * grid.height + y) * grid.width + x);
      }
    }
  }
}

/** The codes of a scale's bits on its own latent grid. */
export function codesOf(bits: Uint8Array, scale: Scale, layout: CodeLayout): Latent {
  const value = 1 / Math.sqrt(layout.channels);
  const grid = latentGrid(scale, layout);
  const data = new Float32Array(bits.length);
  forEachBit(scale, layout, (token, plane) => {
    data[plane] = bits[token] === 1 ? value : -value;
  });
  return { ...grid, data };
}

/** The sum of codes so far plus those of one more scale, grown to the last scale's grid. */
export function addCodes(sum: Latent, bits: Uint8Array, scale: Scale, layout: CodeLayout): Latent {
  const codes = codesOf(bits, scale, layout);
  const grown = interpolate(codes.data, layout.channels, codes, sum, 'linear');
  const data = Float32Array.from(sum.data, (value, i) => value + (grown[i] ?? 0));
  return { height: sum.height, width: sum.width, data };
}

/** An empty sum on the grid of `scale`. */
export function emptyLatent(scale: Scale, layout: CodeLayout): Latent {
  const grid = latentGrid(scale, layout);
  return { ...grid, data: new Float32Array(layout.channels * grid.height * grid.width) };
}

/** The transformer's input for a scale: the sum brought to its grid, in token order [tokens, D]. */
export function scaleInput(sum: Latent, scale: Scale, layout: CodeLayout): Float32Array {
  const grid = latentGrid(scale, layout);
  const planes = interpolate(sum.data, layout.channels, sum, grid, 'linear');
  const tokens = new Float32Array(planes.length);
  forEachBit(scale, layout, (token, plane) => {
    tokens[token] = planes[plane] ?? 0;
  });
  return tokens;
}

/** Bits in the VAE's grid [height, width, d] (as fixtures and the tokeniser give them) in token order. */
export function bitsFromGrid(grid: ArrayLike<number>, scale: Scale, layout: CodeLayout): Uint8Array {
  const { height, width } = latentGrid(scale, layout);
  const bits = new Uint8Array(layout.channels * height * width);
  forEachBit(scale, layout, (token, plane) => {
    const channel = Math.floor(plane / (height * width));
    const place = plane % (height * width);
    bits[token] = grid[place * layout.channels + channel] ?? 0;
  });
  return bits;
}

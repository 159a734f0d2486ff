// The layers of a decoder in float32 whose large maps are computed in bands of rows: the same numbers, to the bit, in about half of
// the memory.

import {
  add,
  conv2d,
  type ConvOptions,
  groupNormOf,
  type GroupNormOptions,
  inBands,
  type NamedWeights,
  silu,
  slice,
  upsampleNearest2x,
  type Value,
} from '../../runtime/graph/index.js';
import { Layers } from './layers.js';

/** Fewer take more memory, more of them open more slowly and take no less. */
const BANDS = 4;
/** In how many parts of its channels a map's moments are summed: sums over fewer channels are slower. */
const PARTS = 2;
/** Maps of fewer floats than this for a pixel of the picture are not in the way of anything: an embedded decoder has 64 at most. */
const BANDED_FROM = 100;

/** As Layers, in bands. */
export class BandedLayers extends Layers {
  /** Pixels of the picture that a place of the latent becomes. */
  readonly #pixels: number;

  constructor(weights: NamedWeights, moments?: GroupNormOptions['moments']) {
    super(weights, moments);
    const doublings = weights.names.filter((name) => /^decoder\.up\.\d+\.upsample\..*weight$/.test(name));
    this.#pixels = 4 ** doublings.length;
  }

  override resBlock(x: Value, name: string): Value {
    const bands = this.#bands(x);
    if (bands === 1) return super.resBlock(x, name);
    const inner = this.#activatedConv(x, bands, [`${name}.norm1`, `${name}.conv1`]);
    const shortcut = this.has(`${name}.nin_shortcut`) ? this.#kernel(x, `${name}.nin_shortcut`) : null;
    return this.#activatedConv(inner, bands, [`${name}.norm2`, `${name}.conv2`], (conv, rows) =>
      add(shortcut ? shortcut(rows(x)) : rows(x), conv),
    );
  }

  override upsampled(x: Value, name: string): Value {
    const bands = this.#bands(x, 4);
    if (bands === 1) return super.upsampled(x, name);
    this.scale *= 4;
    const kernel = this.#kernel(x, name);
    return inBands(x, bands, ({ rows, padding, isFirst, isLast }) => {
      // Of the two rows that the one beyond the border becomes, the nearer is a neighbour.
      const doubled = upsampleNearest2x(rows(x, 1));
      return kernel(slice(doubled, 2, isFirst ? 0 : 1, isLast ? undefined : -1), { padding });
    });
  }

  override last(x: Value, norm: string, conv: string): Value {
    const bands = this.#bands(x);
    return bands === 1 ? super.last(x, norm, conv) : this.#activatedConv(x, bands, [norm, conv]);
  }

  /** What goes in, and what comes out twice, in bands and as one map. */
  protected override floatsOf(inner: number, out: number): number {
    const isBanded = this.#floatsOfPixel(Math.max(inner, out)) >= BANDED_FROM;
    return isBanded ? inner + 2 * out : super.floatsOf(inner, out);
  }

  #floatsOfPixel(channels: number): number {
    return (channels * this.scale) / this.#pixels;
  }

  /** Into how many bands x is cut where a map of its channels is made, of as many places or `times` as many. At least a row each. */
  #bands(x: Value, times = 1): number {
    const floats = this.#floatsOfPixel(Number(x.shape[1]) * times);
    return floats < BANDED_FROM ? 1 : Math.min(BANDS, Math.sqrt(this.scale));
  }

  /** Norm, SiLU and a convolution of 3 x 3; `then` is done to each of its bands. */
  #activatedConv(
    x: Value,
    bands: number,
    [norm, conv]: readonly [string, string],
    then: (conv: Value, rows: (map: Value) => Value) => Value = (value) => value,
  ): Value {
    const { moments } = this;
    const normed = groupNormOf(x, { ...this.normOptions(x, norm), moments }, PARTS);
    const kernel = this.#kernel(x, conv);
    return inBands(x, bands, ({ rows, padding }) =>
      then(kernel(silu(normed(rows(x, 1))), { padding }), rows),
    );
  }

  /** A convolution, whose cost is counted once. */
  #kernel(x: Value, name: string): (rows: Value, options?: ConvOptions) => Value {
    const { key, bias } = this.kernel(x, name);
    const weight = x.graph.weightFrom(this.weights, key);
    return (rows, options) => conv2d(rows, weight, bias, options);
  }
}

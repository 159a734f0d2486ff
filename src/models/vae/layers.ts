// The layers of a picture autoencoder by their names in a checkpoint, and what they cost. Maps are [B, C, H, W] in float32 here;
// layers-int8.ts has the same layers in 8 bits.

import { inRange } from '../../core/config-fields.js';
import { type Range } from '../../core/config-ranges.js';
import { CheckpointError } from '../../core/errors.js';
import {
  add,
  conv2d,
  type ConvOptions,
  type Dim,
  groupNorm,
  type GroupNormOptions,
  multiHeadAttention,
  type NamedWeights,
  reshapeTo,
  shapeOf,
  silu,
  transpose,
  upsampleNearest2x,
  type Value,
} from '../../runtime/graph/index.js';

const EPS = 1e-6;

/** Looks up layers by name, whatever their spelling, and counts what they cost. */
export class Layers {
  readonly weights: NamedWeights;
  /** Sorted, so that looking for a prefix does not go through all of them. */
  readonly #names: readonly string[];
  /** Operations and largest map, in units of the places of the finest and the coarsest level. */
  operations: { readonly flops: number; readonly floats: number }[] = [];
  scale = 1;
  flopsPerPair = 0;

  readonly moments: GroupNormOptions['moments'];

  constructor(weights: NamedWeights, moments: GroupNormOptions['moments'] = 'summed') {
    this.weights = weights;
    this.#names = [...weights.names].sort();
    this.moments = moments;
  }

  has(name: string): boolean {
    const prefix = `${name}.`;
    return this.#names[firstFrom(this.#names, prefix)]?.startsWith(prefix) ?? false;
  }

  /** How many numbered children `name` has: `name.0`, `name.1`, ... */
  count(name: string, range: Range): number {
    let count = 0;
    while (count <= range.most && this.has(`${name}.${count}`)) count++;
    return inRange(this.weights.label, `'${name}'`, count, range);
  }

  conv(x: Value, name: string, options: ConvOptions = {}): Value {
    const { key, bias } = this.kernel(x, name, options);
    return conv2d(x, x.graph.weightFrom(this.weights, key), bias, options);
  }

  norm(x: Value, name: string): Value {
    return groupNorm(x, { ...this.normOptions(x, name), moments: this.moments });
  }

  /** The norm with the SiLU that follows it. */
  activated(x: Value, name: string): Value {
    return silu(this.norm(x, name));
  }

  /** Every place becomes 2 x 2, then a convolution. */
  upsampled(x: Value, name: string): Value {
    this.scale *= 4;
    return this.conv(upsampleNearest2x(x), name, { padding: 1 });
  }

  /** The last convolution, with the norm and the SiLU before it. */
  last(x: Value, norm: string, conv: string): Value {
    return this.conv(this.leave(this.activated(x, norm)), conv, { padding: 1 });
  }

  /** A map [B, C, H, W] as these layers want it. */
  enter(map: Value): Value {
    return map;
  }

  /** The map [B, C, H, W] of what these layers give. */
  leave(x: Value): Value {
    return x;
  }

  /** Floats that live at once around a convolution, for a place of its output. */
  protected floatsOf(inner: number, out: number): number {
    return 2 * (inner + out);
  }

  /** Where a convolution's kernel lies, its shape and its bias; counts what it costs. */
  protected kernel(
    x: Value,
    name: string,
    { stride }: ConvOptions = {},
  ): { readonly key: string; readonly shape: readonly number[]; readonly bias: Value } {
    const key = `${this.#key(name, 'conv')}.weight`;
    const { shape } = this.weights.info(key);
    const [out = 0, inner = 0, kernelHeight = 0, kernelWidth = 0] = shape;
    if (shape.length !== 4) {
      throw new CheckpointError(
        this.weights.label,
        `'${key}' has ${shape.length} dimensions: only picture VAEs are supported`,
      );
    }
    const bias = x.graph.weightFrom(this.weights, key.replace(/weight$/, 'bias'), { expected: [out] });
    if (stride === 2) this.scale /= 4;
    const flops = 2 * out * inner * kernelHeight * kernelWidth * this.scale;
    this.operations.push({ flops, floats: this.floatsOf(inner, out) * this.scale });
    return { key, shape, bias };
  }

  protected normOptions(x: Value, name: string): Omit<GroupNormOptions, 'moments'> {
    const key = this.#key(name, 'norm');
    const [channels = 0] = this.weights.info(`${key}.weight`).shape;
    const groups = [32, 24].find((n) => channels % n === 0);
    if (groups === undefined) {
      throw new CheckpointError(
        this.weights.label,
        `'${key}' has ${channels} channels, no multiple of 32 or 24`,
      );
    }
    const weight = x.graph.weightFrom(this.weights, `${key}.weight`);
    const bias = x.graph.weightFrom(this.weights, `${key}.bias`);
    return { groups, eps: EPS, weight, bias };
  }

  /** norm, SiLU, convolution, twice; the input is added at the end. */
  resBlock(x: Value, name: string): Value {
    let h = this.conv(this.activated(x, `${name}.norm1`), `${name}.conv1`, { padding: 1 });
    h = this.conv(this.activated(h, `${name}.norm2`), `${name}.conv2`, { padding: 1 });
    return this.sum(this.has(`${name}.nin_shortcut`) ? this.conv(x, `${name}.nin_shortcut`) : x, h);
  }

  /** The sum of two maps. */
  sum(x: Value, y: Value): Value {
    return add(x, y);
  }

  middle(x: Value, name: string): Value {
    const h = this.resBlock(x, `${name}.block_1`);
    const attended = this.has(`${name}.attn_1`) ? this.attention(h, `${name}.attn_1`) : h;
    return this.resBlock(attended, `${name}.block_2`);
  }

  /** One head over all places, divided by the root of the channels; the input is added at the end. */
  attention(x: Value, name: string): Value {
    const g = x.graph;
    const [batch, channels] = x.shape as [Dim, number, Dim, Dim];
    const normed = this.norm(x, `${name}.norm`);
    const rows = (part: string): Value => {
      const map = this.conv(normed, `${name}.${part}`);
      const flat = reshapeTo(map, g.constant([0, 0, -1]), [batch, channels, '?']);
      return transpose(flat, [0, 2, 1]); // [B, places, C]
    };
    const { output } = multiHeadAttention({ heads: 1, query: rows('q'), key: rows('k'), value: rows('v') });
    this.flopsPerPair += 4 * channels;
    const map = reshapeTo(transpose(output, [0, 2, 1]), shapeOf(x), x.shape);
    return add(x, this.conv(map, `${name}.proj_out`));
  }

  #key(name: string, inner: string): string {
    for (const key of [`${name}.${inner}`, name]) if (this.weights.has(`${key}.weight`)) return key;
    throw new CheckpointError(
      this.weights.label,
      `is no picture autoencoder of this kind: no tensor '${name}.weight'`,
    );
  }
}

/** The place of the first of sorted names that does not stand before `wanted`. */
function firstFrom(names: readonly string[], wanted: string): number {
  let [low, high] = [0, names.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((names[middle] as string) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

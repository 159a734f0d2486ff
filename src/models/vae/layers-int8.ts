// The layers of a decoder with convolutions in 8 bits, for pictures that are only judged. Maps are rows of places [B, H * W, C] between
// the first convolution and the last, which stay in float32, as do norms, sums and the 1 x 1 convolutions of the shortcuts.

import {
  add,
  concat,
  convInt8,
  type ConvOptions,
  type Dim,
  doubled,
  gemm,
  type Grid,
  groupNormPlaces,
  mul,
  type Pending,
  reshape,
  reshapeTo,
  rowsOf,
  shapeOf,
  siluFast,
  slice,
  toMap,
  toPlaces,
  type Value,
} from '../../runtime/graph/index.js';
import { Layers } from './layers.js';

/** As Layers, in 8 bits. */
export class Int8Layers extends Layers {
  #grid: Grid | null = null;
  /** Values that come from a SiLU. */
  readonly #activated = new Set<Value>();
  /** What is still to be done to values, and is done by those who use them. */
  readonly #pending = new Map<Value, Pending>();

  override enter(map: Value): Value {
    const { places, grid } = toPlaces(map);
    this.#grid = grid;
    return places;
  }

  override leave(places: Value): Value {
    const map = toMap(places, this.#gridNow());
    this.#grid = null;
    return map;
  }

  override conv(x: Value, name: string, options: ConvOptions = {}): Value {
    return this.#grid === null ? super.conv(x, name, options) : this.#convPlaces(x, name, this.#grid);
  }

  override activated(x: Value, name: string): Value {
    const pending = this.#pending.get(x);
    const value = siluFast(groupNormPlaces(x, { ...this.normOptions(x, name), pending }));
    this.#activated.add(value);
    return value;
  }

  override upsampled(x: Value, name: string): Value {
    this.scale *= 4;
    const source = this.#gridNow();
    this.#grid = doubled(source);
    return this.#convPlaces(this.#settled(x), name, this.#grid, source);
  }

  override sum(x: Value, y: Value): Value {
    const [first, second] = [x, y].map((each) => this.#pending.get(each) ?? {});
    const value = add(scaled(x, first), scaled(y, second));
    const summands = [first, second].flatMap((each) => each?.summand ?? []);
    if (summands.length > 0) this.#pending.set(value, { summand: summands.reduce((a, b) => add(a, b)) });
    return value;
  }

  override attention(): Value {
    throw new RangeError('there is no attention in 8 bits');
  }

  /** With nothing pending any more. */
  #settled(x: Value): Value {
    const { factor, summand } = this.#pending.get(x) ?? {};
    const value = scaled(x, { factor });
    return summand ? add(value, summand) : value;
  }

  /** Nine neighbours of a byte each besides; 6,400 bytes a pixel were measured with the official VAE. */
  protected override floatsOf(inner: number, out: number): number {
    return 1.5 * (inner + out + (9 / 4) * inner);
  }

  #gridNow(): Grid {
    if (!this.#grid) throw new RangeError('the map has not been taken apart');
    return this.#grid;
  }

  #convPlaces(x: Value, name: string, grid: Grid, source?: Grid): Value {
    const { key, shape, bias } = this.kernel(x, name);
    const size = shape[2];
    if (size === 1) return this.#linear(x, key, bias);
    const kernel = { name: key, shape, read: () => this.weights.read(key) };
    const activation = this.#activated.has(x) ? 'silu' : 'any';
    const { product, factor } = convInt8(x, kernel, { grid, source, activation });
    this.#pending.set(product, { factor, summand: bias });
    return product;
  }

  /** A convolution of 1 x 1, in float32. */
  #linear(x: Value, key: string, bias: Value): Value {
    const g = x.graph;
    const [batch, places, inner] = x.shape as [Dim, Dim, number];
    const [out = 0] = bias.shape;
    const weight = g.weightFrom(this.weights, key, { shape: [out as number, inner] });
    const sides = concat([slice(shapeOf(x), 0, 0, 2), g.constant([out as number])], 0);
    const { factor, summand } = this.#pending.get(x) ?? {};
    const value = reshapeTo(gemm(rowsOf(scaled(x, { factor })), weight), sides, [batch, places, out]);
    this.#pending.set(value, {
      summand: summand ? reshape(gemm(reshape(summand, [1, inner]), weight, bias), [out]) : bias,
    });
    return value;
  }
}

function scaled(x: Value, { factor }: Pending = {}): Value {
  return factor ? mul(x, factor) : x;
}

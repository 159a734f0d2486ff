// Feature maps whose channels lie innermost, as rows of places [B, P, C] on a grid of P = H x W: what convolutions in 8 bits are made
// of. A convolution of 3 x 3 gathers the nine neighbours of every place and is one matrix product then, in whole numbers, and exact.
// Every picture has a scale of its own, which is found while it runs: a picture's numbers never depend on those beside it, and nothing
// has to be calibrated. (One static scale for all pictures, which QLinearConv wants for its input and for its output, would.)

import { RuntimeError } from '../../core/errors.js';
import type { Value } from './builder.js';
import type { GroupNormOptions } from './ops-image.js';
import { quantizeChannels } from './ops-int8.js';
import { matMul } from './ops-linear.js';
import {
  abs,
  add,
  cast,
  div,
  equal,
  maximum,
  minimum,
  mul,
  quickGelu,
  reduceMax,
  reduceSum,
  sqrt,
  sub,
  where,
} from './ops-math.js';
import {
  concat,
  expandTo,
  gather,
  range,
  reshape,
  reshapeTo,
  shapeOf,
  slice,
  transpose,
  unsqueeze,
} from './ops-shape.js';
import { type Dim, formatShape, UNKNOWN } from './shapes.js';
import { sharedRead } from './shared-read.js';

/** The sides of a grid of places, int64 [1]. */
export interface Grid {
  readonly height: Value;
  readonly width: Value;
}

/** A map [B, C, H, W] as rows of its places. */
export function toPlaces(map: Value): { readonly places: Value; readonly grid: Grid } {
  const g = map.graph;
  const [batch, channels] = map.shape as [Dim, number, Dim, Dim];
  const flat = reshapeTo(map, g.constant([0, 0, -1]), [batch, channels, UNKNOWN]);
  const shape = shapeOf(map);
  return {
    places: transpose(flat, [0, 2, 1]),
    grid: { height: slice(shape, 0, 2, 3), width: slice(shape, 0, 3, 4) },
  };
}

/** Rows of places as a map [B, C, H, W]. */
export function toMap(places: Value, { height, width }: Grid): Value {
  const g = places.graph;
  const [batch, , channels] = places.shape as [Dim, Dim, number];
  const shape = concat([g.constant([0, channels]), height, width], 0);
  return reshapeTo(transpose(places, [0, 2, 1]), shape, [batch, channels, UNKNOWN, UNKNOWN]);
}

/** A grid of twice the sides. */
export function doubled({ height, width }: Grid): Grid {
  return { height: mul(height, 2), width: mul(width, 2) };
}

/** Where the neighbours of every place of a grid lie in a map that has its sides, or half of them: [P * 9]; behind its end what is outside. */
function neighbours(grid: Grid, source: Grid): Value {
  const g = grid.height.graph;
  const factor = grid === source ? 1 : 2;
  return g.once(`neighbours:${grid.height.name}:${factor}`, () => {
    const outside = mul(source.height, source.width);
    const along = (side: Value, step: Value | number): Value => {
      const at = add(unsqueeze(range(side, UNKNOWN), [1]), g.constant([-1, 0, 1])); // [side, 3]
      const inside = equal(at, maximum(minimum(at, sub(side, 1)), 0));
      return where(inside, mul(factor === 1 ? at : div(at, factor), step), outside);
    };
    const rows = unsqueeze(along(grid.height, source.width), [1, 3]);
    const columns = unsqueeze(along(grid.width, 1), [0, 2]);
    return reshape(minimum(add(rows, columns), outside), [-1]); // from [H, W, 3, 3]
  });
}

/** The range of what is quantised: any numbers, or those of a SiLU, which has little below zero. */
export type Activation = 'any' | 'silu';

const LEVELS: Readonly<
  Record<Activation, { readonly zero: number; readonly above: number; readonly least: number }>
> = {
  any: { zero: 128, above: 127, least: 1e-30 },
  // Its smallest number, -0.27847, is 16 steps below zero where steps are this long.
  silu: { zero: 16, above: 239, least: 0.27847 / 16 },
};

/** Options of a convolution in 8 bits. */
export interface PlaceConvOptions {
  readonly grid: Grid;
  /** The grid of its input where every place is to become 2 x 2 before. @default the same */
  readonly source?: Grid | undefined;
  /** What the input can be. @default any */
  readonly activation?: Activation | undefined;
}

/** The weight of a convolution of 3 x 3, [out, in, 3, 3], read when the model is loaded or saved. */
export interface KernelSource {
  readonly name: string;
  readonly shape: readonly number[];
  read(): Float32Array | Promise<Float32Array>;
}

/**
 * Convolution of x [B, P, C] with a kernel of 3 x 3 and zeros around: gives [B, P', O], and its factor of every picture. Activations are unsigned, with
 * one scale a picture, by its largest; weights signed, with one scale an output channel.
 */
export function convInt8(
  x: Value,
  kernel: KernelSource,
  options: PlaceConvOptions,
): { readonly product: Value; readonly factor: Value } {
  const g = x.graph;
  const { grid, source = grid, activation = 'any' } = options;
  const [batch, , channels] = x.shape as [Dim, Dim, number];
  const [out = 0, inner = 0, height, width] = kernel.shape;
  if (inner !== channels || height !== 3 || width !== 3) {
    throw new RuntimeError(
      `Conv of ${x.name} ${formatShape(x.shape)} with ${kernel.name} ${formatShape(kernel.shape)}: channels do not fit, or it is not 3 x 3.`,
    );
  }
  const { zero, above, least } = LEVELS[activation];
  const most = activation === 'silu' ? x : abs(x);
  const scale = maximum(mul(reduceMax(most, [1, 2]), 1 / above), least); // [B]
  const zeros = expandTo(g.constant(Uint8Array.of(zero), [1]), shapeOf(scale), [batch]);
  const quantized = g.op1('QuantizeLinear', {
    inputs: [x, scale, zeros],
    attributes: { axis: 0 },
    type: 'uint8',
    shape: x.shape,
  });
  const padded = g.op1('Pad', {
    inputs: [quantized, g.constant([0, 0, 0, 0, 1, 0]), g.constant(Uint8Array.of(zero), [])],
    type: 'uint8',
    shape: [batch, UNKNOWN, channels],
  });
  const gathered = gather(padded, neighbours(grid, source), 1);
  const patches = reshapeTo(gathered, g.constant([0, -1, 9 * channels]), [batch, UNKNOWN, 9 * channels]);
  const weights = sharedRead(2, async () =>
    quantizeChannels(placesFirst(await kernel.read(), inner), out, 9 * inner),
  );
  const product = g.op1('MatMulIntegerToFloat', {
    inputs: [
      patches,
      g.lazyWeight(
        `${kernel.name}:int8`,
        { shape: [9 * inner, out], read: async () => (await weights()).values },
        'int8',
      ),
      g.constant(1),
      g.lazyWeight(`${kernel.name}:scales`, { shape: [out], read: async () => (await weights()).scales }),
      g.constant(Uint8Array.of(zero), []),
    ],
    domain: 'com.microsoft',
    type: 'float32',
    shape: [batch, UNKNOWN, out],
  });
  return { product, factor: unsqueeze(scale, [1, 2]) };
}

/** Kernels [out, in, 9] as [out, 9, in]. */
function placesFirst(kernels: Float32Array, inner: number): Float32Array {
  const turned = new Float32Array(kernels.length);
  for (let at = 0; at < kernels.length; at += 9 * inner) {
    for (let channel = 0; channel < inner; channel++) {
      for (let place = 0; place < 9; place++) {
        turned[at + place * inner + channel] = kernels[at + channel * 9 + place] as number;
      }
    }
  }
  return turned;
}

/** Numbers times a factor of their picture, [B, 1, 1], plus a summand of their channel, [C]: what is still to be done to them. */
export interface Pending {
  readonly factor?: Value | undefined;
  readonly summand?: Value | undefined;
}

/** Options of the group norm on places. */
interface PlaceNormOptions extends Omit<GroupNormOptions, 'moments'> {
  /** What is to be done to x before, which costs nothing here. @default nothing */
  readonly pending?: Pending | undefined;
}

/** As the group norm of a map, on its places [B, P, C]. */
export function groupNormPlaces(
  x: Value,
  { groups, eps, weight, bias, pending = {} }: PlaceNormOptions,
): Value {
  const g = x.graph;
  const [batch, , channels] = x.shape as [Dim, Dim, number];
  const perGroup = channels / groups;
  const places = slice(shapeOf(x), 0, 1, 2);
  const count = cast(places, 'float32');
  const ones = expandTo(g.constant(Float32Array.of(1), [1, 1]), concat([g.constant([1]), places], 0), [
    1,
    UNKNOWN,
  ]);
  // A product with ones is the engine's fastest sum over what does not lie innermost.
  const sum = (value: Value): Value => matMul(ones, value); // [B, 1, C]
  let first = sum(x);
  let second = sum(mul(x, x));
  const { factor, summand } = pending;
  if (factor) [first, second] = [mul(first, factor), mul(second, mul(factor, factor))];
  if (summand) {
    const crossed = mul(mul(first, summand), 2);
    const shift = mul(count, summand);
    [first, second] = [add(first, shift), add(add(second, crossed), mul(shift, summand))];
  }
  const mean = (sums: Value): Value => {
    const parted = reshapeTo(sums, g.constant([0, groups, perGroup]), [batch, groups, perGroup]);
    return div(reduceSum(parted, [2], true), mul(count, perGroup)); // [B, G, 1]
  };
  const average = mean(first);
  const variance = maximum(sub(mean(second), mul(average, average)), 0);
  const slope = mul(reshape(weight, [1, groups, perGroup]), div(1, sqrt(add(variance, eps))));
  const offset = sub(reshape(bias, [1, groups, perGroup]), mul(average, slope));
  const perChannel = (value: Value): Value =>
    reshapeTo(value, g.constant([0, 1, channels]), [batch, 1, channels]);
  const [slopes, offsets] = [perChannel(slope), perChannel(offset)];
  return add(
    mul(x, factor ? mul(slopes, factor) : slopes),
    summand ? add(offsets, mul(slopes, summand)) : offsets,
  );
}

/** x * sigmoid(x) by the engine's own operator: one pass, and good to 1e-6. */
export function siluFast(x: Value): Value {
  return quickGelu(x, 1);
}

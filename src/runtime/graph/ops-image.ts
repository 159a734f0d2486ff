// Operators on pictures and feature maps [B, C, H, W].

import { RuntimeError } from '../../core/errors.js';
import type { Value } from './builder.js';
import { add, cast, div, maximum, mul, reduceProduct, reduceSum, sqrt, sub } from './ops-math.js';
import { reshape, reshapeTo, shapeOf, slice, transpose, unsqueeze } from './ops-shape.js';
import { addDims, type Dim, formatShape, mayEqual, scaleDim, type Shape, UNKNOWN } from './shapes.js';

/** Stride and zero padding of a convolution. */
export interface ConvOptions {
  /** @default 1 */
  readonly stride?: number;
  /** Zeros on all sides, or [top, left, bottom, right]. @default 0 */
  readonly padding?: number | readonly [number, number, number, number];
}

function outputDim(size: Dim, pads: number, kernel: number, stride: number): Dim {
  if (typeof size === 'number') return Math.floor((size + pads - kernel) / stride) + 1;
  return stride === 1 ? addDims(size, pads - kernel + 1) : UNKNOWN;
}

/** Convolution of x [B, C, H, W] with weight [O, C, kh, kw] and bias [O]; gives [B, O, H', W']. */
export function conv2d(x: Value, weight: Value, bias?: Value, options: ConvOptions = {}): Value {
  const { stride = 1, padding = 0 } = options;
  const [batch, channels, height, width] = x.shape as [Dim, Dim, Dim, Dim];
  const [out, inner, kernelHeight, kernelWidth] = weight.shape as [number, number, number, number];
  if (x.shape.length !== 4 || weight.shape.length !== 4 || !mayEqual(channels, inner)) {
    throw new RuntimeError(
      `Conv of ${x.name} ${formatShape(x.shape)} with ${weight.name} ${formatShape(weight.shape)}: channels do not fit.`,
    );
  }
  const pads = typeof padding === 'number' ? [padding, padding, padding, padding] : padding;
  const [top, left, bottom, right] = pads as [number, number, number, number];
  const attributes = { kernel_shape: [kernelHeight, kernelWidth], strides: [stride, stride], pads };
  const shape = [
    batch,
    out,
    outputDim(height, top + bottom, kernelHeight, stride),
    outputDim(width, left + right, kernelWidth, stride),
  ];
  return x.graph.op1('Conv', { inputs: [x, weight, bias], attributes, type: x.type, shape });
}

/** Every pixel becomes a block of 2 x 2 equal ones (nearest neighbour): [B, C, H, W] to [B, C, 2H, 2W]. */
export function upsampleNearest2x(x: Value): Value {
  const [batch, channels, height, width] = x.shape as [Dim, Dim, Dim, Dim];
  const scales = x.graph.constant(Float32Array.of(1, 1, 2, 2));
  return x.graph.op1('Resize', {
    inputs: [x, undefined, scales],
    attributes: { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' },
    type: x.type,
    shape: [batch, channels, scaleDim(height, 2), scaleDim(width, 2)],
  });
}

/** Options of the group norm; weight and bias are [C]. */
interface GroupNormOptions {
  readonly groups: number;
  readonly eps: number;
  readonly weight: Value;
  readonly bias: Value;
}

/**
 * Mean 0 and variance 1 over the places and channels of each group, then weight and bias; x [B, C, H, W].
 *
 * Sums of x and of its square run over the places, channel by channel, as in PyTorch's kernel for tensors whose channels
 * lie innermost (`GroupNormKernelImplChannelsLast`): Infinity's official code decodes such tensors. From 65,536 places on
 * these float32 sums are off by 1e-5, and a decoder of thirty norms by 1.4e-4 of the picture's deviation. A picture
 * computed with exact sums differs from the official one by that much; with the same sums it stays below 1e-4. The cost
 * is that of any other formulation (all within 10% of InstanceNormalization in a whole decoder).
 */
export function groupNorm(x: Value, options: GroupNormOptions): Value {
  const { groups, eps, weight, bias } = options;
  const [batch, channels] = x.shape as [Dim, Dim, Dim, Dim];
  if (typeof channels !== 'number' || channels % groups !== 0 || weight.shape[0] !== channels) {
    throw new RuntimeError(
      `GroupNorm of ${x.name} ${formatShape(x.shape)}: ${groups} groups and a weight ${formatShape(weight.shape)} do not fit.`,
    );
  }
  const g = x.graph;
  const perGroup = channels / groups;
  const to = (value: Value, spec: readonly number[], shape: Shape): Value =>
    reshapeTo(value, g.constant(spec), shape);
  // With the places in front, the engine adds one place after the other, whatever the batch size. The second reshape
  // keeps its optimiser from moving the transposition behind the sums.
  const rows = transpose(to(x, [0, 0, -1], [batch, channels, UNKNOWN]), [2, 0, 1]);
  const places = to(rows, [0, 0, groups, perGroup], [UNKNOWN, batch, groups, perGroup]); // [H * W, B, G, C / G]
  const numbers = mul(cast(reduceProduct(slice(shapeOf(x), 0, 2)), 'float32'), perGroup); // of one group
  const mean = (value: Value): Value => {
    const sums = reduceSum(reduceSum(value, [0]), [2], true); // [B, G, 1]
    return unsqueeze(div(sums, numbers), [3]); // [B, G, 1, 1]
  };
  const average = mean(places);
  const variance = maximum(sub(mean(mul(places, places)), mul(average, average)), 0);
  // Mean, deviation, weight and bias become one factor and one summand per channel.
  const column = [1, groups, perGroup, 1];
  const factor = mul(reshape(weight, column), div(1, sqrt(add(variance, eps)))); // [B, G, C / G, 1]
  const summand = sub(reshape(bias, column), mul(average, factor));
  const perChannel = (value: Value): Value => to(value, [0, channels, 1, 1], [batch, channels, 1, 1]);
  return add(mul(x, perChannel(factor)), perChannel(summand));
}

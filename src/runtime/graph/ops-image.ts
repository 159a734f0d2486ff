// Operators on pictures and feature maps [B, C, H, W].

import { RuntimeError } from '../../core/errors.js';
import type { Value } from './builder.js';
import { add, cast, div, maximum, mul, reduceMean, reduceProduct, reduceSum, sqrt, sub } from './ops-math.js';
import { concat, expandTo, reshape, reshapeTo, shapeOf, slice, transpose, unsqueeze } from './ops-shape.js';
import { addDims, type Dim, formatShape, mayEqual, scaleDim, UNKNOWN } from './shapes.js';

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
export interface GroupNormOptions {
  readonly groups: number;
  readonly eps: number;
  readonly weight: Value;
  readonly bias: Value;
  /** How mean and variance are summed; see groupNorm. @default 'summed' */
  readonly moments?: 'summed' | 'centred' | undefined;
}

/**
 * Mean 0 and variance 1 over the places and channels of each group, then weight and bias; x [B, C, H, W].
 *
 * Sums of x and of its square run over the places, channel by channel, as in PyTorch's kernel for tensors whose channels
 * lie innermost (`GroupNormKernelImplChannelsLast`): Infinity's official code decodes such tensors. From 65,536 places on
 * these float32 sums are off by 1e-5, and a decoder of thirty norms by 1.4e-4 of the picture's deviation. A picture
 * computed with exact sums differs from the official one by that much; with the same sums it stays below 1e-4. The cost
 * is that of any other formulation (all within 10% of InstanceNormalization in a whole decoder).
 *
 * That is 'summed'. FLUX's official code decodes tensors whose places lie innermost, where PyTorch's sums are as good as
 * exact: 'centred' adds rows, then columns, and squares what is left after the mean.
 */
export function groupNorm(x: Value, options: GroupNormOptions): Value {
  return groupNormOf(x, options)(x);
}

/**
 * The group norm of x as a function of its rows, which may be any of them: moments are those of the whole map. They are found in
 * `parts` of its groups one after the other, in less memory, and are the same to the bit where sides are multiples of four, at whose
 * borders the engine's vectors begin.
 */
export function groupNormOf(x: Value, options: GroupNormOptions, parts = 1): (rows: Value) => Value {
  const { groups, weight } = options;
  const [, channels] = x.shape as [Dim, Dim, Dim, Dim];
  if (typeof channels !== 'number' || channels % groups !== 0 || weight.shape[0] !== channels) {
    throw new RuntimeError(
      `GroupNorm of ${x.name} ${formatShape(x.shape)}: ${groups} groups and a weight ${formatShape(weight.shape)} do not fit.`,
    );
  }
  const count = groups % parts === 0 ? parts : 1;
  const each = Array.from({ length: count }, (_, i) =>
    count === 1 ? x : slice(x, 1, (i * channels) / count, ((i + 1) * channels) / count),
  );
  const sizes = { groups: groups / count, perGroup: channels / groups };
  return options.moments === 'centred' ? centredNorm(each, sizes, options) : summedNorm(each, sizes, options);
}

interface Moments {
  readonly average: Value;
  readonly variance: Value;
}

/** The moments of all groups, from those of parts of them. */
function joined(parts: readonly Moments[]): Moments {
  const all = (of: (part: Moments) => Value): Value => concat(parts.map(of), 1);
  return { average: all((part) => part.average), variance: all((part) => part.variance) };
}

interface GroupSizes {
  readonly groups: number;
  readonly perGroup: number;
}

function summedNorm(
  parts: readonly Value[],
  { groups, perGroup }: GroupSizes,
  { groups: all, eps, weight, bias }: GroupNormOptions,
): (rows: Value) => Value {
  const moments = parts.map((x): Moments => {
    const [batch, channels] = x.shape as [Dim, number, Dim, Dim];
    const g = x.graph;
    // With the places in front, the engine adds one place after the other, whatever the batch size. The second reshape
    // keeps its optimiser from moving the transposition behind the sums.
    const flat = reshapeTo(x, g.constant([0, 0, -1]), [batch, channels, UNKNOWN]);
    const spec = g.constant([0, 0, groups, perGroup]);
    const places = reshapeTo(transpose(flat, [2, 0, 1]), spec, [UNKNOWN, batch, groups, perGroup]); // [H * W, B, G, C / G]
    const numbers = mul(cast(reduceProduct(slice(shapeOf(x), 0, 2)), 'float32'), perGroup); // of one group
    const mean = (value: Value): Value => {
      const sums = reduceSum(reduceSum(value, [0]), [2], true); // [B, G, 1]
      return unsqueeze(div(sums, numbers), [3]); // [B, G, 1, 1]
    };
    const average = mean(places);
    const variance = maximum(sub(mean(mul(places, places)), mul(average, average)), 0);
    return { average, variance };
  });
  const { average, variance } = joined(moments);
  // Mean, deviation, weight and bias become one factor and one summand per channel.
  const column = [1, all, perGroup, 1];
  const factor = mul(reshape(weight, column), div(1, sqrt(add(variance, eps)))); // [B, G, C / G, 1]
  const summand = sub(reshape(bias, column), mul(average, factor));
  const channels = all * perGroup;
  const [batch = UNKNOWN] = average.shape;
  const spec = average.graph.constant([0, channels, 1, 1]);
  const [factors, summands] = [factor, summand].map((each) =>
    reshapeTo(each, spec, [batch, channels, 1, 1]),
  ) as [Value, Value];
  return (rows) => add(mul(rows, factors), summands);
}

function centredNorm(
  parts: readonly Value[],
  { groups, perGroup }: GroupSizes,
  { groups: all, eps, weight, bias }: GroupNormOptions,
): (rows: Value) => Value {
  const mean = (value: Value): Value => {
    const g = value.graph;
    const [batch, channels] = value.shape as [Dim, number, Dim, Dim];
    const columns = reduceMean(value, [3]); // [B, C, H]
    const parted = reshapeTo(columns, g.constant([0, groups, -1]), [batch, groups, UNKNOWN]);
    const each = unsqueeze(reduceMean(parted, [2], true), [3]); // [B, G, 1, 1]
    const repeated = expandTo(each, g.constant([1, groups, perGroup, 1]), [batch, groups, perGroup, 1]);
    return reshapeTo(repeated, g.constant([0, channels, 1, 1]), [batch, channels, 1, 1]);
  };
  const moments = parts.map((x): Moments => {
    const average = mean(x);
    const centred = sub(x, average);
    return { average, variance: mean(mul(centred, centred)) };
  });
  const { average, variance } = joined(moments);
  const channels = all * perGroup;
  const factor = div(reshape(weight, [1, channels, 1, 1]), sqrt(add(variance, eps)));
  const summand = reshape(bias, [1, channels, 1, 1]);
  return (rows) => add(mul(sub(rows, average), factor), summand);
}

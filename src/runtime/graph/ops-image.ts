// Operators on pictures and feature maps [B, C, H, W].

import { RuntimeError } from '../../core/errors.js';
import { add, mul } from './ops-math.js';
import { reshape } from './ops-shape.js';
import { addDims, type Dim, formatShape, mayEqual, scaleDim, UNKNOWN } from './shapes.js';
import { float, type Value } from './values.js';

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
}

/** Mean 0 and variance 1 over the places and channels of each group, then weight and bias; x [B, C, H, W]. */
export function groupNorm(x: Value, options: GroupNormOptions): Value {
  const { groups, eps, weight, bias } = options;
  const [batch, channels] = x.shape as [Dim, Dim];
  if (typeof channels !== 'number' || channels % groups !== 0 || weight.shape[0] !== channels) {
    throw new RuntimeError(
      `GroupNorm of ${x.name} ${formatShape(x.shape)}: ${groups} groups and a weight ${formatShape(weight.shape)} do not fit.`,
    );
  }
  const graph = x.graph;
  const ones = graph.once(`ones:${groups}`, () =>
    graph.weight('ones', new Float32Array(groups).fill(1), [groups]),
  );
  const zeros = graph.once(`zeros:${groups}`, () =>
    graph.weight('zeros', new Float32Array(groups), [groups]),
  );
  const grouped = reshape(x, [batch, groups, -1]); // [B, G, C / G * H * W]
  const normed = graph.op1('InstanceNormalization', {
    inputs: [grouped, ones, zeros],
    attributes: { epsilon: float(eps) },
    type: x.type,
    shape: grouped.shape,
  });
  const restored = graph.op1('Reshape', {
    inputs: [normed, graph.op1('Shape', { inputs: [x], type: 'int64', shape: [4] })],
    type: x.type,
    shape: x.shape,
  });
  const column = [1, -1, 1, 1];
  return add(mul(restored, reshape(weight, column)), reshape(bias, column));
}

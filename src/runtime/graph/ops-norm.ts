// Normalisations. All of them work over the last axis, but for the group norm of pictures, which is in ops-image.ts.

import { RuntimeError } from '../../core/errors.js';
import type { Value } from './builder.js';
import { lastDim } from './ops-shape.js';
import { formatShape, type Shape } from './shapes.js';
import { float } from './values.js';

function checkWidth(x: Value, weight: Value | undefined, what: string): number {
  const width = lastDim(x, what);
  if (weight && (weight.shape.length !== 1 || weight.shape[0] !== width)) {
    throw new RuntimeError(
      `${what} of ${x.name} ${formatShape(x.shape)}: the weight ${weight.name} has shape ${formatShape(weight.shape)}, not [${width}].`,
    );
  }
  return width;
}

function onesOf(x: Value, width: number): Value {
  return x.graph.once(`ones:${width}`, () =>
    x.graph.weight('ones', new Float32Array(width).fill(1), [width]),
  );
}

/** Options of the norms: eps has no default, since models differ in it. */
export interface NormOptions {
  readonly eps: number;
  /** Factor per channel [C]. @default ones */
  readonly weight?: Value | undefined;
  /** Summand per channel [C]. @default zeros */
  readonly bias?: Value | undefined;
}

/** Mean 0 and variance 1 over the last axis, then weight and bias. */
export function layerNorm(x: Value, options: NormOptions): Value {
  const width = checkWidth(x, options.weight, 'LayerNorm');
  const inputs = [x, options.weight ?? onesOf(x, width), options.bias];
  const attributes = { axis: -1, epsilon: float(options.eps) };
  return x.graph.op1('LayerNormalization', { inputs, attributes, type: x.type, shape: x.shape });
}

/** x over its root mean square along the last axis, times weight (T5's norm, LLaMA's RMSNorm). */
export function rmsNorm(x: Value, options: Omit<NormOptions, 'bias'>): Value {
  const width = checkWidth(x, options.weight, 'RmsNorm');
  const inputs = [x, options.weight ?? onesOf(x, width)];
  const attributes = { axis: -1, epsilon: float(options.eps) };
  return x.graph.op1('SimplifiedLayerNormalization', { inputs, attributes, type: x.type, shape: x.shape });
}

/** A residual sum and its norm, from one operator. */
interface SkipNorm {
  readonly sum: Value;
  readonly normed: Value;
}

function skip(
  op: string,
  x: Value,
  residual: Value,
  inputs: readonly (Value | undefined)[],
  eps: number,
): SkipNorm {
  const result: { type: 'float32'; shape: Shape } = { type: 'float32', shape: x.shape };
  const nothing: { type: 'float32'; shape: Shape } = { type: 'float32', shape: [] };
  const [normed, , , sum] = x.graph.op(op, {
    inputs: [x, residual, ...inputs],
    domain: 'com.microsoft',
    attributes: { epsilon: float(eps) },
    outputs: [result, nothing, nothing, result],
  });
  return { sum: sum as Value, normed: normed as Value };
}

/** x + residual and the layer norm of it; both [B, L, C]. */
export function skipLayerNorm(x: Value, residual: Value, options: NormOptions): SkipNorm {
  const width = checkWidth(x, options.weight, 'SkipLayerNorm');
  const inputs = [options.weight ?? onesOf(x, width), options.bias];
  return skip('SkipLayerNormalization', x, residual, inputs, options.eps);
}

/** x + residual and the root-mean-square norm of it; both [B, L, C]. */
export function skipRmsNorm(x: Value, residual: Value, options: Omit<NormOptions, 'bias'>): SkipNorm {
  const width = checkWidth(x, options.weight, 'SkipRmsNorm');
  return skip(
    'SkipSimplifiedLayerNormalization',
    x,
    residual,
    [options.weight ?? onesOf(x, width)],
    options.eps,
  );
}

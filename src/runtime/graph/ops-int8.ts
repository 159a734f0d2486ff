// Linear layers in 8 bits: every row of activations by its own scale (unsigned around 128, symmetric), every output channel of
// the weight by its own (signed, symmetric). A row's numbers never depend on the rows beside it, which one scale for all rows
// (DynamicQuantizeMatMul) would break; sums of products are whole numbers, and exact. Signed weights on unsigned activations are
// the one combination that the engine has fast kernels for.

import { RuntimeError } from '../../core/errors.js';
import type { Value } from './builder.js';
import { abs, add, div, maximum, mul, reduceMax } from './ops-math.js';
import { formatShape } from './shapes.js';
import { sharedRead } from './shared-read.js';

/** The largest magnitude of a quantised number. */
const LEVELS = 127;
const MIDDLE = 128;
/** Below any activation that counts: a row of zeros stays zeros instead of becoming 0 / 0. */
const SMALLEST = 1e-30;

/** A float32 matrix in PyTorch's layout, [out, in], read when the model is loaded or saved; in one graph, one of each name. */
export interface MatrixSource {
  readonly name: string;
  readonly shape: readonly [out: number, inner: number];
  read(): Float32Array | Promise<Float32Array>;
}

/** x [..., in] times the transposed matrix, plus bias [out], in 8 bits: gives [..., out] in float32. */
export function linearInt8(x: Value, matrix: MatrixSource, bias?: Value): Value {
  const g = x.graph;
  const [out, inner] = matrix.shape;
  if (x.shape.at(-1) !== inner) {
    throw new RuntimeError(`Layer ${matrix.name}: rows of ${inner} are wanted, not ${formatShape(x.shape)}.`);
  }
  const rows = quantizeRows(x);
  const quantized = sharedRead(2, async () => quantizeChannels(await matrix.read(), out, inner));
  const [name, scalesName] = [`${matrix.name}:int8`, `${matrix.name}:scales`];
  const weight = g.once(name, () =>
    g.lazyWeight(name, { shape: [inner, out], read: async () => (await quantized()).values }, 'int8'),
  );
  const scales = g.once(scalesName, () =>
    g.lazyWeight(scalesName, { shape: [out], read: async () => (await quantized()).scales }),
  );
  const product = g.op1('MatMulIntegerToFloat', {
    // A scale of every row, and a bias, are inputs of this operator too; the engine applies the one to the other.
    inputs: [rows.values, weight, g.constant(1 / LEVELS), scales, g.constant(Uint8Array.of(MIDDLE), [])],
    domain: 'com.microsoft',
    type: 'float32',
    shape: [...x.shape.slice(0, -1), out],
  });
  const scaled = mul(product, rows.scales);
  return bias ? add(scaled, bias) : scaled;
}

/** Rows in 8 bits, [..., in], and the largest magnitude of each, [..., 1]; layers of the same input share them. */
function quantizeRows(x: Value): { readonly values: Value; readonly scales: Value } {
  const g = x.graph;
  const scales = g.once(`rows:${x.name}:scales`, () => maximum(reduceMax(abs(x), [-1], true), SMALLEST));
  const values = g.once(`rows:${x.name}:values`, () =>
    g.op1('QuantizeLinear', {
      inputs: [div(x, scales), g.constant(1 / LEVELS), g.constant(Uint8Array.of(MIDDLE), [])],
      type: 'uint8',
      shape: x.shape,
    }),
  );
  return { values, scales };
}

/** Places of a matrix that are turned round together, so that both sides stay within the processor's cache. */
const TILE = 64;

/**
 * A matrix [out, in] in signed 8 bits, turned round to [in, out], and the scale of every output channel: the channel's largest
 * magnitude over 127, or 1 for a channel of zeros.
 */
export function quantizeChannels(
  matrix: Float32Array,
  out: number,
  inner: number,
): { readonly values: Int8Array; readonly scales: Float32Array } {
  if (matrix.length !== out * inner) {
    throw new RuntimeError(`A matrix of ${matrix.length} elements is not ${out} x ${inner}.`);
  }
  const scales = new Float32Array(out);
  for (let row = 0; row < out; row++) {
    let most = 0;
    for (let i = row * inner, end = i + inner; i < end; i++) {
      const magnitude = Math.abs(matrix[i] as number);
      if (magnitude > most) most = magnitude;
    }
    scales[row] = most / LEVELS;
    scales[row] ||= 1; // also where it is too small for a float32
  }
  const values = new Int8Array(out * inner);
  for (let row0 = 0; row0 < out; row0 += TILE) {
    const row1 = Math.min(out, row0 + TILE);
    for (let column0 = 0; column0 < inner; column0 += TILE) {
      const column1 = Math.min(inner, column0 + TILE);
      for (let row = row0; row < row1; row++) {
        const scale = scales[row] as number;
        for (let column = column0; column < column1; column++) {
          values[column * out + row] = Math.round((matrix[row * inner + column] as number) / scale);
        }
      }
    }
  }
  return { values, scales };
}

// Matrix products and the linear layers made of them.

import { RuntimeError } from '../../core/errors.js';
import type { Value, WeightSource } from './builder.js';
import { linearFloat16 } from './ops-float16.js';
import { linearInt8, type MatrixSource } from './ops-int8.js';
import { add } from './ops-math.js';
import { lastDim, reshape } from './ops-shape.js';
import { broadcast, type Dim, formatShape, mayEqual, UNKNOWN } from './shapes.js';
import type { Precision } from './values.js';

/** The matrix product over the last two axes; the axes before them broadcast. */
export function matMul(a: Value, b: Value): Value {
  const what = `MatMul of ${a.name} ${formatShape(a.shape)} and ${b.name} ${formatShape(b.shape)}`;
  if (a.shape.length < 2 || b.shape.length < 2) {
    throw new RuntimeError(`${what}: at least two axes are needed.`);
  }
  if (!mayEqual(a.shape.at(-1) as Dim, b.shape.at(-2) as Dim)) {
    throw new RuntimeError(`${what}: the inner dimensions differ.`);
  }
  const shape = [
    ...broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2), what),
    a.shape.at(-2) as Dim,
    b.shape.at(-1) as Dim,
  ];
  return a.graph.op1('MatMul', { inputs: [a, b], type: a.type, shape });
}

/** x [..., in] times weight [in, out], plus bias [out]. */
export function linear(x: Value, weight: Value, bias?: Value): Value {
  const product = matMul(x, weight);
  return bias ? add(product, bias) : product;
}

/** The linear layers that are not in float32: x [..., in] times the transposed matrix, plus bias [out]. */
export const LINEAR = { float16: linearFloat16, int8: linearInt8 } as const;

/** A linear layer of a checkpoint in PyTorch's layout: `name.weight` [out, in], and `name.bias` [out] unless told otherwise. */
interface LinearOptions {
  readonly out: number;
  /** @default true */
  readonly bias?: boolean;
  /** @default float32 */
  readonly precision?: Precision;
}

/** x [..., in] through the linear layer `name` of a checkpoint; gives [..., out]. */
export function linearFrom(x: Value, source: WeightSource, name: string, options: LinearOptions): Value {
  const { out, bias = true, precision = 'float32' } = options;
  const g = x.graph;
  const summand = bias ? g.weightFrom(source, `${name}.bias`, { expected: [out] }) : undefined;
  if (precision !== 'float32') return LINEAR[precision](x, matrixOf(x, source, name, out), summand);
  const expected = [out, lastDim(x, name)];
  return linear(x, g.weightFrom(source, `${name}.weight`, { expected, transpose: true }), summand);
}

/**
 * As `linearFrom`, but rows only: x [..., in] becomes [rows, in] and gives [rows, out]. The weight stays as it lies in the
 * checkpoint, [out, in], so that nothing is turned round while a large model is loaded.
 */
export function gemmFrom(x: Value, source: WeightSource, name: string, options: LinearOptions): Value {
  const { out, bias = true, precision = 'float32' } = options;
  const g = x.graph;
  const inner = lastDim(x, name);
  const summand = bias ? g.weightFrom(source, `${name}.bias`, { expected: [out] }) : undefined;
  const rows = rowsOf(x);
  if (precision !== 'float32') return LINEAR[precision](rows, matrixOf(x, source, name, out), summand);
  const weight = g.weightFrom(source, `${name}.weight`, { expected: [out, inner] });
  return gemm(rows, weight, summand);
}

/** Rows [rows, in] times the transposed weight [out, in], plus bias [out]: [rows, out]. */
export function gemm(rows: Value, weight: Value, bias?: Value): Value {
  return rows.graph.op1('Gemm', {
    inputs: [rows, weight, bias],
    attributes: { transB: 1 },
    type: rows.type,
    shape: [rows.shape[0] ?? UNKNOWN, weight.shape[0] ?? UNKNOWN],
  });
}

/** The matrix of a layer, its shape checked. */
function matrixOf(x: Value, source: WeightSource, name: string, out: number): MatrixSource {
  const key = `${name}.weight`;
  const inner = lastDim(x, name);
  x.graph.weightFrom(source, key, { expected: [out, inner] }); // checks the shape; what nobody uses is left out
  return { name: key, shape: [out, inner], read: () => source.read(key) };
}

/** x [..., in] as rows [rows, in], the same value for all who ask. */
export function rowsOf(x: Value): Value {
  const inner = x.shape.at(-1) ?? UNKNOWN;
  return x.shape.length === 2
    ? x
    : x.graph.once(`rows:${x.name}`, () => reshape(x, [-1, typeof inner === 'number' ? inner : -1]));
}

// Matrix products and the linear layers made of them.

import { RuntimeError } from '../../core/errors.js';
import type { GraphBuilder, WeightSource } from './builder.js';
import type { Value } from './builder.js';
import { add } from './ops-math.js';
import { lastDim } from './ops-shape.js';
import { broadcast, type Dim, formatShape, mayEqual } from './shapes.js';

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

/** A linear layer of a checkpoint in PyTorch's layout: `name.weight` [out, in], and `name.bias` [out] unless told otherwise. */
interface LinearOptions {
  readonly out: number;
  /** @default true */
  readonly bias?: boolean;
}

/** x [..., in] through the linear layer `name` of a checkpoint; gives [..., out]. */
export function linearFrom(x: Value, source: WeightSource, name: string, options: LinearOptions): Value {
  const graph: GraphBuilder = x.graph;
  const expected = [options.out, lastDim(x, name)];
  const weight = graph.weightFrom(source, `${name}.weight`, { expected, transpose: true });
  if (options.bias === false) return matMul(x, weight);
  return linear(x, weight, graph.weightFrom(source, `${name}.bias`, { expected: [options.out] }));
}

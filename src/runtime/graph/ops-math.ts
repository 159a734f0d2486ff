// Element-wise operators, activations and reductions. A plain number as an operand becomes a constant of the other
// operand's type. Shapes broadcast by the rules of ONNX.

import { RuntimeError } from '../../core/errors.js';
import type { Value } from './builder.js';
import { axisOf, broadcast, type Dim, type Shape } from './shapes.js';
import { type Attribute, type ElementType, float } from './values.js';

/** A value, or a number that stands for a constant. */
type Operand = Value | number;

function scalarLike(value: number, like: Value): Value {
  switch (like.type) {
    case 'int64':
      return like.graph.constant(BigInt64Array.of(BigInt(value)), []);
    case 'int32':
      return like.graph.constant(Int32Array.of(value), []);
    case 'float32':
      return like.graph.constant(value);
    default:
      throw new RuntimeError(`No constant operand of type ${like.type}; cast ${like.name} first.`);
  }
}

function operands(a: Operand, b: Operand): [Value, Value] {
  if (typeof a === 'number') {
    if (typeof b === 'number') throw new RuntimeError('At least one operand has to be a value of the graph.');
    return [scalarLike(a, b), b];
  }
  return [a, typeof b === 'number' ? scalarLike(b, a) : b];
}

function binary(op: string, a: Operand, b: Operand, result?: ElementType): Value {
  const [left, right] = operands(a, b);
  if (left.type !== right.type) {
    throw new RuntimeError(`${op}: ${left.name} is ${left.type}, ${right.name} is ${right.type}.`);
  }
  const shape = broadcast(left.shape, right.shape, `${op} of ${left.name} and ${right.name}`);
  return left.graph.op1(op, { inputs: [left, right], type: result ?? left.type, shape });
}

function unary(
  op: string,
  x: Value,
  attributes: Readonly<Record<string, Attribute>> = {},
  domain = false,
): Value {
  const { type, shape } = x;
  return x.graph.op1(op, { inputs: [x], attributes, domain: domain ? 'com.microsoft' : '', type, shape });
}

/** a + b, broadcast. */
export function add(a: Operand, b: Operand): Value {
  return binary('Add', a, b);
}

/** a - b, broadcast. */
export function sub(a: Operand, b: Operand): Value {
  return binary('Sub', a, b);
}

/** a * b, element by element, broadcast. */
export function mul(a: Operand, b: Operand): Value {
  return binary('Mul', a, b);
}

/** a / b, broadcast; whole numbers are cut towards zero. */
export function div(a: Operand, b: Operand): Value {
  return binary('Div', a, b);
}

/** a to the power b, broadcast. */
export function pow(a: Operand, b: Operand): Value {
  return binary('Pow', a, b);
}

/** The greater of a and b, broadcast. */
export function maximum(a: Operand, b: Operand): Value {
  return binary('Max', a, b);
}

/** The smaller of a and b, broadcast. */
export function minimum(a: Operand, b: Operand): Value {
  return binary('Min', a, b);
}

/** a == b as bool, broadcast. */
export function equal(a: Operand, b: Operand): Value {
  return binary('Equal', a, b, 'bool');
}

/** a < b as bool, broadcast. */
export function less(a: Operand, b: Operand): Value {
  return binary('Less', a, b, 'bool');
}

/** `a` where the bool condition holds, `b` elsewhere; all three broadcast. */
export function where(condition: Value, a: Operand, b: Operand): Value {
  const [left, right] = operands(a, b);
  const shape = broadcast(condition.shape, broadcast(left.shape, right.shape, 'Where'), 'Where');
  return condition.graph.op1('Where', { inputs: [condition, left, right], type: left.type, shape });
}

/** The square root of every element. */
export function sqrt(x: Value): Value {
  return unary('Sqrt', x);
}

/** e to every element. */
export function exp(x: Value): Value {
  return unary('Exp', x);
}

/** The hyperbolic tangent of every element. */
export function tanh(x: Value): Value {
  return unary('Tanh', x);
}

/** 1 / (1 + exp(-x)) of every element. */
export function sigmoid(x: Value): Value {
  return unary('Sigmoid', x);
}

/** max(x, 0) of every element. */
export function relu(x: Value): Value {
  return unary('Relu', x);
}

/** The magnitude of every element. */
export function abs(x: Value): Value {
  return unary('Abs', x);
}

/** The sine of every element. */
export function sin(x: Value): Value {
  return unary('Sin', x);
}

/** The cosine of every element. */
export function cos(x: Value): Value {
  return unary('Cos', x);
}

/** GELU in its exact form, by the error function. */
export function gelu(x: Value): Value {
  return unary('Gelu', x, {}, true);
}

/** GELU in its tanh form (`gelu_new`, `approximate='tanh'`); `bias` [C] is added to x first. */
export function geluTanh(x: Value, bias?: Value): Value {
  const { type, shape } = x;
  return x.graph.op1('FastGelu', { inputs: [x, bias], domain: 'com.microsoft', type, shape });
}

/** x * sigmoid(alpha x); with alpha 1.702 OpenAI CLIP's activation. */
export function quickGelu(x: Value, alpha = 1.702): Value {
  return unary('QuickGelu', x, { alpha: float(alpha) }, true);
}

/** x * sigmoid(x), also called swish; by its formula, since the engine's own sigmoid is off by 1e-7 and more in the tails. */
export function silu(x: Value): Value {
  return div(x, add(exp(unary('Neg', x)), 1));
}

/** Every element cut to the range from `low` to `high`. */
export function clip(x: Value, low: number, high: number): Value {
  const { type, shape } = x;
  return x.graph.op1('Clip', { inputs: [x, scalarLike(low, x), scalarLike(high, x)], type, shape });
}

/** The same numbers in another element type. */
export function cast(x: Value, type: 'float32' | 'float16' | 'int32' | 'int64' | 'bool'): Value {
  const to = { float32: 1, int32: 6, int64: 7, bool: 9, float16: 10 }[type];
  return x.type === type ? x : x.graph.op1('Cast', { inputs: [x], attributes: { to }, type, shape: x.shape });
}

/** exp(x) over its sum along an axis. */
export function softmax(x: Value, axis = -1): Value {
  return unary('Softmax', x, { axis: axisOf(x.shape, axis, 'Softmax') });
}

function reduce(op: string, x: Value, axes: readonly number[], keep: boolean): Value {
  const found = axes.map((axis) => axisOf(x.shape, axis, op));
  const shape: Shape = keep
    ? x.shape.map((dim, i): Dim => (found.includes(i) ? 1 : dim))
    : x.shape.filter((_, i) => !found.includes(i));
  const inputs = [x, x.graph.constant(found)];
  return x.graph.op1(op, { inputs, attributes: { keepdims: keep ? 1 : 0 }, type: x.type, shape });
}

/** The mean over axes, which stay as dimensions of 1 when `keep` is true. */
export function reduceMean(x: Value, axes: readonly number[], keep = false): Value {
  return reduce('ReduceMean', x, axes, keep);
}

/** The sum over axes, which stay as dimensions of 1 when `keep` is true. */
export function reduceSum(x: Value, axes: readonly number[], keep = false): Value {
  return reduce('ReduceSum', x, axes, keep);
}

/** The product of all elements, as a scalar. */
export function reduceProduct(x: Value): Value {
  return x.graph.op1('ReduceProd', { inputs: [x], attributes: { keepdims: 0 }, type: x.type, shape: [] });
}

/** The largest element over axes, which stay as dimensions of 1 when `keep` is true. */
export function reduceMax(x: Value, axes: readonly number[], keep = false): Value {
  return reduce('ReduceMax', x, axes, keep);
}

/** x over its Euclidean norm along an axis; norms below `eps` count as eps (PyTorch's F.normalize). */
export function l2Normalize(x: Value, axis = -1, eps = 1e-12): Value {
  const norm = reduce('ReduceL2', x, [axis], true);
  return div(x, maximum(norm, eps));
}

// Operators that move elements around or change the shape, without arithmetic on them.

import { RuntimeError } from '../../core/errors.js';
import type { Value } from './builder.js';
import {
  addDims,
  axisOf,
  broadcast,
  type Dim,
  dimAt,
  formatShape,
  mayEqual,
  quotient,
  scaleDim,
  type Shape,
  staticSize,
  unify,
  UNKNOWN,
} from './shapes.js';

/**
 * The same elements in another shape. A name in the target at its old place is copied by the run; any one other name (or
 * -1) is inferred by it. Use `reshapeTo` when more than that is dynamic.
 */
export function reshape(x: Value, target: Shape): Value {
  let inferred = -1;
  const spec = target.map((dim, i): number => {
    if (typeof dim === 'number' && dim >= 0) return dim;
    if (typeof dim === 'string' && dim !== UNKNOWN && x.shape[i] === dim) return 0;
    if (inferred >= 0) {
      throw new RuntimeError(
        `Reshape of ${x.name}: ${formatShape(x.shape)} to ${formatShape(target)} leaves more than one dimension open.`,
      );
    }
    inferred = i;
    return -1;
  });
  const shape = target.map((dim, i): Dim => (i === inferred ? inferDim(x, target, i) : dim));
  const before = staticSize(x.shape);
  const after = staticSize(shape);
  if (before !== undefined && after !== undefined && before !== after) {
    throw new RuntimeError(
      `Reshape of ${x.name}: ${formatShape(x.shape)} cannot become ${formatShape(target)}.`,
    );
  }
  return x.graph.op1('Reshape', { inputs: [x, x.graph.constant(spec)], type: x.type, shape });
}

function inferDim(x: Value, target: Shape, at: number): Dim {
  const given = target[at] as Dim;
  const whole = staticSize(x.shape);
  const rest = staticSize(target.filter((_, i) => i !== at));
  if (whole !== undefined && rest !== undefined) {
    if (rest > 0 && whole % rest === 0) return whole / rest;
    throw new RuntimeError(
      `Reshape of ${x.name}: ${formatShape(x.shape)} cannot become ${formatShape(target)}.`,
    );
  }
  if (typeof given === 'string') return given;
  return quotient(
    x.shape,
    target.filter((_, i) => i !== at),
  );
}

/** The same elements in the shape that an int64 value holds; `shape` is what the graph knows about it. */
export function reshapeTo(x: Value, target: Value, shape: Shape): Value {
  return x.graph.op1('Reshape', { inputs: [x, target], type: x.type, shape });
}

/** The axes in another order. */
export function transpose(x: Value, order: readonly number[]): Value {
  if (order.length !== x.shape.length || [...order].sort((a, b) => a - b).some((axis, i) => axis !== i)) {
    throw new RuntimeError(
      `Transpose of ${x.name} ${formatShape(x.shape)}: [${order.join()}] is no order of axes.`,
    );
  }
  const shape = order.map((axis) => x.shape[axis] as Dim);
  return x.graph.op1('Transpose', { inputs: [x], attributes: { perm: order }, type: x.type, shape });
}

/** Values one behind the other along an axis. */
export function concat(values: readonly Value[], axis: number): Value {
  const [first, ...rest] = values;
  if (!first) throw new RuntimeError('Concat needs at least one value.');
  if (rest.length === 0) return first;
  const at = axisOf(first.shape, axis, 'Concat');
  let shape = first.shape;
  for (const value of rest) {
    const fits =
      value.shape.length === shape.length &&
      shape.every((dim, i) => i === at || mayEqual(dim, value.shape[i] as Dim));
    if (!fits || value.type !== first.type) {
      throw new RuntimeError(
        `Concat along axis ${axis}: ${first.name} ${formatShape(shape)} and ${value.name} ${formatShape(value.shape)} do not fit.`,
      );
    }
    shape = shape.map((dim, i) =>
      i === at ? addDims(dim, value.shape[i] as Dim) : unify(dim, value.shape[i] as Dim),
    );
  }
  return first.graph.op1('Concat', { inputs: values, attributes: { axis: at }, type: first.type, shape });
}

/** A value cut along an axis into pieces of these sizes. */
export function split(x: Value, sizes: readonly number[], axis: number): Value[] {
  const at = axisOf(x.shape, axis, 'Split');
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (!mayEqual(x.shape[at] as Dim, total)) {
    throw new RuntimeError(
      `Split of ${x.name} ${formatShape(x.shape)}: sizes [${sizes.join()}] do not fill axis ${axis}.`,
    );
  }
  const outputs = sizes.map((size) => ({
    type: x.type,
    shape: x.shape.map((dim, i) => (i === at ? size : dim)),
  }));
  return x.graph.op('Split', { inputs: [x, x.graph.constant(sizes)], attributes: { axis: at }, outputs });
}

/** The part from `start` (inclusive) to `end` (exclusive, default the end) along an axis; both may count from the end. */
export function slice(x: Value, axis: number, start: number, end: number = Number.MAX_SAFE_INTEGER): Value {
  const at = axisOf(x.shape, axis, 'Slice');
  const size = x.shape[at] as Dim;
  const shape = x.shape.map((dim, i) => (i === at ? slicedDim(size, start, end) : dim));
  const c = (n: number): Value => x.graph.constant([n]);
  return x.graph.op1('Slice', { inputs: [x, c(start), c(end), c(at)], type: x.type, shape });
}

function slicedDim(size: Dim, start: number, end: number): Dim {
  if (typeof size !== 'number') {
    return start >= 0 && end >= 0 && end < Number.MAX_SAFE_INTEGER ? end - start : UNKNOWN;
  }
  const place = (n: number): number => Math.min(Math.max(n < 0 ? n + size : n, 0), size);
  return Math.max(place(end) - place(start), 0);
}

/** The part from int64 [1] values `start` to `end` along an axis; `size` is what the graph knows of its length. */
export function sliceBetween(x: Value, axis: number, start: Value, end: Value, size: Dim): Value {
  const at = axisOf(x.shape, axis, 'Slice');
  const shape = x.shape.map((dim, i) => (i === at ? size : dim));
  return x.graph.op1('Slice', { inputs: [x, start, end, x.graph.constant([at])], type: x.type, shape });
}

/** The entries of `table` along an axis at whole-number `indices`, whose shape takes the axis's place. */
export function gather(table: Value, indices: Value, axis = 0): Value {
  const at = axisOf(table.shape, axis, 'Gather');
  const shape = [...table.shape.slice(0, at), ...indices.shape, ...table.shape.slice(at + 1)];
  return table.graph.op1('Gather', {
    inputs: [table, indices],
    attributes: { axis: at },
    type: table.type,
    shape,
  });
}

/** The value itself, under a name of its own. */
export function identity(x: Value): Value {
  return x.graph.op1('Identity', { inputs: [x], type: x.type, shape: x.shape });
}

/** Takes out axes of size 1. */
export function squeeze(x: Value, axes: readonly number[]): Value {
  const found = axes.map((axis) => axisOf(x.shape, axis, 'Squeeze'));
  const shape = x.shape.filter((_, i) => !found.includes(i));
  return x.graph.op1('Squeeze', { inputs: [x, x.graph.constant(found)], type: x.type, shape });
}

/** Puts in axes of size 1 at these places of the result. */
export function unsqueeze(x: Value, axes: readonly number[]): Value {
  const rank = x.shape.length + axes.length;
  const found = axes.map((axis) => (axis < 0 ? axis + rank : axis));
  const rest = [...x.shape];
  const shape = Array.from({ length: rank }, (_, i): Dim => (found.includes(i) ? 1 : (rest.shift() ?? 1)));
  return x.graph.op1('Unsqueeze', { inputs: [x, x.graph.constant(found)], type: x.type, shape });
}

/** A value repeated along its axes of size 1 (and new ones in front) to the shape that an int64 value holds. */
export function expandTo(x: Value, target: Value, shape: Shape): Value {
  return x.graph.op1('Expand', {
    inputs: [x, target],
    type: x.type,
    shape: broadcast(x.shape, shape, 'Expand'),
  });
}

/** The whole shape of a value, as int64 [rank]. */
export function shapeOf(x: Value): Value {
  return x.graph.op1('Shape', { inputs: [x], type: 'int64', shape: [x.shape.length] });
}

/** One dimension of a value, as int64 [1]; a constant where the graph knows it. */
export function sizeOf(x: Value, axis: number): Value {
  const at = axisOf(x.shape, axis, 'Shape');
  const dim = x.shape[at] as Dim;
  if (typeof dim === 'number') return x.graph.constant([dim]);
  return x.graph.op1('Shape', {
    inputs: [x],
    attributes: { start: at, end: at + 1 },
    type: 'int64',
    shape: [1],
  });
}

/** Zeros added before and after each axis (counts per axis, outermost first). */
export function padZeros(x: Value, before: readonly number[], after: readonly number[]): Value {
  const shape = x.shape.map((dim, i) => addDims(dim, (before[i] ?? 0) + (after[i] ?? 0)));
  const pads = x.graph.constant([...before, ...after]);
  return x.graph.op1('Pad', { inputs: [x, pads], attributes: { mode: 'constant' }, type: x.type, shape });
}

/** Whole numbers from 0 to n - 1, with n as an int64 scalar or [1] value. */
export function range(n: Value, size: Dim): Value {
  const scalar = n.shape.length === 0 ? n : squeeze(n, [0]);
  const zero = n.graph.constant(BigInt64Array.of(0n), []);
  const one = n.graph.constant(BigInt64Array.of(1n), []);
  return n.graph.op1('Range', { inputs: [zero, scalar, one], type: 'int64', shape: [size] });
}

/** Moves channels into space: [B, 4C, H, W] to [B, C, 2H, 2W], in the order of PyTorch's PixelShuffle(2). */
export function pixelShuffle(x: Value): Value {
  const [batch, channels, height, width] = x.shape as [Dim, Dim, Dim, Dim];
  if (x.shape.length !== 4 || typeof channels !== 'number' || channels % 4 !== 0) {
    throw new RuntimeError(`PixelShuffle of ${x.name}: ${formatShape(x.shape)} is not [B, 4C, H, W].`);
  }
  const shape = [batch, channels / 4, scaleDim(height, 2), scaleDim(width, 2)];
  const attributes = { blocksize: 2, mode: 'CRD' };
  return x.graph.op1('DepthToSpace', { inputs: [x], attributes, type: x.type, shape });
}

/** The last axis, which has to be of a known size. */
export function lastDim(x: Value, what: string): number {
  const dim = dimAt(x.shape, -1, what);
  if (typeof dim !== 'number') {
    throw new RuntimeError(`${what}: the last dimension of ${x.name} has to be known.`);
  }
  return dim;
}

// Shapes of graph values and the little arithmetic on them that the operators need. A dimension is a number, or a name
// when only the run knows it; '?' is a dimension about which nothing is known.

import { RuntimeError } from '../../core/errors.js';

/** One dimension: a fixed size, or the name of a size that each run chooses. */
export type Dim = number | string;

/** The dimensions of a value, outermost first. */
export type Shape = readonly Dim[];

/** The dimension of which nothing is known before the run. */
export const UNKNOWN = '?';

/** A shape as messages print it, for example [B, L, 64]. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** The number of elements, or undefined where a dimension is symbolic. */
export function staticSize(shape: Shape): number | undefined {
  let size = 1;
  for (const dim of shape) {
    if (typeof dim !== 'number') return undefined;
    size *= dim;
  }
  return size;
}

/** Turns an axis counted from the end (-1 is the last) into one counted from the front; throws when it is outside. */
export function axisOf(shape: Shape, axis: number, what: string): number {
  const found = axis < 0 ? axis + shape.length : axis;
  if (found < 0 || found >= shape.length || !Number.isInteger(found)) {
    throw new RuntimeError(`${what}: axis ${axis} is outside of the shape ${formatShape(shape)}.`);
  }
  return found;
}

/** The dimension at an axis that may count from the end. */
export function dimAt(shape: Shape, axis: number, what: string): Dim {
  return shape[axisOf(shape, axis, what)] as Dim;
}

/** True when both dimensions may be the same size at run time. */
export function mayEqual(a: Dim, b: Dim): boolean {
  return typeof a !== 'number' || typeof b !== 'number' || a === b;
}

/** The more telling one of two dimensions that stand for the same size. */
export function unify(a: Dim, b: Dim): Dim {
  if (typeof a === 'number') return a;
  if (typeof b === 'number') return b;
  return a === UNKNOWN ? b : a;
}

/** The sum of two dimensions; a name such as P+L where one is symbolic. */
export function addDims(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  if (a === 0) return b;
  if (b === 0) return a;
  return a === UNKNOWN || b === UNKNOWN ? UNKNOWN : `${a}+${b}`;
}

/** A dimension times a whole number; a name such as 2*H where it is symbolic. */
export function scaleDim(dim: Dim, factor: number): Dim {
  if (typeof dim === 'number') return dim * factor;
  return dim === UNKNOWN || factor === 1 ? dim : `${factor}*${dim}`;
}

/** What the dimensions of one shape make, over those of another: a name such as S*N; unknown where that is no whole product. */
export function quotient(whole: Shape, part: Shape): Dim {
  const rest = [...whole.filter((dim) => typeof dim === 'string')];
  for (const name of part) {
    if (typeof name === 'number') continue;
    const at = rest.indexOf(name);
    if (at < 0) return UNKNOWN;
    rest.splice(at, 1);
  }
  const product = (shape: Shape): number => staticSize(shape.filter((dim) => typeof dim === 'number')) ?? 1;
  const factor = product(whole) / product(part);
  if (rest.includes(UNKNOWN) || !Number.isInteger(factor)) return UNKNOWN;
  if (rest.length === 0) return factor;
  return factor === 1 ? rest.join('*') : `${factor}*${rest.join('*')}`;
}

function broadcastDim(a: Dim, b: Dim): Dim | undefined {
  if (a === 1) return b;
  if (b === 1) return a;
  if (!mayEqual(a, b)) return undefined;
  if (typeof a === 'string' && typeof b === 'string' && a !== b) return UNKNOWN; // one of them may be 1
  return unify(a, b);
}

/** The shape of an element-wise operation on two shapes by the rules of ONNX (and NumPy); throws when they do not fit. */
export function broadcast(a: Shape, b: Shape, what: string): Shape {
  const rank = Math.max(a.length, b.length);
  const result: Dim[] = [];
  for (let i = 0; i < rank; i++) {
    const dim = broadcastDim(a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1);
    if (dim === undefined) {
      throw new RuntimeError(`${what}: shapes ${formatShape(a)} and ${formatShape(b)} do not fit together.`);
    }
    result.push(dim);
  }
  return result;
}

/** True when a value of shape `found` can stand where `expected` is asked for. */
export function shapesAgree(expected: Shape, found: Shape): boolean {
  return expected.length === found.length && expected.every((dim, i) => mayEqual(dim, found[i] as Dim));
}

// Tensors as callers see them: in this thread (HostTensor), in the engine's worker (TensorHandle), or to be put together
// there from pieces of such tensors (Assembly), so that keys and values of many prefixes never cross threads.

import { RuntimeError } from '../core/errors.js';
import { isArrayOf } from '../core/realm.js';
import type { ElementType, TensorData } from './graph/index.js';

/** A tensor in this thread. */
export interface HostTensor {
  readonly type: ElementType;
  readonly dims: readonly number[];
  /** Row-major elements; their number is the product of the dims. */
  readonly data: TensorData;
}

/** A tensor that lives in the engine's worker until it is disposed of. The caller who got it frees it. */
export interface TensorHandle {
  readonly id: number;
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly disposed: boolean;
  /** Frees the tensor once all calls made before are done; a second call does nothing. */
  dispose(): void;
}

/**
 * A strided block copy, in elements: for i below `count`, `length` elements from `offset + i * stride` of the source to
 * `toOffset + i * toStride` of the result.
 */
export interface Copy {
  readonly from: TensorHandle;
  readonly offset: number;
  readonly stride: number;
  readonly toOffset: number;
  readonly toStride: number;
  readonly length: number;
  readonly count: number;
}

/** Element types of tensors that are put together. */
export type AssemblyType = 'float32' | 'int8';

/** A tensor put together in the worker, of others of its type. Places that no copy writes are 0; copies must not overlap. */
export interface Assembly {
  readonly type: AssemblyType;
  readonly dims: readonly number[];
  readonly parts: readonly Copy[];
}

/** What an input of a run can be. */
export type RunInput = HostTensor | TensorHandle | Assembly;

/** A float32 tensor in this thread. */
export function float32Tensor(data: Float32Array, dims: readonly number[]): HostTensor {
  return { type: 'float32', dims, data };
}

/** An int32 tensor in this thread. */
export function int32Tensor(data: Int32Array | readonly number[], dims: readonly number[]): HostTensor {
  return { type: 'int32', dims, data: isArrayOf('Int32Array', data) ? data : Int32Array.from(data) };
}

/** An int64 tensor in this thread, from whole numbers. */
export function int64Tensor(data: ArrayLike<number>, dims: readonly number[]): HostTensor {
  return { type: 'int64', dims, data: BigInt64Array.from(Array.from(data), (x) => BigInt(x)) };
}

/** The number of elements of a shape. */
export function elementCount(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** Numbers of one encoded copy: source id, offset, stride, toOffset, toStride, length, count. */
export const COPY_FIELDS = 7;

/** The copies of an assembly as one array of COPY_FIELDS numbers each; throws when one reaches outside of its tensors. */
export function encodeCopies(assembly: Assembly): Float64Array {
  const total = elementCount(assembly.dims);
  const encoded = new Float64Array(assembly.parts.length * COPY_FIELDS);
  let at = 0;
  for (const part of assembly.parts) {
    const { from, offset, stride, toOffset, toStride, length, count } = part;
    checkCopy(part, assembly, { from: elementCount(from.dims), to: total });
    encoded[at++] = from.id;
    encoded[at++] = offset;
    encoded[at++] = stride;
    encoded[at++] = toOffset;
    encoded[at++] = toStride;
    encoded[at++] = length;
    encoded[at++] = count;
  }
  return encoded;
}

function checkCopy(
  part: Copy,
  { type }: Assembly,
  { from: sourceSize, to: targetSize }: { readonly from: number; readonly to: number },
): void {
  const { from, offset, stride, toOffset, toStride, length, count } = part;
  if (from.disposed) throw new RuntimeError(`Assembly: the tensor ${from.id} has been disposed of.`);
  if (from.type !== type) {
    throw new RuntimeError(`Assembly: the tensor ${from.id} is ${from.type}, not ${type}.`);
  }
  const fits = (start: number, step: number, size: number): boolean => {
    const last = start + step * (count - 1);
    return Math.min(start, last) >= 0 && Math.max(start, last) + length <= size;
  };
  const whole = [offset, stride, toOffset, toStride, length, count].every((x) => Number.isSafeInteger(x));
  if (!whole || length < 0 || count < 0) {
    throw new RuntimeError(`Assembly: ${describe(part)} is no block copy.`);
  }
  if (count === 0 || length === 0) return;
  if (!fits(offset, stride, sourceSize) || !fits(toOffset, toStride, targetSize)) {
    throw new RuntimeError(
      `Assembly: ${describe(part)} reaches outside of its source (${sourceSize} elements) or result (${targetSize}).`,
    );
  }
}

function describe({ from, ...numbers }: Copy): string {
  return `the copy from tensor ${from.id} [${from.dims.join(', ')}] ${JSON.stringify(numbers)}`;
}

// How far our outputs are from a reference: the largest absolute error, and that error over the reference's deviation.

import { openWeights } from '../runtime/weights/open-weights.js';
import type { TensorSource } from '../runtime/weights/tensor-source.js';

/** Beyond this relative error an output does not conform (float32 in another order of summation stays below 1e-5). */
export const RELATIVE_TOLERANCE = 1e-4;

/** One output compared with its reference. */
export interface Comparison {
  readonly name: string;
  readonly shape: readonly number[];
  readonly absolute: number;
  /** The absolute error over the reference's standard deviation; for whole numbers the share of wrong ones. */
  readonly relative: number;
  readonly passes: boolean;
}

/** Outputs of an implementation by their name in reference.safetensors, row-major. */
export type Outputs = ReadonlyMap<string, ArrayLike<number>>;

/** The inputs and outputs that come with a fixture, read when asked for. */
export interface Reference {
  readonly source: TensorSource;
  /** Any tensor as numbers. */
  numbers(name: string): ArrayLike<number>;
  shape(name: string): readonly number[];
  has(name: string): boolean;
}

/** Opens reference.safetensors of a fixture. */
export function openReference(path: string): Reference {
  const source = openWeights(path);
  const isFloat = (name: string): boolean => /F/.test(source.info(name).dtype);
  return {
    source,
    numbers: (name) => (isFloat(name) ? source.read(name) : source.readIntegers(name)),
    shape: (name) => source.info(name).shape,
    has: (name) => source.has(name),
  };
}

/** Compares every output that the reference has, in the reference's order. */
export function compareOutputs(outputs: Outputs, reference: Reference): Comparison[] {
  return reference.source.names.flatMap((name) => {
    const ours = outputs.get(name);
    return ours ? [compare(name, ours, reference)] : [];
  });
}

function compare(name: string, ours: ArrayLike<number>, reference: Reference): Comparison {
  const expected = reference.numbers(name);
  const shape = reference.shape(name);
  if (ours.length !== expected.length) {
    return { name, shape, absolute: Infinity, relative: Infinity, passes: false };
  }
  let absolute = 0;
  let wrong = 0;
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < expected.length; i++) {
    const value = expected[i] ?? 0;
    const error = Math.abs((ours[i] ?? Number.NaN) - value);
    // A NaN is the worst error, and no comparison may swallow it.
    absolute = Number.isNaN(error) ? Infinity : Math.max(absolute, error);
    if (error !== 0) wrong++;
    sum += value;
    squares += value * value;
  }
  const mean = sum / expected.length;
  const deviation = Math.sqrt(Math.max(squares / expected.length - mean * mean, 0));
  const isFloat = expected instanceof Float32Array;
  const relative = isFloat ? absolute / (deviation || 1) : wrong / expected.length;
  return { name, shape, absolute, relative, passes: relative <= (isFloat ? RELATIVE_TOLERANCE : 0) };
}

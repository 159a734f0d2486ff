// How far our outputs are from a reference: the largest absolute error, and that error over the reference's deviation.

import { openWeights, type TensorSource } from '../src/runtime/weights/index.js';

/** Errors that an output may have; the first two over the reference's standard deviation. */
export interface Tolerance {
  readonly largest: number;
  readonly rootMeanSquare: number;
  /** A bound of the largest error as it is. @default none */
  readonly absolute?: number;
}

/** Tolerances of outputs by name; the usual one for the others. */
export type Tolerances = Readonly<Record<string, Tolerance>>;

/** float32 in another order of summation stays below 1e-5; what a port gets wrong moves outputs by 3e-4 and more. */
const USUAL: Tolerance = { largest: 1e-4, rootMeanSquare: 1e-4 };

/** What a kind of fixture asks for beyond, or short of, the usual tolerance. */
export const TOLERANCES = {
  /**
   * The stored pictures of the Infinity fixtures are themselves up to 1.4e-4 away from a float64 run of the same decoder
   * (a few values in a million; root mean square 1.2e-5). Summing as the official decoder does, ours stay within 9.7e-5 and
   * 6.9e-5 of them; an exact decoder would not, so the bound of the largest error leaves room for it.
   */
  infinity: { decoded: { largest: 3e-4, rootMeanSquare: 1e-4 } },
  /** A single affine map: float64 agrees to 1e-6. */
  aesthetic: {
    scores: { largest: 1e-5, rootMeanSquare: 1e-5 },
    embeds: { largest: 1e-5, rootMeanSquare: 1e-5 },
  },
  /** The wrong GELU moves the reward by 3e-4 to 5e-4, whatever the rewards' deviation is. */
  imageReward: {
    reward: { ...USUAL, absolute: 5e-5 },
    reward_raw: { ...USUAL, absolute: 5e-5 },
  },
} as const satisfies Readonly<Record<string, Tolerances>>;

/** One output compared with its reference. */
export interface Comparison {
  readonly name: string;
  readonly shape: readonly number[];
  readonly absolute: number;
  /** The absolute error over the reference's standard deviation; for whole numbers the share of wrong ones. */
  readonly relative: number;
  /** The root mean square of all errors over the reference's standard deviation. */
  readonly rootMeanSquare: number;
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
  const isFloat = (name: string): boolean => source.info(name).dtype.includes('F');
  return {
    source,
    numbers: (name) => (isFloat(name) ? source.read(name) : source.readIntegers(name)),
    shape: (name) => source.info(name).shape,
    has: (name) => source.has(name),
  };
}

/** Compares every output that the reference has, in the reference's order. */
export function compareOutputs(
  outputs: Outputs,
  reference: Reference,
  tolerances: Tolerances = {},
): Comparison[] {
  return reference.source.names.flatMap((name) => {
    const ours = outputs.get(name);
    return ours ? [compare(name, ours, reference, tolerances[name] ?? USUAL)] : [];
  });
}

function compare(
  name: string,
  ours: ArrayLike<number>,
  reference: Reference,
  tolerance: Tolerance,
): Comparison {
  const expected = reference.numbers(name);
  const shape = reference.shape(name);
  if (ours.length !== expected.length) {
    return { name, shape, absolute: Infinity, relative: Infinity, rootMeanSquare: Infinity, passes: false };
  }
  let absolute = 0;
  let wrong = 0;
  let squaredErrors = 0;
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < expected.length; i++) {
    const value = expected[i] ?? 0;
    const error = Math.abs((ours[i] ?? Number.NaN) - value);
    // A NaN is the worst error, and no comparison may swallow it.
    absolute = Number.isNaN(error) ? Infinity : Math.max(absolute, error);
    if (error !== 0) wrong++;
    squaredErrors += error * error;
    sum += value;
    squares += value * value;
  }
  const mean = sum / expected.length;
  const deviation = Math.sqrt(Math.max(squares / expected.length - mean * mean, 0));
  const isFloat = expected instanceof Float32Array;
  const relative = isFloat ? absolute / (deviation || 1) : wrong / expected.length;
  const rootMeanSquare = Math.sqrt(squaredErrors / expected.length) / (deviation || 1);
  const allowed: Tolerance = isFloat ? tolerance : { largest: 0, rootMeanSquare: 0 };
  const passes =
    relative <= allowed.largest &&
    rootMeanSquare <= allowed.rootMeanSquare &&
    absolute <= (allowed.absolute ?? Infinity);
  return { name, shape, absolute, relative, rootMeanSquare, passes };
}

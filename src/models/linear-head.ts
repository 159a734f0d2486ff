// A head of linear layers with nothing between them: that of the improved-aesthetic-predictor (its "linearMSE" class) and
// of ImageReward (ImageReward/ImageReward.py, class MLP; the activations are commented out in both). Such a chain is one
// affine map, so it is folded into one vector and one number when it is read, in double precision.

import { CheckpointError } from '../core/errors.js';
import { type TensorSource, unwrapped } from '../runtime/weights/index.js';

const HEAD = { marks: ['layers.0.weight'] };

/** A folded head: features to one number each. */
export interface LinearHead {
  /** Width of the features. */
  readonly inputs: number;
  /** Rows [N, inputs] to N scores. A row's score never depends on the others. */
  apply(rows: Float32Array): Float64Array;
}

/**
 * Reads the layers `layers.N.weight` [out, in] and `layers.N.bias`, in the order of their numbers; the numbers between are
 * dropouts. Sizes and depth are the file's. Throws CheckpointError when the layers do not make one number, and for activations
 * between them as far as the numbers tell: a head whose activations stand in the places of dropouts cannot be told from a linear
 * one, and would be read as one.
 */
export function readLinearHead(file: TensorSource): LinearHead {
  const source = unwrapped(file, HEAD);
  const numbers = layerNumbers(source);
  let factors = Float64Array.of(1);
  let constant = 0;
  for (const number of numbers.toReversed()) {
    const name = `layers.${number}`;
    const shape = checkLayer(source, name, factors.length);
    const bias = source.read(`${name}.bias`);
    factors.forEach((factor, row) => (constant += factor * (bias[row] ?? 0)));
    factors = fold(factors, source.read(`${name}.weight`), shape);
  }
  checkNothingBetween(source.label, numbers);
  return { inputs: factors.length, apply: (rows) => applyTo(rows, factors, constant) };
}

function layerNumbers(source: TensorSource): number[] {
  const numbers = source.names.flatMap((name) => {
    const found = /^layers\.(\d+)\.weight$/.exec(name);
    return found ? [Number(found[1])] : [];
  });
  if (numbers.length === 0) {
    throw new CheckpointError(source.label, "has no linear head: no tensor like 'layers.0.weight'");
  }
  return numbers.sort((a, b) => a - b);
}

/**
 * A dropout leaves one number out between two layers, an activation before it another: so LAION's ava+logos-l14-reluMSE.pth has
 * 0, 3, 6, 9, 11. One number alone may be either; the official files that have one have dropouts there.
 */
function checkNothingBetween(label: string, numbers: readonly number[]): void {
  const at = numbers.findIndex((number, i) => number - (numbers[i - 1] ?? number) > 2);
  if (at < 0) return;
  throw new CheckpointError(
    label,
    `has more than a dropout between layers.${numbers[at - 1]} and layers.${numbers[at]}: it is a head with activations, such as ` +
      "LAION's reluMSE, which are not read; take one of linear layers, such as sac+logos+ava1-l14-linearMSE.pth",
  );
}

/** [out, in] of a layer whose output must be as wide as the next one's input. */
function checkLayer(source: TensorSource, name: string, out: number): readonly [number, number] {
  const weight = source.info(`${name}.weight`).shape;
  const bias = source.info(`${name}.bias`).shape;
  const [rows, columns] = weight;
  if (weight.length === 2 && rows === out && bias.length === 1 && bias[0] === out && columns) {
    return [rows, columns];
  }
  throw new CheckpointError(
    source.label,
    `${name} has a weight [${weight.join(', ')}] and a bias [${bias.join(', ')}], but ${out} outputs are ` +
      'needed there: the layers do not follow one another down to one score',
  );
}

/** The row `factors` [out] times a matrix [out, in]. */
function fold(
  factors: Float64Array,
  matrix: Float32Array,
  [rows, columns]: readonly [number, number],
): Float64Array<ArrayBuffer> {
  const result = new Float64Array(columns);
  for (let row = 0; row < rows; row++) {
    const factor = factors[row] as number;
    for (let i = 0; i < columns; i++) {
      result[i] = (result[i] as number) + factor * (matrix[row * columns + i] as number);
    }
  }
  return result;
}

function applyTo(rows: Float32Array, factors: Float64Array, constant: number): Float64Array {
  const width = factors.length;
  if (rows.length % width !== 0) {
    throw new RangeError(`the head takes rows of ${width} numbers, and ${rows.length} are no whole rows`);
  }
  return Float64Array.from({ length: rows.length / width }, (_, n) => {
    let sum = constant;
    for (let i = 0; i < width; i++) sum += (rows[n * width + i] as number) * (factors[i] as number);
    return sum;
  });
}

// Tensors in signed 8 bits by one scale for every block of neighbours along the last axis: what is kept in a quarter of the bytes.

import { RuntimeError } from '../../core/errors.js';
import type { Value } from './builder.js';
import { abs, maximum, mul, reduceMax } from './ops-math.js';
import { lastDim, reshapeTo } from './ops-shape.js';

/** The largest magnitude of a quantised number. */
const LEVELS = 127;
/** Below any number that counts: a block of zeros stays zeros instead of becoming 0 / 0. */
const SMALLEST = 1e-30;
/** Of ONNX's element types, signed 8 bits. */
const INT8 = 3;

/** A tensor in 8 bits: values [..., C] in int8, and scales [..., C / size] in float32. */
export interface Int8Blocks {
  readonly values: Value;
  readonly scales: Value;
}

/**
 * x [..., C] in 8 bits: a block of `size` neighbours by its largest magnitude over 127, symmetric around 0. No block's numbers depend
 * on any other's.
 */
export function quantizeBlocks(x: Value, size: number): Int8Blocks {
  const g = x.graph;
  const width = lastDim(x, 'quantizeBlocks');
  if (width % size !== 0) {
    throw new RuntimeError(`Blocks of ${size} do not fill ${x.name}'s width of ${width}.`);
  }
  const rows = x.shape.slice(0, -1);
  // Zeros stand for sizes that stay as they are.
  const spec = g.constant([...rows.map(() => 0), width / size, size]);
  const parts = reshapeTo(abs(x), spec, [...rows, width / size, size]);
  const scales = mul(maximum(reduceMax(parts, [-1]), SMALLEST), 1 / LEVELS);
  const values = g.op1('QuantizeLinear', {
    inputs: [x, scales],
    attributes: { axis: x.shape.length - 1, block_size: size, output_dtype: INT8 },
    type: 'int8',
    shape: x.shape,
  });
  return { values, scales };
}

/** What a tensor in 8 bits stands for, in float32. */
export function dequantizeBlocks({ values, scales }: Int8Blocks): Value {
  return values.graph.op1('DequantizeLinear', {
    inputs: [values, scales],
    attributes: {
      axis: values.shape.length - 1,
      block_size: lastDim(values, 'dequantizeBlocks') / lastDim(scales, 'dequantizeBlocks'),
    },
    type: 'float32',
    shape: values.shape,
  });
}

// What weights take in the engine, by arithmetic: known before any file is there.

import type { Precision } from '../runtime/graph/index.js';

/** Matrices of linear layers that are kept in the precision that is asked for. */
export interface Matrices {
  readonly elements: number;
  /** Rows of all of them together: in int8 each has a factor. */
  readonly rows: number;
}

const FLOAT_BYTES = 4;
const ELEMENT_BYTES: Readonly<Record<Precision, number>> = { float32: FLOAT_BYTES, float16: 2, int8: 1 };

/** Bytes that a precision saves of what such matrices take in float32. */
export function savedBytes({ elements, rows }: Matrices, precision: Precision): number {
  const factors = precision === 'int8' ? FLOAT_BYTES * rows : 0;
  return elements * (FLOAT_BYTES - ELEMENT_BYTES[precision]) - factors;
}

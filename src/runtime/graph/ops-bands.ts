// Maps [B, C, H, W] computed in bands of rows, one after the other: what lies between a map and the next is there of one band at a
// time. At 1024 pixels a decoder's largest map takes a gigabyte, and a norm, its activation and what they are made of four more.

import type { Value } from './builder.js';
import { add, div, mul, sub } from './ops-math.js';
import { concat, sizeOf, sliceBetween } from './ops-shape.js';
import { UNKNOWN } from './shapes.js';

/** One band of the rows of maps that have the same height. */
export interface Band {
  /** The rows of a map that lie in it, and `around` more on each side as far as there are any. */
  readonly rows: (map: Value, around?: number) => Value;
  /** Zeros that a convolution of 3 x 3 over these rows, and one around, wants: [top, left, bottom, right]. */
  readonly padding: readonly [number, number, number, number];
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

/** The map that the bands' results make, one below the other. `x` has the height that is cut, at least `count` rows. */
export function inBands(x: Value, count: number, body: (band: Band) => Value): Value {
  const g = x.graph;
  const height = sizeOf(x, 2);
  const end = g.constant([Number.MAX_SAFE_INTEGER]);
  const border = (i: number): Value => div(mul(height, i), count);
  const bands = Array.from({ length: count }, (_, i): Band => {
    const [isFirst, isLast] = [i === 0, i === count - 1];
    const rows = (map: Value, around = 0): Value => {
      const from = isFirst ? g.constant([0]) : sub(border(i), around);
      return sliceBetween(map, 2, from, isLast ? end : add(border(i + 1), around), UNKNOWN);
    };
    return { rows, padding: [Number(isFirst), 1, Number(isLast), 1], isFirst, isLast };
  });
  return concat(
    bands.map((band) => body(band)),
    2,
  );
}

// The 2D rotary table (precompute_rope2d_freqs_grid in infinity/models/basic.py, rope2d_normalized_by_hw = 2).
// Positions of every scale are stretched to the last scale of the ratio's full schedule and rounded; the first half of
// the pairs turns with the row, the second with the column. A scale reads the table from its own first token on.

import { type ScaleSchedule, tokensBefore } from './schedule.js';

const BASE = 10000;

/** Cosines and sines of one scale, each [tokens, headWidth / 2]. */
export interface RotaryTable {
  readonly tokens: number;
  readonly cos: Float32Array;
  readonly sin: Float32Array;
}

/** Rounds halves to even, as torch.round does. */
function roundHalfEven(value: number): number {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** The stretched (row, column) of every token of the full schedule, in order. */
function positions(rotary: ScaleSchedule['rotary']): [row: number, column: number][] {
  const last = rotary.at(-1);
  if (!last) throw new RangeError('a schedule needs at least one scale');
  return rotary.flatMap(({ height, width }) => {
    // The official code multiplies by the float32 ratio.
    const rowStep = Math.fround(last.height / height);
    const columnStep = Math.fround(last.width / width);
    return Array.from({ length: height * width }, (_, i): [number, number] => [
      roundHalfEven(Math.fround(Math.floor(i / width) * rowStep)),
      roundHalfEven(Math.fround((i % width) * columnStep)),
    ]);
  });
}

/** The tables of all scales of a schedule, for a head of `headWidth` channels (a multiple of 4). */
export function rotaryTables(schedule: ScaleSchedule, headWidth: number): RotaryTable[] {
  if (headWidth % 4 !== 0) throw new RangeError(`head width ${headWidth} is not a multiple of 4`);
  const pairs = headWidth / 2;
  const perAxis = headWidth / 4;
  const frequencies = Float32Array.from({ length: perAxis }, (_, i) =>
    Math.fround(1 / Math.fround(BASE ** ((2 * i) / pairs))),
  );
  const all = positions(schedule.rotary);
  return schedule.scales.map(({ height, width }, k) => {
    const tokens = height * width;
    const start = tokensBefore(schedule.scales, k);
    const cos = new Float32Array(tokens * pairs);
    const sin = new Float32Array(tokens * pairs);
    for (let token = 0; token < tokens; token++) {
      const [row, column] = all[start + token] ?? [0, 0];
      for (let pair = 0; pair < pairs; pair++) {
        const position = pair < perAxis ? row : column;
        const angle = Math.fround(position * (frequencies[pair % perAxis] ?? 0));
        cos[token * pairs + pair] = Math.cos(angle);
        sin[token * pairs + pair] = Math.sin(angle);
      }
    }
    return { tokens, cos, sin };
  });
}

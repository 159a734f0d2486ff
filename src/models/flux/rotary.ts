// The rotary table (flux/math.py: rope): three id axes, each with its own share of the head, one behind the other; computed
// in float64 as there. Text ids are all zero, which is no rotation.

import type { FluxConfig } from './config.js';

/** Ids of tokens, row-major [tokens, 3]: of what picture (0 for the drawn one), row, column. */
export type TokenIds = ArrayLike<number>;

/** Cosines and sines, each [tokens, head width / 2]. */
export interface RotaryTable {
  readonly tokens: number;
  readonly cos: Float32Array;
  readonly sin: Float32Array;
}

/** Ids of a drawn picture's packed tokens, row by row. */
export function pictureIds({
  height,
  width,
}: {
  readonly height: number;
  readonly width: number;
}): Float32Array {
  const ids = new Float32Array(height * width * 3);
  for (let token = 0; token < height * width; token++) {
    ids[3 * token + 1] = Math.floor(token / width);
    ids[3 * token + 2] = token % width;
  }
  return ids;
}

/** The table of `textTokens` text tokens with the image tokens of these ids behind them. */
export function rotaryTable(
  { axes, theta }: Pick<FluxConfig, 'axes' | 'theta'>,
  textTokens: number,
  ids: TokenIds,
): RotaryTable {
  const tokens = textTokens + ids.length / axes.length;
  const pairs = axes.reduce((sum, axis) => sum + axis, 0) / 2;
  const cos = new Float32Array(tokens * pairs).fill(1);
  const sin = new Float32Array(tokens * pairs);
  for (let token = textTokens; token < tokens; token++) {
    let at = token * pairs;
    axes.forEach((axis, i) => {
      const id = ids[(token - textTokens) * axes.length + i] ?? 0;
      for (let pair = 0; pair < axis / 2; pair++, at++) {
        const angle = id / theta ** ((2 * pair) / axis);
        cos[at] = Math.cos(angle);
        sin[at] = Math.sin(angle);
      }
    });
  }
  return { tokens, cos, sin };
}

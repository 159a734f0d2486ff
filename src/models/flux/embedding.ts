// The sinusoidal embedding of times and guidances (flux/modules/layers.py: timestep_embedding). Arguments reach some
// thousands, so that the last bit of a frequency shows: everything is rounded to float32 where the official code does.

import { SINUSOID_WIDTH } from './config.js';

const HALF = SINUSOID_WIDTH / 2;
const FACTOR = 1000;

const FREQUENCIES = Float32Array.from({ length: HALF }, (_, i) =>
  Math.exp(Math.fround(Math.fround(Math.fround(-Math.log(10000)) * i) / HALF)),
);

/** Embeddings [values, 256] of times (0..1) or guidances: all cosines, then all sines. */
export function sinusoids(values: ArrayLike<number>): Float32Array {
  const out = new Float32Array(values.length * SINUSOID_WIDTH);
  for (let row = 0; row < values.length; row++) {
    const scaled = Math.fround(FACTOR * Math.fround(values[row] ?? 0));
    FREQUENCIES.forEach((frequency, i) => {
      const angle = Math.fround(scaled * frequency);
      out[row * SINUSOID_WIDTH + i] = Math.cos(angle);
      out[row * SINUSOID_WIDTH + HALF + i] = Math.sin(angle);
    });
  }
  return out;
}

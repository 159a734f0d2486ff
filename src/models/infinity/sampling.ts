// Sampling of bits from the head's logits (sample_with_top_k_top_p_... in infinity/models/infinity.py, for two values).

import type { Draw } from '../../core/random.js';

/** How the bits of one scale are drawn. */
export interface SamplingOptions {
  /** tau: the logits are divided by it. */
  readonly temperature: number;
  /** Keep the k likelier values of a bit: 0 (off) or 2 keeps both, 1 is greedy. */
  readonly topK: number;
  /** Nucleus: the less likely value goes when its probability is at most 1 - topP. 0 is off. */
  readonly topP: number;
}

/** The probability of bit value 1 after temperature, top-k and top-p. */
export function probabilityOfOne(zero: number, one: number, options: SamplingOptions): number {
  const difference = (one - zero) / options.temperature;
  const probability = 1 / (1 + Math.exp(-difference));
  const likelier = probability > 0.5 ? 1 : 0;
  if (options.topK === 1) return likelier;
  if (options.topP > 0 && Math.min(probability, 1 - probability) <= 1 - options.topP) return likelier;
  return probability;
}

/**
 * Draws one bit per pair of neighbouring logits (value 0 first).
 * @param logits [tokens * D * 2], guided, before the temperature
 * @returns bits [tokens * D], each 0 or 1
 */
export function sampleBits(logits: Float32Array, draw: Draw, options: SamplingOptions): Uint8Array {
  const count = logits.length / 2;
  const draws = draw.uniform(count);
  const bits = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const probability = probabilityOfOne(logits[2 * i] ?? 0, logits[2 * i + 1] ?? 0, options);
    if ((draws[i] ?? 0) < probability) bits[i] = 1;
  }
  return bits;
}

/**
 * What the difference of a bit's two logits (of value 1 less that of 0) has to exceed for the bit to be 1, by its uniform number: the
 * decision of `sampleBits`, for who compares elsewhere. In float32 it differs where the two are within its rounding of each other.
 */
export function thresholds(draws: Float64Array, { temperature, topK, topP }: SamplingOptions): Float32Array {
  if (topK === 1) return new Float32Array(draws.length);
  // A value that is no more probable than that is never drawn.
  const least = topP > 0 ? Math.min(1 - topP, 0.5) : 0;
  return Float32Array.from(draws, (draw) => {
    const bound = Math.min(Math.max(draw, least), 1 - least);
    return temperature * Math.log(bound / (1 - bound));
  });
}

import { describe, expect, it } from 'vitest';

import { RandomKey } from '../../core/random.js';
import { probabilityOfOne, sampleBits } from './sampling.js';

const plain = { temperature: 1, topK: 0, topP: 0 };
const key = RandomKey.fromSeed(3);

describe('sampling of bits', () => {
  it('gives the softmax of the two logits over the temperature', () => {
    expect(probabilityOfOne(0.3, 1.2, plain)).toBeCloseTo(
      Math.exp(1.2) / (Math.exp(0.3) + Math.exp(1.2)),
      12,
    );
    expect(probabilityOfOne(0, 1, { ...plain, temperature: 0.5 })).toBeCloseTo(1 / (1 + Math.exp(-2)), 12);
  });

  it('is greedy with top-k 1, and takes away the less likely value with top-p', () => {
    expect(probabilityOfOne(0, 0.1, { ...plain, topK: 1 })).toBe(1);
    expect(probabilityOfOne(0.1, 0, { ...plain, topK: 1 })).toBe(0);
    const unlikely = Math.log(0.04 / 0.96);
    expect(probabilityOfOne(0, unlikely, { ...plain, topP: 0.95 })).toBe(0);
    expect(probabilityOfOne(0, unlikely, { ...plain, topP: 0.97 })).toBeCloseTo(0.04, 12);
    expect(probabilityOfOne(0, unlikely, { ...plain, topP: 1 })).toBeCloseTo(0.04, 12);
  });

  it('takes away a value whose probability is just what top-p leaves over', () => {
    // The official code takes away what sums up, from the least likely on, to at most 1 - topP.
    const likelier = probabilityOfOne(0, 1, plain); // above 0.5, so that 1 - likelier is exact
    expect(probabilityOfOne(0, 1, { ...plain, topP: likelier })).toBe(1);
    expect(probabilityOfOne(0, 1, { ...plain, topP: likelier + 1e-9 })).toBe(likelier);
    expect(probabilityOfOne(0, 1, { ...plain, topP: likelier - 1e-9 })).toBe(1);
  });

  it('draws with the right frequency, and bit i whatever comes after it', () => {
    const logits = Float32Array.from({ length: 20000 }, (_, i) => (i % 2 === 0 ? 0 : Math.log(3)));
    const bits = sampleBits(logits, key, plain);
    const ones = bits.reduce((sum, bit) => sum + bit, 0);
    expect(Math.abs(ones / bits.length - 0.75)).toBeLessThan(0.015);
    expect(sampleBits(logits.subarray(0, 2000), key, plain)).toEqual(bits.subarray(0, 1000));
    expect(sampleBits(logits, key.fold(1), plain)).not.toEqual(bits);
  });
});

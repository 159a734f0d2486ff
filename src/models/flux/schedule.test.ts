import { describe, expect, it } from 'vitest';

import { packLatent, unpackLatent } from './packing.js';
import { pictureIds, rotaryTable } from './rotary.js';
import { cleanPrediction, DEV_SHIFT, eulerStep, fluxTimes } from './schedule.js';

describe('times', () => {
  it('are even without a shift, and moved towards the noise with one', () => {
    expect([...fluxTimes(4, 256, null)]).toEqual([1, 0.75, 0.5, 0.25, 0]);
    // mu is 0.5 at 256 tokens and 1.15 at 4096, and not bounded outside.
    for (const [tokens, mu] of [
      [256, 0.5],
      [4096, 1.15],
      [64, 0.5 - (0.65 * 192) / 3840],
    ] as const) {
      const times = fluxTimes(4, tokens, DEV_SHIFT);
      const expected = [1, 0.75, 0.5, 0.25].map((t) => Math.exp(mu) / (Math.exp(mu) + 1 / t - 1));
      [...expected, 0].forEach((value, i) => {
        expect(times[i]).toBeCloseTo(value, 6);
      });
    }
  });

  it('are moved by a factor that is given, whatever the size of the picture', () => {
    for (const tokens of [64, 4096]) {
      const times = fluxTimes(4, tokens, 3);
      [1, 0.75, 0.5, 0.25, 0].forEach((t, i) => {
        expect(times[i]).toBeCloseTo((3 * t) / (1 + 2 * t), 6);
      });
      expect([...fluxTimes(4, tokens, 1)]).toEqual([1, 0.75, 0.5, 0.25, 0]);
    }
    // Between the limits of the option, the times of a thousand steps can be told apart.
    for (const shift of [0.001, 1000]) {
      const times = [...fluxTimes(1000, 64, shift)];
      expect(times.every((time, i) => i === 0 || time < (times[i - 1] ?? 0))).toBe(true);
      expect(times.every(Number.isFinite)).toBe(true);
    }
  });

  it('refuse steps that are no number of steps', () => {
    expect(() => fluxTimes(0, 256, null)).toThrow(
      'the number of steps should be a whole number above 0, got 0',
    );
    expect(() => fluxTimes(2.5, 256, null)).toThrow(/got 2\.5/);
  });
});

describe('a step', () => {
  it('goes along the prediction; all the way, it gives the clean picture', () => {
    const [noise, picture] = [Float32Array.of(1, -2), Float32Array.of(0.5, 3)];
    const prediction = noise.map((value, i) => value - picture[i]!);
    const half = eulerStep(noise, prediction, 1, 0.5);
    expect([...half]).toEqual([0.75, 0.5]);
    expect([...eulerStep(half, prediction, 0.5, 0)]).toEqual([...picture]);
    expect([...cleanPrediction(half, prediction, 0.5)]).toEqual([...picture]);
  });
});

describe('packing', () => {
  it('makes a token of 2 x 2 places: channel, row, column', () => {
    const grid = { height: 1, width: 2 };
    const planes = Float32Array.from({ length: 16 }, (_, i) => i); // 2 channels of 2 x 4
    const tokens = packLatent(planes, grid);
    expect([...tokens]).toEqual([0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15]);
    expect(unpackLatent(tokens, grid)).toEqual(planes);
    expect(() => packLatent(planes.subarray(1), grid)).toThrow(/are no latent of 1 x 2 tokens/);
  });
});

describe('rotary tables', () => {
  it('do not turn text, and turn each axis by its own id', () => {
    const ids = pictureIds({ height: 2, width: 2 });
    expect([...ids]).toEqual([0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 1]);
    const { tokens, cos, sin } = rotaryTable({ axes: [2, 4, 2], theta: 10000 }, 2, ids);
    expect(tokens).toBe(6);
    expect([...cos.subarray(0, 8), ...sin.subarray(0, 8)]).toEqual([
      1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0,
    ]);
    const last = [...sin.subarray(20)];
    [0, Math.sin(1), Math.sin(0.01), Math.sin(1)].forEach((value, i) => {
      expect(last[i]).toBeCloseTo(value, 7);
    });
  });
});

// Schedules for tests: Infinity's at 1024 pixels, and two like a diffusion model's.

import type { Schedule, Step } from '../models/contract.js';

/** Sides of Infinity's scales at 1024 x 1024. */
export const INFINITY_SIDES = [1, 2, 4, 6, 8, 12, 16, 20, 24, 32, 40, 48, 64] as const;

function step(more: Partial<Step>): Step {
  const readout = { width: 64, height: 64, nfe: 0 };
  return { label: 'step', draws: true, nfe: 1, tokens: 1, flops: 1, heldBytes: 0, readout, ...more };
}

/** Square scales of these sides, which hold one byte a token, but for the last one, which nothing comes after. */
export function squareScales(sides: readonly number[]): Schedule {
  const steps = sides.map((side, i) => {
    const tokens = side * side;
    const heldBytes = i < sides.length - 1 ? tokens : 0;
    return step({ label: `${side} x ${side}`, tokens, flops: 100 * tokens, heldBytes });
  });
  return { unit: 'scale', steps };
}

/** Noise, then so many evaluations of 4096 tokens each: by a plain solver none of them draws, otherwise all but the last. */
export function diffusionSteps(count: number, solver: 'plain' | 'stochastic'): Schedule {
  const noise = step({ label: 'noise', nfe: 0, tokens: 0, flops: 0 });
  const denoising = Array.from({ length: count }, (_, i) => {
    const draws = solver === 'stochastic' && i < count - 1;
    return step({ label: `step ${i + 1}`, draws, tokens: 4096, flops: 7e12, heldBytes: 1 });
  });
  return { unit: 'step', steps: [noise, ...denoising] };
}

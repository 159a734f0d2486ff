// FLUX's times from noise (1) to picture (0), and the step between two of them (flux/sampling.py: get_schedule, denoise).

import { UsageError } from '../../core/errors.js';

/** How the times are moved towards the noise, the more so the more tokens a picture has. */
export interface Shift {
  /** At 256 tokens. @default 0.5 */
  readonly base: number;
  /** At 4096 tokens. @default 1.15 */
  readonly max: number;
}

/** dev's; schnell has none. */
export const DEV_SHIFT: Shift = { base: 0.5, max: 1.15 };

const BASE_TOKENS = 256;
const MAX_TOKENS = 4096;

/**
 * The times of a run, steps + 1 values; `tokens` are the packed tokens of the picture, and mu goes in a straight line
 * through the shift's two values, also outside of them. A number is the factor exp(mu) itself.
 */
export function fluxTimes(steps: number, tokens: number, shift: Shift | number | null): Float32Array {
  if (!Number.isInteger(steps) || steps < 1) {
    throw new UsageError(`the number of steps should be a whole number above 0, got ${steps}`);
  }
  const even = Float32Array.from({ length: steps + 1 }, (_, i) => linspace(i, steps));
  if (shift === null) return even;
  const factor = Math.fround(typeof shift === 'number' ? shift : factorOf(shift, tokens));
  return even.map((t) => factor / Math.fround(factor + Math.fround(Math.fround(1 / t) - 1)));
}

function factorOf({ base, max }: Shift, tokens: number): number {
  const slope = (max - base) / (MAX_TOKENS - BASE_TOKENS);
  return Math.exp(slope * tokens + (base - slope * BASE_TOKENS));
}

/** torch.linspace(1, 0, steps + 1) in float32: from the nearer end on. */
function linspace(i: number, steps: number): number {
  const step = Math.fround(-1 / steps);
  return i < (steps + 1) / 2 ? 1 + Math.fround(step * i) : -Math.fround(step * (steps - i));
}

/** The plain Euler step: the latent plus (then - now) times the prediction (noise minus picture). */
export function eulerStep(
  latent: Float32Array,
  prediction: Float32Array,
  now: number,
  then: number,
): Float32Array {
  const length = Math.fround(then - now);
  return latent.map((value, i) => value + Math.fround(length * (prediction[i] ?? 0)));
}

/** Real guidance: as far again from what is predicted without the prompt, `cfg` times. */
export function guided(prediction: Float32Array, without: Float32Array, cfg: number): Float32Array {
  return prediction.map((value, i) => {
    const free = without[i] ?? 0;
    return free + cfg * (value - free);
  });
}

/** The clean picture that a prediction at time `now` stands for: what is left of the latent without its noise. */
export function cleanPrediction(latent: Float32Array, prediction: Float32Array, now: number): Float32Array {
  return eulerStep(latent, prediction, now, 0);
}

/**
 * The stochastic step: what of the noise a forward diffusion would have added between the two times is drawn anew (the
 * posterior of DDPM, DDIM's eta 1, with a picture's share of 1 - t and a noise's of t). At time 0 nothing is left to draw.
 */
export function ancestralStep(
  latent: Float32Array,
  prediction: Float32Array,
  noise: Float32Array,
  now: number,
  then: number,
): Float32Array {
  const kept = (1 - now) / (1 - then);
  const drawn = Math.sqrt(Math.max(0, now ** 2 - (kept * then) ** 2)) * (then / now);
  const old = Math.sqrt(Math.max(0, then ** 2 - drawn ** 2));
  return latent.map((value, i) => {
    const towards = prediction[i] ?? 0;
    const picture = value - now * towards;
    const noiseBefore = value + (1 - now) * towards;
    return (1 - then) * picture + old * noiseBefore + drawn * (noise[i] ?? 0);
  });
}

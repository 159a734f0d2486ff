// Intervals by bootstrap over prompts: prompts are the sample, seeds are repeats and are averaged within a prompt before.
// Efron and Tibshirani, "An Introduction to the Bootstrap", chapter 13 (percentiles), with the wider percentiles of Hesterberg, "What
// teachers should know about the bootstrap" (2015), section 5.3: the plain ones are too narrow for small samples.
//
// Every number of prompts has its own resamples, the same for all figures and at all times: they come from keyed randomness.

import { normalShare } from '../../core/normal.js';
import { RandomKey } from '../../core/random.js';
import { mean, quantile, tQuantile } from './statistics.js';

/** A figure with its interval of 95 %; without one where there are too few prompts, or all say the same. */
export interface Estimate {
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
}

/** How often each prompt is in a resample. */
export type Weights = Uint16Array;

/** Resamples that are drawn. */
export const RESAMPLES = 2000;

/** Prompts below which no interval is given. */
export const LEAST_PROMPTS = 5;

const LEVEL = 0.95;

/** Draws resamples of prompts, and makes intervals of them. */
export class Bootstrap {
  readonly #key: RandomKey;
  readonly #count: number;
  readonly #drawn = new Map<number, readonly Weights[]>();

  constructor({
    seed = 0,
    resamples = RESAMPLES,
  }: { readonly seed?: number; readonly resamples?: number } = {}) {
    this.#key = RandomKey.fromSeed(seed);
    this.#count = resamples;
  }

  /** The resamples of n prompts. */
  #resamples(n: number): readonly Weights[] {
    const found = this.#drawn.get(n);
    if (found) return found;
    const key = this.#key.fold(n);
    const drawn = Array.from({ length: this.#count }, (_, i) => {
      const weights = new Uint16Array(n);
      for (const number of key.fold(i).uniform(n)) {
        const index = Math.floor(number * n);
        weights[index] = (weights[index] ?? 0) + 1;
      }
      return weights;
    });
    this.#drawn.set(n, drawn);
    return drawn;
  }

  /**
   * The interval of any figure of n prompts: `statistic` makes it of how often each prompt counts. Resamples in which it is not finite
   * are left out; where they are more than one in twenty, there is no interval.
   */
  estimate(n: number, statistic: (weights: Weights) => number): Estimate {
    const value = statistic(new Uint16Array(n).fill(1));
    const none = { value, low: null, high: null };
    if (n < LEAST_PROMPTS || !Number.isFinite(value)) return none;
    const values = Float64Array.from(this.#resamples(n), statistic).filter(Number.isFinite).sort();
    const [first, last] = [values[0] ?? NaN, values.at(-1) ?? NaN];
    if (values.length < 0.95 * this.#count || !(last - first > 1e-12 * Math.abs(last))) return none;
    const tail = normalShare(-Math.sqrt(n / (n - 1)) * tQuantile((1 + LEVEL) / 2, n - 1));
    return { value, low: quantile(values, tail), high: quantile(values, 1 - tail) };
  }

  /** The mean over prompts. */
  mean(given: readonly number[]): Estimate {
    const values = Float64Array.from(given);
    const { value, ...interval } = this.estimate(values.length, (weights) => weightedMean(values, weights));
    // Not the weighted sum: the plain one is what everybody can check.
    return { value: given.length === 0 ? value : mean(given), ...interval };
  }
}

/** The mean of values of which each counts so often: as many in all as there are. */
export function weightedMean(values: ArrayLike<number>, weights: Weights): number {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) sum += (weights[i] as number) * (values[i] as number);
  return sum / weights.length;
}

/** Whether an interval lies wholly above 0, wholly below, or on both sides. */
export function sideOf({ low, high }: Estimate): 'above' | 'below' | 'both' {
  if (low !== null && low > 0) return 'above';
  return high !== null && high < 0 ? 'below' : 'both';
}

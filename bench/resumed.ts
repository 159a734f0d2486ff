// Measurements that take hours: every unit of work has a key, its outcome is a line of a file, and what the file has is not
// measured again. Intervals come from resampling whole prompts, since the pictures of one prompt are not independent.

import { appendFileSync, existsSync, readFileSync } from 'node:fs';

import { RandomKey } from '../src/index.js';
import { Draws } from '../src/toybox/world/draws.js';

/** Outcomes by key, in a file of JSON lines. */
export class Resumed<T> {
  readonly #file: string;
  readonly #done = new Map<string, T>();

  constructor(file: string) {
    this.#file = file;
    if (!existsSync(file)) return;
    for (const text of readFileSync(file, 'utf8').split('\n')) {
      // A killed run may leave half of its last line.
      if (!text.endsWith('}')) continue;
      const { key, outcome } = JSON.parse(text) as { key: string; outcome: T };
      this.#done.set(key, outcome);
    }
  }

  /** What the file has of a key. */
  known(key: string): T | undefined {
    return this.#done.get(key);
  }

  /** The outcome of a key: from the file, or measured now and written there. */
  async once(key: string, measure: () => Promise<T>): Promise<T> {
    const known = this.#done.get(key);
    if (known !== undefined) return known;
    const outcome = await measure();
    this.#done.set(key, outcome);
    appendFileSync(this.#file, `${JSON.stringify({ key, outcome })}\n`);
    return outcome;
  }
}

/** A figure with the 95% interval that resampling the prompts gives. */
export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

const RESAMPLES = 2000;

/** `figure` over all items, and over items drawn with replacement; items for which it is undefined have no say. */
export function bootstrap<T>(items: readonly T[], figure: (some: readonly T[]) => number): Interval {
  const draws = new Draws(RandomKey.fromSeed(1));
  const values = Array.from({ length: RESAMPLES }, () =>
    figure(items.map(() => items[draws.below(items.length)] as T)),
  )
    .filter((value) => !Number.isNaN(value))
    .sort((a, b) => a - b);
  const at = (share: number): number => values[Math.floor(share * (values.length - 1))] ?? Number.NaN;
  return { value: figure(items), low: at(0.025), high: at(0.975) };
}

/** In percent or points, as '84.1 (80.2 to 87.5)'. */
export function inPercent({ value, low, high }: Interval): string {
  const text = (share: number): string => (100 * share).toFixed(1);
  return Number.isNaN(value) ? '-' : `${text(value)} (${text(low)} to ${text(high)})`;
}

/** The mean of some numbers; NaN of none. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

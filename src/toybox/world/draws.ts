// Random choices for the generator: a convenience over the keyed generator of core/random.ts, which hands its
// numbers out one after another. Scene number i of a seed has a key of its own, whatever was drawn before.

import type { RandomKey } from '../../core/random.js';

const BLOCK = 32;

/** A sequence of random choices; the same key gives the same sequence. */
export class Draws {
  readonly #key: RandomKey;
  #block: Float64Array = new Float64Array(0);
  #drawn = 0;

  constructor(key: RandomKey) {
    this.#key = key;
  }

  /** The next number in [0, 1). */
  uniform(): number {
    const at = this.#drawn % BLOCK;
    if (at === 0) this.#block = this.#key.fold(this.#drawn / BLOCK).uniform(BLOCK);
    this.#drawn += 1;
    return this.#block[at] as number;
  }

  /** A whole number in [0, count). */
  below(count: number): number {
    return Math.floor(this.uniform() * count);
  }

  /** A number in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.uniform();
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  /** One item of a list that is not empty. */
  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError('cannot pick from an empty list');
    return items[this.below(items.length)] as T;
  }

  /** One item of a list that is not empty, with probability proportional to its weight. */
  weighted<T>(items: readonly (readonly [item: T, weight: number])[]): T {
    let rest = this.uniform() * items.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [item, weight] of items) {
      rest -= weight;
      if (rest < 0) return item;
    }
    return (items[items.length - 1] as readonly [T, number])[0];
  }

  /** Distinct items of a list, in random order. */
  sample<T>(items: readonly T[], count: number): T[] {
    const rest = [...items];
    const chosen: T[] = [];
    while (chosen.length < count && rest.length > 0) chosen.push(...rest.splice(this.below(rest.length), 1));
    return chosen;
  }
}

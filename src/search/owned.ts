// The prefixes that a search owns. One place gives back what is left when a search ends, however it ends.

import type { Prefix } from '../models/contract.js';

/** A set of owned prefixes, counted: a prefix with two owners here is released twice. */
export class Owned {
  readonly #counts = new Map<Prefix, number>();
  #size = 0;

  /** How many ownerships are held. */
  get size(): number {
    return this.#size;
  }

  /** Takes over an ownership that the caller has, and gives the prefix back for use. */
  add(prefix: Prefix): Prefix {
    this.#counts.set(prefix, (this.#counts.get(prefix) ?? 0) + 1);
    this.#size++;
    return prefix;
  }

  /** Releases one ownership of a prefix. */
  release(prefix: Prefix): void {
    const count = this.#counts.get(prefix);
    if (count === undefined) {
      throw new RangeError(`a prefix of ${prefix.step} steps is not owned by this search`);
    }
    if (count === 1) this.#counts.delete(prefix);
    else this.#counts.set(prefix, count - 1);
    this.#size--;
    prefix.release();
  }

  /** Releases everything that is left. */
  releaseAll(): void {
    for (const prefix of [...this.#counts.keys()]) {
      while (this.#counts.has(prefix)) this.release(prefix);
    }
  }
}

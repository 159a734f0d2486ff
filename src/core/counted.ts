// A value with several owners, which is freed after as many releases as there were owners.

/** The base of such values. */
export abstract class Counted {
  #owners = 1;

  /** The value in words, for messages. */
  protected abstract readonly words: string;

  /** Frees what the value holds; called once, by the last release. */
  protected abstract free(): void;

  /** Whether somebody owns it. */
  protected get isAlive(): boolean {
    return this.#owners > 0;
  }

  retain(): this {
    this.assertAlive();
    this.#owners++;
    return this;
  }

  release(): void {
    this.assertAlive();
    if (--this.#owners === 0) this.free();
  }

  /** Throws a RangeError after the last release. */
  assertAlive(): void {
    if (!this.isAlive) throw new RangeError(`${this.words} was used after its release`);
  }
}

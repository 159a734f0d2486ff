// A value with several owners, which is freed after as many releases as there were owners.

import type { Reservation } from './reservation.js';

/** The base of such values. What one holds is charged to a reservation, where there is one, until it is freed. */
export abstract class Counted {
  readonly #reservation: Reservation | undefined;
  #charged = 0;
  #owners = 1;

  constructor(reservation?: Reservation) {
    this.#reservation = reservation;
  }

  /** The value in words, for messages. */
  protected abstract readonly words: string;

  /** Frees what the value holds; called once, by the last release. */
  protected abstract free(): void;

  /** Whether somebody owns it. */
  protected get isAlive(): boolean {
    return this.#owners > 0;
  }

  /** Notes bytes that the value holds from now on, until it is freed. */
  protected charge(bytes: number): void {
    this.#charged += bytes;
    this.#reservation?.charge(bytes);
  }

  /** Notes bytes of those that it holds no more. */
  protected refund(bytes: number): void {
    this.#charged -= bytes;
    this.#reservation?.refund(bytes);
  }

  retain(): this {
    this.assertAlive();
    this.#owners++;
    return this;
  }

  release(): void {
    this.assertAlive();
    if (--this.#owners > 0) return;
    this.free();
    this.#reservation?.refund(this.#charged);
  }

  /** Throws a RangeError after the last release. */
  assertAlive(): void {
    if (!this.isAlive) throw new RangeError(`${this.words} was used after its release`);
  }
}

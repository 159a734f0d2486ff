// Bytes that were set aside for a run, and how many of them it holds. Prefixes and pictures are charged here when they come to hold
// something and given back when they are freed, so that what a plan has foretold can be compared with what was really held.

/** Bytes set aside for somebody. */
export class Reservation {
  /** How many may be held at once. */
  readonly bytes: number;
  #held = 0;
  #peak = 0;

  constructor(bytes = Infinity) {
    this.bytes = bytes;
  }

  /** Bytes that are held now. */
  get held(): number {
    return this.#held;
  }

  /** The most that were held at once. */
  get peak(): number {
    return this.#peak;
  }

  /** Notes bytes that are held from now on. */
  charge(bytes: number): void {
    this.#held += bytes;
    this.#peak = Math.max(this.#peak, this.#held);
  }

  /** Notes bytes that are held no more. */
  refund(bytes: number): void {
    this.#held -= bytes;
  }
}

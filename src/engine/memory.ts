// Memory: sizes as people write them, and the budget that the runs of an engine share.

import { Reservation } from '../core/reservation.js';

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
};

/** Bytes of a number or of a text such as '2GB' or '512 MiB'; null for what is not a positive size. */
export function parseMemory(size: unknown): number | null {
  if (typeof size === 'number') return Number.isFinite(size) && size >= 1 ? Math.floor(size) : null;
  if (typeof size !== 'string') return null;
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(size);
  const unit = UNITS[match?.[2]?.toUpperCase() ?? '?'];
  const bytes = unit === undefined ? 0 : Math.floor(Number(match?.[1]) * unit);
  return bytes >= 1 ? bytes : null;
}

/** The memory of an engine where nothing is said. */
export const DEFAULT_MEMORY = 2 ** 31;

interface Waiting {
  readonly bytes: number;
  readonly admit: () => void;
}

/**
 * The memory that the runs of an engine share. Each sets aside at its start all that it may come to hold, and waits for that in the
 * order in which runs came. Nobody waits who holds something, so that runs never lock each other out.
 */
export class MemoryBudget {
  readonly bytes: number;
  #free: number;
  readonly #queue = new Set<Waiting>();

  constructor(bytes = DEFAULT_MEMORY) {
    this.bytes = bytes;
    this.#free = bytes;
  }

  /** Bytes that nobody has set aside. */
  get free(): number {
    return this.#free;
  }

  /**
   * Runs work that may hold so many bytes, once they are free; it is told the milliseconds that it had to wait. Who waits leaves with
   * the signal's reason.
   */
  async withReserved<T>(
    bytes: number,
    work: (reservation: Reservation, waited: number) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    if (bytes > this.bytes) {
      throw new RangeError(`${bytes} bytes are more than the ${this.bytes} that there are`);
    }
    signal?.throwIfAborted();
    const start = performance.now();
    const waits = this.#queue.size > 0 || bytes > this.#free;
    await this.#enter(bytes, signal);
    try {
      return await work(new Reservation(bytes), waits ? performance.now() - start : 0);
    } finally {
      this.#free += bytes;
      this.#admit();
    }
  }

  #enter(bytes: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#queue.delete(waiting);
        reject(signal?.reason as Error);
        // Who stood behind may fit.
        this.#admit();
      };
      const waiting = {
        bytes,
        admit: () => {
          signal?.removeEventListener('abort', leave);
          resolve();
        },
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#queue.add(waiting);
      this.#admit();
    });
  }

  /** Lets in who fits, from the front of the queue: nobody is overtaken, however much it needs. */
  #admit(): void {
    for (const waiting of this.#queue) {
      if (waiting.bytes > this.#free) return;
      this.#queue.delete(waiting);
      this.#free -= waiting.bytes;
      waiting.admit();
    }
  }
}

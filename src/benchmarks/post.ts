// A place where a run is worked on. Whoever has it may die (killed, out of memory, crashed): another takes it, and does again what
// was in work, so that nothing is lost but that.

import { RuntimeError } from '../core/errors.js';
import { isError } from '../core/realm.js';
import type { CallOptions, Finished, Hand, Job } from './hand.js';

/** Who dies so often at the same search would go on dying. */
const TRIES = 2;

/** What a place needs. */
export interface PostOptions {
  /** Opens a new hand. */
  readonly open: () => Promise<Hand>;
  /** Hears of everybody who died and is replaced. */
  readonly tell: (message: string) => void;
}

/** A place that is never empty while there is work. */
export class Post {
  readonly #options: PostOptions;
  /** null where the last one died and no other could be opened. */
  #hand: Hand | null;

  private constructor(options: PostOptions, hand: Hand) {
    this.#options = options;
    this.#hand = hand;
  }

  static async open(options: PostOptions): Promise<Post> {
    return new Post(options, await options.open());
  }

  /** The one who is there. */
  get hand(): Hand {
    if (this.#hand) return this.#hand;
    throw new RangeError('nobody is there');
  }

  /** Does a unit. Throws a RuntimeError where it was the death of everybody who tried. */
  async work(job: Job, call: CallOptions = {}): Promise<Finished> {
    for (let tries = 1; ; tries++) {
      const { hand } = this;
      try {
        return await hand.work(job, call);
      } catch (error) {
        call.signal?.throwIfAborted();
        if (!hand.isBroken) throw error;
        await this.#replace(messageOf(error), tries, error);
      }
    }
  }

  async #replace(message: string, tries: number, cause: unknown): Promise<void> {
    if (tries === TRIES) {
      const remedy = "where memory runs out, take fewer by option 'workers': what is finished stays";
      throw new RuntimeError(`${message} It was the second at the same search; ${remedy}`, { cause });
    }
    this.#options.tell(`${message} Another takes its place`);
    const dead = this.#hand;
    this.#hand = null;
    await dead?.close();
    this.#hand = await this.#options.open();
  }

  async close(): Promise<void> {
    await this.#hand?.close();
  }
}

/** A sentence. */
function messageOf(error: unknown): string {
  const message = isError(error) ? error.message : String(error);
  return /[.!?]$/.test(message) ? message : `${message}.`;
}

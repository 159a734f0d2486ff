// An engine that stays open. One whose process was ended (killed, out of memory, crashed) is opened again at the next call.

import type { Engine } from './engine.js';

/** An engine for any number of calls. */
export class HeldEngine {
  readonly #open: () => Promise<Engine>;
  /** null where it was closed and could not be opened again. */
  #engine: Engine | null;
  #opening: Promise<Engine> | null = null;

  private constructor(open: () => Promise<Engine>, engine: Engine) {
    this.#open = open;
    this.#engine = engine;
  }

  static async open(open: () => Promise<Engine>): Promise<HeldEngine> {
    return new HeldEngine(open, await open());
  }

  /** The engine to work with. Calls that come while it is opened again share one. */
  engine(): Promise<Engine> {
    if (!this.#opening && this.#engine?.isBroken() === false) return Promise.resolve(this.#engine);
    this.#opening ??= this.#reopen().finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }

  async #reopen(): Promise<Engine> {
    // What is left of it: a thread that is told of things, files, and verifiers that live elsewhere.
    const broken = this.#engine;
    this.#engine = null;
    await broken?.close();
    const engine = await this.#open();
    this.#engine = engine;
    return engine;
  }

  async close(): Promise<void> {
    await this.#opening?.catch(() => undefined);
    await this.#engine?.close();
  }
}

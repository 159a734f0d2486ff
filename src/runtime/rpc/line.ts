// The callers' end of a line: calls of one turn of the event loop go in one message, replies find their callers, and when
// the other side breaks down or is stopped, everybody who waits learns it. An idle line does not keep the process alive.

import { RuntimeError } from '../../core/errors.js';
import { isError } from '../../core/realm.js';
import type { Connect, Methods, Params, Reply, Request, Transport } from './contract.js';
import { decodeError } from './errors.js';

/** What a line says of its end. */
interface LineWords {
  /** Who works on the other side, as a sentence begins with it: "The worker thread of X". */
  readonly worker: string;
  /** The whole sentence that calls after `close` get. */
  readonly closed: string;
  /** The sentence that calls after a breakdown get as well. */
  readonly remedy: string;
}

/** Options of one call. */
interface CallOptions {
  /** Buffers of the parameters that move to the other side instead of being copied. */
  readonly transfer?: readonly ArrayBuffer[];
  /**
   * Gives up waiting with the signal's reason. The call is not begun, if it is not under way yet; otherwise it goes on as
   * far as its method does not look at its own signal.
   */
  readonly signal?: AbortSignal | undefined;
}

type Arguments<M extends Methods<M>, K extends keyof M> =
  Params<M, K> extends undefined
    ? [params?: undefined, options?: CallOptions]
    : [params: Params<M, K>, options?: CallOptions];

interface Waiting {
  resolve: (result: unknown) => void;
  reject: (error: unknown) => void;
}

interface Outgoing {
  readonly request: Request;
  readonly transfer: readonly ArrayBuffer[];
}

const NOTHING: readonly ArrayBuffer[] = [];

/** A line to methods that run elsewhere, one after the other in the order in which they are asked for. */
export class Line<M extends Methods<M>> {
  readonly #transport: Transport;
  readonly #words: LineWords;
  readonly #ended: Promise<void>;
  /** Nothing more comes from the other side. */
  #setEnded: () => void = () => undefined;
  readonly #waiting = new Map<number, Waiting>();
  #outbox: Outgoing[] = [];
  #ids = 0;
  #closing: Promise<void> | undefined;
  #failure: RuntimeError | undefined;

  constructor(connect: Connect, words: LineWords) {
    this.#words = words;
    this.#ended = new Promise((resolve) => {
      this.#setEnded = resolve;
    });
    this.#transport = connect({
      received: (reply) => {
        this.#receive(reply);
      },
      failed: (cause) => {
        this.#fail(`${words.worker} failed: ${messageOf(cause)}`, cause);
        this.#dismiss();
      },
      ended: (code, how = `ended with code ${code}`) => {
        if (this.#closing && code === 0) this.#rejectAll(new RuntimeError(words.closed));
        else this.#fail(`${words.worker} ${how}`);
        this.#setEnded();
      },
    });
  }

  /** Whether a SharedArrayBuffer in a message is the same memory on both sides. */
  get shares(): boolean {
    return this.#transport.shares;
  }

  /** Whether the other side has broken down, or ended without being asked to. */
  get isBroken(): boolean {
    return this.#failure !== undefined;
  }

  /** Throws when the line has been closed or is broken. */
  check(): void {
    if (this.#closing) throw new RuntimeError(this.#words.closed);
    if (this.#failure) {
      throw new RuntimeError(`${this.#failure.message} ${this.#words.remedy}`, { cause: this.#failure });
    }
  }

  /** Calls a method. Rejects with what it throws, or when the line is closed or breaks. */
  async call<K extends keyof M & string>(method: K, ...args: Arguments<M, K>): Promise<ReturnType<M[K]>> {
    this.check();
    const [params, { transfer = NOTHING, signal } = {}] = args;
    signal?.throwIfAborted();
    const id = this.#ids++;
    const reply = this.#ask(id, { request: ['call', id, method, params], transfer });
    return (signal ? await this.#cancellable(id, reply, signal) : await reply) as ReturnType<M[K]>;
  }

  /** Calls a method without waiting for it. When it fails, the line is broken; a line that is not open does nothing. */
  tell<K extends keyof M & string>(
    method: K,
    params: Params<M, K>,
    transfer: readonly ArrayBuffer[] = NOTHING,
  ): void {
    if (!this.#closing && !this.#failure) this.#send({ request: ['tell', method, params], transfer });
  }

  /** Parameters of what was told last, to add to them, when it was this method and has not been sent yet. */
  unsent<K extends keyof M & string>(method: K): Params<M, K> | undefined {
    const last = this.#outbox.at(-1)?.request;
    return last?.[0] === 'tell' && last[1] === method ? (last[2] as Params<M, K>) : undefined;
  }

  /**
   * Lets the other side finish what it was asked for, and ends it; gives the error that its last method throws. A second
   * close waits for the first.
   */
  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    this.#transport.hold(true);
    try {
      const id = this.#ids++;
      if (!this.#failure) await this.#ask(id, { request: ['close', id], transfer: NOTHING });
    } catch (error) {
      if (!this.#failure) throw error; // a broken line has told everybody else
    } finally {
      await this.#ended;
    }
  }

  #ask(id: number, outgoing: Outgoing): Promise<unknown> {
    const reply = new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
    if (this.#waiting.size === 1) this.#transport.hold(true);
    this.#send(outgoing);
    return reply;
  }

  async #cancellable(id: number, reply: Promise<unknown>, signal: AbortSignal): Promise<unknown> {
    const cancel = (): void => {
      const waiting = this.#take(id);
      if (!waiting) return;
      waiting.reject(signal.reason);
      this.#send({ request: ['cancel', id], transfer: NOTHING });
    };
    signal.addEventListener('abort', cancel);
    try {
      return await reply;
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  #send(outgoing: Outgoing): void {
    if (this.#outbox.length === 0) {
      queueMicrotask(() => {
        this.#flush();
      });
    }
    this.#outbox.push(outgoing);
  }

  #flush(): void {
    const outbox = this.#outbox;
    this.#outbox = [];
    if (this.#failure) return;
    try {
      this.#post(outbox);
    } catch {
      // One of them cannot be sent; the others need not suffer for it.
      for (const each of outbox) this.#postOne(each);
    }
  }

  #post(outbox: readonly Outgoing[]): void {
    this.#transport.send(
      outbox.map(({ request }) => request),
      outbox.length === 1 ? (outbox[0] as Outgoing).transfer : outbox.flatMap(({ transfer }) => transfer),
    );
  }

  #postOne(outgoing: Outgoing): void {
    if (this.#failure) return;
    try {
      this.#post([outgoing]);
    } catch (cause) {
      const { request } = outgoing;
      const message = `${this.#words.worker} cannot be asked for this: ${messageOf(cause)}`;
      if (request[0] === 'call') {
        this.#take(request[1])?.reject(new RuntimeError(message, { cause }));
        return;
      }
      // Whatever comes next may build on it.
      this.#fail(message, cause);
      this.#dismiss();
    }
  }

  /** The other side of a broken line ends, when it has not yet. */
  #dismiss(): void {
    try {
      this.#transport.send([['close', this.#ids++]], NOTHING);
    } catch {
      this.#setEnded(); // it cannot be reached, so that nobody waits for it
    }
  }

  #receive(reply: Reply): void {
    switch (reply[0]) {
      case 'result':
        this.#take(reply[1])?.resolve(reply[2]);
        return;
      case 'error':
        this.#take(reply[1])?.reject(decodeError(reply[2]));
        return;
      case 'broken': {
        const cause = decodeError(reply[1]);
        this.#fail(`${this.#words.worker} failed: ${cause.message}`, cause);
        return;
      }
    }
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    if (!waiting) return undefined;
    this.#waiting.delete(id);
    if (this.#waiting.size === 0 && !this.#closing) this.#transport.hold(false);
    return waiting;
  }

  #fail(message: string, cause?: unknown): void {
    const sentence = /[.!?]$/.test(message) ? message : `${message}.`;
    this.#failure ??= new RuntimeError(sentence, { cause });
    this.#rejectAll(this.#failure);
  }

  #rejectAll(error: RuntimeError): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

function messageOf(cause: unknown): string {
  return isError(cause) ? cause.message : String(cause);
}

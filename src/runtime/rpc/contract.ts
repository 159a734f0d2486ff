// What the two ends of a line share: maps of methods, the messages, and what a transport has to do. Methods run elsewhere: in
// a child process (process.ts) or in a worker thread (thread.ts).

import type { WireError } from './errors.js';

/** A map of methods: an interface whose methods take one value, or none, and give one. Values have to be cloneable. */
export type Methods<M> = { readonly [K in keyof M]: (params: never) => unknown };

/** What a method takes. */
export type Params<M extends Methods<M>, K extends keyof M> = Parameters<M[K]>[0];

/** One thing that is asked for. Those of one turn of the event loop travel together. */
export type Request =
  | readonly [kind: 'call', id: number, method: string, params: unknown]
  /** Has no reply; when it fails, the whole line is broken. */
  | readonly [kind: 'tell', method: string, params: unknown]
  /** Of a call that nobody waits for any more. */
  | readonly [kind: 'cancel', id: number]
  | readonly [kind: 'close', id: number];

/** What comes back. */
export type Reply =
  | readonly [kind: 'result', id: number, result: unknown]
  | readonly [kind: 'error', id: number, error: WireError]
  /** What was told failed: nothing after it is worked off. */
  | readonly [kind: 'broken', error: WireError];

/** The way to where the methods run, as the callers have it. */
export interface Transport {
  /** Whether a SharedArrayBuffer in a message is the same memory on both sides. */
  readonly shares: boolean;
  /**
   * Sends a message; its buffers move there if the transport can move them. Throws when it cannot, and has sent nothing
   * then; does nothing when the other side has ended.
   */
  send(message: readonly Request[], transfer: readonly ArrayBuffer[]): void;
  /** Whether this process waits for the other side before it ends; at first it does not. */
  hold(held: boolean): void;
}

/** What a transport reports. */
export interface TransportEvents {
  received(reply: Reply): void;
  /** The other side, or the way there, is broken. */
  failed(cause: unknown): void;
  /** The other side is gone; `how` goes on a sentence that begins with its name, when there is more to say than the code. */
  ended(code: number, how?: string): void;
}

/** Starts the other side. Events come after it has returned. */
export type Connect = (events: TransportEvents) => Transport;

/** The way back to the callers, as the methods have it. */
export interface Port {
  /** Throws when the message cannot be sent, and has sent nothing then. */
  send(message: Reply, transfer: readonly ArrayBuffer[]): void;
  listen(receive: (message: readonly Request[]) => void): void;
  /** Runs a piece of work that the end of the callers' process must not tear apart. */
  guard<T>(work: () => T | Promise<T>): Promise<T>;
  /** Ends this side, once nothing keeps it. */
  close(): void;
}

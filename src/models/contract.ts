// What search knows of a generator: prefixes that can be extended, shared and freed.
// Nothing here builds an implementation; Infinity is in models/infinity, a counting fake in search/dry-run.ts.

import type { Image } from '../core/image.js';
import type { Ledger } from '../core/ledger.js';
import type { RandomKey } from '../core/random.js';

/** One step of a schedule, in tokens. */
export interface Scale {
  readonly height: number;
  readonly width: number;
}

/**
 * The scales 1..k of a generation, as an immutable value. A prefix holds its parent; whoever got one from a model
 * releases it once, and what no prefix needs any more (bits, logits, keys and values) is freed with it.
 */
export interface Prefix {
  /** How many scales are fixed: 0 for the empty prefix, K for a complete picture. */
  readonly scale: number;
  /** The prefix of one scale less; null for the empty prefix. */
  readonly parent: Prefix | null;
  /** A second owner of the same value: it is freed after as many releases as there were owners. */
  retain(): Prefix;
  release(): void;
}

/** One draw: the next scale after `prefix`, with the random numbers of `key`. */
export interface Extension {
  readonly prefix: Prefix;
  readonly key: RandomKey;
}

/** What a call may be given besides its arguments. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** A prompt made ready in a model: the generator that search steps through. */
export interface Generator {
  readonly scales: readonly Scale[];
  readonly ledger: Ledger;
  /**
   * How many rollouts fit the memory budget at once. Complete, decode, score and release rollouts in groups of at most
   * this many: a complete prefix holds the keys and values of its whole chain until it is released.
   */
  readonly concurrency: number;
  /** The empty prefix; the caller owns it. */
  begin(): Prefix;
  /**
   * Draws the next scale of every request; results in the order of requests, each owned by the caller.
   * The forward pass of a prefix is computed once, whoever asks first: its logits serve all that extend it, at any time.
   */
  extend(requests: readonly Extension[], options?: CallOptions): Promise<Prefix[]>;
  /** The pictures of prefixes of any scale (a prefix that is not complete gives a smaller preview). */
  decode(prefixes: readonly Prefix[], options?: CallOptions): Promise<Image[]>;
  /** Frees what belongs to the prompt; prefixes must have been released before. */
  close(): void;
}

/** How a prompt is to be generated. */
export interface GenerationOptions {
  /** Guidance scale, for all scales or per scale. */
  readonly cfg?: number | readonly number[];
  /** Sampling temperature tau, for all scales or per scale. */
  readonly temperature?: number | readonly number[];
  /** Keep the k likelier of a bit's two values: 0 keeps both, 1 is greedy. */
  readonly topK?: number;
  /** Nucleus sampling over a bit's two values: 0 or 1 keeps both. */
  readonly topP?: number;
  /** Picture size by its official name, such as '0.25M', for models that have several. @default the model's own */
  readonly size?: string;
  /** Height over width, for models that have several; the nearest official ratio is taken. @default 1 */
  readonly aspectRatio?: number;
}

/** A loaded image model. */
export interface ImageModel {
  readonly name: string;
  /** SHA-256 of the files that make the model, for results and replay. */
  hashes(): Promise<Readonly<Record<string, string>>>;
  /** Encodes the prompt and gives the generator for it; costs go to `ledger`. */
  prepare(prompt: string, ledger: Ledger, options?: GenerationOptions & CallOptions): Promise<Generator>;
  close(): Promise<void>;
}

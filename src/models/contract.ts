// What search knows of a generator: steps that can be taken, shared, looked at and packed, and a schedule of them that is
// known without weights. Nothing here builds an implementation; Infinity is in models/infinity, where a step is a scale.

import type { Image } from '../core/image.js';
import type { Ledger } from '../core/ledger.js';
import type { OptionTable, OptionValues } from '../core/options.js';
import type { Draw } from '../core/random.js';
import type { Reservation } from '../core/reservation.js';

/** The picture of a prefix that ends with a step. */
export interface Readout {
  /** In pixels. */
  readonly width: number;
  readonly height: number;
  /** Evaluations that looking costs, which the next step need not pay again. */
  readonly nfe: number;
}

/** One step of a generation. */
export interface Step {
  /** The step in words, such as '4 x 4'. */
  readonly label: string;
  /** Whether the step draws random numbers: siblings of one prefix differ only there. */
  readonly draws: boolean;
  /** Function evaluations of one sequence, as the paper counts them. */
  readonly nfe: number;
  /** Tokens of its forward pass. */
  readonly tokens: number;
  /** Floating-point operations of its forward pass, guidance counted as it is run. */
  readonly flops: number;
  /** Bytes that its forward pass leaves for the steps after it, while a prefix that needs them lives. */
  readonly heldBytes: number;
  /** Bytes that a prefix which ends with this step holds by itself: bits, summed codes, a latent. @default 0 */
  readonly prefixBytes?: number;
  /** Bytes that its forward pass needs for one prefix while it runs. @default 0 */
  readonly runBytes?: number;
  /** What it needs besides where it runs together with others. @default 0 */
  readonly gatheredBytes?: number;
  readonly readout: Readout;
}

/** All steps of a generation, as data. */
export interface Schedule {
  /** What the model calls a step. */
  readonly unit: 'scale' | 'step';
  readonly steps: readonly Step[];
  /** Whether a prefix needs none of those before it (a latent does not, keys and values do). @default false */
  readonly standsAlone?: boolean;
}

/**
 * Steps 1..k of a generation, as an immutable value. Whoever got one from a generator releases it once; what no prefix needs
 * any more (bits, latents, logits, keys and values) is freed with it.
 */
export interface Prefix {
  /** How many steps are taken: 0 for the empty prefix, K for a complete picture. */
  readonly step: number;
  /** A second owner of the same value: it is freed after as many releases as there were owners. */
  retain(): Prefix;
  release(): void;
}

/** The next step after `prefix`, with the random numbers of `draw` where the step draws. */
export interface Extension {
  readonly prefix: Prefix;
  readonly draw: Draw;
}

/** What a call may be given besides its arguments. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Where the call's cost goes, for what is no part of the search. @default the generator's */
  readonly ledger?: Ledger | undefined;
  /** What the prefixes of a prepared prompt are charged to. @default nothing */
  readonly reservation?: Reservation | undefined;
}

/** How an unfinished prefix is looked at: at its own size, or as far as it has come at the size of the last step. */
export type View = 'own' | 'full';

/** A prompt made ready in a model: the generator that search steps through. Calls are made one after another. */
export interface Generator {
  readonly schedule: Schedule;
  readonly ledger: Ledger;
  /** The empty prefix; the caller owns it. */
  begin(): Prefix;
  /**
   * Takes the next step of every request; results in the order of requests, each owned by the caller.
   * The forward pass of a prefix is computed once, whoever asks first, and serves all that extend it, at any time.
   */
  extend(requests: readonly Extension[], call?: CallOptions): Promise<Prefix[]>;
  /**
   * A prefix of `until` steps from the empty one for each draw, step s with draw.fold(s), as `extend` takes one step after the other:
   * for those from which nothing, or only further steps, will be taken. The caller owns them. @default step by step is as good
   */
  rollOut?(draws: readonly Draw[], until: number, call?: CallOptions): Promise<Prefix[]>;
  /** The pictures of prefixes of any step; both views of a complete prefix are the same. */
  decode(prefixes: readonly Prefix[], view: View, call?: CallOptions): Promise<Image[]>;
  /** All that a prefix is, in few bytes. */
  pack(prefix: Prefix): Uint8Array;
  /** The prefix of a packed state, which the caller owns; no forward pass runs until it is extended. */
  unpack(state: Uint8Array): Prefix;
  /** The prefixes that this one came through, of step 1 up to itself; the caller owns each. @default not known: a latent forgets them */
  stages?(prefix: Prefix): Prefix[];
  /** How many prefixes can be taken from step `from` to step `until` together within the memory budget; at least 1. */
  room(from: number, until: number): number;
  /** Frees what belongs to the prompt; prefixes must have been released before. */
  close(): void;
}

/** A loaded image model. */
export interface ImageModel {
  readonly name: string;
  /** The options that are this model's own, such as guidance. */
  readonly options: OptionTable;
  /** Options with which more of its steps draw than usually, for searches that need that. @default none */
  readonly drawing?: OptionValues;
  /** Given options with the model's defaults filled in, as plain data; a UsageError where they cannot be. */
  resolve(options: OptionValues): OptionValues;
  /**
   * The schedule with these options, for a prompt of usual length. A model of one's own that does not tell it cannot be held to the
   * engine's memory. @default known when a prompt is ready
   */
  schedule?(options: OptionValues): Schedule;
  /** SHA-256 of the files that make the model, for results and replay. */
  hashes(): Promise<Readonly<Record<string, string>>>;
  /** Encodes the prompt and gives the generator for it; costs go to `ledger`. The options are those of `resolve`. */
  prepare(prompt: string, ledger: Ledger, options?: OptionValues, call?: CallOptions): Promise<Generator>;
  /** Loads now what it would load when it is first needed. @default there is no such thing */
  loadAll?(): Promise<void>;
  close(): Promise<void>;
}

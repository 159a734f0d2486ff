// The messages between the verifier and the worker thread that runs Transformers.js for it. One request at a time is worked
// off, in the order in which they were sent; each gets a reply.

import type { Image } from '../../core/image.js';
import type { ExitGate } from '../../runtime/exit-gate.js';
import type { LlavaFolder } from './in-process-files.js';

/** What the worker starts with. */
export interface LlavaWorkerData {
  readonly gate: ExitGate;
}

/** Log-probabilities of the answers at the first answer token, each the sum over all tokens that give it. */
export interface AnswerLogProbabilities {
  readonly yes: number;
  readonly no: number;
}

/** What the worker can be asked for; `prompt` numbers the questions, given out by the verifier. */
export type LlavaRequest =
  | { readonly kind: 'load'; readonly folder: LlavaFolder; readonly threads: number }
  | { readonly kind: 'prepare'; readonly prompt: number; readonly question: string }
  | { readonly kind: 'score'; readonly prompt: number; readonly image: Image }
  | { readonly kind: 'drop'; readonly prompt: number }
  | { readonly kind: 'stats' }
  | { readonly kind: 'close' };

/** What the worker holds. */
export interface LlavaStats {
  readonly prompts: number;
  /** Sessions of ONNX Runtime. */
  readonly sessions: number;
  /** Runs of the image tower so far. */
  readonly towerRuns: number;
}

/** Replies of requests, by their kind. */
export interface LlavaReplies {
  readonly load: undefined;
  readonly prepare: undefined;
  readonly score: AnswerLogProbabilities;
  readonly drop: undefined;
  readonly stats: LlavaStats;
  readonly close: undefined;
}

/** An error on its way through a message, which keeps of a class only its name. */
export interface WireError {
  readonly name: string;
  readonly message: string;
  /** Of a CheckpointError. */
  readonly file?: string;
}

/** A request with its number, and the reply to it. */
export interface LlavaCall {
  readonly call: number;
  readonly request: LlavaRequest;
}

/** See LlavaCall. */
export interface LlavaReply {
  readonly call: number;
  readonly result?: LlavaReplies[keyof LlavaReplies];
  readonly error?: WireError;
}

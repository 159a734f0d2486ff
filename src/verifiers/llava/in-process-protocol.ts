// What the worker that runs Transformers.js can be asked for by its verifier.

import type { Image } from '../../core/image.js';
import type { LlavaFolder } from './in-process-files.js';

/** Log-probabilities of the answers at the first answer token, each the sum over all tokens that give it. */
export interface AnswerLogProbabilities {
  readonly yes: number;
  readonly no: number;
}

/** What the worker holds. */
export interface LlavaStats {
  readonly prompts: number;
  /** Sessions of ONNX Runtime. */
  readonly sessions: number;
  /** Runs of the image tower so far. */
  readonly towerRuns: number;
}

/** The methods of the worker; `prompt` numbers the questions, given out by the verifier. */
export interface LlavaMethods {
  load(request: { readonly folder: LlavaFolder; readonly threads: number }): void;
  prepare(request: { readonly prompt: number; readonly question: string }): void;
  score(request: { readonly prompt: number; readonly image: Image }): AnswerLogProbabilities;
  stats(): LlavaStats;
  // Told, not called:
  drop(request: { readonly prompt: number }): void;
}

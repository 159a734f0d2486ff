// What search knows of a verifier: pictures in, one score each out, higher is better.

import { VarsearchError } from '../core/errors.js';
import type { Image } from '../core/image.js';
import type { Ledger } from '../core/ledger.js';

/** How a prompt was cut that is longer than what a verifier reads. */
export interface Cut {
  /** The most tokens that it reads, special ones counted. */
  readonly tokens: number;
  /** The end of the prompt that it does not see. */
  readonly unseen: string;
}

/** A verifier with a prompt made ready: it scores pictures for this prompt. */
export interface Judge {
  /** Scores in the order of the pictures, higher is better; one picture's score never depends on the others. */
  score(images: readonly Image[], options?: { readonly signal?: AbortSignal | undefined }): Promise<number[]>;
  /** Where the prompt was too long for it. */
  readonly cut?: Cut;
  /** Frees what belongs to the prompt. */
  close(): void;
}

/** A loaded verifier. */
export interface Verifier {
  readonly name: string;
  /** The highest score that it can give, where there is one. */
  readonly most?: number;
  /** Floating-point operations of scoring one picture, where they are known: 0 where nothing is multiplied. */
  readonly flops?: number;
  /** SHA-256 of the files that make the verifier, for results and replay. */
  hashes(): Promise<Readonly<Record<string, string>>>;
  /** Encodes the prompt once; costs (time, pictures) go to `ledger`. An empty prompt is a UsageError. */
  prepare(prompt: string, ledger: Ledger): Promise<Judge>;
  /** Whether a process of its own has broken down, so that it has to be loaded again. @default never */
  isBroken?(): boolean;
  close(): Promise<void>;
}

/** For a judge: nothing where all of the prompt is read. */
export function cutOf(cut: Cut): { readonly cut?: Cut } {
  return cut.unseen === '' ? {} : { cut };
}

/** Characters of a prompt that a warning shows. */
const MOST_SHOWN = 200;

/** Says what a verifier does not see; `prompts` where they are several. */
export function cutWarning(
  name: string,
  { tokens, unseen }: Cut,
  prompts?: { cut: number; of: number },
): string {
  const shown = unseen.length > MOST_SHOWN ? `${unseen.slice(0, MOST_SHOWN)}…` : unseen;
  const which =
    prompts === undefined || prompts.of === 1
      ? ''
      : ` (${prompts.cut} of ${prompts.of} prompts are longer; the first of them is meant)`;
  return `the verifier '${name}' reads the first ${tokens} tokens of a prompt${which} and does not see "${shown}"`;
}

/** Throws a VarsearchError unless a verifier has given each picture one finite score. */
export function checkScores(name: string, scores: readonly number[], pictures: number): void {
  if (scores.length !== pictures) {
    throw new VarsearchError(
      `the verifier '${name}' gave ${scores.length} scores for ${pictures} pictures: it must give one each`,
    );
  }
  const fault = scores.findIndex((score) => !Number.isFinite(score));
  if (fault >= 0) {
    throw new VarsearchError(
      `the verifier '${name}' scored picture ${fault + 1} of ${pictures} as ${scores[fault]}: scores must be finite numbers`,
    );
  }
}

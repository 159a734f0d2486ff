// What search knows of a judge: pictures in, one score each out, higher is better.

import { VarsearchError } from '../core/errors.js';
import type { Image } from '../core/image.js';
import type { Ledger } from '../core/ledger.js';

/** A verifier with a prompt made ready: it scores pictures for this prompt. */
export interface Judge {
  /** Scores in the order of the pictures, higher is better; one picture's score never depends on the others. */
  score(images: readonly Image[], options?: { readonly signal?: AbortSignal | undefined }): Promise<number[]>;
  /** Frees what belongs to the prompt. */
  close(): void;
}

/** Judges that guide a search together, and the rule that makes one score of theirs. */
export interface Panel {
  /** The members' names, in the order of their scores. */
  readonly members: readonly string[];
  /** The scores of every member: [member][picture]. */
  judgeMembers(...call: Parameters<Judge['score']>): Promise<number[][]>;
  /** One score a picture of the members' [member][picture]; a picture that no member finds worse never gets a lower one. */
  combine(scores: readonly (readonly number[])[]): number[];
  /** True where a picture's combined score depends on the pictures that it is combined with: then it says nothing elsewhere. */
  readonly relative: boolean;
}

/** A loaded verifier. */
export interface Verifier {
  readonly name: string;
  /** SHA-256 of the files that make the verifier, for results and replay. */
  hashes(): Promise<Readonly<Record<string, string>>>;
  /** Encodes the prompt once; costs (time, pictures) go to `ledger`. An empty prompt is a UsageError. */
  prepare(prompt: string, ledger: Ledger): Promise<Judge>;
  close(): Promise<void>;
}

/** A judge as a panel: itself where it has members, a panel of one by the name of its verifier otherwise. */
export function panelOf(judge: Judge | (Judge & Panel), name: string): Panel {
  if ('judgeMembers' in judge) return judge;
  return {
    members: [name],
    judgeMembers: async (...call) => [await judge.score(...call)],
    combine: ([scores = []]) => [...scores],
    relative: false,
  };
}

/** Throws a VarsearchError unless every member has given each picture one finite score: [member][picture]. */
export function checkScores(
  { members }: Pick<Panel, 'members'>,
  scores: readonly (readonly number[])[],
  pictures: number,
): void {
  for (const [member, name] of members.entries()) {
    const own = scores[member] ?? [];
    if (own.length !== pictures) {
      throw new VarsearchError(
        `the verifier '${name}' gave ${own.length} scores for ${pictures} pictures: it must give one each`,
      );
    }
    const fault = own.findIndex((score) => !Number.isFinite(score));
    if (fault >= 0) {
      throw new VarsearchError(
        `the verifier '${name}' scored picture ${fault + 1} of ${pictures} as ${own[fault]}: scores must be finite numbers`,
      );
    }
  }
}

// Verifiers may come from anywhere: what they give is looked at before anything follows from it.

import { VarsearchError } from '../core/errors.js';
import type { Panel } from './contract.js';

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

// Scores that can be compared over a whole search, or over several: for relative ensembles (rank, z-score) all their pictures are
// combined anew from the members' own scores, since a score that a round has given says nothing outside of that round.

import type { ResolvedOptions } from '../engine/options.js';
import type { TreeNode } from '../search/tree.js';
import { combineScores, isRelative } from '../verifiers/ensemble.js';
import type { GenerateResult, Spent, TracePoint } from './result.js';

/** The score of a candidate among those that it is compared with. */
export type Standings = (node: TreeNode) => number;

/** The names of the verifiers that guide a search. */
export function memberNames({
  verifier,
  ensemble,
}: Pick<ResolvedOptions, 'verifier' | 'ensemble'>): readonly string[] {
  return ensemble ? verifier.split(',') : [verifier];
}

/** True where scores of different rounds or searches cannot be compared as they are. */
export function isRelativeSearch({ ensemble }: Pick<ResolvedOptions, 'ensemble'>): boolean {
  return ensemble !== null && isRelative(ensemble);
}

/** How many pictures a result was chosen from: all of its search, or those of the last round where that gave the result. */
export function countChosenFrom({
  complete,
  tree: { nodes },
  options: { search },
}: Pick<GenerateResult, 'complete' | 'tree' | 'options'>): number {
  if (!complete || search.strategy === 'random' || search.result === 'best') {
    return nodes.filter(({ inherited }) => !inherited).length;
  }
  return nodes.filter(({ scale }) => scale === nodes.at(-1)?.scale).length;
}

/** Compares all pictures of some candidates with each other, each picture once. */
export function standingsOf(
  nodes: readonly TreeNode[],
  options: Pick<ResolvedOptions, 'verifier' | 'ensemble'>,
): Standings {
  const { ensemble } = options;
  if (!ensemble || !isRelative(ensemble)) return ({ score }) => score;
  const distinct = nodes.filter(({ inherited }) => !inherited);
  const rows = memberNames(options).map((name) => distinct.map(({ scores }) => scores[name] ?? NaN));
  const combined = combineScores(rows, ensemble);
  const byPicture = new Map(distinct.map(({ image }, i) => [image, combined[i]]));
  return ({ image }) => byPicture.get(image) ?? NaN;
}

/** The best score so far at every point of a search, which never falls: the standings are those of all its pictures. */
export function traceOf(
  spent: readonly Spent[],
  nodes: readonly TreeNode[],
  standings: Standings,
): readonly TracePoint[] {
  const drawn = nodes.filter(({ inherited }) => !inherited);
  let seen = 0;
  let best = -Infinity;
  return spent.map(({ images, nfe, forwards, tokens, milliseconds }) => {
    for (const node of drawn.slice(seen, images)) best = Math.max(best, standings(node));
    seen = images;
    return { images, nfe, forwards, tokens, milliseconds, best };
  });
}

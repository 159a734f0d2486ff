// Candidates compared with each other by a panel's rule: their scores, the best of them, and which of them may still be elected
// when others are to come. What comes out never depends on the groups in which candidates come in.

import { VarsearchError } from '../core/errors.js';
import type { Panel } from '../verifiers/contract.js';
import type { TreeNode } from './tree.js';

/** A candidate with its score in a contest. */
export interface Standing {
  readonly node: TreeNode;
  readonly score: number;
}

/** Candidates that are compared with each other. */
export class Contest {
  readonly #panel: Panel;
  readonly #nodes: TreeNode[] = [];
  #best: Standing | null = null;

  constructor(panel: Panel) {
    this.#panel = panel;
  }

  /**
   * Takes in candidates, and gives every candidate whose score that makes or changes: the new ones, or all where scores
   * are relative.
   */
  enter(nodes: readonly TreeNode[]): readonly (readonly [node: TreeNode, score: number])[] {
    for (const node of nodes) this.#nodes.push(node);
    const { relative } = this.#panel;
    const compared = relative ? this.#nodes : nodes;
    const scores = this.#panel.combine(rowsOf(compared, this.#panel));
    let best = relative ? null : this.#best;
    const entries = compared.map((node, i) => {
      const score = scores[i] ?? NaN;
      if (!Number.isFinite(score)) {
        throw new VarsearchError(
          `the verifiers' scores of a picture joined to ${score}: give smaller weights`,
        );
      }
      if (!best || score > best.score) best = { node, score };
      return [node, score] as const;
    });
    this.#best = best;
    return entries;
  }

  /** The best candidate until now, the earliest of equals. */
  best(): Standing {
    if (!this.#best) throw new RangeError('no candidate was scored yet');
    return this.#best;
  }
}

/** For sorting best first; a stable sort leaves equals in their order. */
export function byScore(a: { readonly node: TreeNode }, b: { readonly node: TreeNode }): number {
  return b.node.score - a.node.score;
}

/**
 * Those of a round's candidates so far, in their order, that can still be among its `elect` best when more are to come. Where
 * scores are relative, the order of two candidates may turn with every newcomer, unless no member finds the one worse:
 * a candidate is out when that many others are ahead of it for good.
 */
export function contenders<Candidate extends { readonly node: TreeNode }>(
  candidates: readonly Candidate[],
  elect: number,
  panel: Panel,
): readonly Candidate[] {
  if (elect === 0) return [];
  if (!panel.relative) {
    const best = new Set(candidates.toSorted(byScore).slice(0, elect));
    return candidates.filter((candidate) => best.has(candidate));
  }
  const own = candidates.map(({ node }) => panel.members.map((name) => node.scores[name] ?? NaN));
  return candidates.filter((_, index) => {
    let ahead = 0;
    for (let other = 0; other < own.length && ahead < elect; other++) {
      if (other !== index && isAhead(own, other, index)) ahead++;
    }
    return ahead < elect;
  });
}

/** Whether one candidate comes before another in every company: the earlier wins a tie, the later has to win with every member. */
function isAhead(own: readonly (readonly number[])[], one: number, other: number): boolean {
  const theirs = own[other] ?? [];
  return (own[one] ?? []).every((score, member) => {
    const against = theirs[member] ?? NaN;
    return one < other ? score >= against : score > against;
  });
}

/** The members' own scores of candidates: [member][candidate]. */
function rowsOf(nodes: readonly TreeNode[], { members }: Panel): number[][] {
  return members.map((name) => nodes.map(({ scores }) => scores[name] ?? NaN));
}

// The search tree as data: every candidate that was drawn, what its rollout scored, and what became of it.

import type { Image } from '../core/image.js';

/** One candidate for a scale; the root (id 0) stands for the empty prefix and has no picture. */
export interface TreeNode {
  /** 1, 2, 3, ... in the order in which candidates were scored. */
  readonly id: number;
  /** The elected candidate of the scale before, or the root. */
  readonly parent: number;
  /** Scales fixed by this candidate, 1-based; in random search every node is a whole picture of scale K. */
  readonly scale: number;
  /** Which of the round's beams it was drawn from, from 0; beams are ordered best first. */
  readonly beam: number;
  /** Which of the beam's candidates it is, from 0. */
  readonly candidate: number;
  /**
   * What its round's election compared: the verifier's score, or an ensemble's of its members' scores. Where that is
   * relative (rank, z-score) it is among the candidates of the round, and final when the round has been elected.
   */
  score: number;
  /** Every verifier's own score, by its name. */
  readonly scores: Readonly<Record<string, number>>;
  /** The rollout, decoded. */
  readonly image: Image;
  /** True when the candidate went on to the next round, or is the result's. */
  kept: boolean;
  /** True when the candidate is the elected rollout of the round before, taken over without new computation. */
  readonly inherited: boolean;
}

/** All candidates of a search, in the order in which they were scored. */
export interface SearchTree {
  readonly nodes: readonly TreeNode[];
}

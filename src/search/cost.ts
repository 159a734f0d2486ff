// What a search costs, by arithmetic: PAPER.md's formulas for any schedule and any sizes, without running anything.
// dry-run.ts counts the same by running the strategies; a test holds the two together.

import type { Scale } from '../models/contract.js';

/** The cost of a search before it runs. */
export interface Estimate {
  /** Function evaluations as the paper counts them. */
  readonly nfe: number;
  /** Sequences that really go through the transformer, one per scale: nothing is computed twice. */
  readonly forwards: number;
  /** Tokens of those sequences. */
  readonly tokens: number;
  /** Pictures decoded and scored. */
  readonly images: number;
}

/** Candidates that are newly drawn at one scale, and completed from there. */
export interface DrawnAt {
  /** The first scale that they draw, from 1. */
  readonly scale: number;
  readonly drawn: number;
}

/** The cost of rounds of candidates over a schedule. */
export function costOf(rounds: readonly DrawnAt[], scales: readonly Scale[]): Estimate {
  const tokensFrom = (scale: number): number =>
    scales.slice(scale - 1).reduce((sum, { height, width }) => sum + height * width, 0);
  // The first forward pass, from the empty prefix, serves all candidates of the first round.
  const cost = { nfe: 0, forwards: 1, tokens: tokensFrom(1) - tokensFrom(2), images: 0 };
  for (const { scale, drawn } of rounds) {
    // Every later round draws its own scale from forward passes of the round before.
    const further = scales.length - scale;
    cost.nfe += drawn * (further + 1);
    cost.forwards += drawn * further;
    cost.tokens += drawn * tokensFrom(scale + 1);
    cost.images += drawn;
  }
  return cost;
}

// What a search costs, by arithmetic: PAPER.md's formulas for any schedule and any sizes, without running anything.
// dry-run.ts counts the same by running the strategies; a test holds the two together.

import type { Schedule } from '../models/contract.js';

/** The cost of a search before it runs. */
export interface Estimate {
  /** Function evaluations as the paper counts them. */
  readonly nfe: number;
  /** Sequences that really go through the model, one per step: nothing is computed twice. */
  readonly forwards: number;
  /** Tokens of those sequences. */
  readonly tokens: number;
  /** Floating-point operations of those sequences. */
  readonly flops: number;
  /** Pictures decoded and judged. */
  readonly images: number;
  /** False where it is a bound only. */
  readonly exact: boolean;
}

/** Candidates that are newly drawn at one step, and completed from there. */
export interface DrawnAt {
  /** The first step that they draw, from 1. */
  readonly step: number;
  readonly drawn: number;
}

/** The cost of rounds of candidates over a schedule. */
export function costOf(rounds: readonly DrawnAt[], { steps }: Schedule): Estimate {
  const cost = { nfe: 0, forwards: 0, tokens: 0, flops: 0, images: 0 };
  const forward = (from: number, until: number, times: number): void => {
    for (const { nfe, tokens, flops } of steps.slice(from - 1, until)) {
      // A step without evaluations, such as a diffusion model's noise, runs nothing.
      cost.forwards += nfe > 0 ? times : 0;
      cost.tokens += times * tokens;
      cost.flops += times * flops;
    }
  };
  // The first forward pass, from the empty prefix, serves all candidates of the first round.
  forward(1, 1, 1);
  for (const { step, drawn } of rounds) {
    // Every later round draws its own step from forward passes of the round before.
    forward(step + 1, steps.length, drawn);
    cost.nfe += drawn * evaluationsFrom(step, steps);
    cost.images += drawn;
  }
  return { ...cost, exact: true };
}

/** Evaluations of a rollout that draws from step `from` (from 1) to the end. */
export function evaluationsFrom(from: number, steps: Schedule['steps']): number {
  return steps.slice(from - 1).reduce((sum, { nfe }) => sum + nfe, 0);
}

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
  /**
   * False where it is a bound only. A preview that wins although it could not be held, which only a jury that ranks and a memory for
   * few rollouts bring about, has its forward passes run again: these are not in it.
   */
  readonly exact: boolean;
}

/** Candidates that are newly drawn at one step, and completed from there. */
export interface DrawnAt {
  /** The first step that they draw, from 1. */
  readonly step: number;
  readonly drawn: number;
  /** The step after which they are judged. @default the last */
  readonly until?: number;
  /** From how many prefixes they are drawn. @default 1 */
  readonly beams?: number;
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
  const lookAt = (step: number): number => steps[step - 1]?.readout.nfe ?? 0;
  /** Where the candidates of the round before were judged. */
  let judged = 0;
  for (const { step, drawn, until = steps.length, beams = 1 } of rounds) {
    const looked = step === judged + 1 && drawn > 0 ? lookAt(judged) : 0;
    // One forward pass serves all that is drawn from a prefix; that of a rollout, or of a look at it, was run in the round before.
    if (step > judged && looked === 0 && drawn > 0) forward(step, step, beams);
    forward(step + 1, until, drawn);
    if (lookAt(until) > 0) forward(until + 1, until + 1, drawn);
    cost.nfe += drawn * (evaluationsFrom(step, steps, until) + lookAt(until)) - beams * looked;
    cost.images += drawn;
    judged = until;
  }
  return { ...cost, exact: true };
}

/** Evaluations of a rollout that draws from step `from` (from 1) to step `until`, by default the last. */
export function evaluationsFrom(from: number, steps: Schedule['steps'], until = steps.length): number {
  return steps.slice(from - 1, until).reduce((sum, { nfe }) => sum + nfe, 0);
}

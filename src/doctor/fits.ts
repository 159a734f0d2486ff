// What a search needs before anything is loaded: memory of the weights and of what is held while it runs, and the least time, all
// from the catalogue's schedule.

import { DEFAULT_MEMORY } from '../engine/memory.js';
import type { Schedule } from '../models/contract.js';
import { MOST_ROLLOUTS } from '../models/held-bytes.js';
import { dryRun } from '../search/dry-run.js';
import { estimate, type ResolvedSearch } from '../search/registry.js';

/** Bytes of a process with an engine and no model. */
const PROCESS_BYTES = 0.32e9;

/** What a search needs. */
export interface Need {
  /** Bytes of the weights as the engine holds them. */
  readonly weights: number;
  /** Bytes of keys and values that prefixes hold at most. */
  readonly held: number;
  /** Bytes that a step needs while it runs: gathered keys and values, and its own. */
  readonly step: number;
  readonly total: number;
  /** Operations of the transformer. */
  readonly flops: number;
  readonly pictures: number;
}

/** Works out what a search needs; `weights` in bytes. */
export async function needOf(
  search: ResolvedSearch,
  schedule: Schedule,
  weights: number,
  budget = DEFAULT_MEMORY,
): Promise<Need> {
  const perPrefix = schedule.steps.reduce((sum, { heldBytes }) => sum + heldBytes, 0);
  const room = Math.min(MOST_ROLLOUTS, Math.max(1, Math.floor(budget / 2 / Math.max(perPrefix, 1))));
  const { mostHeld } = await dryRun(search, schedule, { room });
  const { flops, images } = estimate(search, schedule);
  const step = stepBytes(schedule);
  // Micro-batches fill half of the budget where there are sequences enough, and one runs in any case.
  const running = Math.max(step, Math.min(budget / 2, Math.min(room, images) * step));
  const total = weights + mostHeld + running + PROCESS_BYTES;
  return { weights, held: mostHeld, step: running, total, flops, pictures: images };
}

/** The largest step of one sequence: what came before is gathered, its own keys and values are made and copied. */
function stepBytes({ steps }: Schedule): number {
  // A diffusion model's noise is a step without tokens.
  const forwards = steps.filter(({ tokens }) => tokens > 0);
  const perToken = Math.max(0, ...forwards.map(({ heldBytes, tokens }) => heldBytes / tokens));
  let past = 0;
  return Math.max(
    0,
    ...steps.map(({ tokens, heldBytes }) => {
      const bytes = past + 2 * tokens * perToken;
      past += heldBytes;
      return bytes;
    }),
  );
}

// What a search holds at once at most, by arithmetic on its rounds: known before anything is loaded. The same arithmetic tells a
// round how many rollouts it may have under way (rollouts.ts), so that what was set aside for a search is enough for it.
//
// A jury that compares candidates with each other may hold every candidate of a round until all are judged. Where the memory is
// too small for that, a round holds none of them: a candidate is its place in the search, from which its prefix is drawn again by
// no forward pass, since the beam that it came from still has its own; the elected ones' own passes are then computed once more.

import { UsageError } from '../core/errors.js';
import type { Schedule } from '../models/contract.js';
import { HeldBytes, MOST_ROLLOUTS } from '../models/held-bytes.js';

/** A round as far as its memory goes. */
export interface RoundSize {
  /** Prefixes that it draws from, and how many steps they have. */
  readonly beams: number;
  readonly from: number;
  /** How many steps its candidates fix, and to which step they are completed. */
  readonly step: number;
  readonly until: number;
  readonly candidates: number;
  readonly elect: number;
  /** Whether the rollouts of the elected are kept for the next round. */
  readonly keepElected: boolean;
}

/** How a round runs within its memory. */
export interface RoundPlan {
  /** Rollouts under way together. */
  readonly rollouts: number;
  /** Whether candidates that may be elected are held; else the elected are drawn again. */
  readonly holds: boolean;
}

/** The bytes of a search: with one rollout at a time and nothing held that can be drawn again, and with all it can use. */
export interface MemoryNeed {
  readonly least: number;
  readonly most: number;
}

/** Candidates of a round that are held at once at most; of equals a few more than can be elected (contest.ts). */
function contenders({ beams, candidates, elect }: RoundSize, isRelative: boolean): number {
  if (elect === 0) return 0;
  return isRelative ? candidates : Math.min(candidates, elect + beams - 1);
}

/** Bytes that a round holds at once at most. */
export function roundBytes(
  schedule: Schedule,
  round: RoundSize,
  { rollouts, holds, isRelative }: RoundPlan & { readonly isRelative: boolean },
): number {
  const bytes = new HeldBytes(schedule);
  const { from, step, until, keepElected } = round;
  const last = schedule.steps.length;
  const beam =
    from === 0 ? 0 : bytes.extended(0, from, last) + (keepElected ? bytes.kept(from, from, until) : 0);
  const candidate = keepElected ? bytes.kept(from, step, until) : bytes.extended(from, step, until);
  const rollout =
    bytes.rollout(from, step, until, keepElected) + bytes.picture(until) + bytes.running(from, until);
  const held = holds ? Math.min(contenders(round, isRelative), round.candidates - rollouts) : 0;
  const drawing = Math.max(held, 0) * candidate + rollouts * rollout;
  // Without holding them, the elected come back one after the other.
  const again = holds ? 0 : round.elect * candidate + rollout;
  // A picture that was let go is drawn again from its packed state now and then.
  const redrawn = bytes.unpacked(last) + bytes.picture(last) + bytes.running(last, last);
  return bytes.root + round.beams * beam + Math.max(drawing, again) + redrawn;
}

/** How a round runs within so many bytes, the more at once the better; null where they are too few. */
export function planRound(
  schedule: Schedule,
  round: RoundSize,
  { bytes, isRelative }: { readonly bytes: number; readonly isRelative: boolean },
): RoundPlan | null {
  for (const holds of [true, false]) {
    for (let rollouts = mostRollouts(round); rollouts >= 1; rollouts--) {
      if (roundBytes(schedule, round, { rollouts, holds, isRelative }) <= bytes) return { rollouts, holds };
    }
  }
  return null;
}

function mostRollouts({ candidates }: RoundSize): number {
  return Math.min(MOST_ROLLOUTS, candidates);
}

/** What a search needs, from all of its rounds. */
export function memoryOf(schedule: Schedule, rounds: readonly RoundSize[], isRelative: boolean): MemoryNeed {
  const bytesOf = (round: RoundSize, plan: RoundPlan): number =>
    roundBytes(schedule, round, { ...plan, isRelative });
  const least = rounds.map((round) =>
    Math.min(...[true, false].map((holds) => bytesOf(round, { rollouts: 1, holds }))),
  );
  const most = rounds.map((round) => bytesOf(round, { rollouts: mostRollouts(round), holds: true }));
  return { least: Math.ceil(Math.max(0, ...least)), most: Math.ceil(Math.max(0, ...least, ...most)) };
}

const UNITS = [
  [1e9, 'GB'],
  [1e6, 'MB'],
  [1e3, 'KB'],
  [1, 'B'],
] as const;

/** Bytes as they are given to option 'memory', rounded up so that so much is enough. */
export function formatMemory(bytes: number): string {
  const [size, unit] = UNITS.find(([each]) => bytes >= each) ?? [1, 'B'];
  return `${Math.ceil((bytes / size) * 10) / 10}${unit}`;
}

/** Throws a UsageError that says how much a search needs where there is less. */
export function checkMemory({ least }: MemoryNeed, bytes: number): void {
  if (least <= bytes) return;
  throw new UsageError(
    `this search holds ${formatMemory(least)} at once at least, and the engine may hold ${formatMemory(bytes)}: ` +
      "give it that much (option 'memory', --memory), or search with smaller pictures, fewer beams or none",
  );
}

// What a search holds at once at most, by arithmetic on its rounds: known before anything is loaded. The same arithmetic tells a
// round how many rollouts it may have under way (rollouts.ts), so that what was set aside for a search is enough for it.
//
// A jury that compares candidates with each other may hold every candidate of a round until all are judged. Where the memory is
// too small for that, a round holds none of them: a candidate is its place in the search, from which its prefix is drawn again by
// no forward pass, since the beam that it came from still has its own; the elected ones' own passes are then computed once more.
// Nor does it hold the previews that may be completed in the end: the winner's passes are then computed once more, too.

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
  /** The step whose size its pictures have. @default `until` */
  readonly size?: number;
  /**
   * How many previews the rounds before it judged, where one of all previews is completed in the end: the rollouts of those that may
   * be it stay. @default no previews are judged in it
   */
  readonly previewsBefore?: number;
  /** Whether all candidates are taken along together, step by step, however little memory there is. @default false */
  readonly together?: boolean;
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
  /** What of either is no longer held while a picture is decoded. @default 0 */
  readonly letGo?: number;
}

/** Candidates of a round that are held at once at most; of equals a few more than can be elected (contest.ts). */
function contenders({ beams, candidates, elect }: RoundSize, isRelative: boolean): number {
  if (elect === 0) return 0;
  return isRelative ? candidates : Math.min(candidates, elect + beams - 1);
}

/** The round in which one of previews is completed, by itself. */
export function completionRound(until: number, { steps }: Schedule): RoundSize {
  const step = steps.length;
  return { beams: 1, from: until, step, until: step, candidates: 1, elect: 0, keepElected: false };
}

/** Previews that may be completed where scores decide: the best of all rounds, and of the last. */
const MOST_LEADING = 2;

/** Whose rollouts stay because they may be completed: of the rounds before, and of those of this one that are not under way. */
function leading(
  { previewsBefore, candidates }: RoundSize,
  { rollouts, holds, isRelative }: RoundPlan & { readonly isRelative: boolean },
): { readonly before: number; readonly now: number } {
  if (previewsBefore === undefined || !holds) return { before: 0, now: 0 };
  const most = isRelative ? Infinity : MOST_LEADING;
  const before = Math.min(previewsBefore, most);
  return { before, now: Math.max(0, Math.min(most - before, candidates - rollouts)) };
}

/** Bytes that a round holds at once at most. */
export function roundBytes(
  schedule: Schedule,
  round: RoundSize,
  plan: RoundPlan & { readonly isRelative: boolean },
): number {
  const bytes = new HeldBytes(schedule);
  const { from, step, until, candidates, keepElected, size = until } = round;
  const { rollouts, holds, isRelative } = plan;
  const last = schedule.steps.length;
  const running = bytes.running(from, until, { size, together: rollouts > 1 });
  const beam =
    from === 0 ? 0 : bytes.extended(0, from, last) + (keepElected ? bytes.kept(from, from, until) : 0);
  const candidate = keepElected ? bytes.kept(from, step, until) : bytes.extended(from, step, until);
  const rolled = bytes.rollout(from, step, until, keepElected);
  if (round.together === true) {
    const each = rolled + bytes.picture(size);
    return bytes.root + round.beams * beam + candidates * each + rollouts * running;
  }
  const rollout = rolled + bytes.picture(size) + running;
  const held = holds ? Math.min(contenders(round, isRelative), candidates - rollouts) : 0;
  const { before, now } = leading(round, plan);
  // Where all stay, those that lead are among them; their rollouts hold more than what is drawn from.
  const others = isRelative ? held - now : held;
  const drawing = Math.max(others, 0) * candidate + now * rolled + rollouts * rollout;
  // Without holding them, the elected come back one after the other.
  const again = holds ? 0 : round.elect * candidate + rollout;
  // A picture that was let go is drawn again from its packed state now and then.
  const redrawn = (at: number, as: number): number =>
    bytes.unpacked(at) + bytes.look(at) + bytes.picture(as) + bytes.running(at, at, { size: as });
  const lead = before * bytes.extended(0, until, until);
  const looking = Math.max(redrawn(until, size), redrawn(last, last));
  return bytes.root + round.beams * beam + lead + Math.max(drawing, again) + looking;
}

/**
 * Whether candidates may be held or not, the better first. Where looking at them is an evaluation, which what goes on from them need
 * not pay again, they are always held: it would be lost with them. So are those that are taken along together.
 */
function waysToHold({ until, together }: RoundSize, { steps }: Schedule): readonly boolean[] {
  return together === true || (steps[until - 1]?.readout.nfe ?? 0) > 0 ? [true] : [true, false];
}

/** How a round runs within so many bytes, the more at once the better; null where they are too few. */
export function planRound(
  schedule: Schedule,
  round: RoundSize,
  { bytes, isRelative }: { readonly bytes: number; readonly isRelative: boolean },
): RoundPlan | null {
  for (const holds of waysToHold(round, schedule)) {
    for (let rollouts = mostRollouts(round); rollouts >= 1; rollouts--) {
      if (roundBytes(schedule, round, { rollouts, holds, isRelative }) <= bytes) return { rollouts, holds };
    }
  }
  return null;
}

/** The error of a round that finds no place in what was set aside for its search. */
export function noPlaceFor(bytes: number): UsageError {
  return new UsageError(
    `a round of this search does not fit into ${formatMemory(bytes)}: give the engine more (option 'memory')`,
  );
}

function mostRollouts({ candidates }: RoundSize): number {
  return Math.min(MOST_ROLLOUTS, candidates);
}

/** What a search needs, from all of its rounds. */
export function memoryOf(schedule: Schedule, rounds: readonly RoundSize[], isRelative: boolean): MemoryNeed {
  const bytesOf = (round: RoundSize, plan: RoundPlan): number =>
    roundBytes(schedule, round, { ...plan, isRelative });
  // Rounds may be too many to be the arguments of a call.
  let [least, most, letGo] = [0, 0, Infinity];
  const bytes = new HeldBytes(schedule);
  for (const round of rounds) {
    const { from, step, until, keepElected } = round;
    letGo = Math.min(letGo, keepElected ? 0 : bytes.letGo(from, step, until));
    const ways = waysToHold(round, schedule).map((holds) => bytesOf(round, { rollouts: 1, holds }));
    least = Math.max(least, Math.min(...ways));
    most = Math.max(most, least, bytesOf(round, { rollouts: mostRollouts(round), holds: true }));
  }
  return {
    least: Math.ceil(least),
    most: Math.ceil(most),
    letGo: rounds.length === 0 ? 0 : Math.floor(letGo),
  };
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

/** Why a search does not fit into so many bytes, in one line, and what would need less; null where it does. */
export function memoryRefusal({ least }: MemoryNeed, bytes: number, search: object = {}): string | null {
  if (least <= bytes) return null;
  const keepsElected = 'keepElected' in search && search.keepElected === true;
  const paper = keepsElected ? ", or let it keep no rollouts (option 'paper')" : '';
  return (
    `this search holds ${formatMemory(least)} at once at least, and the engine may hold ${formatMemory(bytes)}: ` +
    `give it that much (option 'memory'), or search with smaller pictures, fewer beams or none${paper}`
  );
}

/** Throws a UsageError that says how much a search needs where there is less. */
export function checkMemory(...search: Parameters<typeof memoryRefusal>): void {
  const refusal = memoryRefusal(...search);
  if (refusal !== null) throw new UsageError(refusal);
}

// What a search needs, held against what there is: one line that names the fault and the remedy, or nothing.

import type { Schedule } from '../models/contract.js';
import { isRelative, type Jury } from '../verifiers/jury.js';
import type { Fork, Needs } from './contract.js';

/** What there is for a search. */
export interface Means {
  readonly schedule: Schedule;
  readonly jury: Jury;
  /** How many prefixes fit together from one step to another, where a model is there to say; see Generator.room. */
  readonly room?: ((from: number, until: number) => number) | undefined;
}

/** Why a search cannot be, in one line; null where it can. */
export function refusalOf(needs: Needs, means: Means): string | null {
  return drawsTooLittle(needs, means) ?? holdsTooMuch(needs, means) ?? judgesByCompany(needs, means);
}

/** Candidates are told apart by what is drawn for them: several where nothing is drawn are the same picture. */
function drawsTooLittle({ forks = [] }: Needs, { schedule }: Means): string | null {
  const idle = forks.find(
    ({ from, until, candidates }) =>
      candidates > 1 && !schedule.steps.slice(from - 1, until).some(({ draws }) => draws),
  );
  if (!idle) return null;
  return (
    `${placeOf(idle, schedule)} no random numbers, so that candidates there would all be the same: ` +
    `let the model draw there (by a solver that draws), ask for one candidate at such ${schedule.unit}s, or search at random`
  );
}

function placeOf({ from, until }: Fork, { unit, steps }: Schedule): string {
  const named = (step: number): string => `${step} (${steps[step - 1]?.label})`;
  return from === until ? `${unit} ${named(from)} draws` : `${unit}s ${named(from)} to ${named(until)} draw`;
}

function holdsTooMuch({ alive = [] }: Needs, { schedule, room }: Means): string | null {
  if (!room) return null;
  const rooms = alive.map((_, index) => room(0, index + 1));
  const over = alive.findIndex((count, index) => count > (rooms[index] ?? 0));
  if (over < 0) return null;
  return (
    `${alive[over]} candidates have to live together at ${schedule.unit} ${over + 1}, and ${rooms[over]} fit into the model's memory: ` +
    `ask for at most ${rooms[over]}, or give more memory (option 'memory')`
  );
}

function judgesByCompany({ absolute = false }: Needs, { jury }: Means): string | null {
  if (!absolute || !isRelative(jury)) return null;
  return (
    `this search weighs candidates by scores that mean the same in every round, and a jury by ${jury.rule} has none: ` +
    "name one verifier, or join several by option 'ensemble' weighted-sum"
  );
}

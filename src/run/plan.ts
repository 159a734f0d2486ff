// What is known of a run before anything is loaded: whether its search can be at all, and what it will hold, which is set aside before
// it begins.

import type { Ledger } from '../core/ledger.js';
import type { OptionValues } from '../core/options.js';
import type { Reservation } from '../core/reservation.js';
import { type Catalogs, findWanted, isEntry } from '../engine/catalogs.js';
import { type Engine, memoryOf } from '../engine/engine.js';
import { DEFAULT_MEMORY } from '../engine/memory.js';
import type { OpenOptions } from '../engine/options.js';
import type { ModelEntry } from '../models/catalog.js';
import type { Schedule } from '../models/contract.js';
import { checkMemory, type MemoryNeed } from '../search/memory.js';
import {
  type AnySearch,
  type AnyStrategy,
  checkSearch,
  memoryNeed,
  type OwnSearchOptions,
  resolveSearch,
  type SearchOptions,
  strategyOf,
} from '../search/registry.js';
import { type Jury, resolveJury } from '../verifiers/jury.js';
import { type AnyPictureOptions, partPicture } from './options.js';

/** Where a search is to run. */
export interface SearchPlace {
  readonly schedule: Schedule;
  readonly jury: Jury;
  /** Bytes that the engine may hold. @default that of an engine where nothing is said */
  readonly memory?: number | undefined;
}

/** A search as a caller asks for it. */
export type SearchGiven = SearchOptions | OwnSearchOptions;

/** A strategy that does not say what it holds gets all that there is. */
const UNKNOWN: MemoryNeed = { least: 0, most: Infinity };

/**
 * Sees whether a search can be, before anything is loaded. Throws a UsageError for options that do not go together and for more memory
 * than there is; gives the search with its sizes, and what it needs.
 */
export function checkPlan(
  search: SearchGiven,
  { schedule, jury, memory = DEFAULT_MEMORY }: SearchPlace,
): { readonly search: AnySearch; readonly need: MemoryNeed } {
  const resolved = resolveSearch(search, schedule);
  // Where none is named, it follows from the schedule which is meant.
  const strategy: AnyStrategy = strategyOf(search.strategy ?? resolved.strategy);
  checkSearch(resolved, { schedule, jury }, strategy);
  const need = memoryNeed(resolved, { schedule, jury }, strategy) ?? UNKNOWN;
  checkMemory(need, memory, resolved);
  return { search: resolved, need };
}

/**
 * The same for searches whose model and judges are named: looks them up, and loads nothing. What is loaded already is checked when its
 * run begins.
 */
export function checkPlans(
  open: OpenOptions,
  {
    modelOptions,
    searches,
  }: { readonly modelOptions: OptionValues; readonly searches: readonly SearchGiven[] },
  catalogs: Catalogs,
): void {
  const { model, judges, observers } = findWanted(open, catalogs);
  const { ensemble: rule, weights } = open;
  const names = judges.map(({ name }) => name);
  const jury = resolveJury(
    names,
    { rule, weights },
    observers?.map(({ name }) => name),
  );
  if (!isEntry<ModelEntry>(model)) return;
  // What prefixes hold follows from it; a model that takes none is known as it is.
  const { precision } = open;
  const given = precision === undefined || !('precision' in model.options) ? {} : { precision };
  const place = { schedule: model.schedule({ ...given, ...modelOptions }), jury, memory: memoryOf(open) };
  for (const search of searches) checkPlan(search, place);
}

/** Runs the work of a search with all that it may hold set aside; waits for that where other runs have it. */
export async function withMemory<T>(
  { model, jury: { jury }, memory, schedule: scheduleOf }: Engine,
  { options, ledger, signal }: RunsWithin,
  work: (reservation: Reservation | undefined) => Promise<T>,
): Promise<T> {
  const { modelOptions, search } = partPicture(options);
  const schedule = scheduleOf(model.resolve(modelOptions));
  // Whoever made such a model bounds it by its room.
  if (!schedule) return await work(undefined);
  const { need } = checkPlan(search, { schedule, jury, memory: memory.bytes });
  return await memory.withReserved(
    Math.min(need.most, memory.bytes),
    (reservation, waited) => {
      ledger.addTime('waiting', waited);
      return work(reservation);
    },
    signal,
  );
}

interface RunsWithin {
  readonly options: AnyPictureOptions;
  readonly ledger: Ledger;
  readonly signal: AbortSignal;
}

// What a comparison would run, before anything is loaded: of models that are not there, too. The same sizing as on loaded models
// (arms.ts), for a prompt of usual length.

import { UsageError } from '../core/errors.js';
import { type OptionValues, pick } from '../core/options.js';
import { type Catalogs, isEntry, type Wanted } from '../engine/catalogs.js';
import { memoryOf } from '../engine/engine.js';
import { DEFAULT_MEMORY } from '../engine/memory.js';
import type { ModelEntry } from '../models/catalog.js';
import type { Schedule } from '../models/contract.js';
import { roomIn } from '../models/held-bytes.js';
import type { Estimate } from '../search/cost.js';
import { type ResolvedSearch, estimate, type StrategyName } from '../search/registry.js';
import type { VerifierEntry } from '../verifiers/catalog.js';
import { resolveJury } from '../verifiers/jury.js';
import { chosenStrategies } from './compare.js';
import { budgetOf, type CompareOptions, partCompare, splitCompareOptions } from './options.js';
import { countedPrice, type ModelFacts, type Sized, sizeWithin } from './sizing.js';
import { findTogether } from './together.js';

/** A search that a comparison would run. */
export interface ForeseenSearch {
  readonly strategy: StrategyName;
  /** With all of its sizes. */
  readonly search: ResolvedSearch;
  /** Those of the model, where it has others for this strategy than for the rest. */
  readonly drawing?: OptionValues;
  readonly cost: Estimate;
  /** Operations in all: of transformer, decoder and verifiers; null where nobody knows the latter without loading them. */
  readonly flopsInAll: number | null;
  /** What keeps it below the budget. */
  readonly limit?: string;
  /** Why the engine, with the memory that it has now, would not run it. */
  readonly unfit?: string;
}

/** What a comparison would run on one model. */
export interface Foreseen {
  readonly model: string;
  readonly schedule: Schedule;
  /** True where operations are counted without the decoder's, which the weights alone tell: searches may then be smaller. */
  readonly withoutDecoder?: true;
  readonly searches: readonly ForeseenSearch[];
  /** Strategies that do not suit the model or the budget. */
  readonly skipped: readonly { readonly strategy: StrategyName; readonly why: string }[];
}

/**
 * The searches of a comparison. Throws a UsageError for what cannot be compared, and for a budget in seconds: models are timed
 * when they are loaded.
 */
export function foresee(options: CompareOptions, catalogs: Catalogs): readonly Foreseen[] {
  const { open, picture, models } = splitCompareOptions(options);
  const several = models.length > 0;
  const { modelOptions } = partCompare(picture);
  const opened = several ? models : [open];
  const memory = memoryOf(open) ?? DEFAULT_MEMORY;
  return findTogether(opened, modelOptions, catalogs).map((wanted) => {
    const found = foreseeOn(wanted, { options, memory });
    const [refused] = found.skipped;
    if (refused && !several) throw new UsageError(refused.why);
    return found;
  });
}

interface Asked {
  readonly options: CompareOptions;
  readonly memory: number;
}

function foreseeOn(wanted: Wanted, { options, memory }: Asked): Foreseen {
  const { model } = wanted;
  if (!isEntry<ModelEntry>(model)) throw new RangeError(`the model '${model.name}' is loaded already`);
  const { strategies, sizes, modelOptions } = partCompare(options);
  const budget = budgetOf(options);
  const { unit } = budget;
  if (unit === 'seconds') {
    throw new UsageError(
      'what seconds buy cannot be foretold, since models are timed when they are loaded: give --budget or --budget-flops',
    );
  }
  const own = pick(modelOptions, model.options) as OptionValues;
  const facts = factsOf(wanted, model, { own, options, memory });
  const several = options.models !== undefined || options.modelDirs !== undefined;
  const searches: ForeseenSearch[] = [];
  const skipped: { strategy: StrategyName; why: string }[] = [];
  for (const strategy of chosenStrategies(strategies, several)) {
    const size = (means: ModelFacts): Sized =>
      sizeWithin({ strategy, sizes, budget }, means, countedPrice(unit, means));
    let sized = size(facts);
    let used = facts;
    // Where it needs more draws than the model usually has, with those that it can have.
    const drawing = 'refusal' in sized ? model.drawing : undefined;
    if (drawing) {
      used = factsOf(wanted, model, { own: { ...drawing, ...own }, options, memory });
      sized = size(used);
    }
    // Without a bound on what it holds: what it would cost is worth knowing where another machine has the memory.
    const unfit = 'refusal' in sized ? sized.refusal : undefined;
    if ('refusal' in sized) sized = size({ ...used, room: undefined, memory: undefined });
    if ('refusal' in sized) {
      skipped.push({ strategy, why: sized.refusal });
      continue;
    }
    const { search, limit } = sized;
    const cost = estimate(search, used.schedule);
    const { perPicture } = used;
    const flopsInAll = typeof perPicture === 'number' ? cost.flops + cost.images * perPicture : null;
    searches.push({
      strategy,
      search,
      ...(drawing ? { drawing } : {}),
      cost,
      flopsInAll,
      ...(limit === null ? {} : { limit }),
      ...(unfit === undefined ? {} : { unfit }),
    });
  }
  const { schedule } = facts;
  const part = decoderFlops(model, schedule) === null ? ({ withoutDecoder: true } as const) : {};
  return { model: model.name, schedule, ...part, searches, skipped };
}

function decoderFlops(model: ModelEntry, { steps }: Schedule): number | null {
  const last = steps.at(-1)?.readout;
  return (last && model.decoderFlops?.(last)) ?? null;
}

interface OfModel extends Asked {
  /** The options that it takes of those that were given. */
  readonly own: OptionValues;
}

function factsOf(
  { judges, observers }: Wanted,
  model: ModelEntry,
  { own, options: { ensemble: rule, weights }, memory }: OfModel,
): ModelFacts {
  const schedule = model.schedule(own);
  const jury = resolveJury(
    judges.map(({ name }) => name),
    { rule, weights },
    observers?.map(({ name }) => name),
  );
  const parts = judges.map((judge) => {
    const flops = isEntry<VerifierEntry>(judge) ? judge.pictureFlops?.() : judge.flops;
    return { name: judge.name, flops: flops ?? null };
  });
  const unknown = parts.filter(({ flops }) => flops === null).map(({ name }) => name);
  const perPicture =
    unknown.length > 0
      ? { unknown: unknown.join(', ') }
      : parts.reduce((sum, { flops }) => sum + (flops ?? 0), decoderFlops(model, schedule) ?? 0);
  return {
    schedule,
    jury,
    perPicture,
    room: (from, until) => roomIn(schedule, memory, { from, until }),
    memory,
  };
}

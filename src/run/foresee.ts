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
import { estimate, type ResolvedSearch, type StrategyName } from '../search/registry.js';
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
  /** What is told when it is loaded only, whose operations are not counted: searches may then be smaller. */
  readonly uncounted: readonly string[];
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
  const factsWith = (more: OptionValues): Facts =>
    factsOf(wanted, model, { own: { ...more, ...own }, options, memory });
  const usual = factsWith({});
  const { drawing } = model;
  // Where a strategy needs more draws than the model usually has, it runs with those that it can have.
  const ways: readonly Way[] = [
    { facts: usual },
    ...(drawing ? [{ facts: factsWith(drawing), drawing }] : []),
  ];
  const several = options.models !== undefined || options.modelDirs !== undefined;
  const searches: ForeseenSearch[] = [];
  const skipped: { strategy: StrategyName; why: string }[] = [];
  for (const strategy of chosenStrategies(strategies, several)) {
    const found = attempts(ways, ({ facts }) =>
      sizeWithin({ strategy, sizes, budget }, facts, countedPrice(unit, facts)),
    );
    if ('refusal' in found) skipped.push({ strategy, why: found.refusal });
    else searches.push(foreseenSearch(strategy, found));
  }
  const { schedule, uncounted } = usual;
  return { model: model.name, schedule, uncounted, searches, skipped };
}

type Facts = ModelFacts & Pick<Foreseen, 'uncounted'>;

/** How a model may be asked to draw. */
interface Way {
  readonly facts: Facts;
  readonly drawing?: OptionValues;
}

type Found = Exclude<Sized, { readonly refusal: string }> & Way & Pick<ForeseenSearch, 'unfit'>;

/** The first way that suits; where the memory is too small for any, what it would be without a bound is worth knowing. */
function attempts(ways: readonly Way[], size: (way: Way) => Sized): Found | { readonly refusal: string } {
  let refusal: string | undefined;
  for (const bounded of [true, false]) {
    for (const way of ways) {
      const { facts } = way;
      const sized = size(bounded ? way : { facts: { ...facts, room: undefined, memory: undefined } });
      if ('search' in sized) {
        return { ...sized, ...way, ...(bounded || refusal === undefined ? {} : { unfit: refusal }) };
      }
      if (bounded) refusal = sized.refusal;
    }
  }
  return { refusal: refusal ?? '' };
}

function foreseenSearch(
  strategy: StrategyName,
  { search, limit, facts, drawing, unfit }: Found,
): ForeseenSearch {
  const { schedule, perPicture } = facts;
  const cost = estimate(search, schedule);
  return {
    strategy,
    search,
    ...(drawing === undefined ? {} : { drawing }),
    cost,
    flopsInAll: typeof perPicture === 'number' ? cost.flops + cost.images * perPicture : null,
    ...(limit === null ? {} : { limit }),
    ...(unfit === undefined ? {} : { unfit }),
  };
}

interface OfModel extends Asked {
  /** The options that it takes of those that were given. */
  readonly own: OptionValues;
}

function factsOf(
  { judges, observers }: Wanted,
  model: ModelEntry,
  { own, options: { ensemble: rule, weights }, memory }: OfModel,
): Facts {
  const schedule = model.schedule(own);
  const jury = resolveJury(
    judges.map(({ name }) => name),
    { rule, weights },
    observers?.map(({ name }) => name),
  );
  const last = schedule.steps.at(-1)?.readout;
  const parts = [
    { name: 'decoder', flops: (last && model.decoderFlops?.(last)) ?? undefined },
    ...judges.map((judge) => {
      const flops = isEntry<VerifierEntry>(judge) ? judge.pictureFlops?.() : (judge.flops ?? null);
      return { name: judge.name, flops };
    }),
  ];
  const named = (flops: null | undefined): string[] =>
    parts.filter((part) => part.flops === flops).map(({ name }) => name);
  const unknown = named(null);
  const perPicture =
    unknown.length > 0
      ? { unknown: unknown.join(', ') }
      : parts.reduce((sum, { flops }) => sum + (flops ?? 0), 0);
  const uncounted = named(undefined);
  return {
    schedule,
    jury,
    perPicture,
    uncounted,
    room: (from, until) => roomIn(schedule, memory, { from, until }),
    memory,
  };
}

// The cells of a run: every model with every strategy, jury and budget, each with the sizes that its budget buys; and those that
// cannot be, with the reason.

import { UsageError } from '../core/errors.js';
import { type OptionValues, pick } from '../core/options.js';
import type { Engine } from '../engine/engine.js';
import { Arms } from '../run/arms.js';
import { type Budget, partPicture } from '../run/options.js';
import { type AnySearch, checkSearch, estimate, resolveSearch } from '../search/registry.js';
import type { Lab } from './lab.js';
import type { Cell, Plan, SkippedCell } from './record.js';
import type { Variant } from './variants.js';

/** What a run is of. */
export interface CellsAsked {
  readonly models: readonly string[];
  readonly variants: readonly Variant[];
  readonly juries: readonly string[];
  readonly budgets: readonly Budget[];
  readonly modelOptions: OptionValues;
  /** Some prompt of the benchmark: schedules hardly depend on it. */
  readonly prompt: string;
  readonly signal?: AbortSignal | undefined;
}

/** A cell with what it runs. */
export interface PlannedCell {
  readonly cell: Cell;
  readonly plan: Plan;
}

/** All cells in their order, and those that are left out. */
export interface Cells {
  readonly planned: readonly PlannedCell[];
  readonly skipped: readonly SkippedCell[];
}

/** Works out the cells. */
export async function planCells(lab: Lab, asked: CellsAsked): Promise<Cells> {
  const planned: PlannedCell[] = [];
  const skipped: SkippedCell[] = [];
  for (const model of asked.models) {
    for (const variant of asked.variants) {
      for (const { jury, budget } of placesOf(variant, asked)) {
        asked.signal?.throwIfAborted();
        const engine = await lab.engine(model, jury);
        const place = { variant, engine, asked };
        const found = budget ? await planBudget(place, budget) : planFixed(place);
        const own = budget ?? { most: 'why' in found ? 0 : found.cost.nfe, unit: 'NFE' as const };
        const cell = { model, strategy: variant.label, jury, budget: { most: own.most, unit: own.unit } };
        if ('why' in found) skipped.push({ ...cell, why: found.why });
        else planned.push({ cell, plan: found });
      }
    }
  }
  return { planned, skipped };
}

/** Juries and budgets of a strategy: its sizes may be given, and a single picture is the same whoever judges it. */
function placesOf(
  { fixed, sizes }: Variant,
  { juries, budgets }: CellsAsked,
): readonly { readonly jury: string; readonly budget: Budget | null }[] {
  if (fixed && sizes['images'] === 1) return [{ jury: 'none', budget: null }];
  if (fixed) return juries.map((jury) => ({ jury, budget: null }));
  return juries.flatMap((jury) => budgets.map((budget) => ({ jury, budget })));
}

interface Place {
  readonly variant: Variant;
  readonly engine: Engine;
  readonly asked: CellsAsked;
}

type Found = Plan | { readonly why: string };

/** The model options that are tried: those given, and those with more draws for a strategy that needs them. */
function optionsOf({ model }: Engine, { modelOptions }: CellsAsked): readonly OptionValues[] {
  const own = pick(modelOptions, model.options) as OptionValues;
  return model.drawing ? [own, { ...model.drawing, ...own }] : [own];
}

/** A search whose sizes are given. */
function planFixed({ variant, engine, asked }: Place): Found {
  const { strategy, sizes } = variant;
  let why = 'the model does not tell its steps beforehand';
  for (const given of optionsOf(engine, asked)) {
    const modelOptions = engine.model.resolve(given);
    const schedule = engine.schedule(modelOptions);
    if (!schedule) continue;
    try {
      const search = resolveSearch({ strategy, ...sizes }, schedule);
      checkSearch(search, { schedule, jury: engine.jury.jury });
      return { search, modelOptions, cost: estimate(search, schedule), unused: 0 };
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      why = error.message;
    }
  }
  return { why };
}

/** The largest search that a budget buys. */
async function planBudget({ variant, engine, asked }: Place, budget: Budget): Promise<Found> {
  const { prompt, signal, modelOptions: given } = asked;
  const { model } = engine;
  const picture = { prompt, seed: 0, signal };
  const arms = new Arms(engine, { picture, modelOptions: given, sizes: variant.sizes, budget });
  const found = await arms.plan(variant.strategy);
  if ('refusal' in found) return { why: found.refusal };
  const { modelOptions, search } = partPicture(found.options);
  const resolved = model.resolve(modelOptions);
  const schedule = engine.schedule(resolved);
  if (!schedule) return { why: 'the model does not tell its steps beforehand' };
  const sizes: AnySearch = resolveSearch(search, schedule);
  const cost = estimate(sizes, schedule);
  const share = budget.unit === 'NFE' ? cost.nfe / budget.most : 1;
  return { search: sizes, modelOptions: resolved, cost, unused: 1 - share };
}

// Several searches with the same prompt, seed and jury at the same budget, one after the other: strategies of one model, or
// models with the strategies that suit them.

import { isAbortError, UsageError } from '../core/errors.js';
import { given } from '../core/given.js';
import type { Engine } from '../engine/engine.js';
import { optionsFor, type SearchOptions, STRATEGIES, type StrategyName } from '../search/registry.js';
import { heightOf, type Standing } from '../verifiers/jury.js';
import { Arms, type Planned } from './arms.js';
import type { GenerateContext, GenerateEvent, GenerateRun } from './generate.js';
import { startGenerate } from './generate.js';
import type { Run } from './live-run.js';
import { startRun } from './live-run.js';
import {
  budgetOf,
  type BudgetUnit,
  COMPARED,
  type ComparedOptions,
  type ComparePictureOptions,
  partCompare,
  type PictureOptions,
} from './options.js';
import type { GenerateResult } from './result.js';
import { type Standings, standingsOf } from './standings.js';

/** What is to be said of a search of a comparison that is not as the others. */
export interface SearchNote {
  readonly model: string;
  readonly strategy: StrategyName;
  /** In one line. */
  readonly why: string;
}

/** What happens during a comparison, in order: plain JSON. */
export type CompareEvent =
  /** A search begins, the `index`-th that does (from 0) of at most `count`. */
  | {
      readonly type: 'begin';
      readonly model: string;
      readonly strategy: StrategyName;
      readonly index: number;
      readonly count: number;
    }
  | { readonly type: 'progress'; readonly strategy: StrategyName; readonly event: GenerateEvent }
  /** A strategy is through: the run's `finished` has its result. */
  | { readonly type: 'end'; readonly strategy: StrategyName; readonly index: number }
  /** A strategy does not suit a model, or the budget is too small for it. */
  | ({ readonly type: 'skipped' } & SearchNote)
  /** A strategy runs with less than the budget would buy, since no more fits. */
  | ({ readonly type: 'limited' } & SearchNote);

/** Several searches for the same prompt. */
export interface CompareResult {
  /** False when not every strategy came to its end. */
  readonly complete: boolean;
  /** What was asked for. */
  readonly options: ComparedOptions;
  readonly prompt: string;
  readonly budget: number;
  /** What the budget counts. */
  readonly unit: BudgetUnit;
  /** In the order in which they ran. */
  readonly results: readonly GenerateResult[];
  /** Each result's standing among all pictures of the comparison. */
  readonly standings: readonly Standing[];
  /** The one that stands highest; the earliest of equals. */
  readonly best: GenerateResult;
  /** Whether models were named: runs are then told apart by model and strategy. */
  readonly several: boolean;
  /** What was asked for, or might have been, and did not run. */
  readonly skipped: readonly SearchNote[];
  /** What ran with less than the budget would have bought. */
  readonly limited: readonly SearchNote[];
}

/** A comparison in progress. */
export interface CompareRun extends Run<CompareEvent, CompareResult> {
  /** The results of the strategies that are through. */
  readonly finished: readonly GenerateResult[];
  /** The strategies that are through, and what the running one has reached; null before anything was judged. */
  soFar(): Promise<CompareResult | null>;
  /** Ends the running search as its own `stop` does, and with it the comparison: `result` has what was finished. */
  stop(): void;
  /** Stops, and waits until everything is freed. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A model of a comparison. */
interface ComparedModel extends Omit<GenerateContext, 'wanted' | 'accept'> {
  /** Where it is known before it is loaded. */
  readonly name?: string | undefined;
}

/** What a comparison works with. */
export interface CompareContext {
  /** How each model is opened, with the same jury; each is closed before the next is opened. */
  readonly models: readonly ComparedModel[];
  /** True where models were named: what does not suit one is left out, and not an error. @default false */
  readonly several?: boolean;
  /** Looks before anything is loaded whether the models go together; throws where they do not. */
  readonly check?: () => Promise<void>;
}

/** Compares the complete pictures of several searches by the same jury with each other, however many steps each took. */
export function standingsOfAll(results: readonly GenerateResult[]): Standings {
  const [first] = results;
  if (!first) throw new RangeError('there is nothing to compare');
  return standingsOf(
    results.map(({ candidates }) => candidates),
    first.options.jury,
    results.map(({ schedule }) => schedule.steps.length),
  );
}

/** What a run is called among those of its comparison, and its folder: by its strategy, and its model where models were named. */
export function runName({ options }: Pick<GenerateResult, 'options'>, several: boolean): string {
  const { model, search } = options;
  return several ? `${model}-${search.strategy}` : search.strategy;
}

interface State {
  readonly results: GenerateResult[];
  readonly skipped: SearchNote[];
  readonly limited: SearchNote[];
  /** Warnings that were passed on. */
  readonly said: Set<string>;
  running: GenerateRun | null;
  stopped: boolean;
}

function summarise(
  options: ComparePictureOptions,
  { results, ...state }: Pick<State, 'results' | 'skipped' | 'limited'>,
  {
    complete,
    models,
    several = false,
  }: Pick<CompareContext, 'models' | 'several'> & { readonly complete: boolean },
): CompareResult | null {
  const [first] = results;
  if (!first) return null;
  const standings = results.map(({ winner }) => standingsOfAll(results)(winner));
  const heights = standings.map(heightOf);
  const best = results[heights.indexOf(Math.max(...heights))] ?? first;
  const { jury, seed, model } = first.options;
  const { strategies, sizes, modelOptions } = partCompare(options);
  const { prompt } = options;
  const budget = budgetOf(options);
  const asked: ComparedOptions = {
    prompt,
    models: models.map(({ name = model }) => name),
    several,
    jury,
    seed,
    budget,
    strategies: chosenStrategies(strategies, several),
    sizes: given(sizes),
    modelOptions: given(modelOptions),
  };
  return {
    complete,
    options: asked,
    prompt,
    budget: budget.most,
    unit: budget.unit,
    results,
    standings,
    best,
    several,
    skipped: [...state.skipped],
    limited: [...state.limited],
  };
}

/** Those strategies, or the usual ones, in their order in the registry; of several models all are tried. */
export function chosenStrategies(
  strategies: readonly StrategyName[] | undefined,
  several: boolean,
): readonly StrategyName[] {
  const all = STRATEGIES.map(({ name }) => name);
  const names = strategies ?? (several ? all : COMPARED);
  return all.filter((name) => names.includes(name));
}

/** The searches of a comparison whose sizes are known before a model is loaded: those of one model at so many evaluations. */
export function comparedSearches(options: ComparePictureOptions): readonly SearchOptions[] {
  const { strategies, sizes } = partCompare(options);
  const { most, unit } = budgetOf(options);
  if (unit !== 'NFE') return [];
  return chosenStrategies(strategies, false).map((name) => optionsFor(name, { ...sizes, budget: most }));
}

interface Comparing extends CompareContext {
  readonly options: ComparePictureOptions;
  readonly emit: (event: CompareEvent) => void;
  readonly state: State;
}

/** Runs the strategies on one model; false where the comparison was stopped. */
async function compareOn(
  engine: Engine,
  { options, models, several = false, emit, state }: Comparing,
): Promise<boolean> {
  const { strategies, sizes, modelOptions, picture } = partCompare(options);
  const budget = budgetOf(options);
  const model = engine.model.name;
  const chosen = chosenStrategies(strategies, several);
  const arms = new Arms(engine, { picture, modelOptions, sizes, budget });
  const plan = async (strategy: StrategyName): Promise<Planned> => {
    if (several || budget.unit !== 'NFE') return arms.plan(strategy);
    const search = optionsFor(strategy, { ...sizes, budget: budget.most });
    return { options: { ...picture, ...modelOptions, ...search } as PictureOptions, limit: null };
  };
  for (const strategy of chosen) {
    if (state.stopped && state.results.length > 0) return false;
    const planned = await plan(strategy);
    if ('refusal' in planned) {
      if (!several) throw new UsageError(planned.refusal);
      const skipped = { model, strategy, why: planned.refusal };
      state.skipped.push(skipped);
      emit({ type: 'skipped', ...skipped });
      continue;
    }
    if (planned.limit !== null) {
      const limited = { model, strategy, why: planned.limit };
      state.limited.push(limited);
      emit({ type: 'limited', ...limited });
    }
    const count = models.length * chosen.length - state.skipped.length;
    emit({ type: 'begin', model, strategy, index: state.results.length, count });
    if (!(await runOne(engine, planned.options, { strategy, emit, state }))) return false;
  }
  return !state.stopped;
}

/** Runs one search; false where the comparison was stopped before it found anything. */
async function runOne(
  engine: Engine,
  options: PictureOptions,
  { strategy, emit, state }: Pick<Comparing, 'emit' | 'state'> & { readonly strategy: StrategyName },
): Promise<boolean> {
  const index = state.results.length;
  const running = startGenerate(options, { open: () => Promise.resolve(engine) });
  state.running = running;
  if (state.stopped) running.stop();
  try {
    for await (const event of running) {
      // All searches have the same prompt: what is said of it is said once.
      if (event.type === 'warning' && state.said.has(event.message)) continue;
      if (event.type === 'warning') state.said.add(event.message);
      emit({ type: 'progress', strategy, event });
    }
    state.results.push(await running.result);
  } catch (error) {
    const asked = state.stopped && options.signal?.aborted !== true && isAbortError(error);
    if (asked && state.results.length > 0) return false;
    throw error;
  }
  state.running = null;
  emit({ type: 'end', strategy, index });
  return true;
}

async function compareAll(comparing: Comparing): Promise<CompareResult> {
  const { options, models, check, state } = comparing;
  options.signal?.throwIfAborted();
  await check?.();
  let going = true;
  for (const context of models) {
    if (!going) break;
    const engine = await context.open(options.signal);
    try {
      going = await compareOn(engine, comparing);
    } finally {
      await context.close?.(engine);
    }
  }
  const summary = summarise(options, state, { ...comparing, complete: going });
  if (summary) return summary;
  const [first] = state.skipped;
  throw new UsageError(
    first ? `${first.strategy} on ${first.model}: ${first.why}` : 'a comparison needs at least one strategy',
  );
}

/** Begins a comparison. The options have been checked. */
export function startCompare(options: ComparePictureOptions, context: CompareContext): CompareRun {
  const state: State = {
    results: [],
    skipped: [],
    limited: [],
    said: new Set(),
    running: null,
    stopped: false,
  };
  const run = startRun<CompareEvent, CompareResult>((emit) =>
    compareAll({ ...context, options, emit, state }),
  );
  const soFar = async (): Promise<CompareResult | null> => {
    const partial = await state.running?.soFar();
    const results = partial ? [...state.results, partial] : [...state.results];
    return summarise(options, { ...state, results }, { ...context, complete: false });
  };
  const stop = (): void => {
    state.stopped = true;
    state.running?.stop();
  };
  return {
    ...run,
    finished: state.results,
    soFar,
    stop,
    [Symbol.asyncDispose]: async () => {
      stop();
      await run.result.catch(() => undefined);
    },
  };
}

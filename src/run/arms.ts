// The sizes that a budget buys a strategy on a loaded model: by evaluations, by operations (decoder and verifiers included), or by
// seconds, for which the model is timed first. Whatever the unit, sizes are the largest whose price is within the budget.

import { UsageError } from '../core/errors.js';
import { Ledger } from '../core/ledger.js';
import { type OptionValues, pick } from '../core/options.js';
import type { Engine } from '../engine/engine.js';
import type { Schedule } from '../models/contract.js';
import type { Estimate } from '../search/cost.js';
import { type Means, refusalOf } from '../search/needs.js';
import {
  type AnySearch,
  estimate,
  findStrategy,
  optionsFor,
  resolveSearch,
  type StrategyName,
} from '../search/registry.js';
import { startGenerate } from './generate.js';
import type { Budget, PictureOptions } from './options.js';

/** What is said of the picture, whoever draws it: no strategy and no sizes. */
interface Picture {
  readonly prompt: string;
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a model is asked for, with its own options apart. */
export interface ArmRequest {
  readonly picture: Picture;
  /** Options of models: each takes its own of them. */
  readonly modelOptions: OptionValues;
  /** Sizes that no budget decides: each strategy takes its own of them. */
  readonly sizes: OptionValues;
  readonly budget: Budget;
}

/** A search that can be run, with what keeps it below the budget, or why it cannot, in one line each. */
export type Planned =
  { readonly options: PictureOptions; readonly limit: string | null } | { readonly refusal: string };

/** What is known of a model with some options, without a step taken. */
interface Facts extends Means {
  readonly schedule: Schedule;
  /** Operations of decoding and judging one picture. */
  readonly perPicture: number;
}

/** Milliseconds that a model was measured to take. */
interface Speed {
  readonly fixed: number;
  readonly perFlop: number;
  readonly perPicture: number;
}

/** The searches of one loaded model. */
export class Arms {
  readonly #engine: Engine;
  readonly #request: ArmRequest;
  readonly #facts = new Map<string, Promise<Facts>>();
  #speed: Promise<Speed> | undefined;

  constructor(engine: Engine, request: ArmRequest) {
    this.#engine = engine;
    this.#request = request;
  }

  /** The search that the budget buys; where the strategy needs more draws than the model usually has, with those it can have. */
  async plan(strategy: StrategyName): Promise<Planned> {
    const { model } = this.#engine;
    const given = pick(this.#request.modelOptions, model.options) as OptionValues;
    const usual = await this.#planWith(strategy, given);
    if ('options' in usual || !model.drawing) return usual;
    return await this.#planWith(strategy, { ...model.drawing, ...given });
  }

  async #planWith(strategy: StrategyName, modelOptions: OptionValues): Promise<Planned> {
    const facts = await this.#factsOf(modelOptions);
    const { picture, budget } = this.#request;
    const priceOf = await this.#price(facts);
    try {
      const within = (search: AnySearch): boolean => priceOf(estimate(search, facts.schedule)) <= budget.most;
      const largest = this.#largest(strategy, facts, within);
      const refused = this.#refusal(largest, { ...facts, room: undefined });
      if (refused !== null) return { refusal: refused };
      // What has to live together may be fewer than the budget would buy.
      const limit = this.#refusal(largest, facts);
      const fits = (search: AnySearch): boolean => within(search) && this.#refusal(search, facts) === null;
      const { strategy: _, ...sizes } = limit === null ? largest : this.#largest(strategy, facts, fits);
      const time = budget.unit === 'seconds' ? { time: 1000 * budget.most } : {};
      const options = { ...picture, ...modelOptions, ...sizes, strategy, ...time } as PictureOptions;
      return { options, limit };
    } catch (error) {
      if (error instanceof UsageError) return { refusal: error.message };
      throw error;
    }
  }

  #refusal(search: AnySearch, means: Means): string | null {
    return refusalOf(findStrategy(search.strategy).needs?.(search, means.schedule) ?? {}, means);
  }

  /** The largest search of a strategy that passes, by the evaluations that it may spend. Throws a UsageError where none does. */
  #largest(strategy: StrategyName, { schedule }: Facts, passes: (search: AnySearch) => boolean): AnySearch {
    const resolve = (nfe: number): AnySearch =>
      resolveSearch(optionsFor(strategy, { ...this.#request.sizes, budget: nfe }), schedule);
    const attempt = (nfe: number): AnySearch | null => {
      try {
        return resolve(nfe);
      } catch (error) {
        if (error instanceof UsageError) return null;
        throw error;
      }
    };
    let enough = 1;
    while (attempt(enough) === null && enough < MOST_NFE) enough *= 2;
    const least = lowest(Math.floor(enough / 2) + 1, enough, (nfe) => attempt(nfe) !== null);
    const smallest = resolve(least);
    if (!passes(smallest)) throw new UsageError(this.#tooSmall());
    const tooMuch = (nfe: number): boolean => {
      const search = attempt(nfe);
      return search === null || !passes(search);
    };
    let above = 2 * least;
    while (!tooMuch(above) && above < MOST_NFE) above *= 2;
    return resolve(lowest(least + 1, above, tooMuch) - 1);
  }

  #tooSmall(): string {
    const { most, unit } = this.#request.budget;
    return `a budget of ${most} ${unit} buys not even the smallest such search: give more`;
  }

  #factsOf(modelOptions: OptionValues): Promise<Facts> {
    const key = JSON.stringify(modelOptions);
    const known = this.#facts.get(key) ?? this.#look(modelOptions);
    this.#facts.set(key, known);
    return known;
  }

  async #look(modelOptions: OptionValues): Promise<Facts> {
    const { model, jury } = this.#engine;
    const { prompt, signal } = this.#request.picture;
    const ledger = new Ledger();
    const generator = await model.prepare(prompt, ledger, model.resolve(modelOptions), { signal });
    try {
      const { schedule } = generator;
      const rooms = schedule.steps.map((_, step) => generator.room(0, step + 1));
      const root = generator.begin();
      try {
        // The picture of nothing costs its decoder as much as any.
        if (this.#request.budget.unit === 'FLOPs') await generator.decode([root], 'full', { signal, ledger });
      } finally {
        root.release();
      }
      const perPicture = ledger.record().decoderFlops + (jury.flops ?? 0);
      return { schedule, jury: jury.jury, perPicture, room: (_, until) => rooms[until - 1] ?? 1 };
    } finally {
      generator.close();
    }
  }

  /** What a search costs, in the unit of the budget. */
  async #price({ perPicture }: Facts): Promise<(cost: Estimate) => number> {
    const { jury } = this.#engine;
    switch (this.#request.budget.unit) {
      case 'NFE':
        return ({ nfe }) => nfe;
      case 'FLOPs':
        if (jury.flops === null) {
          throw new UsageError(
            `nobody knows the operations of ${jury.jury.judges.join(', ')}: give the budget in evaluations or seconds, or name another verifier`,
          );
        }
        return ({ flops, images }) => flops + images * perPicture;
      case 'seconds': {
        this.#speed ??= this.#measure();
        const speed = await this.#speed;
        return ({ flops, images }) =>
          (speed.fixed + speed.perFlop * flops + speed.perPicture * images) / 1000;
      }
    }
  }

  /** Draws a few pictures twice, since what runs first is slower, and takes the time of the second. */
  async #measure(): Promise<Speed> {
    const { picture, modelOptions } = this.#request;
    const own = pick(modelOptions, this.#engine.model.options);
    const draw = { ...picture, ...own, strategy: 'random', images: MEASURED } as PictureOptions;
    const open = (): Promise<Engine> => Promise.resolve(this.#engine);
    await startGenerate(draw, { open }).result;
    const { ledger, milliseconds } = await startGenerate(draw, { open }).result;
    const { load, text, transformer } = ledger.milliseconds;
    return {
      fixed: text,
      perFlop: transformer / Math.max(1, ledger.transformerFlops),
      perPicture: (milliseconds - load - text - transformer) / MEASURED,
    };
  }
}

/** Pictures by which a model is timed. */
const MEASURED = 4;

/** No search is larger. */
const MOST_NFE = 2 ** 50;

/** The lowest whole number between two for which something holds, as it does for all above it; `high` where it holds for none below. */
function lowest(low: number, high: number, holds: (value: number) => boolean): number {
  let [from, until] = [low, high];
  while (from < until) {
    const middle = Math.floor((from + until) / 2);
    if (holds(middle)) until = middle;
    else from = middle + 1;
  }
  return until;
}

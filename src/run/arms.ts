// The sizes that a budget buys a strategy on a loaded model: by evaluations, by operations (decoder and verifiers included), or by
// seconds, for which the model is timed first. Whatever the unit, sizes are the largest whose price is within the budget.

import { Ledger } from '../core/ledger.js';
import { type OptionValues, pick } from '../core/options.js';
import type { Engine } from '../engine/engine.js';
import type { StrategyName } from '../search/registry.js';
import { startGenerate } from './generate.js';
import type { Budget, PictureOptions } from './options.js';
import { countedPrice, type ModelFacts, type Price, sizeWithin } from './sizing.js';

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
  readonly #facts = new Map<string, Promise<ModelFacts>>();
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
    const { picture, sizes: given, budget } = this.#request;
    const sized = sizeWithin({ strategy, sizes: given, budget }, facts, await this.#price(facts));
    if ('refusal' in sized) return sized;
    const { strategy: _, ...sizes } = sized.search;
    const time = budget.unit === 'seconds' ? { time: 1000 * budget.most } : {};
    const options = { ...picture, ...modelOptions, ...sizes, strategy, ...time } as PictureOptions;
    return { options, limit: sized.limit };
  }

  #factsOf(modelOptions: OptionValues): Promise<ModelFacts> {
    const key = JSON.stringify(modelOptions);
    const known = this.#facts.get(key) ?? this.#look(modelOptions);
    this.#facts.set(key, known);
    return known;
  }

  async #look(modelOptions: OptionValues): Promise<ModelFacts> {
    const { model, jury, memory } = this.#engine;
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
      const perPicture =
        jury.flops === null
          ? { unknown: jury.jury.judges.join(', ') }
          : ledger.record().decoderFlops + jury.flops;
      const room = (_: number, until: number): number => rooms[until - 1] ?? 1;
      return { schedule, jury: jury.jury, perPicture, room, memory: memory.bytes };
    } finally {
      generator.close();
    }
  }

  /** What a search costs, in the unit of the budget. */
  async #price(facts: ModelFacts): Promise<Price> {
    const { unit } = this.#request.budget;
    if (unit !== 'seconds') return countedPrice(unit, facts);
    this.#speed ??= this.#measure();
    const speed = await this.#speed;
    return ({ flops, images }) => (speed.fixed + speed.perFlop * flops + speed.perPicture * images) / 1000;
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

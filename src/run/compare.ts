// Every strategy at the same budget, one after the other, with the same models, prompt and seed.

import type { Engine } from '../engine/engine.js';
import type { ComparePictureOptions } from '../engine/options.js';
import type { StrategyName } from '../search/registry.js';
import { optionsFor, STRATEGIES } from '../search/registry.js';
import type { GenerateContext, GenerateEvent, GenerateRun } from './generate.js';
import { startGenerate } from './generate.js';
import type { Run } from './live-run.js';
import { startRun } from './live-run.js';
import type { GenerateResult } from './result.js';
import { type Standings, standingsOf } from './standings.js';

/** What happens during a comparison, in order. */
export type CompareEvent =
  | {
      readonly type: 'begin';
      readonly strategy: StrategyName;
      readonly index: number;
      readonly count: number;
    }
  | { readonly type: 'progress'; readonly strategy: StrategyName; readonly event: GenerateEvent }
  | { readonly type: 'end'; readonly strategy: StrategyName; readonly result: GenerateResult };

/** Several searches for the same prompt. */
export interface CompareResult {
  /** False when not every strategy came to its end. */
  readonly complete: boolean;
  readonly prompt: string;
  readonly budget: number;
  /** In the order in which they ran. */
  readonly results: readonly GenerateResult[];
  /**
   * Each result's score as they are compared: their own, or with a relative ensemble (rank, z-score) among all pictures of
   * the comparison.
   */
  readonly scores: readonly number[];
  /** The one with the highest of these scores; the earliest of equals. */
  readonly best: GenerateResult;
}

/** A comparison in progress. */
export interface CompareRun extends Run<CompareEvent, CompareResult> {
  /** The strategies that are through, and what the running one has reached; null before the first score. */
  soFar(): Promise<CompareResult | null>;
}

/** Compares the pictures of several searches by the same verifiers with each other. */
export function standingsOfAll(results: readonly GenerateResult[]): Standings {
  const [first] = results;
  if (!first) return ({ score }) => score;
  return standingsOf(
    results.flatMap(({ tree }) => tree.nodes),
    first.options,
  );
}

function summarise(
  options: ComparePictureOptions,
  results: readonly GenerateResult[],
  complete: boolean,
): CompareResult | null {
  const standings = standingsOfAll(results);
  const scores = results.map(({ winner }) => standings(winner));
  const best = results[scores.indexOf(Math.max(...scores))];
  if (!best) return null;
  return { complete, prompt: options.prompt, budget: options.budget, results, scores, best };
}

/** Begins a comparison. The options have been checked. */
export function startCompare(options: ComparePictureOptions, context: GenerateContext): CompareRun {
  const { strategies, width, budget, keepElected, result, ...common } = options;
  const sizes = { width, budget, keepElected, result };
  const results: GenerateResult[] = [];
  let running: GenerateRun | null = null;

  const compareAll = async (engine: Engine, emit: (event: CompareEvent) => void): Promise<CompareResult> => {
    const chosen = STRATEGIES.filter((name) => strategies === undefined || strategies.includes(name));
    for (const [index, strategy] of chosen.entries()) {
      emit({ type: 'begin', strategy, index, count: chosen.length });
      running = startGenerate(
        { ...common, ...optionsFor(strategy, sizes) },
        { open: () => Promise.resolve(engine) },
      );
      for await (const event of running) emit({ type: 'progress', strategy, event });
      const found = await running.result;
      running = null;
      results.push(found);
      emit({ type: 'end', strategy, result: found });
    }
    const summary = summarise(options, results, true);
    if (!summary) throw new RangeError('a comparison needs at least one strategy');
    return summary;
  };

  const run = startRun<CompareEvent, CompareResult>(async (emit) => {
    options.signal?.throwIfAborted();
    const engine = await context.open(options.signal);
    try {
      return await compareAll(engine, emit);
    } finally {
      await context.close?.(engine);
    }
  });
  const soFar = async (): Promise<CompareResult | null> => {
    const partial = await running?.soFar();
    return summarise(options, partial ? [...results, partial] : [...results], false);
  };
  return { ...run, soFar };
}

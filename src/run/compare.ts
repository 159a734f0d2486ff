// Every strategy at the same budget, one after the other, with the same models, prompt and seed.

import { isAbortError } from '../core/errors.js';
import type { Engine } from '../engine/engine.js';
import { optionsFor, STRATEGIES, type StrategyName } from '../search/registry.js';
import { heightOf, type Standing } from '../verifiers/jury.js';
import type { GenerateContext, GenerateEvent, GenerateRun } from './generate.js';
import { startGenerate } from './generate.js';
import type { Run } from './live-run.js';
import { startRun } from './live-run.js';
import { type ComparePictureOptions, partCompare, type PictureOptions } from './options.js';
import type { GenerateResult } from './result.js';
import { type Standings, standingsOf } from './standings.js';

/** What happens during a comparison, in order: plain JSON. */
export type CompareEvent =
  | {
      readonly type: 'begin';
      readonly strategy: StrategyName;
      readonly index: number;
      readonly count: number;
    }
  | { readonly type: 'progress'; readonly strategy: StrategyName; readonly event: GenerateEvent }
  /** A strategy is through: the run's `finished` has its result. */
  | { readonly type: 'end'; readonly strategy: StrategyName; readonly index: number };

/** Several searches for the same prompt. */
export interface CompareResult {
  /** False when not every strategy came to its end. */
  readonly complete: boolean;
  readonly prompt: string;
  readonly budget: number;
  /** In the order in which they ran. */
  readonly results: readonly GenerateResult[];
  /** Each result's standing among all pictures of the comparison. */
  readonly standings: readonly Standing[];
  /** The one that stands highest; the earliest of equals. */
  readonly best: GenerateResult;
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

/** Compares the pictures of several searches by the same jury with each other. */
export function standingsOfAll(results: readonly GenerateResult[]): Standings {
  const [first] = results;
  if (!first) throw new RangeError('there is nothing to compare');
  return standingsOf(
    results.map(({ candidates }) => candidates),
    first.options.jury,
  );
}

function summarise(
  options: ComparePictureOptions,
  results: readonly GenerateResult[],
  complete: boolean,
): CompareResult | null {
  const [first] = results;
  if (!first) return null;
  const standings = results.map(({ winner }) => standingsOfAll(results)(winner));
  const heights = standings.map(heightOf);
  const best = results[heights.indexOf(Math.max(...heights))] ?? first;
  return { complete, prompt: options.prompt, budget: options.budget, results, standings, best };
}

/** Begins a comparison. The options have been checked. */
export function startCompare(options: ComparePictureOptions, context: GenerateContext): CompareRun {
  const { strategies, sizes, picture } = partCompare(options);
  const results: GenerateResult[] = [];
  const said = new Set<string>();
  let running: GenerateRun | null = null;
  let stopped = false;

  const compareAll = async (engine: Engine, emit: (event: CompareEvent) => void): Promise<CompareResult> => {
    const chosen = STRATEGIES.map(({ name }) => name).filter((name) => strategies?.includes(name) ?? true);
    for (const [index, strategy] of chosen.entries()) {
      emit({ type: 'begin', strategy, index, count: chosen.length });
      running = startGenerate({ ...picture, ...optionsFor(strategy, sizes) } as PictureOptions, {
        open: () => Promise.resolve(engine),
      });
      if (stopped) running.stop();
      try {
        for await (const event of running) {
          // All strategies have the same prompt: what is said of it is said once.
          if (event.type === 'warning' && said.has(event.message)) continue;
          if (event.type === 'warning') said.add(event.message);
          emit({ type: 'progress', strategy, event });
        }
        results.push(await running.result);
      } catch (error) {
        if (stopped && results.length > 0 && options.signal?.aborted !== true && isAbortError(error)) break;
        throw error;
      }
      running = null;
      emit({ type: 'end', strategy, index });
      if (stopped) break;
    }
    const summary = summarise(options, results, !stopped);
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
  const stop = (): void => {
    stopped = true;
    running?.stop();
  };
  return {
    ...run,
    finished: results,
    soFar,
    stop,
    [Symbol.asyncDispose]: async () => {
      stop();
      await run.result.catch(() => undefined);
    },
  };
}

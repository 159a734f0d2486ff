// One search for one picture: options in, events and a result out. No files, no printing.

import { Ledger } from '../core/ledger.js';
import { RandomKey } from '../core/random.js';
import type { Engine } from '../engine/engine.js';
import type { PictureOptions, ResolvedOptions } from '../engine/options.js';
import { DEFAULTS } from '../engine/options.js';
import { guidesOf } from '../engine/verifier-options.js';
import type { GenerationOptions, Generator, Scale } from '../models/contract.js';
import type { SearchEvent } from '../search/contract.js';
import type { Estimate } from '../search/registry.js';
import { estimate, resolveSearch, startSearch } from '../search/registry.js';
import { type Panel, panelOf } from '../verifiers/contract.js';
import { isEnsemble } from '../verifiers/ensemble.js';
import { type HoldOut, type HoldOutReport, prepareHoldOut } from './hold-out.js';
import type { Run } from './live-run.js';
import { startRun } from './live-run.js';
import type { GenerateResult } from './result.js';
import { RunRecord } from './run-record.js';

/** What happens during a run, in order. */
export type GenerateEvent =
  /** Something about the prompt that the caller may want to know; the run goes on. */
  | { readonly type: 'warning'; readonly message: string }
  /** Models are loaded and the prompt is read: the search begins, and this is what it will cost. */
  | {
      readonly type: 'ready';
      readonly options: ResolvedOptions;
      readonly scales: readonly Scale[];
      readonly cost: Estimate;
    }
  | SearchEvent
  /** The verifiers that did not guide the search have scored its winner, where a report was asked for. */
  | { readonly type: 'report'; readonly report: HoldOutReport };

/** A search in progress. */
export interface GenerateRun extends Run<GenerateEvent, GenerateResult> {
  /** The best picture until now, or that of candidate `id`, marked as not complete; null before it was scored. */
  soFar(id?: number): Promise<GenerateResult | null>;
}

/** The options with the defaults of the engine and of the strategy filled in. */
function resolveOptions(options: PictureOptions, engine: Engine, scales: readonly Scale[]): ResolvedOptions {
  const { prompt, seed, cfg, temperature, topK, topP, size, aspectRatio, signal: _, ...search } = options;
  const { model, verifier } = engine;
  return {
    prompt,
    model: model.name,
    verifier: guidesOf(verifier).join(','),
    ensemble: isEnsemble(verifier) ? verifier.rule : null,
    seed: seed ?? DEFAULTS.seed,
    cfg: cfg ?? engine.defaults?.cfg ?? null,
    temperature: temperature ?? engine.defaults?.temperature ?? null,
    topK: topK ?? DEFAULTS.topK,
    topP: topP ?? DEFAULTS.topP,
    size: size ?? null,
    aspectRatio: aspectRatio ?? null,
    search: resolveSearch(search, scales),
  };
}

/** How the model is to sample: what is null is left to it. */
function samplingOf(options: PictureOptions, engine: Engine): GenerationOptions {
  const cfg = options.cfg ?? engine.defaults?.cfg;
  const temperature = options.temperature ?? engine.defaults?.temperature;
  return {
    ...(cfg === undefined ? {} : { cfg }),
    ...(temperature === undefined ? {} : { temperature }),
    topK: options.topK ?? DEFAULTS.topK,
    topP: options.topP ?? DEFAULTS.topP,
    ...(options.size === undefined ? {} : { size: options.size }),
    ...(options.aspectRatio === undefined ? {} : { aspectRatio: options.aspectRatio }),
  };
}

interface Prepared {
  readonly generator: Generator;
  readonly panel: Panel;
}

/** Reads the prompt into model and verifier, and frees what belongs to it after `work`, however that ends. */
async function withPrompt<T>(
  engine: Engine,
  options: PictureOptions,
  ledger: Ledger,
  work: (prepared: Prepared) => Promise<T>,
): Promise<T> {
  const { prompt, signal } = options;
  const generator = await engine.model.prepare(prompt, ledger, { ...samplingOf(options, engine), signal });
  try {
    const judge = await engine.verifier.prepare(prompt, ledger);
    try {
      return await work({ generator, panel: panelOf(judge, engine.verifier.name) });
    } finally {
      judge.close();
    }
  } finally {
    generator.close();
  }
}

/** Makes the prompt ready for those who report, and frees what belongs to it after `work`; null where nobody does. */
async function withHoldOut<T>(
  { verifier, reporters }: Engine,
  { prompt, signal }: PictureOptions,
  work: (holdOut: HoldOut | null) => Promise<T>,
): Promise<T> {
  if (!reporters) return await work(null);
  const holdOut = await prepareHoldOut(reporters, { prompt, guides: guidesOf(verifier), signal });
  try {
    return await work(holdOut);
  } finally {
    holdOut.close();
  }
}

/** What a search needs besides its options. */
export interface GenerateContext {
  /** Gives the engine; what it loads is the run's to wait for. */
  readonly open: (signal?: AbortSignal) => Promise<Engine>;
  /** Called when the run is over, also when it failed. */
  readonly close?: (engine: Engine) => Promise<void>;
}

/** Begins a search. The options have been checked. */
export function startGenerate(options: PictureOptions, context: GenerateContext): GenerateRun {
  const { signal } = options;
  let record: RunRecord | null = null;

  const search = async (
    engine: Engine,
    holdOut: HoldOut | null,
    emit: (event: GenerateEvent) => void,
  ): Promise<GenerateResult> => {
    const started = performance.now();
    const warning = engine.checkPrompt(options.prompt);
    if (warning !== null) emit({ type: 'warning', message: warning });
    const ledger = new Ledger();
    const loadTime = engine.takeLoadTime();
    ledger.addTime('load', loadTime);
    const { found, result } = await withPrompt(engine, options, ledger, async ({ generator, panel }) => {
      const { scales } = generator;
      const resolved = resolveOptions(options, engine, scales);
      record = new RunRecord({ options: resolved, scales, ledger, started, loadTime, hashes: engine.hashes });
      // Hashing the files takes a while for large models: it goes on beside the search.
      engine.hashes().catch(() => undefined);
      emit({ type: 'ready', options: resolved, scales, cost: estimate(resolved.search, scales) });
      const key = RandomKey.fromSeed(resolved.seed);
      const events = startSearch(resolved.search, { generator, panel, key, signal });
      for (;;) {
        const next = await events.next();
        if (next.done === true) return { found: next.value, result: await record.finish(next.value) };
        record.note(next.value);
        emit(next.value);
      }
    });
    // The search's time and costs are taken: what a report needs has a ledger of its own.
    const report = (await holdOut?.report(found)) ?? null;
    if (report) emit({ type: 'report', report });
    return { ...result, report };
  };

  const run = startRun<GenerateEvent, GenerateResult>(async (emit) => {
    signal?.throwIfAborted();
    const engine = await context.open(signal);
    try {
      signal?.throwIfAborted();
      return await withHoldOut(engine, options, (holdOut) => search(engine, holdOut, emit));
    } finally {
      await context.close?.(engine);
    }
  });
  return { ...run, soFar: async (id) => (await record?.soFar(id)) ?? null };
}

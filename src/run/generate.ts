// One search for one picture: options in, events and a result out. No files, no printing.

import { UsageError } from '../core/errors.js';
import { Ledger } from '../core/ledger.js';
import { RandomKey } from '../core/random.js';
import type { Engine } from '../engine/engine.js';
import type { JuryRoom, OpenBench } from '../engine/jury.js';
import type { Generator, Schedule } from '../models/contract.js';
import type { SearchEvent, Shown } from '../search/contract.js';
import type { Estimate } from '../search/cost.js';
import { checkSearch, estimate, resolveSearch, startSearch, strategyOf } from '../search/registry.js';
import { isRelative } from '../verifiers/jury.js';
import type { Run } from './live-run.js';
import { startRun } from './live-run.js';
import { type ObserverReport, Observers } from './observers.js';
import {
  type AnyPictureOptions,
  DEFAULT_SEED,
  parseStopAt,
  partPicture,
  type ResolvedOptions,
} from './options.js';
import { RunRecord } from './record.js';
import type { EndedBy, GenerateResult } from './result.js';
import { parseTime } from './time.js';

/** What happens during a run, in order: plain JSON. */
export type GenerateEvent =
  /** Something about the prompt that the caller may want to know; the run goes on. */
  | { readonly type: 'warning'; readonly message: string }
  /** Models are loaded and the prompt is read: the search begins, and this is what it will cost. */
  | {
      readonly type: 'ready';
      readonly options: ResolvedOptions;
      readonly schedule: Schedule;
      readonly cost: Estimate;
    }
  | SearchEvent
  /** Not all of the search is done, and what there is will be the result. */
  | { readonly type: 'ended'; readonly by: EndedBy }
  /** The observers have scored the winner, where there are some. */
  | { readonly type: 'report'; readonly report: ObserverReport };

/** A search in progress. */
export interface GenerateRun extends Run<GenerateEvent, GenerateResult> {
  /** The best picture until now, marked as not complete; null before one was judged. */
  soFar(): Promise<GenerateResult | null>;
  /**
   * Ends the search as soon as the step under way is done: `result` is then the best until now, or rejects with an AbortError
   * where nothing was judged yet. Leaving the iteration does not end it, since others may listen and wait for `result`.
   */
  stop(): void;
  /** Stops, and waits until everything is freed: `await using run = generate(...)` ends with its block. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What a search needs besides its options. */
export interface GenerateContext {
  /** Gives the engine; what it loads is the run's to wait for. */
  readonly open: (signal?: AbortSignal) => Promise<Engine>;
  /** Called when the run is over, also when it failed. */
  readonly close?: (engine: Engine) => Promise<void>;
  /** The candidate whose picture `soFar` gives. @default the best until then */
  readonly wanted?: number;
}

/** The options with the defaults of the model and of the strategy filled in. */
function resolveOptions(
  options: AnyPictureOptions,
  { model, jury }: Engine,
  schedule: Schedule,
): ResolvedOptions {
  const { modelOptions, search } = partPicture(options);
  const resolved = resolveSearch(search, schedule);
  checkSearch(resolved, schedule, jury.jury, strategyOf(search.strategy));
  return {
    prompt: options.prompt,
    model: model.name,
    modelOptions: model.resolve(modelOptions),
    jury: jury.jury,
    seed: options.seed ?? DEFAULT_SEED,
    search: resolved,
  };
}

interface Prepared {
  readonly generator: Generator;
  readonly bench: OpenBench;
  /** null where nobody looks on. */
  readonly observers: Observers | null;
}

/** Frees something after work with it, however that ends. */
async function using<T extends { close(): void }, R>(held: T, work: (held: T) => Promise<R>): Promise<R> {
  try {
    return await work(held);
  } finally {
    held.close();
  }
}

/** Reads the prompt into model, judges and observers, and frees what belongs to it after `work`, however that ends. */
async function withPrompt<T>(
  { model, jury, observers: verifiers }: Engine,
  { options, ledger }: { readonly options: AnyPictureOptions; readonly ledger: Ledger },
  work: (prepared: Prepared) => Promise<T>,
): Promise<T> {
  const { prompt, signal } = options;
  const { judges } = jury.jury;
  const resolved = model.resolve(partPicture(options).modelOptions);
  const rest = async (observers: Observers | null): Promise<T> =>
    using(await model.prepare(prompt, ledger, resolved, { signal }), async (generator) =>
      using(await jury.prepare(prompt, ledger), (bench) => work({ generator, bench, observers })),
    );
  return verifiers ? using(await Observers.open(verifiers, { prompt, judges, signal }), rest) : rest(null);
}

/** The score at which a search is to end; null for none. Throws a UsageError for what can never be reached. */
function endScore(given: unknown, { jury, most }: JuryRoom): number | null {
  const asked = parseStopAt(given);
  if (asked === null) return null;
  if (isRelative(jury)) {
    throw new UsageError(
      "option 'stopAt' is for one verifier or a weighted sum: a mean rank or a z-score is no score that could be reached",
    );
  }
  const names = jury.judges.join(', ');
  if (asked === 'most' && most === null) {
    throw new UsageError(`option 'stopAt' must be a number: ${names} tells no highest score`);
  }
  const score = asked === 'most' ? (most ?? NaN) : asked;
  if (most === null || score <= most) return score;
  throw new UsageError(`option 'stopAt' is ${score}, but ${names} gives at most ${most}`);
}

/** Ends a search early, by a signal; a deadline not before there is a picture to give. */
class EarlyEnd {
  readonly #controller = new AbortController();
  #by: EndedBy | null = null;
  #allowed = false;

  /** What has ended the search, or will. */
  get by(): EndedBy | null {
    return this.#by;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  ask(by: EndedBy): void {
    this.#by ??= by;
    if (this.#allowed || by === 'stop') this.#controller.abort();
  }

  /** From now on there is a picture. */
  allow(): void {
    this.#allowed = true;
    if (this.#by !== null) this.#controller.abort();
  }
}

/** Begins a search. The options have been checked. */
export function startGenerate(options: AnyPictureOptions, context: GenerateContext): GenerateRun {
  const { signal } = options;
  const { wanted } = context;
  const strategy = strategyOf(partPicture(options).search.strategy);
  let record: RunRecord | null = null;
  const end = new EarlyEnd();
  const either = signal ? AbortSignal.any([signal, end.signal]) : end.signal;

  const search = async (engine: Engine, emit: (event: GenerateEvent) => void): Promise<GenerateResult> => {
    const warning = engine.checkPrompt(options.prompt);
    if (warning !== null) emit({ type: 'warning', message: warning });
    const ledger = new Ledger();
    const loadTime = engine.takeLoadTime();
    ledger.addTime('load', loadTime);
    const started = performance.now();
    return await withPrompt(
      engine,
      { options: { ...options, signal: either }, ledger },
      async ({ generator, bench, observers }) => {
        const { schedule } = generator;
        const resolved = resolveOptions(options, engine, schedule);
        const score = endScore(options.stopAt, engine.jury);
        const facts = {
          options: resolved,
          schedule,
          ledger,
          started,
          loadTime,
          hashes: engine.hashes,
          wanted,
        };
        const own = new RunRecord(facts);
        record = own;
        // Hashing the files takes a while for large models: it goes on beside the search.
        engine.hashes().catch(() => undefined);
        const cost = estimate(resolved.search, schedule, strategy);
        emit({ type: 'ready', options: resolved, schedule, cost });
        const show = async (pictures: readonly Shown[]): Promise<void> => {
          own.see(pictures);
          const before = performance.now();
          await observers?.see(pictures);
          own.setAside(performance.now() - before);
        };
        const draw = RandomKey.fromSeed(resolved.seed);
        const events = startSearch(
          resolved.search,
          { generator, bench, draw, show, signal: either },
          strategy,
        );
        const toTheEnd = async (): Promise<GenerateResult> => {
          for (;;) {
            const next = await events.next();
            if (next.done === true) return await own.finish(next.value, generator);
            await own.note(next.value, generator);
            emit(next.value);
            const first = score === null ? undefined : own.firstFrom(score, next.value);
            if (first) {
              await events.return(undefined as never);
              emit({ type: 'ended', by: 'score' });
              return await own.end('score', generator, first);
            }
            if (own.hasBest) end.allow();
          }
        };
        const result = await toTheEnd().catch(async (error: unknown) => {
          if (end.by === null || !own.hasBest || error !== end.signal.reason || signal?.aborted === true) {
            throw error;
          }
          emit({ type: 'ended', by: end.by });
          return await own.end(end.by, generator);
        });
        const report = (await observers?.report(result)) ?? null;
        if (report) emit({ type: 'report', report });
        return { ...result, report };
      },
    );
  };

  const run = startRun<GenerateEvent, GenerateResult>(async (emit) => {
    signal?.throwIfAborted();
    // The time counts from the call on, since that is what a caller waits: loading and waiting for others are in it.
    const time = parseTime(options.time);
    const timer = time === null ? undefined : setTimeout(() => end.ask('time'), time);
    try {
      const engine = await context.open(either);
      try {
        either.throwIfAborted();
        return await search(engine, emit);
      } finally {
        await context.close?.(engine);
      }
    } finally {
      clearTimeout(timer);
    }
  });
  const stop = (): void => end.ask('stop');
  return {
    ...run,
    soFar: async () => (await record?.soFar(wanted)) ?? null,
    stop,
    [Symbol.asyncDispose]: async () => {
      stop();
      await run.result.catch(() => undefined);
    },
  };
}

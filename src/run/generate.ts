// One search for one picture: options in, events and a result out. No files, no printing.

import { Ledger } from '../core/ledger.js';
import { RandomKey } from '../core/random.js';
import { isError } from '../core/realm.js';
import type { Reservation } from '../core/reservation.js';
import type { Engine } from '../engine/engine.js';
import type { OpenBench } from '../engine/jury.js';
import { readVersions } from '../engine/versions.js';
import type { Generator, Schedule } from '../models/contract.js';
import { complete } from '../search/completion.js';
import type { Candidate, SearchContext, SearchEvent, Shown } from '../search/contract.js';
import type { Estimate } from '../search/cost.js';
import {
  type AnyStrategy,
  checkSearch,
  estimate,
  resolveSearch,
  startSearch,
  strategyOf,
} from '../search/registry.js';
import { cutWarning } from '../verifiers/contract.js';
import { EarlyEnd, endScore } from './early-end.js';
import { filmOf } from './film.js';
import type { Run } from './live-run.js';
import { startRun } from './live-run.js';
import { type ObserverReport, Observers } from './observers.js';
import { type AnyPictureOptions, DEFAULT_SEED, partPicture, type ResolvedOptions } from './options.js';
import { withMemory } from './plan.js';
import { RunRecord } from './record.js';
import type { EndedBy, GenerateResult, Pictures } from './result.js';
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
  /** Not all of the search is done, and what there is will be the result; the best of previews is completed for that. */
  | { readonly type: 'ended'; readonly by: EndedBy }
  /** The observers have scored the winner, where there are some. */
  | { readonly type: 'report'; readonly report: ObserverReport };

/** A search in progress. */
export interface GenerateRun extends Run<GenerateEvent, GenerateResult> {
  /** The best picture until now, marked as not complete unless the search has come to its end; null before one was judged. */
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
  /** Ends the search with that candidate, a preview that is completed. @default false */
  readonly completes?: boolean;
  /** Looks at what the search will cost before it begins; throws where that is not to be. */
  readonly accept?: (plan: { readonly options: ResolvedOptions; readonly cost: Estimate }) => void;
}

/** The options with the defaults of the model and of the strategy filled in, and the strategy that they mean. */
function resolveOptions(
  options: AnyPictureOptions,
  { model, jury }: Engine,
  generator: Generator,
): { readonly resolved: ResolvedOptions; readonly strategy: AnyStrategy } {
  const { modelOptions, search } = partPicture(options);
  const { schedule } = generator;
  const sizes = resolveSearch(search, schedule);
  // Where none is named, it follows from the schedule which is meant.
  const strategy = strategyOf(search.strategy ?? sizes.strategy);
  const room = (from: number, until: number): number => generator.room(from, until);
  checkSearch(sizes, { schedule, jury: jury.jury, room }, strategy);
  const resolved = {
    prompt: options.prompt,
    model: model.name,
    modelOptions: model.resolve(modelOptions),
    jury: jury.jury,
    seed: options.seed ?? DEFAULT_SEED,
    search: sizes,
  };
  return { resolved, strategy };
}

interface Prepared {
  readonly generator: Generator;
  readonly reservation: Reservation | undefined;
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

interface PromptContext {
  readonly options: AnyPictureOptions;
  readonly ledger: Ledger;
  /** Undefined for a model that does not say what it holds. */
  readonly reservation: Reservation | undefined;
}

/** Reads the prompt into model, judges and observers, and frees what belongs to it after `work`, however that ends. */
async function withPrompt<T>(
  { model, jury, observers: verifiers }: Engine,
  { options, ledger, reservation }: PromptContext,
  work: (prepared: Prepared) => Promise<T>,
): Promise<T> {
  const { prompt, signal } = options;
  const { judges } = jury.jury;
  const resolved = model.resolve(partPicture(options).modelOptions);
  const rest = async (observers: Observers | null): Promise<T> =>
    using(await model.prepare(prompt, ledger, resolved, { signal, reservation }), async (generator) =>
      using(await jury.prepare(prompt, ledger), (bench) =>
        work({ generator, reservation, bench, observers }),
      ),
    );
  return verifiers ? using(await Observers.open(verifiers, { prompt, judges, signal }), rest) : rest(null);
}

const faultOf = (error: unknown): string => (isError(error) ? error.message : String(error));

/** What a search under way shares with the run that it belongs to. */
interface Under {
  readonly options: AnyPictureOptions;
  readonly context: GenerateContext;
  readonly end: EarlyEnd;
  readonly emit: (event: GenerateEvent) => void;
  /** What there is of it so far. */
  readonly state: { record: RunRecord | null; finished: GenerateResult | null };
}

async function search(
  engine: Engine,
  { options, context, end, emit, state }: Under,
): Promise<GenerateResult> {
  const warnings: string[] = [];
  const warn = (message: string): void => {
    warnings.push(message);
    emit({ type: 'warning', message });
  };
  const warning = engine.checkPrompt(options.prompt);
  if (warning !== null) warn(warning);
  const { name: device, words } = engine.device;
  // Said while it runs, and no fault of the result.
  if (words !== null) emit({ type: 'warning', message: words });
  const ledger = new Ledger();
  const loadTime = engine.takeLoadTime();
  ledger.addTime('load', loadTime);
  const started = performance.now();
  // Hashing the files takes a while for large models: it goes on while the prompt is read, and ends before the search does
  // anything, since what can fail must not cost a picture.
  const hashing = engine.hashes();
  hashing.catch(() => undefined);
  const signal = options.signal ? AbortSignal.any([options.signal, end.signal]) : end.signal;
  const withSignal = { ...options, signal };
  return await withMemory(engine, { options: withSignal, ledger, signal }, (reservation) =>
    withPrompt(engine, { options: withSignal, ledger, reservation }, async (prepared) => {
      const { schedule } = prepared.generator;
      const { resolved, strategy } = resolveOptions(options, engine, prepared.generator);
      const score = endScore(options.stopAt, engine.jury);
      const cost = estimate(resolved.search, schedule, strategy);
      context.accept?.({ options: resolved, cost });
      const hashes = await hashing;
      signal.throwIfAborted();
      const facts = {
        options: resolved,
        schedule,
        ledger,
        started,
        loadTime,
        hashes,
        versions: readVersions(device),
        warnings,
        wanted: context.wanted,
      };
      const record = new RunRecord(facts);
      state.record = record;
      for (const [name, cut] of [...prepared.bench.cuts, ...(prepared.observers?.cuts ?? [])]) {
        warn(cutWarning(name, cut));
      }
      emit({ type: 'ready', options: resolved, schedule, cost });
      const ends = isEnd(score, record, context);
      const following = { resolved, strategy, ends, signal: options.signal, end, emit };
      const result = await follow(prepared, record, following).catch(async (error: unknown) => {
        const asked = error === end.signal.reason && options.signal?.aborted !== true;
        if (end.by === null || !record.hasBest || !asked) throw error;
        return await endEarly(end.by, undefined, { prepared, record, ...following });
      });
      state.finished = result;
      const report = await reportOf(prepared, result, { signal: options.signal, emit, warn });
      const pictures = await withFilm(prepared.generator, result, options);
      state.finished = { ...result, pictures, report, warnings };
      return state.finished;
    }),
  );
}

interface Following {
  readonly resolved: ResolvedOptions;
  readonly strategy: AnyStrategy;
  /** The candidate of an event with which the search is to end. */
  readonly ends: (event: SearchEvent) => Candidate | undefined;
  /** The caller's own. */
  readonly signal: AbortSignal | undefined;
  readonly end: EarlyEnd;
  readonly emit: (event: GenerateEvent) => void;
}

/** The candidate of an event with which a search ends: the first that reaches a score, or the one that is wanted. */
function isEnd(
  score: number | null,
  record: RunRecord,
  { wanted, completes = false }: GenerateContext,
): Following['ends'] {
  if (completes) {
    return (event) =>
      event.type === 'judged' ? event.candidates.find(({ id }) => id === wanted) : undefined;
  }
  return (event) => (score === null ? undefined : record.firstFrom(score, event));
}

/** What a search works with: every picture goes to the record and to the observers. */
function contextOf(
  { generator, reservation, bench, observers }: Prepared,
  record: RunRecord,
  { resolved, signal }: { readonly resolved: ResolvedOptions; readonly signal: AbortSignal | undefined },
): SearchContext {
  const show = async (pictures: readonly Shown[]): Promise<void> => {
    await record.see(pictures);
    const before = performance.now();
    await observers?.see(pictures);
    record.setAside(performance.now() - before);
  };
  return { generator, bench, draw: RandomKey.fromSeed(resolved.seed), show, signal, reservation };
}

/** Runs the search to its end, or to the candidate that is enough. */
async function follow(prepared: Prepared, record: RunRecord, following: Following): Promise<GenerateResult> {
  const { resolved, strategy, ends, end, emit } = following;
  const { generator } = prepared;
  const signal = following.signal ? AbortSignal.any([following.signal, end.signal]) : end.signal;
  const events = startSearch(resolved.search, contextOf(prepared, record, { resolved, signal }), strategy);
  for (;;) {
    const next = await events.next();
    if (next.done === true) return await record.finish(next.value, generator);
    await record.note(next.value, generator);
    emit(next.value);
    if (next.value.type === 'round' && next.value.completes !== undefined) end.hold();
    const enough = ends(next.value);
    if (enough) {
      await events.return(undefined as never);
      return await endEarly('score', enough, { prepared, record, ...following });
    }
    if (record.hasBest) end.allow();
  }
}

/** Ends a search with a candidate, by default the best: a preview is completed first, and judged as the picture that it becomes. */
async function endEarly(
  by: EndedBy,
  candidate: Candidate | undefined,
  { prepared, record, ...following }: Following & { readonly prepared: Prepared; readonly record: RunRecord },
): Promise<GenerateResult> {
  const { emit } = following;
  const { generator } = prepared;
  emit({ type: 'ended', by });
  const found = record.previewOf(candidate);
  if (!found) return await record.end(by, generator, { winner: candidate });
  const { state, preview } = found;
  const prefix = generator.unpack(state);
  try {
    const events = complete(contextOf(prepared, record, following), { ...found, prefix });
    for (;;) {
      const next = await events.next();
      if (next.done === true) {
        return await record.end(by, generator, { winner: next.value.candidate, preview });
      }
      await record.note(next.value, generator);
      emit(next.value);
    }
  } finally {
    prefix.release();
  }
}

/** What the observers say of the winner. A result never waits for them: where they fail, that is a warning. */
async function reportOf(
  { observers }: Prepared,
  result: GenerateResult,
  {
    signal,
    emit,
    warn,
  }: {
    readonly signal: AbortSignal | undefined;
    readonly emit: (event: GenerateEvent) => void;
    readonly warn: (message: string) => void;
  },
): Promise<ObserverReport | null> {
  const report =
    (await observers?.report(result).catch((error: unknown) => {
      if (signal?.aborted === true) throw error;
      warn(`the observers failed at the end: ${faultOf(error)}`);
      return null;
    })) ?? null;
  if (report) emit({ type: 'report', report });
  return report;
}

/** The pictures of a result with the winner's film, where that is asked for. */
async function withFilm(
  generator: Generator,
  { image, winner, pictures }: GenerateResult,
  { film: wanted, signal }: AnyPictureOptions,
): Promise<Pictures> {
  const state = pictures.states.get(winner.sameAs ?? winner.id);
  const film = wanted === true && state ? await filmOf(generator, { state, image, signal }) : undefined;
  return film ? { ...pictures, film } : pictures;
}

/** Begins a search. The options have been checked. */
export function startGenerate(options: AnyPictureOptions, context: GenerateContext): GenerateRun {
  const { signal } = options;
  const { wanted } = context;
  // An unknown name is an error of the call, before anything is loaded.
  strategyOf(partPicture(options).search.strategy);
  const end = new EarlyEnd();
  const either = signal ? AbortSignal.any([signal, end.signal]) : end.signal;
  const state: Under['state'] = { record: null, finished: null };

  const run = startRun<GenerateEvent, GenerateResult>(async (emit) => {
    signal?.throwIfAborted();
    // The time counts from the call on, since that is what a caller waits: loading and waiting for others are in it.
    const time = parseTime(options.time);
    const timer = time === null ? undefined : setTimeout(() => end.ask('time'), time);
    try {
      const engine = await context.open(either);
      try {
        either.throwIfAborted();
        return await search(engine, { options, context, end, emit, state });
      } finally {
        await context.close?.(engine);
      }
    } finally {
      clearTimeout(timer);
    }
  });
  // A picture that was asked for is that of its candidate, not the winner's.
  const soFar = (): GenerateResult | null =>
    (wanted === undefined ? state.finished : null) ?? state.record?.soFar(wanted) ?? null;
  const stop = (): void => end.ask('stop');
  return {
    ...run,
    soFar: () => Promise.resolve(soFar()),
    stop,
    [Symbol.asyncDispose]: async () => {
      stop();
      await run.result.catch(() => undefined);
    },
  };
}

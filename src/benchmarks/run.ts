// A run of a benchmark: every unit once, each one's record a line of a file, in an order that is known beforehand. Whatever ends it, the
// same options go on where it stopped.

import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';

import { lockFolder } from '../core/folder-lock.js';
import { builtInCatalogs, type Catalogs } from '../engine/catalogs.js';
import { type Run, startRun } from '../run/live-run.js';
import { parseTime } from '../run/time.js';
import { allOf } from './all-of.js';
import { Exporter } from './exports.js';
import { type Hand, OwnHand, startHand, type Task, type WorkerModule } from './hand.js';
import type { ListContext } from './lists/benchmark.js';
import { BENCH_FILES, checkSame, readManifest, writeManifest } from './manifest.js';
import type { BenchOptions } from './options.js';
import { OrderedLines } from './ordered-lines.js';
import { Post } from './post.js';
import type { Manifest, PictureRecord, SpeedRecord } from './record.js';
import { type Unit, unitsOf } from './units.js';
import { type Asked, lookUp } from './work.js';

/** What happens during a run, in order: plain JSON. */
export type BenchEvent =
  /** Something that the caller may want to know; the run goes on. */
  | { readonly type: 'warning' | 'note'; readonly message: string }
  /** Models are loaded: `done` of `total` searches are there already. */
  | {
      readonly type: 'ready';
      readonly manifest: Manifest;
      readonly done: number;
      readonly total: number;
    }
  /** A search is through, and its line is on the disk. */
  | {
      readonly type: 'done';
      readonly line: PictureRecord | SpeedRecord;
      readonly done: number;
      readonly total: number;
      /** Milliseconds that the rest will take, as it went until now. */
      readonly left: number;
    };

/** The end of a run. */
export interface BenchResult {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly done: number;
  readonly total: number;
  /** Why there may be less than all. */
  readonly endedBy: 'all' | 'time';
}

/** A run under way. */
export type BenchRun = Run<BenchEvent, BenchResult>;

/** Where a run looks names up. */
export interface BenchContext {
  readonly catalogs?: Catalogs | undefined;
  /** The module of workers that look names up elsewhere than the built-in catalogues. */
  readonly worker?: WorkerModule | undefined;
  /** Where published lists are fetched from and kept. */
  readonly lists?: Pick<ListContext, 'cache' | 'mirror'> | undefined;
}

/** Begins a run. The options have been checked. */
export function startBenchmark(
  options: BenchOptions,
  { catalogs: own, worker, lists }: BenchContext = {},
): BenchRun {
  return startRun<BenchEvent, BenchResult>(async (emit) => {
    const { signal, out: folder } = options;
    const until = performance.now() + (parseTime(options.maxTime) ?? Infinity);
    signal?.throwIfAborted();
    const catalogs = own ?? (await builtInCatalogs());
    const tell = (message: string): void => {
      emit({ type: 'note', message });
    };
    const asked = await lookUp(options, catalogs, { ...lists, signal, tell });
    const { workers = 1 } = options;
    const open = (): Promise<Hand> =>
      workers === 1
        ? OwnHand.open(asked.lab, catalogs, signal)
        : startHand({ ...asked.lab, threads: threadsOf(options) }, worker, signal);
    mkdirSync(folder, { recursive: true });
    const unlock = lockFolder(folder);
    try {
      return await runIn(folder, { asked, open, workers, until, signal, emit });
    } finally {
      unlock();
    }
  });
}

/** Threads of each worker. */
function threadsOf({ workers = 1, threads = availableParallelism() }: BenchOptions): number {
  return Math.max(1, Math.floor(threads / workers));
}

interface Way {
  readonly asked: Asked;
  readonly open: () => Promise<Hand>;
  readonly workers: number;
  /** By performance.now(). */
  readonly until: number;
  readonly signal: AbortSignal | undefined;
  readonly emit: (event: BenchEvent) => void;
}

/** Plans with the first hand, and works off with as many as are wanted. */
async function runIn(
  folder: string,
  { asked, open, workers, until, signal, emit }: Way,
): Promise<BenchResult> {
  const tell = (message: string): void => {
    emit({ type: 'warning', message });
  };
  const first = await Post.open({ open, tell });
  const failed = new AbortController();
  const either = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
  const posts: Promise<Post>[] = [Promise.resolve(first)];
  try {
    const manifest = agree(folder, await first.hand.plan(asked, { signal }));
    const units = unitsOf(manifest);
    const { measures, heldOut } = manifest;
    const task: Task = { measures, heldOut, pictures: asked.layout !== null };
    const exporter = asked.layout === null ? null : new Exporter(folder, asked.layout, asked.list, manifest);
    const lines = new OrderedLines(folder, BENCH_FILES[measures === 'speed' ? 'speed' : 'pictures'], units);
    try {
      const left = units.filter(({ place }) => !lines.has(place));
      const total = units.length;
      emit({ type: 'ready', manifest, done: lines.done, total });
      const clock = new Clock(left);
      const queue = left[Symbol.iterator]();
      while (posts.length < Math.min(workers, left.length)) posts.push(Post.open({ open, tell }));
      const follow = async (opening: Promise<Post>): Promise<void> => {
        const post = await opening;
        while (performance.now() < until) {
          either.throwIfAborted();
          const next = queue.next();
          if (next.done === true) return;
          const { line, picture } = await post.work({ unit: next.value, task }, { signal: either });
          if (picture) exporter?.write(next.value, picture);
          lines.add(next.value.place, line);
          emit({ type: 'done', line, done: lines.done, total, left: clock.tick(next.value) });
        }
      };
      await allOf(posts.map(follow), failed);
      const { done } = lines;
      return { folder, manifest, done, total, endedBy: done === total ? 'all' : 'time' };
    } finally {
      lines.close();
    }
  } finally {
    for (const post of await Promise.allSettled(posts)) {
      if (post.status === 'fulfilled') await post.value.close();
    }
  }
}

/** The manifest that counts: the folder's own where it has one, whose plans may rest on a timing. */
function agree(folder: string, asked: Manifest): Manifest {
  const found = readManifest(folder);
  if (!found) {
    writeManifest(folder, asked);
    return asked;
  }
  checkSame(found, asked, folder);
  return found;
}

/** Tells how long the rest will take: searches cost as much as their steps and pictures. */
class Clock {
  #left: number;
  #past = 0;
  readonly #started = performance.now();

  constructor(left: readonly Unit[]) {
    this.#left = left.reduce((sum, unit) => sum + costOf(unit), 0);
  }

  /** Notes a unit that is through; gives the milliseconds that are left. */
  tick(unit: Unit): number {
    this.#past += costOf(unit);
    this.#left -= costOf(unit);
    return ((performance.now() - this.#started) / this.#past) * Math.max(0, this.#left);
  }
}

const costOf = ({ plan: { cost } }: Unit): number => cost.forwards + cost.images + 1;

// A run of a benchmark: every unit once, each one's record a line of a file, in an order that is known beforehand. Whatever ends it, the
// same options go on where it stopped.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { VarsearchError } from '../core/errors.js';
import { lockFolder } from '../core/folder-lock.js';
import { builtInCatalogs, type Catalogs } from '../engine/catalogs.js';
import { type Run, startRun } from '../run/live-run.js';
import { parseTime } from '../run/time.js';
import { Lab } from './lab.js';
import { Lines } from './lines.js';
import { BENCH_FILES, checkSame, readManifest, writeManifest } from './manifest.js';
import type { BenchOptions } from './options.js';
import type { Manifest, PictureRecord } from './record.js';
import { Searcher } from './search.js';
import { type Unit, unitsOf } from './units.js';
import { lookUp, planRun } from './work.js';

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
      readonly record: PictureRecord;
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

/** Begins a run. The options have been checked. */
export function startBenchmark(options: BenchOptions, given?: Catalogs): BenchRun {
  return startRun<BenchEvent, BenchResult>(async (emit) => {
    const { signal, out: folder } = options;
    const started = performance.now();
    signal?.throwIfAborted();
    const catalogs = given ?? (await builtInCatalogs());
    const tell = (message: string): void => emit({ type: 'note', message });
    const asked = await lookUp(options, catalogs, { signal, tell });
    mkdirSync(folder, { recursive: true });
    const unlock = lockFolder(folder);
    try {
      const lab = await Lab.open(asked.lab, catalogs, signal);
      try {
        const manifest = agree(folder, await planRun(lab, asked, signal));
        const until = started + (parseTime(options.maxTime) ?? Infinity);
        return await workOff(manifest, { folder, lab, until, signal, emit });
      } finally {
        await lab.close();
      }
    } finally {
      unlock();
    }
  });
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

interface Work {
  readonly folder: string;
  readonly lab: Lab;
  /** By performance.now(). */
  readonly until: number;
  readonly signal: AbortSignal | undefined;
  readonly emit: (event: BenchEvent) => void;
}

async function workOff(manifest: Manifest, { folder, lab, until, signal, emit }: Work): Promise<BenchResult> {
  const units = unitsOf(manifest);
  const lines = Lines.open<PictureRecord>(join(folder, BENCH_FILES.pictures));
  const searcher = new Searcher({ lab, heldOut: manifest.heldOut });
  const total = units.length;
  let done = lines.lines.length;
  checkLines(lines.lines, units, folder);
  const end = (endedBy: BenchResult['endedBy']): BenchResult => ({ folder, manifest, done, total, endedBy });
  try {
    emit({ type: 'ready', manifest, done, total });
    const clock = new Clock(units, done);
    for (const unit of units.slice(done)) {
      signal?.throwIfAborted();
      if (performance.now() >= until) return end('time');
      const { record } = await searcher.run(unit, signal);
      lines.append(record);
      done++;
      emit({ type: 'done', record, done, total, left: clock.tick(unit) });
    }
    return end('all');
  } finally {
    lines.close();
    await searcher.close();
  }
}

/** Throws where a file holds other lines than the run's, in another order. */
function checkLines(lines: readonly PictureRecord[], units: readonly Unit[], folder: string): void {
  const wrong = lines.findIndex(({ id }, i) => id !== units[i]?.id);
  if (wrong < 0) return;
  throw new VarsearchError(
    `line ${wrong + 1} of ${join(folder, BENCH_FILES.pictures)} is not the run's: somebody changed the file; begin again in a new folder`,
  );
}

/** Tells how long the rest will take: searches cost as much as their steps and pictures. */
export class Clock {
  #left: number;
  #past = 0;
  readonly #started = performance.now();

  constructor(units: readonly Unit[], done: number) {
    this.#left = units.slice(done).reduce((sum, unit) => sum + costOf(unit), 0);
  }

  /** Notes a unit that is through; gives the milliseconds that are left. */
  tick(unit: Unit): number {
    this.#past += costOf(unit);
    this.#left -= costOf(unit);
    return ((performance.now() - this.#started) / this.#past) * Math.max(0, this.#left);
  }
}

const costOf = ({ plan: { cost } }: Unit): number => cost.forwards + cost.images + 1;

// Who does the work of a run: opens what it needs, plans the run, and works off units one after the other. It does so here, or in a
// process of its own (worker.ts), and gives the same either way.

import type { Catalogs } from '../engine/catalogs.js';
import { encodeWithRecipe } from '../run/recipe.js';
import { elsewhere, Line } from '../runtime/rpc/index.js';
import { Lab, type LabOptions } from './lab.js';
import type { Manifest, PictureRecord, SpeedRecord } from './record.js';
import { Searcher } from './search.js';
import type { Unit } from './units.js';
import { type Asked, planRun } from './work.js';

/** What is wanted of every unit. */
export interface Task {
  readonly measures: Manifest['measures'];
  readonly heldOut: readonly string[];
  /** Whether the winners' pictures are kept. */
  readonly pictures: boolean;
}

/** A unit that is through. */
export interface Finished {
  readonly line: PictureRecord | SpeedRecord;
  /** A PNG file, where pictures are kept. */
  readonly picture: Uint8Array | null;
}

/** Options of what a hand is asked for. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Somebody who works. */
export interface Hand {
  /** Whether its process, or one that it needs, was ended: another has to be opened. */
  readonly isBroken: boolean;
  plan(asked: Asked, call?: CallOptions): Promise<Manifest>;
  work(job: Job, call?: CallOptions): Promise<Finished>;
  close(): Promise<void>;
}

/** A unit, and what is wanted of it. */
export interface Job {
  readonly unit: Unit;
  readonly task: Task;
}

/** A worker of this process. */
export class OwnHand implements Hand {
  readonly #lab: Lab;
  #searcher: Searcher | null = null;

  private constructor(lab: Lab) {
    this.#lab = lab;
  }

  static async open(options: LabOptions, catalogs: Catalogs, signal?: AbortSignal): Promise<OwnHand> {
    return new OwnHand(await Lab.open(options, catalogs, signal));
  }

  get isBroken(): boolean {
    return this.#lab.isBroken;
  }

  plan(asked: Asked, { signal }: CallOptions = {}): Promise<Manifest> {
    return planRun(this.#lab, asked, signal);
  }

  async work({ unit, task }: Job, { signal }: CallOptions = {}): Promise<Finished> {
    this.#searcher ??= new Searcher({ lab: this.#lab, heldOut: task.heldOut });
    if (task.measures === 'speed') return { line: await this.#searcher.time(unit, signal), picture: null };
    const { record, result } = await this.#searcher.run(unit, signal);
    const { image, recipe } = result;
    return { line: record, picture: task.pictures ? await encodeWithRecipe(image, recipe) : null };
  }

  async close(): Promise<void> {
    await this.#searcher?.close();
    await this.#lab.close();
  }
}

/** What a process of its own is asked for. */
export interface HandMethods {
  open(options: LabOptions): undefined;
  plan(asked: Asked): Manifest;
  work(job: Job): Finished;
}

/** The module of a worker: beside the module `here`, without its ending. */
export interface WorkerModule {
  readonly here: string;
  readonly name: string;
}

const OWN_WORKER: WorkerModule = { here: import.meta.url, name: 'worker' };

/** Starts a worker in a process of its own. */
export async function startHand(
  options: LabOptions,
  { here, name }: WorkerModule = OWN_WORKER,
  signal?: AbortSignal,
): Promise<Hand> {
  const line = new Line<HandMethods>(elsewhere(here, name, 'process'), {
    worker: 'A worker of the benchmark',
    closed: 'The worker has been closed.',
    remedy: 'The same command goes on.',
  });
  const hand: Hand = {
    get isBroken() {
      return line.isBroken;
    },
    plan: (asked, call) => line.call('plan', asked, call),
    work: (job, call) => line.call('work', job, call),
    close: () => line.close(),
  };
  try {
    await line.call('open', options, { signal });
    return hand;
  } catch (error) {
    await line.close();
    throw error;
  }
}

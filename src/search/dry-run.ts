// A search without a model: the real strategies step through prefixes that hold nothing, and the ledger counts what a
// real model would have to do. It shows the costs that cost.ts works out, and that every prefix is released.

import { Counted } from '../core/counted.js';
import { createImage, type Image } from '../core/image.js';
import { Ledger, type LedgerRecord } from '../core/ledger.js';
import { RandomKey } from '../core/random.js';
import { Reservation } from '../core/reservation.js';
import type { CallOptions, Extension, Generator, Prefix, Schedule, Step } from '../models/contract.js';
import { type Jury, resolveJury, type Scores } from '../verifiers/jury.js';
import type { Bench } from './contract.js';
import { type ResolvedSearch, startSearch } from './registry.js';

/** What a dry run found. */
export interface DryRun extends LedgerRecord {
  /** Prefixes that were not released: 0, or the strategy leaks. */
  readonly leaked: number;
  /** The most bytes that prefixes and pictures held at once. */
  readonly mostHeld: number;
  /** Bytes that are held at the end: 0, or the strategy leaks. */
  readonly heldAtEnd: number;
}

/** How a search is run without a model. */
export interface DryRunOptions {
  /** Rollouts at once. @default 64 */
  readonly room?: number;
  /** Bytes that the search may hold. @default as the room has it */
  readonly memory?: number;
  /** Who judges, and what each says of the picture of a number. @default one judge that finds all pictures alike */
  readonly jury?: Jury;
  readonly score?: (name: string, picture: number) => number;
}

/** Runs a search without a model and gives what it would cost. */
export async function dryRun(
  search: ResolvedSearch,
  schedule: Schedule,
  { room = 64, memory, jury = resolveJury(['none']), score = () => 0 }: DryRunOptions = {},
): Promise<DryRun> {
  const reservation = new Reservation(memory);
  const generator = new CountingGenerator(schedule, room, reservation);
  let pictures = 0;
  const bench: Bench = {
    jury,
    judge: (images) => {
      generator.ledger.add({ imagesVerified: images.length * jury.judges.length });
      const scored = images.map((): Scores => {
        const picture = pictures++;
        return Object.fromEntries(jury.judges.map((name) => [name, score(name, picture)]));
      });
      return Promise.resolve(scored);
    },
  };
  const context = { generator, bench, draw: RandomKey.fromSeed(0) };
  const events = startSearch(search, memory === undefined ? context : { ...context, reservation });
  while ((await events.next()).done !== true);
  const { peak: mostHeld, held: heldAtEnd } = reservation;
  return { ...generator.ledger.record(), leaked: generator.alive, mostHeld, heldAtEnd };
}

class CountingPrefix extends Counted implements Prefix {
  readonly step: number;
  readonly generator: CountingGenerator;
  readonly #parent: CountingPrefix | null;
  #hasForward = false;
  /** Evaluations that a look at it has paid, which the next child need not pay again. */
  paid = 0;

  constructor(generator: CountingGenerator, parent: CountingPrefix | null) {
    super(generator.reservation);
    this.generator = generator;
    this.#parent = generator.schedule.standsAlone === true ? null : (parent?.retain() ?? null);
    this.step = parent ? parent.step + 1 : 0;
    this.charge(generator.schedule.steps[this.step - 1]?.prefixBytes ?? 0);
    generator.alive++;
  }

  get hasForward(): boolean {
    return this.#hasForward;
  }

  /** Notes the forward pass that takes the next step. */
  setForward({ heldBytes }: Step): void {
    this.#hasForward = true;
    this.charge(heldBytes);
  }

  /** This prefix and those before it that it holds, without a forward pass. */
  waiting(): CountingPrefix[] {
    return [...(this.#parent?.waiting() ?? []), ...(this.#hasForward ? [] : [this])];
  }

  protected override get words(): string {
    return `a prefix of ${this.step} steps`;
  }

  protected override free(): void {
    this.generator.alive--;
    this.#parent?.release();
  }
}

/** A generator that draws nothing and counts everything. */
class CountingGenerator implements Generator {
  readonly schedule: Schedule;
  readonly ledger = new Ledger();
  readonly reservation: Reservation;
  /** Prefixes that somebody owns. */
  alive = 0;
  readonly #room: number;

  constructor(schedule: Schedule, room: number, reservation: Reservation) {
    this.schedule = schedule;
    this.#room = room;
    this.reservation = reservation;
  }

  begin(): Prefix {
    return new CountingPrefix(this, null);
  }

  extend(requests: readonly Extension[], { ledger = this.ledger }: CallOptions = {}): Promise<Prefix[]> {
    const prefixes = requests.map(({ prefix }) => own(prefix));
    for (const prefix of prefixes) prefix.assertAlive();
    this.#forward(prefixes.flatMap((prefix) => prefix.waiting()));
    for (const prefix of prefixes) {
      ledger.add({ nfe: this.#next(prefix).nfe - prefix.paid });
      prefix.paid = 0;
    }
    return Promise.resolve(prefixes.map((prefix) => new CountingPrefix(this, prefix)));
  }

  decode(prefixes: readonly Prefix[]): Promise<Image[]> {
    const owned = prefixes.map(own);
    for (const prefix of owned) prefix.assertAlive();
    const lookAt = ({ step }: Prefix): number => this.schedule.steps[step - 1]?.readout.nfe ?? 0;
    const looked = [...new Set(owned)].filter((prefix) => lookAt(prefix) > 0 && !prefix.hasForward);
    this.#forward(looked);
    for (const prefix of looked) {
      prefix.paid = lookAt(prefix);
      this.ledger.add({ nfe: prefix.paid });
    }
    this.ledger.add({ imagesDecoded: prefixes.length });
    return Promise.resolve(prefixes.map(() => NO_PICTURE));
  }

  /** Runs the forward passes that are missing. */
  #forward(prefixes: readonly CountingPrefix[]): void {
    const waiting = new Set(prefixes.filter(({ hasForward }) => !hasForward));
    let forwards = 0;
    for (const prefix of waiting) {
      const next = this.#next(prefix);
      const { nfe, tokens, flops } = next;
      // A step without evaluations, such as a diffusion model's noise, runs nothing.
      if (nfe > 0) forwards++;
      this.ledger.add({ tokens, transformerFlops: flops });
      prefix.setForward(next);
    }
    this.ledger.add({ forwards, forwardCalls: forwards > 0 ? 1 : 0 });
  }

  pack(prefix: Prefix): Uint8Array {
    return new Uint8Array([own(prefix).step]);
  }

  unpack([step = 0]: Uint8Array): Prefix {
    let prefix = new CountingPrefix(this, null);
    while (prefix.step < step) {
      const next = new CountingPrefix(this, prefix);
      prefix.release();
      prefix = next;
    }
    return prefix;
  }

  room(): number {
    return this.#room;
  }

  close(): void {
    if (this.alive > 0) throw new RangeError(`${this.alive} prefixes were not released before close`);
  }

  #next({ step }: Prefix): Step {
    const next = this.schedule.steps[step];
    if (!next) throw new RangeError(`a prefix of all ${this.schedule.steps.length} steps cannot be extended`);
    return next;
  }
}

const NO_PICTURE = createImage(1, 1, new Uint8Array(3));

function own(prefix: Prefix): CountingPrefix {
  if (prefix instanceof CountingPrefix) return prefix;
  throw new TypeError('the prefix belongs to another generator');
}

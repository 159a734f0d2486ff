// An image model without weights for tests of everything above search: scale by scale its pictures get sharper,
// all randomness comes from the draw, and the ledger is kept as a real model keeps it. Counts what is not freed.

import { Counted } from '../../src/core/counted.js';
import { throwIfAborted } from '../../src/core/errors.js';
import type { Image } from '../../src/core/image.js';
import { createImage } from '../../src/core/image.js';
import type { Ledger } from '../../src/core/ledger.js';
import { checkOptions, type OptionValues, pick } from '../../src/core/options.js';
import type { Reservation } from '../../src/core/reservation.js';
import type {
  CallOptions,
  Extension,
  Generator,
  ImageModel,
  Prefix,
  Schedule,
  Step,
  View,
} from '../../src/models/contract.js';
import { INFINITY_OPTIONS } from '../../src/models/infinity/options.js';
import type { Scale } from '../../src/models/infinity/schedule.js';

/** How a fake model behaves. */
export interface FakeModelOptions {
  readonly name?: string;
  readonly scales?: readonly Scale[];
  readonly hashes?: Readonly<Record<string, string>>;
  /** Milliseconds that every forward pass takes, for tests of cancellation. */
  readonly delay?: number;
  /** Rollouts at once. @default 4 */
  readonly room?: number;
  /** Side of the pictures in pixels. @default 16 */
  readonly side?: number;
  /** Makes a picture of the random numbers of scales 1..k. @default a circle */
  readonly paint?: (draws: readonly Float64Array[], side: number) => Image;
  /** Called before every extension with the steps that are taken already; may throw. */
  readonly onExtend?: (step: number) => void;
}

/** The options of fake models: those of the embedded one. */
export const FAKE_OPTIONS = INFINITY_OPTIONS;

/** Given options with a fake model's defaults filled in. */
export function resolveFake(options: OptionValues): OptionValues {
  checkOptions(options, FAKE_OPTIONS);
  return { cfg: 4, temperature: 0.5, topK: 0, topP: 0, ...pick(options, FAKE_OPTIONS) };
}

/** The schedule of a fake model. */
export function fakeSchedule({
  scales = squares(1, 2, 3, 4),
  side = 16,
}: Pick<FakeModelOptions, 'scales' | 'side'> = {}): Schedule {
  const steps = scales.map(({ height, width }, index): Step => {
    const tokens = height * width;
    return {
      label: `${height} \u00d7 ${width}`,
      draws: true,
      nfe: 1,
      tokens,
      flops: tokens * 2e7,
      heldBytes: index === scales.length - 1 ? 0 : tokens * 1000,
      prefixBytes: 8 * DRAWS,
      readout: { width: side, height: side, nfe: 0 },
    };
  });
  return { unit: 'scale', steps };
}

const DRAWS = 6;

/** Square scales of these sides. */
export const squares = (...sides: number[]): Scale[] => sides.map((side) => ({ height: side, width: side }));

/** A model whose living prefixes can be counted. */
export interface FakeModel extends ImageModel {
  /** Prefixes that were given out and not released yet. */
  readonly alive: () => number;
  /** What was set aside for each of its runs, in order. */
  readonly reservations: readonly Reservation[];
  /** What `prepare` was given, in order. */
  readonly prepared: readonly { readonly prompt: string; readonly options: OptionValues }[];
  readonly closed: () => boolean;
}

interface Count {
  alive: number;
}

class FakePrefix extends Counted implements Prefix {
  readonly step: number;
  readonly parent: FakePrefix | null;
  /** Random numbers of this step. */
  readonly draws: Float64Array;
  /** Of the generator, and of the model. */
  readonly counts: readonly Count[];
  #forwarded = false;

  constructor(
    parent: FakePrefix | null,
    draws: Float64Array,
    { counts, reservation }: Pick<FakePrefix, 'counts'> & { readonly reservation?: Reservation | undefined },
  ) {
    super(reservation);
    this.charge(draws.byteLength);
    this.parent = parent;
    this.step = parent ? parent.step + 1 : 0;
    this.draws = draws;
    this.counts = counts;
    for (const count of counts) count.alive++;
    parent?.retain();
  }

  protected override get words(): string {
    return `a prefix of ${this.step} steps`;
  }

  protected override free(): void {
    for (const count of this.counts) count.alive--;
    this.parent?.release();
  }

  /** True the first time. */
  forward({ heldBytes }: Pick<Step, 'heldBytes'>): boolean {
    if (this.#forwarded) return false;
    this.#forwarded = true;
    this.charge(heldBytes);
    return true;
  }

  /** This prefix and those before it, the empty one first. */
  chain(): FakePrefix[] {
    return this.parent ? [...this.parent.chain(), this] : [this];
  }
}

/** The random numbers of a prefix, coarse to fine. */
function drawsOf(prefix: FakePrefix): Float64Array[] {
  return prefix
    .chain()
    .slice(1)
    .map(({ draws }) => draws);
}

/** Coarse scales move the circle far, fine ones little; the first one picks the colours. */
function paintCircle(chain: readonly Float64Array[], side: number): Image {
  const at = (scale: number, index: number): number => chain[scale]?.[index] ?? 0.5;
  let [x, y, radius] = [0.5, 0.5, 0.25];
  chain.forEach((_, scale) => {
    const reach = 0.5 / (scale + 1);
    x += (at(scale, 0) - 0.5) * reach;
    y += (at(scale, 1) - 0.5) * reach;
    radius += (at(scale, 2) - 0.5) * reach * 0.4;
  });
  const colour = [3, 4, 5].map((index) => 60 + 180 * at(0, index));
  const data = new Uint8Array(side * side * 3);
  for (let pixel = 0; pixel < side * side; pixel++) {
    const distance = Math.hypot((pixel % side) / side - x, Math.floor(pixel / side) / side - y) - radius;
    const cover = Math.min(1, Math.max(0, 0.5 - distance * side));
    for (let c = 0; c < 3; c++) data[pixel * 3 + c] = 245 + cover * ((colour[c] ?? 0) - 245);
  }
  return createImage(side, side, data);
}

interface Shared {
  readonly schedule: Schedule;
  readonly options: FakeModelOptions;
  readonly count: Count;
}

class FakeGenerator implements Generator {
  readonly schedule: Schedule;
  readonly ledger: Ledger;
  readonly #shared: Shared;
  readonly #count: Count = { alive: 0 };
  readonly #held: Pick<FakePrefix, 'counts'> & { readonly reservation: Reservation | undefined };

  constructor(shared: Shared, ledger: Ledger, reservation: Reservation | undefined) {
    this.#shared = shared;
    this.#held = { counts: [this.#count, shared.count], reservation };
    this.schedule = shared.schedule;
    this.ledger = ledger;
  }

  begin(): FakePrefix {
    return new FakePrefix(null, new Float64Array(0), this.#held);
  }

  async extend(
    requests: readonly Extension[],
    { signal, ledger = this.ledger }: CallOptions = {},
  ): Promise<Prefix[]> {
    const prefixes = requests.map(({ prefix }) => this.#own(prefix));
    const { steps } = this.schedule;
    if (prefixes.some(({ step }) => step >= steps.length)) {
      throw new RangeError(`a prefix of all ${steps.length} steps cannot be extended`);
    }
    this.#shared.options.onExtend?.(prefixes[0]?.step ?? 0);
    await this.ledger.time('transformer', () => this.#wait());
    throwIfAborted(signal);
    for (const prefix of prefixes.flatMap((each) => each.chain())) this.#forward(prefix);
    ledger.add({ nfe: requests.length });
    this.ledger.add({ forwardCalls: 1 });
    return requests.map(
      ({ draw }, i) => new FakePrefix(prefixes[i] as FakePrefix, draw.uniform(DRAWS), this.#held),
    );
  }

  async decode(
    prefixes: readonly Prefix[],
    _view: View,
    { signal, ledger = this.ledger }: CallOptions = {},
  ): Promise<Image[]> {
    throwIfAborted(signal);
    const own = prefixes.map((prefix) => this.#own(prefix));
    ledger.add({ imagesDecoded: prefixes.length, decoderFlops: prefixes.length * 3e8 });
    const { side = 16, paint = paintCircle } = this.#shared.options;
    return await ledger.time('decoder', () =>
      Promise.resolve(own.map((prefix) => paint(drawsOf(prefix), side))),
    );
  }

  pack(prefix: Prefix): Uint8Array {
    return new Uint8Array(
      Float64Array.from(drawsOf(this.#own(prefix)).flatMap((draws) => [...draws])).buffer,
    );
  }

  unpack(state: Uint8Array): Prefix {
    const steps = state.length / 8 / DRAWS;
    if (!Number.isInteger(steps) || steps > this.schedule.steps.length) {
      throw new RangeError(`a packed prefix of ${state.length} bytes does not fit`);
    }
    const draws = new Float64Array(state.slice().buffer);
    let prefix = this.begin();
    for (let step = 0; step < steps; step++) {
      const next = new FakePrefix(prefix, draws.slice(step * DRAWS, (step + 1) * DRAWS), this.#held);
      prefix.release();
      prefix = next;
    }
    return prefix;
  }

  stages(prefix: Prefix): Prefix[] {
    const [, ...chain] = this.#own(prefix).chain();
    return chain.map((each) => each.retain());
  }

  room(): number {
    return this.#shared.options.room ?? 4;
  }

  close(): void {
    if (this.#count.alive > 0) {
      throw new RangeError(`${this.#count.alive} prefixes were not released before close`);
    }
  }

  #own(prefix: Prefix): FakePrefix {
    if (!(prefix instanceof FakePrefix) || !prefix.counts.includes(this.#count)) {
      throw new TypeError('the prefix belongs to another generator');
    }
    prefix.assertAlive();
    return prefix;
  }

  #forward(prefix: FakePrefix): void {
    const next = this.schedule.steps[prefix.step];
    if (!next || !prefix.forward(next)) return;
    const { tokens, flops } = next;
    this.ledger.add({ forwards: 1, tokens, transformerFlops: flops });
  }

  #wait(): Promise<void> {
    const { delay = 0 } = this.#shared.options;
    return delay > 0 ? new Promise((resolve) => setTimeout(resolve, delay)) : Promise.resolve();
  }
}

/** A loaded fake model. */
export function fakeModel(options: FakeModelOptions = {}): FakeModel {
  const shared: Shared = { schedule: fakeSchedule(options), options, count: { alive: 0 } };
  const reservations: Reservation[] = [];
  const prepared: { prompt: string; options: OptionValues }[] = [];
  let closed = false;
  return {
    name: options.name ?? 'fake',
    options: FAKE_OPTIONS,
    resolve: resolveFake,
    hashes: () => Promise.resolve(options.hashes ?? { 'fake.safetensors': 'a'.repeat(64) }),
    schedule: (given) => {
      resolveFake(given);
      return shared.schedule;
    },
    prepared,
    reservations,
    alive: () => shared.count.alive,
    closed: () => closed,
    prepare(prompt, ledger, given = {}, { reservation } = {}) {
      prepared.push({ prompt, options: given });
      if (reservation) reservations.push(reservation);
      return Promise.resolve(new FakeGenerator(shared, ledger, reservation));
    },
    close() {
      closed = true;
      return Promise.resolve();
    },
  };
}

// A model small enough to be recomputed by hand, for tests of the strategies: a step is a few bits, a picture the bits of
// all steps, the score how many of them agree with a hidden target. Good coarse bits make good fine bits likelier.

import { createImage, type Image } from '../core/image.js';
import { Ledger } from '../core/ledger.js';
import { type Draw, RandomKey } from '../core/random.js';
import type { CallOptions, Extension, Generator, Prefix, Schedule, Step, View } from '../models/contract.js';
import { type Jury, resolveJury, type Scores } from '../verifiers/jury.js';
import type { Bench } from './contract.js';

/** Bits of a picture so far, one list per step. */
export type Bits = readonly (readonly number[])[];

/** A step that is not just so many bits, drawn by one evaluation. */
export interface BitStep {
  readonly bits: number;
  /** @default true; what is not drawn is set by what came before */
  readonly draws?: boolean;
  /** @default 1 */
  readonly nfe?: number;
}

/** The model as plain functions, without prefixes, batches or anything kept. */
export class BitWorld {
  readonly schedule: Schedule;
  readonly #target: Bits;

  constructor(steps: readonly (number | BitStep)[], seed = 99) {
    const plain = steps.map((step): BitStep => (typeof step === 'number' ? { bits: step } : step));
    this.schedule = { unit: 'step', steps: plain.map((_, index) => stepOf(plain, index)) };
    const key = RandomKey.fromSeed(seed);
    this.#target = plain.map(({ bits }, k) =>
      [...key.fold(k).uniform(bits)].map((draw) => (draw < 0.5 ? 0 : 1)),
    );
  }

  /** Takes the next step of a picture. */
  extend(bits: Bits, draw: Draw): Bits {
    const next = bits.length;
    const target = this.#target[next] ?? [];
    const quality = next === 0 ? 0.5 : this.#right(bits, next - 1) / (bits[next - 1]?.length ?? 1);
    const idle = this.schedule.steps[next]?.draws === false;
    const uniform = idle ? target.map((_, i) => i / target.length) : draw.uniform(target.length);
    return [
      ...bits,
      target.map((wanted, i) => ((uniform[i] ?? 0) < 0.3 + 0.4 * quality ? wanted : 1 - wanted)),
    ];
  }

  /** What the judges think of a picture. */
  scoresOf(bits: Bits): Readonly<Record<BitJudge, number>> {
    const flat = bits.flat();
    return {
      target: bits.reduce((sum, _, k) => sum + this.#right(bits, k), 0),
      liveliness: bits.flatMap((step) => step.filter((bit, i) => i > 0 && bit !== step[i - 1])).length,
      light: flat.filter((bit) => bit === 1).length,
    };
  }

  /** The picture of bits: one pixel a bit. */
  picture(bits: Bits): Image {
    const flat = bits.flat();
    return createImage(flat.length, 1, new Uint8Array(flat.flatMap((bit) => [bit, bit, bit])));
  }

  /** The bits of a picture of any number of steps. */
  bitsOf({ width, data }: Image): Bits {
    return this.split(Array.from({ length: width }, (_, i) => data[i * 3] ?? 0));
  }

  /** Bits in a row, parted into steps. */
  split(flat: readonly number[]): Bits {
    const bits: (readonly number[])[] = [];
    for (let start = 0; start < flat.length; start += bits.at(-1)?.length ?? flat.length) {
      bits.push(flat.slice(start, start + (this.schedule.steps[bits.length]?.tokens ?? 0)));
    }
    return bits;
  }

  #right(bits: Bits, step: number): number {
    return (bits[step] ?? []).filter((bit, i) => bit === this.#target[step]?.[i]).length;
  }
}

function stepOf(all: readonly BitStep[], index: number): Step {
  const { bits, draws = true, nfe = 1 } = all[index] ?? { bits: 0 };
  const width = all.slice(0, index + 1).reduce((sum, each) => sum + each.bits, 0);
  const readout = { width, height: 1, nfe: 0 };
  return { label: `${bits} bits`, draws, nfe, tokens: bits, flops: 10 * bits, heldBytes: bits, readout };
}

/** Who judges pictures of bits: one asks for the target, two others do not care for it. */
export type BitJudge = 'target' | 'liveliness' | 'light';

/** A call of model or judges. */
export type BitCall = 'extend' | 'decode' | 'judge';

/** What may go wrong, and how work is split. */
export interface BitModelOptions {
  /** Rollouts at once. @default 64 */
  readonly room?: number;
  /** Called at the start of every call; may throw or abort. */
  readonly onCall?: (call: BitCall, number: number) => void;
  /** Changes the judges' scores on their way out. */
  readonly corrupt?: (scores: Scores[]) => Scores[];
}

class BitPrefix implements Prefix {
  readonly bits: Bits;
  readonly model: BitModel;
  forwarded = false;
  #owners = 1;

  constructor(model: BitModel, bits: Bits) {
    this.model = model;
    this.bits = bits;
    model.alive++;
  }

  get step(): number {
    return this.bits.length;
  }

  retain(): this {
    this.check();
    this.#owners++;
    return this;
  }

  release(): void {
    this.check();
    if (--this.#owners === 0) this.model.alive--;
  }

  check(): void {
    if (this.#owners === 0) throw new Error('a prefix was used after its release');
  }
}

/** A generator over a world; counts the prefixes that are alive. It ignores signals: strategies must not. */
export class BitModel implements Generator {
  readonly world: BitWorld;
  readonly ledger = new Ledger();
  alive = 0;
  readonly options: BitModelOptions;
  #calls = 0;

  constructor(world: BitWorld, options: BitModelOptions = {}) {
    this.world = world;
    this.options = options;
  }

  get schedule(): Schedule {
    return this.world.schedule;
  }

  begin(): Prefix {
    return new BitPrefix(this, []);
  }

  async extend(
    requests: readonly Extension[],
    { ledger = this.ledger }: CallOptions = {},
  ): Promise<Prefix[]> {
    await this.call('extend');
    return requests.map(({ prefix, draw }) => {
      const own = checked(prefix);
      const next = this.schedule.steps[own.step];
      if (!next) throw new Error('the picture is complete');
      ledger.add({ nfe: next.nfe });
      if (!own.forwarded) this.ledger.add({ forwards: next.nfe > 0 ? 1 : 0, tokens: next.tokens });
      own.forwarded = true;
      return new BitPrefix(this, this.world.extend(own.bits, draw));
    });
  }

  async decode(prefixes: readonly Prefix[], view: View): Promise<Image[]> {
    await this.call('decode');
    this.ledger.add({ imagesDecoded: prefixes.length });
    return prefixes.map((prefix) => {
      const { bits } = checked(prefix);
      const unknown = view === 'own' ? [] : this.schedule.steps.slice(bits.length);
      return this.world.picture([...bits, ...unknown.map(({ tokens }) => Array<number>(tokens).fill(0))]);
    });
  }

  pack(prefix: Prefix): Uint8Array {
    return Uint8Array.from(checked(prefix).bits.flat());
  }

  unpack(state: Uint8Array): Prefix {
    return new BitPrefix(this, this.world.split([...state]));
  }

  room(): number {
    return this.options.room ?? 64;
  }

  close(): void {
    if (this.alive > 0) throw new Error(`${this.alive} prefixes were not released`);
  }

  /** Notes a call, which may fail. */
  async call(call: BitCall): Promise<void> {
    this.options.onCall?.(call, this.#calls++);
    await Promise.resolve();
  }
}

function checked(prefix: Prefix): BitPrefix {
  if (!(prefix instanceof BitPrefix)) throw new Error('the prefix belongs to another generator');
  prefix.check();
  return prefix;
}

/** One judge who knows the target. */
export const TARGET_ALONE: Jury = resolveJury(['target']);

/** The judges of a bit model; they look at the pictures alone. */
export function bitBench(model: BitModel, jury: Jury = TARGET_ALONE): Bench {
  return {
    jury,
    judge: async (images) => {
      await model.call('judge');
      model.ledger.add({ imagesVerified: jury.judges.length * images.length });
      const scores = images.map((image): Scores => {
        const all = model.world.scoresOf(model.world.bitsOf(image));
        return Object.fromEntries(jury.judges.map((name) => [name, all[name as BitJudge]]));
      });
      return model.options.corrupt?.(scores) ?? scores;
    },
  };
}

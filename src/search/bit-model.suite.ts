// A model small enough to be recomputed by hand, for tests of the strategies: a scale is a few bits, a picture the bits of
// all scales, the score how many of them agree with a hidden target. Good coarse bits make good fine bits likelier.

import { createImage, type Image } from '../core/image.js';
import { Ledger } from '../core/ledger.js';
import { RandomKey } from '../core/random.js';
import type { Extension, Generator, Prefix, Scale } from '../models/contract.js';
import { type Judge, type Panel, panelOf } from '../verifiers/contract.js';
import { combineScores, type EnsembleOptions, isRelative, resolveEnsemble } from '../verifiers/ensemble.js';

/** Bits of a picture so far, one list per scale. */
export type Bits = readonly (readonly number[])[];

/** The model as plain functions, without prefixes, batches or anything kept. */
export class BitWorld {
  readonly scales: readonly Scale[];
  readonly #target: Bits;

  constructor(bitsPerScale: readonly number[], seed = 99) {
    this.scales = bitsPerScale.map((width) => ({ height: 1, width }));
    const key = RandomKey.fromSeed(seed);
    this.#target = bitsPerScale.map((width, k) =>
      [...key.fold(k).uniform(width)].map((draw) => (draw < 0.5 ? 0 : 1)),
    );
  }

  /** Draws the next scale of a picture. */
  draw(bits: Bits, key: RandomKey): Bits {
    const last = bits.length - 1;
    const quality = last < 0 ? 0.5 : this.#right(bits, last) / (bits[last]?.length ?? 1);
    const target = this.#target[bits.length] ?? [];
    const uniform = key.uniform(target.length);
    return [
      ...bits,
      target.map((wanted, i) => ((uniform[i] ?? 0) < 0.3 + 0.4 * quality ? wanted : 1 - wanted)),
    ];
  }

  /** How many bits of a picture agree with the target. */
  score(bits: Bits): number {
    return bits.reduce((sum, _, k) => sum + this.#right(bits, k), 0);
  }

  /** What a second judge thinks: how often neighbours of a scale differ, which the target does not care for. */
  liveliness(bits: Bits): number {
    return bits.flatMap((scale) => scale.filter((bit, i) => i > 0 && bit !== scale[i - 1])).length;
  }

  /** The picture of bits: one pixel a bit. */
  picture(bits: Bits): Image {
    const flat = bits.flat();
    return createImage(flat.length, 1, new Uint8Array(flat.flatMap((bit) => [bit, bit, bit])));
  }

  /** The bits of a picture of any number of scales. */
  bitsOf({ width, data }: Image): Bits {
    const bits: number[][] = [];
    for (let start = 0; start < width; start += bits.at(-1)?.length ?? 0) {
      const length = this.scales[bits.length]?.width ?? 0;
      bits.push(Array.from({ length }, (_, i) => data[(start + i) * 3] ?? 0));
    }
    return bits;
  }

  #right(bits: Bits, scale: number): number {
    return (bits[scale] ?? []).filter((bit, i) => bit === this.#target[scale]?.[i]).length;
  }
}

/** What may go wrong, and how work is split. */
export interface BitModelOptions {
  /** Rollouts at once. @default 64 */
  readonly concurrency?: number;
  /** Called at the start of every call; may throw or abort. */
  readonly onCall?: (call: 'extend' | 'decode' | 'score', number: number) => void;
  /** Changes the scores on their way out. */
  readonly corrupt?: (scores: number[]) => number[];
}

class BitPrefix implements Prefix {
  readonly bits: Bits;
  readonly parent: BitPrefix | null;
  readonly model: BitModel;
  forwarded = false;
  #owners = 1;

  constructor(model: BitModel, parent: BitPrefix | null, bits: Bits) {
    this.model = model;
    this.parent = parent?.retain() ?? null;
    this.bits = bits;
    model.alive++;
  }

  get scale(): number {
    return this.bits.length;
  }

  retain(): this {
    this.check();
    this.#owners++;
    return this;
  }

  release(): void {
    this.check();
    if (--this.#owners > 0) return;
    this.model.alive--;
    this.parent?.release();
  }

  check(): void {
    if (this.#owners === 0) throw new Error('a prefix was used after its release');
  }
}

/** The judges of a bit model together; one judge alone where there is no rule. */
export function bitPanel(model: BitModel, rule: EnsembleOptions | null): Panel {
  if (!rule) return panelOf(model, 'target');
  const members = ['target', 'liveliness'].slice(0, rule.weights?.length);
  return {
    members,
    relative: isRelative(resolveEnsemble(members, rule)),
    combine: (scores) => combineScores(scores, rule),
    judgeMembers: async (images) => {
      const lively = images.map((image) => model.world.liveliness(model.world.bitsOf(image)));
      return [await model.score(images), lively].slice(0, members.length);
    },
  };
}

/** Generator and judge over a world; counts the prefixes that are alive. It ignores signals: strategies must not. */
export class BitModel implements Generator, Judge {
  readonly world: BitWorld;
  readonly ledger = new Ledger();
  readonly concurrency: number;
  alive = 0;
  readonly #options: BitModelOptions;
  #calls = 0;

  constructor(world: BitWorld, options: BitModelOptions = {}) {
    this.world = world;
    this.#options = options;
    this.concurrency = options.concurrency ?? 64;
  }

  get scales(): readonly Scale[] {
    return this.world.scales;
  }

  begin(): Prefix {
    return new BitPrefix(this, null, []);
  }

  async extend(requests: readonly Extension[]): Promise<Prefix[]> {
    await this.#call('extend');
    return requests.map(({ prefix, key }) => {
      const own = prefix as BitPrefix;
      own.check();
      if (own.scale >= this.scales.length) throw new Error('the picture is complete');
      this.ledger.add({ nfe: 1, forwards: own.forwarded ? 0 : 1 });
      own.forwarded = true;
      return new BitPrefix(this, own, this.world.draw(own.bits, key));
    });
  }

  async decode(prefixes: readonly Prefix[]): Promise<Image[]> {
    await this.#call('decode');
    this.ledger.add({ imagesDecoded: prefixes.length });
    return prefixes.map((prefix) => {
      (prefix as BitPrefix).check();
      return this.world.picture((prefix as BitPrefix).bits);
    });
  }

  async score(images: readonly Image[]): Promise<number[]> {
    await this.#call('score');
    this.ledger.add({ imagesVerified: images.length });
    const scores = images.map((image) => this.world.score(this.world.bitsOf(image)));
    return this.#options.corrupt?.(scores) ?? scores;
  }

  close(): void {
    if (this.alive > 0) throw new Error(`${this.alive} prefixes were not released`);
  }

  async #call(call: 'extend' | 'decode' | 'score'): Promise<void> {
    this.#options.onCall?.(call, this.#calls++);
    await Promise.resolve();
  }
}

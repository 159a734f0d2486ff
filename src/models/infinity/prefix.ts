// A prefix of an Infinity generation: bits of scales 1..k, and the forward pass that predicts scale k + 1 from them.
// The forward's keys and values depend on the prefix alone, never on what is drawn from it: they are kept here, once, and
// every descendant reads them. Owners are counted; the last release frees the page and lets go of the parent.

import { Counted } from '../../core/counted.js';
import type { Reservation } from '../../core/reservation.js';
import type { TensorHandle } from '../../runtime/index.js';
import type { Prefix } from '../contract.js';
import { addCodes, type CodeLayout, emptyLatent, type Latent } from './codes.js';
import type { Scale } from './schedule.js';

/** What a prefix's forward pass gave. */
export interface Forward {
  /** Guided logits of the next scale, [tokens, 2 D]. */
  readonly logits: Float32Array;
  /** Keys and values of the next scale's tokens, [depth, 2, branches, tokens, C]; none at the last scale. */
  readonly page: TensorHandle | null;
}

/** What all prefixes of one generator share. */
export interface PrefixFamily {
  readonly scales: readonly Scale[];
  readonly layout: CodeLayout;
  /** What they are charged to. */
  readonly reservation: Reservation | undefined;
  /** Counts live prefixes: a generator that is closed must have none. */
  live: number;
}

/** A prefix as the Infinity generator makes it. */
export class InfinityPrefix extends Counted implements Prefix {
  readonly family: PrefixFamily;
  /** The prefix of one scale less; null for the empty prefix. */
  readonly parent: InfinityPrefix | null;
  readonly step: number;
  /** Bits of this prefix's own scale in token order, [tokens, D]; empty for the empty prefix. */
  readonly bits: Uint8Array;
  #forward: Forward | null = null;
  #sum: Latent | null = null;

  constructor(family: PrefixFamily, parent: InfinityPrefix | null, bits: Uint8Array) {
    super(family.reservation);
    this.family = family;
    this.parent = parent;
    this.step = parent ? parent.step + 1 : 0;
    this.bits = bits;
    parent?.retain();
    family.live++;
    this.charge(bits.byteLength);
  }

  /** The forward pass, if it has been computed. */
  get forward(): Forward | null {
    return this.#forward;
  }

  /** Gives the prefix its forward pass; the page now belongs to it. */
  setForward(forward: Forward): void {
    if (!this.isAlive) {
      forward.page?.dispose();
      return;
    }
    this.#forward = forward;
    this.charge(forward.logits.byteLength + pageBytesOf(forward));
  }

  /** The summed codes of scales 1..k on the last scale's grid. */
  get sum(): Latent {
    if (!this.#sum) {
      this.#sum = this.sumOn(this.family.scales.at(-1));
      this.charge(this.#sum.data.byteLength);
    }
    return this.#sum;
  }

  /** The summed codes on the grid of another scale: what a generation that ends there would decode. */
  sumOn(last: Scale | undefined): Latent {
    const { scales, layout } = this.family;
    if (!last) throw new RangeError('a schedule needs at least one scale');
    if (!this.parent) return emptyLatent(last, layout);
    const scale = scales[this.step - 1];
    if (!scale) throw new RangeError(`scale ${this.step} is beyond the schedule`);
    const before = last === scales.at(-1) ? this.parent.sum : this.parent.sumOn(last);
    return addCodes(before, this.bits, scale, layout);
  }

  /** This prefix and those before it, the empty one first. */
  chain(): InfinityPrefix[] {
    return this.parent ? [...this.parent.chain(), this] : [this];
  }

  protected override get words(): string {
    return `a prefix of scale ${this.step}`;
  }

  protected override free(): void {
    this.family.live--;
    this.#forward?.page?.dispose();
    this.#forward = null;
    this.#sum = null;
    this.parent?.release();
  }
}

function pageBytesOf({ page }: Forward): number {
  return page ? page.dims.reduce((product, size) => product * size, Float32Array.BYTES_PER_ELEMENT) : 0;
}

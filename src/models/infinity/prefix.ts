// A prefix of an Infinity generation: bits of scales 1..k, and the forward pass that predicts scale k + 1 from them.
// The forward's keys and values depend on the prefix alone, never on what is drawn from it: they are kept here, once, and
// every descendant reads them. Owners are counted; the last release frees the page and lets go of the parent. Nothing is drawn from
// a prefix of all scales, which keeps the bits of those before it but not their pages: where nobody else may read one, it is freed.

import { Counted } from '../../core/counted.js';
import type { Reservation } from '../../core/reservation.js';
import type { Prefix } from '../contract.js';
import { addCodes, type CodeLayout, emptyLatent, type Latent } from './codes.js';
import type { Page } from './page.js';
import type { Scale } from './schedule.js';

/** What a prefix's forward pass gave. */
export interface Forward {
  /** Guided logits of the next scale, [tokens, 2 D]. */
  readonly logits: Float32Array;
  /** Keys and values of the next scale's tokens; none at the last scale. */
  readonly page: Page | null;
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
  /** Who may read its page: its owners but for children that are complete, and, of those that have any, its children. */
  #readers = 0;
  #sum: Latent | null = null;

  constructor(family: PrefixFamily, parent: InfinityPrefix | null, bits: Uint8Array) {
    super(family.reservation);
    this.family = family;
    this.parent = parent;
    this.step = parent ? parent.step + 1 : 0;
    this.bits = bits;
    parent?.retainBits();
    family.live++;
    this.charge(bits.byteLength);
    this.readPage();
  }

  override retain(): this {
    super.retain();
    this.readPage();
    return this;
  }

  override release(): void {
    this.assertAlive();
    this.unreadPage();
    super.release();
  }

  /** Owns it without reading its page. */
  private retainBits(): void {
    super.retain();
  }

  private releaseBits(): void {
    super.release();
  }

  /** The prefix before it whose page its own passes read. */
  get #before(): InfinityPrefix | null {
    return this.step < this.family.scales.length ? this.parent : null;
  }

  private readPage(): void {
    if (this.#readers++ === 0) this.#before?.readPage();
  }

  private unreadPage(): void {
    if (--this.#readers > 0) return;
    this.#dropPage();
    this.#before?.unreadPage();
  }

  /** Whoever extends it after all computes the pass again, as for one that was unpacked. */
  #dropPage(): void {
    const { logits, page } = this.#forward ?? {};
    if (!logits || !page) return;
    this.refund(page.bytes);
    page.dispose();
    this.#forward = { logits, page: null };
  }

  /** The forward pass, if it has been computed. */
  get forward(): Forward | null {
    return this.#forward;
  }

  /** Whether its forward pass is there, with the page that those of later scales read. */
  get isComputed(): boolean {
    if (!this.#forward) return false;
    return this.#forward.page !== null || this.step === this.family.scales.length - 1;
  }

  /** Gives the prefix its forward pass; the page now belongs to it. */
  setForward(forward: Forward): void {
    if (!this.isAlive) {
      forward.page?.dispose();
      return;
    }
    this.#dropPage();
    this.refund(this.#forward?.logits.byteLength ?? 0);
    this.#forward = forward;
    this.charge(forward.logits.byteLength + (forward.page?.bytes ?? 0));
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
    this.parent?.releaseBits();
  }
}

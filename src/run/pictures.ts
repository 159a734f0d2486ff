// The pictures of a run: the search keeps none, so that this store decides what stays: small ones of all, whole ones as far as
// its memory goes, and packed states from which any picture is drawn again by one decode.

import type { Image } from '../core/image.js';
import { Ledger } from '../core/ledger.js';
import { shrink } from '../core/resample.js';
import type { Generator } from '../models/contract.js';
import type { Shown } from '../search/contract.js';
import type { Pictures } from './result.js';

/** Thumbnails have no side above this. */
export const THUMBNAIL_SIDE = 160;

/** Bytes of whole pictures that are kept besides the first. */
const MEMORY = 2 ** 26;

/** Takes in pictures as they are drawn. */
export class PictureStore {
  readonly #thumbnails = new Map<number, Image>();
  readonly #states = new Map<number, Uint8Array>();
  /** Whole pictures, the ones used last at the end. */
  readonly #whole = new Map<number, Image>();
  readonly #memory: number;
  #held = 0;
  #first: Image | null = null;

  constructor(memory = MEMORY) {
    this.#memory = memory;
  }

  /** Takes in pictures; `keep` is not dropped, whatever comes after it. */
  async add(pictures: readonly Shown[], keep?: number): Promise<void> {
    const small = await Promise.all(pictures.map(({ image }) => shrink(image, THUMBNAIL_SIDE)));
    for (const [i, { candidate, image, state }] of pictures.entries()) {
      this.#first ??= image;
      this.#thumbnails.set(candidate.id, small[i] ?? image);
      this.#states.set(candidate.id, state);
      this.#whole.set(candidate.id, image);
      this.#held += image.data.length;
    }
    this.#makeRoom(keep);
  }

  /** A whole picture: kept, or drawn again. */
  async image(id: number, generator: Generator, signal?: AbortSignal): Promise<Image> {
    const kept = this.#whole.get(id);
    if (kept) return kept;
    const state = this.#states.get(id);
    if (!state) throw new RangeError(`candidate ${id} was never drawn`);
    const [image] = await redraw([state], generator, signal);
    if (!image) throw new RangeError(`candidate ${id} was not drawn again`);
    this.#whole.set(id, image);
    this.#held += image.data.length;
    this.#makeRoom(id);
    return image;
  }

  /** All that is kept for good. */
  pictures(): Pictures {
    if (!this.#first) throw new RangeError('nothing was drawn yet');
    return { first: this.#first, thumbnails: new Map(this.#thumbnails), states: new Map(this.#states) };
  }

  #makeRoom(keep: number | undefined): void {
    for (const [id, image] of this.#whole) {
      if (this.#held <= this.#memory) return;
      if (id === keep) continue;
      this.#whole.delete(id);
      this.#held -= image.data.length;
    }
  }
}

/** Draws pictures of packed states again: one decode each, which is no part of any search's cost, and no forward pass. */
export async function redraw(
  states: readonly Uint8Array[],
  generator: Generator,
  signal?: AbortSignal,
): Promise<Image[]> {
  const prefixes = states.map((state) => generator.unpack(state));
  try {
    return await generator.decode(prefixes, 'own', { signal, ledger: new Ledger() });
  } finally {
    for (const prefix of prefixes) prefix.release();
  }
}

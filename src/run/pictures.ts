// The pictures of a run: the search keeps none, so that this store decides what stays: small ones of all, whole ones as far as
// its memory goes, and packed states from which any picture is drawn again by one decode.

import type { Image } from '../core/image.js';
import { Ledger } from '../core/ledger.js';
import { shrink } from '../core/resample.js';
import type { Generator, View } from '../models/contract.js';
import type { Candidate, Shown } from '../search/contract.js';
import type { Pictures } from './result.js';

/** Thumbnails have no side above this. */
export const THUMBNAIL_SIDE = 160;

/** Bytes of whole pictures that are kept besides the first. */
const MEMORY = 2 ** 26;

/** Takes in pictures as they are drawn. */
export class PictureStore {
  readonly #thumbnails = new Map<number, Image>();
  readonly #states = new Map<number, Uint8Array>();
  readonly #views = new Map<number, View>();
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
      this.#views.set(candidate.id, viewOf(candidate));
      this.#whole.set(candidate.id, image);
      this.#held += image.data.length;
    }
    this.#makeRoom(keep);
  }

  /** A whole picture: kept, or drawn again. */
  async image(id: number, generator: Generator, signal?: AbortSignal): Promise<Image> {
    const kept = this.#whole.get(id);
    if (kept) return kept;
    const state = this.state(id);
    const view = this.#views.get(id) ?? 'own';
    const [image] = await redraw([{ state, view }], generator, signal);
    if (!image) throw new RangeError(`candidate ${id} was not drawn again`);
    this.#whole.set(id, image);
    this.#held += image.data.length;
    this.#makeRoom(id);
    return image;
  }

  /** What draws a candidate's picture again, or goes on with it. */
  state(id: number): Uint8Array {
    const state = this.#states.get(id);
    if (!state) throw new RangeError(`candidate ${id} was never drawn`);
    return state;
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

/** A picture that can be drawn again. */
export interface Packed {
  readonly state: Uint8Array;
  readonly view: View;
}

/** How a candidate's picture was looked at. */
export function viewOf({ view }: Pick<Candidate, 'view'>): View {
  return view ?? 'own';
}

/** Draws pictures of packed states again: one decode each, which is no part of any search's cost, and no forward pass. */
export async function redraw(
  pictures: readonly Packed[],
  generator: Generator,
  signal?: AbortSignal,
): Promise<Image[]> {
  const prefixes = pictures.map(({ state }) => generator.unpack(state));
  const images: Image[] = [];
  try {
    for (const view of ['own', 'full'] as const) {
      const indices = pictures.flatMap((picture, i) => (picture.view === view ? i : []));
      const some = prefixes.filter((_, i) => indices.includes(i));
      if (some.length === 0) continue;
      const decoded = await generator.decode(some, view, { signal, ledger: new Ledger() });
      for (const [i, index] of indices.entries()) images[index] = decoded[i] as Image;
    }
    return images;
  } finally {
    for (const prefix of prefixes) prefix.release();
  }
}

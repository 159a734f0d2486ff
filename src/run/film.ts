// The film of a picture: how it looked after each of its steps, drawn from its packed state.

import type { Image } from '../core/image.js';
import { Ledger } from '../core/ledger.js';
import type { Generator } from '../models/contract.js';

/** Pictures up to this many pixels wide are looked at in their full size after every step; of larger ones that costs too much. */
const FULL = 256;

/** What a film is made of. */
export interface FilmOptions {
  readonly state: Uint8Array;
  /** The picture at the end, which needs no decode. */
  readonly image: Image;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A picture after each of its steps, itself last: no forward pass, and a decode a step. Large pictures are looked at in the size
 * that each step has, which costs less than two decodes of the last in all. undefined for a model that forgets its steps.
 */
export async function filmOf(
  generator: Generator,
  { state, image, signal }: FilmOptions,
): Promise<readonly Image[] | undefined> {
  if (!generator.stages) return undefined;
  const prefix = generator.unpack(state);
  const stages = generator.stages(prefix);
  try {
    const view = image.width <= FULL ? 'full' : 'own';
    // The cost is not the search's.
    const frames = await generator.decode(stages.slice(0, -1), view, { signal, ledger: new Ledger() });
    return [...frames, image];
  } finally {
    for (const each of [...stages, prefix]) each.release();
  }
}

// Keys and values of one scale's tokens, as its forward pass left them in the engine's worker. They are the bulk of a generation's
// memory, so that they stay where the engine put them, and are fed to later passes from there.

import type { TensorHandle } from '../../runtime/index.js';

/** Where a block's keys or values begin: [branches, tokens, C] in one piece. */
export interface PagePlace {
  readonly from: TensorHandle;
  /** In elements. */
  readonly offset: number;
}

/** Of every block its keys, then its values; whoever holds it frees it. */
export class Page {
  readonly #tensors: readonly TensorHandle[];
  /** Elements of one block's keys. */
  readonly #size: number;

  private constructor(tensors: readonly TensorHandle[], size: number) {
    this.#tensors = tensors;
    this.#size = size;
  }

  /** Of a pass of one prefix: each output by itself, [branches, tokens, C], keys and values of a block in turn. */
  static ofOutputs(tensors: readonly TensorHandle[]): Page {
    return new Page(tensors, elements(tensors[0]));
  }

  /** Copied out of a pass of several prefixes into one tensor, [depth, 2, branches, tokens, C]. */
  static ofCopy(tensor: TensorHandle): Page {
    const [depth = 1, kinds = 1] = tensor.dims;
    return new Page([tensor], elements(tensor) / (depth * kinds));
  }

  /** A block's keys, or its values. */
  at(block: number, kind: 'key' | 'value'): PagePlace {
    const slot = 2 * block + (kind === 'key' ? 0 : 1);
    const own = this.#tensors.length === 1 ? undefined : this.#tensors[slot];
    if (own) return { from: own, offset: 0 };
    const [joined] = this.#tensors;
    if (!joined) throw new RangeError('a page has no tensors');
    return { from: joined, offset: slot * this.#size };
  }

  get bytes(): number {
    const count = this.#tensors.reduce((sum, tensor) => sum + elements(tensor), 0);
    return count * Float32Array.BYTES_PER_ELEMENT;
  }

  dispose(): void {
    for (const tensor of this.#tensors) tensor.dispose();
  }
}

function elements(tensor: TensorHandle | undefined): number {
  return tensor ? tensor.dims.reduce((product, size) => product * size, 1) : 0;
}

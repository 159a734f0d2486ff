// Keys and values of one scale's tokens, as its forward pass left them in the engine's worker. They are the bulk of a generation's
// memory, so that they stay where the engine put them, and are fed to later passes from there.

import type { TensorHandle } from '../../runtime/index.js';
import { type PagePart, partBytes } from './cost.js';

/** Where a part of a block begins: [branches, tokens, width] in one piece. */
export interface PagePlace {
  readonly from: TensorHandle;
  /** In elements. */
  readonly offset: number;
}

/** Of every block its parts (cost.ts); whoever holds it frees it. */
export class Page {
  readonly #parts: readonly PagePart[];
  readonly #tensors: readonly TensorHandle[];
  /** Whether a tensor has a part of all blocks, or of one. */
  readonly #isCopy: boolean;

  private constructor(parts: readonly PagePart[], tensors: readonly TensorHandle[], isCopy: boolean) {
    this.#parts = parts;
    this.#tensors = tensors;
    this.#isCopy = isCopy;
  }

  /** Of a pass of one prefix: each output by itself, [branches, tokens, width], the parts of a block in turn. */
  static ofOutputs(parts: readonly PagePart[], tensors: readonly TensorHandle[]): Page {
    return new Page(parts, tensors, false);
  }

  /** Copied out of a pass of several prefixes: of each part one tensor, [depth, branches, tokens, width]. */
  static ofCopies(parts: readonly PagePart[], tensors: readonly TensorHandle[]): Page {
    return new Page(parts, tensors, true);
  }

  /** A part of a block, by its place among the parts. */
  at(block: number, part: number): PagePlace {
    const from = this.#tensors[this.#isCopy ? part : block * this.#parts.length + part];
    if (!from) throw new RangeError(`a page has no part ${part} of block ${block}`);
    const [depth = 1] = from.dims;
    return { from, offset: this.#isCopy ? (block * elements(from)) / depth : 0 };
  }

  get bytes(): number {
    return this.#tensors.reduce((sum, tensor, i) => {
      const part = this.#parts[i % this.#parts.length];
      return sum + (part ? (elements(tensor) * partBytes(part)) / part.width : 0);
    }, 0);
  }

  dispose(): void {
    for (const tensor of this.#tensors) tensor.dispose();
  }
}

function elements({ dims }: TensorHandle): number {
  return dims.reduce((product, size) => product * size, 1);
}

// Keys and values of one scale's tokens, as its forward pass left them in the engine's worker. They are the bulk of a generation's
// memory, so that they stay where they were written, and are fed to later passes from there. A page is few large tensors, whose
// memory goes back to the system when they are freed: that of hundreds of small ones would stay with the process.

import { elementCount, type TensorHandle } from '../../runtime/index.js';
import { type PagePart, partBytes } from './cost.js';

/** Where a part of a block begins: [branches, tokens, width] in one piece. */
export interface PagePlace {
  readonly from: TensorHandle;
  /** In elements. */
  readonly offset: number;
}

/** Of each part (cost.ts) that of all blocks, [depth, branches, tokens, width]; whoever holds it frees it. */
export class Page {
  readonly #parts: readonly PagePart[];
  readonly #tensors: readonly TensorHandle[];

  constructor(parts: readonly PagePart[], tensors: readonly TensorHandle[]) {
    this.#parts = parts;
    this.#tensors = tensors;
  }

  /** A part of a block, by its place among the parts. */
  at(block: number, part: number): PagePlace {
    const from = this.#tensors[part];
    if (!from) throw new RangeError(`a page has no part ${part}`);
    const [, ...each] = from.dims;
    return { from, offset: block * elementCount(each) };
  }

  get bytes(): number {
    return this.#tensors.reduce((sum, { dims }, i) => {
      const part = this.#parts[i];
      return sum + (part ? elementCount(dims.slice(0, -1)) * partBytes(part) : 0);
    }, 0);
  }

  dispose(): void {
    for (const tensor of this.#tensors) tensor.dispose();
  }
}

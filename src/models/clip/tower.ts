// The transformer that both towers of CLIP share: pre-norm blocks of attention and feed-forward, as graph operators.
// Ports CLIPEncoderLayer of transformers' modeling_clip.py (ResidualAttentionBlock of OpenAI's clip/model.py).

import { CheckpointError } from '../../core/errors.js';
import {
  add,
  formatShape,
  gelu,
  geluTanh,
  type GraphBuilder,
  layerNorm,
  linear,
  matMul,
  multiHeadAttention,
  quickGelu,
  skipLayerNorm,
  slice,
  type Value,
} from '../../runtime/graph/index.js';
import type { TowerConfig } from './config.js';
import type { ClipTensors } from './keys.js';

/** A graph under construction, with the checkpoint and the sizes that its weights come from. */
export class TowerBuilder {
  readonly graph: GraphBuilder;
  readonly config: TowerConfig;
  readonly #tensors: ClipTensors;

  constructor(graph: GraphBuilder, config: TowerConfig, tensors: ClipTensors) {
    this.graph = graph;
    this.config = config;
    this.#tensors = tensors;
  }

  /** A tensor of the checkpoint; throws CheckpointError when it is missing or of another shape. */
  tensor(name: string, expected: readonly number[], shape = expected): Value {
    this.#check(name, expected);
    return this.graph.weightFrom(this.#tensors, name, { shape });
  }

  /** Whether the checkpoint has a tensor. */
  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** x [..., in] through a projection [out, in] without bias. */
  project(x: Value, name: string, out: number): Value {
    return matMul(x, this.#matrix(name, [out, x.shape.at(-1) as number]));
  }

  /** x [..., in] through a linear layer with bias. */
  linear(x: Value, name: string, out: number): Value {
    const weight = this.#matrix(`${name}.weight`, [out, x.shape.at(-1) as number]);
    return linear(x, weight, this.tensor(`${name}.bias`, [out]));
  }

  /** x [..., C] through a layer norm. */
  norm(x: Value, name: string): Value {
    return layerNorm(x, this.#normWeights(name));
  }

  /**
   * x [B, L, C] through all blocks; gives the states before any last norm, [B, L, C]. With `firstOnly` the last block
   * is computed for the first token only, and gives [B, 1, C].
   */
  blocks(
    x: Value,
    stem: string,
    options: { readonly causal?: boolean; readonly firstOnly?: boolean } = {},
  ): Value {
    const { layers } = this.config;
    let state = { sum: x, normed: this.norm(x, `${stem}.0.layer_norm1`) };
    let branch: Value | undefined;
    for (let layer = 0; layer < layers; layer++) {
      const at = `${stem}.${layer}`;
      this.graph.scoped(`layer${layer}`, () => {
        if (branch) state = this.#skip(branch, state.sum, `${at}.layer_norm1`);
        const first = options.firstOnly === true && layer === layers - 1;
        branch = this.#attention(state.normed, `${at}.self_attn`, { causal: options.causal === true, first });
        const sum = first ? firstToken(state.sum) : state.sum;
        state = this.#skip(branch, sum, `${at}.layer_norm2`);
        branch = this.#feedForward(state.normed, `${at}.mlp`);
      });
    }
    return branch ? add(branch, state.sum) : state.sum;
  }

  #attention(x: Value, name: string, { causal, first }: { causal: boolean; first: boolean }): Value {
    const { width, heads } = this.config;
    const query = this.linear(first ? firstToken(x) : x, `${name}.q_proj`, width); // [B, L or 1, C]
    const key = this.linear(x, `${name}.k_proj`, width); // [B, L, C]
    const value = this.linear(x, `${name}.v_proj`, width); // [B, L, C]
    const { output } = multiHeadAttention({ heads, query, key, value, causal });
    return this.linear(output, `${name}.out_proj`, width);
  }

  #feedForward(x: Value, name: string): Value {
    const { width, hidden, activation } = this.config;
    const up = this.linear(x, `${name}.fc1`, hidden); // [B, L, hidden]
    return this.linear(ACTIVATE[activation](up), `${name}.fc2`, width);
  }

  #skip(x: Value, residual: Value, norm: string): { sum: Value; normed: Value } {
    return skipLayerNorm(x, residual, this.#normWeights(norm));
  }

  #normWeights(name: string): { eps: number; weight: Value; bias: Value } {
    const { width, eps } = this.config;
    return {
      eps,
      weight: this.tensor(`${name}.weight`, [width]),
      bias: this.tensor(`${name}.bias`, [width]),
    };
  }

  /** A matrix [out, in] of the checkpoint as [in, out]. */
  #matrix(name: string, expected: readonly [number, number]): Value {
    this.#check(name, expected);
    return this.graph.weightFrom(this.#tensors, name, { transpose: true });
  }

  #check(name: string, expected: readonly number[]): void {
    const { label } = this.#tensors;
    if (!this.has(name)) {
      throw new CheckpointError(label, `has no tensor '${name}', which its configuration asks for`);
    }
    const { shape } = this.#tensors.info(name);
    if (shape.length === expected.length && shape.every((size, i) => size === expected[i])) return;
    throw new CheckpointError(
      label,
      `'${name}' has the shape ${formatShape(shape)}, its configuration asks for ${formatShape(expected)}: ` +
        'config.json and weights do not belong together',
    );
  }
}

const ACTIVATE: Readonly<Record<TowerConfig['activation'], (x: Value) => Value>> = {
  quick_gelu: quickGelu,
  gelu,
  gelu_new: (x) => geluTanh(x),
  gelu_pytorch_tanh: (x) => geluTanh(x),
};

/** [B, L, C] to [B, 1, C]. */
function firstToken(x: Value): Value {
  return slice(x, 1, 0, 1);
}

// BLIP's text encoder as two graphs: what the prompt alone decides, computed once a search, and what every picture needs
// (BLIP's models/med.py, BertModel in multimodal mode: post-norm BERT with a cross-attention in every layer). ImageReward
// reads the last state of the first token only. Shapes: P prompts (1, or B), B pictures, L tokens, C width.

import {
  add,
  concat,
  expandTo,
  gather,
  gelu,
  GraphBuilder,
  type GraphModel,
  layerNorm,
  linearFrom,
  multiHeadAttention,
  sizeOf,
  skipLayerNorm,
  slice,
  sliceBetween,
  squeeze,
  type Value,
} from '../../runtime/graph/index.js';
import type { TensorSource } from '../../runtime/weights/index.js';
import type { BlipTextConfig } from './config.js';
import { normFrom } from './norm.js';

const STEM = 'text_encoder';

/** What the graphs give. */
interface BlipTextOptions {
  /** Compute the last layer for all tokens and give `text_last_hidden_state` [B, L, C] too. @default false */
  readonly states?: boolean;
}

/**
 * The prompt's part: `input_ids` and `attention_mask` int32 [P, L] (0 for padding) to `prompt_states`, the states after the
 * first layer's self-attention: [P, L, C], or [P, 1, C] when there is one layer and states are not asked for.
 */
export function buildBlipPrompt(
  config: BlipTextConfig,
  blip: TensorSource,
  options: BlipTextOptions = {},
): GraphModel {
  const { width, vocabulary, context } = config;
  const graph = new GraphBuilder('blip-prompt');
  const layer = new TextLayers(graph, config, blip);
  const ids = graph.input('input_ids', 'int32', ['P', 'L']);
  const mask = graph.input('attention_mask', 'int32', ['P', 'L']);
  const stem = `${STEM}.embeddings`;
  const words = graph.weightFrom(blip, `${stem}.word_embeddings.weight`, { expected: [vocabulary, width] });
  const places = graph.weightFrom(blip, `${stem}.position_embeddings.weight`, { expected: [context, width] });
  const positions = sliceBetween(places, 0, graph.constant([0]), sizeOf(ids, 1), 'L'); // [L, C]
  const embedded = layerNorm(
    add(gather(words, ids), positions),
    normFrom(graph, blip, `${stem}.LayerNorm`, config),
  );
  const states = layer.selfAttention(0, embedded, {
    mask,
    firstOnly: config.layers === 1 && !options.states,
  });
  graph.output('prompt_states', states);
  return graph.build();
}

/**
 * The pictures' part: `prompt_states` [P, L, C] (of one prompt for all pictures, or one each), `attention_mask` int32 [P, L]
 * and `image_embeds` [B, T, image width] to `text_features` [B, C], the first token's last state.
 */
export function buildBlipFusion(
  config: BlipTextConfig,
  blip: TensorSource,
  options: BlipTextOptions = {},
): GraphModel {
  const { width, layers, imageWidth } = config;
  const graph = new GraphBuilder('blip-fusion');
  const layer = new TextLayers(graph, config, blip);
  const prompt = graph.input('prompt_states', 'float32', ['P', 'Q', width]);
  const promptMask = graph.input('attention_mask', 'int32', ['P', 'L']);
  const image = graph.input('image_embeds', 'float32', ['B', 'T', imageWidth]);
  const pictures = sizeOf(image, 0);
  const one = graph.constant([1]);
  const mask = expandTo(promptMask, concat([pictures, one], 0), ['B', 'L']);
  let x = expandTo(prompt, concat([pictures, one, one], 0), ['B', 'Q', width]); // [B, L, C]
  for (let i = 0; i < layers; i++) {
    graph.scoped(`layer${i}`, () => {
      const firstOnly = options.states !== true && i === layers - 1;
      if (i > 0) x = layer.selfAttention(i, x, { mask, firstOnly });
      x = layer.feedForward(i, layer.crossAttention(i, x, image));
    });
  }
  if (options.states) graph.output('text_last_hidden_state', x, ['B', 'L', width]);
  graph.output('text_features', squeeze(slice(x, 1, 0, 1), [1]), ['B', width]);
  return graph.build();
}

/** The sub-layers of the encoder, each with its residual and the norm after it. */
class TextLayers {
  readonly #graph: GraphBuilder;
  readonly #config: BlipTextConfig;
  readonly #blip: TensorSource;

  constructor(graph: GraphBuilder, config: BlipTextConfig, blip: TensorSource) {
    this.#graph = graph;
    this.#config = config;
    this.#blip = blip;
  }

  /** x [B, L, C] to [B, L, C], or to [B, 1, C] with `firstOnly`. Masked keys get -10000, the engine's own mask value. */
  selfAttention(
    layer: number,
    x: Value,
    options: { readonly mask: Value; readonly firstOnly: boolean },
  ): Value {
    const query = options.firstOnly ? slice(x, 1, 0, 1) : x;
    return this.#attention(`${nameOf(layer)}.attention`, query, { from: x, keyMask: options.mask });
  }

  /** x [B, L, C] looks at the pictures' tokens [B, T, image width], all of them. */
  crossAttention(layer: number, x: Value, image: Value): Value {
    return this.#attention(`${nameOf(layer)}.crossattention`, x, { from: image });
  }

  /** x [B, L, C] through the two linear layers. */
  feedForward(layer: number, x: Value): Value {
    const name = nameOf(layer);
    const up = this.#linear(x, `${name}.intermediate.dense`, this.#config.hidden); // [B, L, hidden]
    return this.#close(`${name}.output`, gelu(up), x);
  }

  #attention(name: string, x: Value, keys: { readonly from: Value; readonly keyMask?: Value }): Value {
    const { width, heads } = this.#config;
    const { from, ...mask } = keys;
    const query = this.#linear(x, `${name}.self.query`, width);
    const key = this.#linear(from, `${name}.self.key`, width);
    const value = this.#linear(from, `${name}.self.value`, width);
    const { output } = multiHeadAttention({ heads, query, key, value, ...mask });
    return this.#close(`${name}.output`, output, x);
  }

  /** The norm of the residual plus the projected branch. */
  #close(name: string, branch: Value, residual: Value): Value {
    const projected = this.#linear(branch, `${name}.dense`, this.#config.width);
    const norm = normFrom(this.#graph, this.#blip, `${name}.LayerNorm`, this.#config);
    return skipLayerNorm(projected, residual, norm).normed;
  }

  #linear(x: Value, name: string, out: number): Value {
    return linearFrom(x, this.#blip, name, { out });
  }
}

function nameOf(layer: number): string {
  return `${STEM}.encoder.layer.${layer}`;
}

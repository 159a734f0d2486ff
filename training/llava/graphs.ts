// The three graphs of LLaVA-OneVision's layout in any size: those of the embedded one (onnx.ts), and of the tests' random one.
// Shapes in comments: B pictures or texts, L tokens, P tokens kept from before, T = P + L, H heads, D head width, N patches.

import {
  add,
  cast,
  concat,
  conv2d,
  cos,
  gather,
  gelu,
  geluTanh,
  GraphBuilder,
  type GraphModel,
  layerNorm,
  less,
  matMul,
  mul,
  multiHeadAttention,
  range,
  reshape,
  rmsNorm,
  silu,
  sin,
  sizeOf,
  slice,
  softmax,
  sub,
  transpose,
  unsqueeze,
  type Value,
  where,
} from '../../src/runtime/graph/index.js';

/** Sizes of a model. */
export interface LlavaSizes {
  /** Pixels of a side of a picture, and of a patch. */
  readonly side: number;
  readonly patch: number;
  readonly visionWidth: number;
  readonly visionLayers: number;
  readonly visionHeads: number;
  /** Channels inside of the image tower's feed-forward layers, and of the decoder's. */
  readonly visionInner: number;
  readonly inner: number;
  /** Channels of the language model, which the projector gives as well. */
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  /** Heads of keys and values, each of which serves several heads of queries. */
  readonly keyHeads: number;
  /** Rows of the embedding. */
  readonly vocabulary: number;
  /** The vision encoder ends a picture with a row of its own, as the official Python code does. @default false */
  readonly newline?: boolean;
}

const BATCH = 'batch_size';
const LENGTH = 'sequence_length';
const PAST = 'past_sequence_length';
const TOTAL = 'past_sequence_length + sequence_length';
const ROPE_BASE = 1_000_000;
const NORM = { eps: 1e-6 };
/** Added to the scores of keys that a query must not see. */
const HIDDEN = -1e9;
/** How a weight may be made up where there is none: uniform in mean +- spread. */
export interface Spread {
  readonly spread: number;
  /** @default 0 */
  readonly mean?: number;
}

/** Gives weights by their names in Hugging Face's checkpoint, matrices as [in, out]. */
export interface LlavaWeights {
  take(graph: GraphBuilder, name: string, shape: readonly number[], madeUp: Spread): Value;
}

/** One graph's weights. */
class Source {
  readonly #graph: GraphBuilder;
  readonly #weights: LlavaWeights;

  constructor(graph: GraphBuilder, weights: LlavaWeights) {
    this.#graph = graph;
    this.#weights = weights;
  }

  take(name: string, shape: readonly number[], spread: number, mean = 0): Value {
    return this.#weights.take(this.#graph, name, shape, { spread, mean });
  }

  linear(x: Value, name: string, [inner, out]: readonly [number, number], bias = true): Value {
    const product = matMul(x, this.take(`${name}.weight`, [inner, out], 1.7 / Math.sqrt(inner)));
    return bias ? add(product, this.take(`${name}.bias`, [out], 0.3)) : product;
  }
}

/** embed_tokens: input_ids [B, L] to inputs_embeds [B, L, width]. */
export function embeddingGraph({ vocabulary, width }: LlavaSizes, weights: LlavaWeights): GraphModel {
  const g = new GraphBuilder('embed_tokens');
  const ids = g.input('input_ids', 'int64', [BATCH, LENGTH]);
  const table = new Source(g, weights).take(
    'language_model.model.embed_tokens.weight',
    [vocabulary, width],
    1,
  );
  g.output('inputs_embeds', gather(table, ids));
  return g.build();
}

const TOWER = 'vision_tower.vision_model';

/** vision_encoder: pixel_values [B, 3, side, side] to image_features [B, N, width]: SigLIP and the projector. */
export function visionGraph(sizes: LlavaSizes, weights: LlavaWeights): GraphModel {
  const { side, patch, visionWidth, visionLayers, width } = sizes;
  const g = new GraphBuilder('vision_encoder');
  const source = new Source(g, weights);
  const pixels = g.input('pixel_values', 'float32', [BATCH, 3, side, side]);
  const embedding = `${TOWER}.embeddings.patch_embedding`;
  const kernelShape = [visionWidth, 3, patch, patch];
  const kernel = source.take(`${embedding}.weight`, kernelShape, 1.7 / Math.sqrt(3 * patch * patch));
  const bias = source.take(`${embedding}.bias`, [visionWidth], 0.1);
  const patches = conv2d(pixels, kernel, bias, { stride: patch }); // [B, C, h, w]
  const count = Math.floor(side / patch) ** 2;
  const rows = transpose(reshape(patches, [BATCH, visionWidth, count]), [0, 2, 1]); // [B, N, C]
  const places = source.take(`${TOWER}.embeddings.position_embedding.weight`, [count, visionWidth], 0.3);
  let seen = add(rows, places);
  for (let layer = 0; layer < visionLayers; layer++) seen = visionLayer(seen, layer, { sizes, source });
  const inner = gelu(source.linear(seen, 'multi_modal_projector.linear_1', [visionWidth, width]));
  const features = source.linear(inner, 'multi_modal_projector.linear_2', [width, width]); // [B, N, width]
  g.output(
    'image_features',
    sizes.newline ? withNewline(features, source.take('image_newline', [1, 1, width], 1)) : features,
  );
  return g.build();
}

/** A layer of SigLIP: [B, N, C] to [B, N, C]. */
function visionLayer(
  x: Value,
  layer: number,
  { sizes, source }: { readonly sizes: LlavaSizes; readonly source: Source },
): Value {
  const { visionWidth, visionHeads, visionInner } = sizes;
  const at = `${TOWER}.encoder.layers.${layer}`;
  const norm = (value: Value, name: string): Value =>
    layerNorm(value, {
      ...NORM,
      weight: source.take(`${at}.${name}.weight`, [visionWidth], 0.2, 1),
      bias: source.take(`${at}.${name}.bias`, [visionWidth], 0.1),
    });
  const square = [visionWidth, visionWidth] as const;
  const normed = norm(x, 'layer_norm1');
  const [query, key, value] = ['q_proj', 'k_proj', 'v_proj'].map((name) =>
    source.linear(normed, `${at}.self_attn.${name}`, square),
  ) as [Value, Value, Value];
  const { output } = multiHeadAttention({ heads: visionHeads, query, key, value });
  const attended = add(x, source.linear(output, `${at}.self_attn.out_proj`, square));
  const inner = source.linear(norm(attended, 'layer_norm2'), `${at}.mlp.fc1`, [visionWidth, visionInner]);
  return add(attended, source.linear(geluTanh(inner), `${at}.mlp.fc2`, [visionInner, visionWidth]));
}

/** One more row for every picture: [B, N + 1, width]. */
function withNewline(features: Value, row: Value): Value {
  const first = mul(slice(features, 1, 0, 1), 0); // [B, 1, width], for its shape
  return concat([features, add(first, row)], 1);
}

interface Context {
  readonly sizes: LlavaSizes;
  readonly source: Source;
  /** [B, 1, L, D] */
  readonly cosine: Value;
  readonly sine: Value;
  /** Added to the scores: [B, 1, L, T]. */
  readonly bias: Value;
}

/** decoder_model_merged: embeddings, mask, places and the cache to logits [B, L, vocabulary] and the longer cache. */
export function decoderGraph(sizes: LlavaSizes, weights: LlavaWeights): GraphModel {
  const { width, heads, layers, vocabulary } = sizes;
  const g = new GraphBuilder('decoder_model_merged');
  const source = new Source(g, weights);
  let x = g.input('inputs_embeds', 'float32', [BATCH, LENGTH, width]);
  const mask = g.input('attention_mask', 'int64', [BATCH, TOTAL]);
  const positions = g.input('position_ids', 'int64', [BATCH, LENGTH]);
  const { cosine, sine } = rotations(positions, width / heads);
  const context = { sizes, source, cosine, sine, bias: biasOf(mask, positions) };
  for (let layer = 0; layer < layers; layer++) x = decoderLayer(x, layer, context);
  const normed = rmsNorm(x, {
    ...NORM,
    weight: source.take('language_model.model.norm.weight', [width], 0.2, 1),
  });
  const head = source.take('language_model.lm_head.weight', [width, vocabulary], 1);
  g.output('logits', matMul(normed, head), [BATCH, LENGTH, vocabulary]);
  return g.build();
}

/** Cosines and sines of Qwen2's rotary embedding, whose halves belong together. */
function rotations(positions: Value, width: number): Pick<Context, 'cosine' | 'sine'> {
  const half = width / 2;
  const frequencies = Float32Array.from({ length: half }, (_, i) => ROPE_BASE ** (-i / half));
  const angles = mul(unsqueeze(cast(positions, 'float32'), [2]), positions.graph.constant(frequencies)); // [B, L, D / 2]
  const whole = unsqueeze(concat([angles, angles], 2), [1]); // [B, 1, L, D]
  return { cosine: cos(whole), sine: sin(whole) };
}

/** A query sees the keys up to its own place, of those that the mask lets count: [B, 1, L, T]. */
function biasOf(mask: Value, positions: Value): Value {
  const places = cast(range(sizeOf(mask, 1), TOTAL), 'float32'); // [T]
  const own = add(unsqueeze(cast(positions, 'float32'), [2]), 1); // [B, L, 1]
  const causal = where(less(places, own), 0, mask.graph.constant(HIDDEN)); // [B, L, T]
  const counted = mul(sub(1, cast(mask, 'float32')), HIDDEN); // [B, T]
  return unsqueeze(add(causal, unsqueeze(counted, [1])), [1]);
}

function decoderLayer(x: Value, layer: number, context: Context): Value {
  const { sizes, source } = context;
  const { width, inner } = sizes;
  const at = `language_model.model.layers.${layer}`;
  const norm = (value: Value, name: string): Value =>
    rmsNorm(value, { ...NORM, weight: source.take(`${at}.${name}.weight`, [width], 0.2, 1) });
  const attended = add(x, attention(norm(x, 'input_layernorm'), layer, context));
  const normed = norm(attended, 'post_attention_layernorm');
  const gate = silu(source.linear(normed, `${at}.mlp.gate_proj`, [width, inner], false));
  const wide = mul(gate, source.linear(normed, `${at}.mlp.up_proj`, [width, inner], false));
  return add(attended, source.linear(wide, `${at}.mlp.down_proj`, [inner, width], false));
}

function attention(x: Value, layer: number, { sizes, source, cosine, sine, bias }: Context): Value {
  const { width, heads, keyHeads } = sizes;
  const headWidth = width / heads;
  const g = x.graph;
  const at = `language_model.model.layers.${layer}.self_attn`;
  const perHead = (name: string, count: number): Value => {
    const rows = source.linear(x, `${at}.${name}`, [width, count * headWidth]);
    return transpose(reshape(rows, [BATCH, LENGTH, count, headWidth]), [0, 2, 1, 3]); // [B, H, L, D]
  };
  const rotate = (value: Value): Value => {
    const back = mul(slice(value, 3, headWidth / 2), -1);
    return add(mul(value, cosine), mul(concat([back, slice(value, 3, 0, headWidth / 2)], 3), sine));
  };
  const query = rotate(perHead('q_proj', heads));
  const cache = (kind: string, value: Value): Value => {
    const past = g.input(`past_key_values.${layer}.${kind}`, 'float32', [BATCH, keyHeads, PAST, headWidth]);
    const present = concat([past, value], 2); // [B, keyHeads, T, D]
    g.output(`present.${layer}.${kind}`, present, [BATCH, keyHeads, TOTAL, headWidth]);
    const shared = Array.from({ length: heads }, (_, head) => Math.floor((head * keyHeads) / heads));
    return gather(present, g.constant(shared), 1); // [B, H, T, D]
  };
  const key = cache('key', rotate(perHead('k_proj', keyHeads)));
  const value = cache('value', perHead('v_proj', keyHeads));
  const scores = add(mul(matMul(query, transpose(key, [0, 1, 3, 2])), headWidth ** -0.5), bias);
  const seen = transpose(matMul(softmax(scores), value), [0, 2, 1, 3]); // [B, L, H, D]
  return source.linear(reshape(seen, [BATCH, LENGTH, width]), `${at}.o_proj`, [width, width], false);
}

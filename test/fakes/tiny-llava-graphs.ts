// The three graphs of the tiny LLaVA, with random weights. Shapes in comments: B pictures or texts, L tokens, P tokens kept
// from before, T = P + L, H heads, D head width, N patches of a picture.

import { RandomKey } from '../../src/core/random.js';
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

/** Sizes of the tiny model. */
export interface TinyLlavaSizes {
  /** Pixels of a side of a picture, and of a patch. */
  readonly side: number;
  readonly patch: number;
  readonly visionWidth: number;
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
/** The logits spread by about two. */
const HEAD_SPREAD = 1;

/** Draws weights into a graph; the same seed gives the same ones. */
class Weights {
  readonly #graph: GraphBuilder;
  readonly #seed: number;
  #drawn = 0;

  constructor(graph: GraphBuilder, seed: number) {
    this.#graph = graph;
    this.#seed = seed;
  }

  draw(shape: readonly number[], spread: number, mean = 0): Value {
    const count = shape.reduce((product, size) => product * size, 1);
    const draws = RandomKey.fromSeed(this.#seed).fold(this.#drawn++).uniform(count);
    return this.#graph.constant(
      Float32Array.from(draws, (u) => mean + (2 * u - 1) * spread),
      shape,
    );
  }

  linear(x: Value, inner: number, out: number, bias = true): Value {
    const product = matMul(x, this.draw([inner, out], 1.7 / Math.sqrt(inner)));
    return bias ? add(product, this.draw([out], 0.3)) : product;
  }
}

/** embed_tokens: input_ids [B, L] to inputs_embeds [B, L, width]. */
export function embeddingGraph({ vocabulary, width }: TinyLlavaSizes): GraphModel {
  const g = new GraphBuilder('embed_tokens');
  const ids = g.input('input_ids', 'int64', [BATCH, LENGTH]);
  g.output('inputs_embeds', gather(new Weights(g, 1).draw([vocabulary, width], 1), ids));
  return g.build();
}

/** vision_encoder: pixel_values [B, 3, side, side] to image_features [B, N, width]: a block of SigLIP and the projector. */
export function visionGraph(sizes: TinyLlavaSizes): GraphModel {
  const { side, patch, visionWidth, width } = sizes;
  const g = new GraphBuilder('vision_encoder');
  const weights = new Weights(g, 2);
  const norm = (x: Value): Value =>
    layerNorm(x, {
      ...NORM,
      weight: weights.draw([visionWidth], 0.2, 1),
      bias: weights.draw([visionWidth], 0.1),
    });
  const pixels = g.input('pixel_values', 'float32', [BATCH, 3, side, side]);
  const kernel = weights.draw([visionWidth, 3, patch, patch], 1.7 / Math.sqrt(3 * patch * patch));
  const patches = conv2d(pixels, kernel, weights.draw([visionWidth], 0.1), { stride: patch }); // [B, C, h, w]
  const count = Math.floor(side / patch) ** 2;
  const rows = transpose(reshape(patches, [BATCH, visionWidth, count]), [0, 2, 1]); // [B, N, C]
  const placed = add(rows, weights.draw([1, count, visionWidth], 0.3));
  const normed = norm(placed);
  const [query, key, value] = [1, 2, 3].map(() => weights.linear(normed, visionWidth, visionWidth)) as [
    Value,
    Value,
    Value,
  ];
  const { output } = multiHeadAttention({ heads: 2, query, key, value });
  const attended = add(placed, weights.linear(output, visionWidth, visionWidth));
  const inner = geluTanh(weights.linear(norm(attended), visionWidth, 2 * visionWidth));
  const seen = add(attended, weights.linear(inner, 2 * visionWidth, visionWidth));
  const features = weights.linear(gelu(weights.linear(seen, visionWidth, width)), width, width); // [B, N, width]
  g.output(
    'image_features',
    sizes.newline ? withNewline(features, weights.draw([1, 1, width], 1)) : features,
  );
  return g.build();
}

/** One more row for every picture: [B, N + 1, width]. */
function withNewline(features: Value, row: Value): Value {
  const first = mul(slice(features, 1, 0, 1), 0); // [B, 1, width], for its shape
  return concat([features, add(first, row)], 1);
}

interface Context {
  readonly sizes: TinyLlavaSizes;
  readonly weights: Weights;
  /** [B, 1, L, D] */
  readonly cosine: Value;
  readonly sine: Value;
  /** Added to the scores: [B, 1, L, T]. */
  readonly bias: Value;
}

/** decoder_model_merged: embeddings, mask, places and the cache to logits [B, L, vocabulary] and the longer cache. */
export function decoderGraph(sizes: TinyLlavaSizes): GraphModel {
  const { width, heads, layers, vocabulary } = sizes;
  const g = new GraphBuilder('decoder_model_merged');
  const weights = new Weights(g, 3);
  let x = g.input('inputs_embeds', 'float32', [BATCH, LENGTH, width]);
  const mask = g.input('attention_mask', 'int64', [BATCH, TOTAL]);
  const positions = g.input('position_ids', 'int64', [BATCH, LENGTH]);
  const { cosine, sine } = rotations(positions, width / heads);
  const context = { sizes, weights, cosine, sine, bias: biasOf(mask, positions) };
  for (let layer = 0; layer < layers; layer++) x = decoderLayer(x, layer, context);
  const normed = rmsNorm(x, { ...NORM, weight: weights.draw([width], 0.2, 1) });
  const head = weights.draw([width, vocabulary], HEAD_SPREAD);
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

function decoderLayer(x: Value, layer: number, { sizes, weights, ...context }: Context): Value {
  const { width } = sizes;
  const norm = (value: Value): Value => rmsNorm(value, { ...NORM, weight: weights.draw([width], 0.2, 1) });
  const attended = add(x, attention(norm(x), layer, { sizes, weights, ...context }));
  const normed = norm(attended);
  const gate = silu(weights.linear(normed, width, 2 * width, false));
  const inner = mul(gate, weights.linear(normed, width, 2 * width, false));
  return add(attended, weights.linear(inner, 2 * width, width, false));
}

function attention(x: Value, layer: number, { sizes, weights, cosine, sine, bias }: Context): Value {
  const { width, heads, keyHeads } = sizes;
  const headWidth = width / heads;
  const g = x.graph;
  const perHead = (count: number): Value =>
    transpose(
      reshape(weights.linear(x, width, count * headWidth), [BATCH, LENGTH, count, headWidth]),
      [0, 2, 1, 3],
    ); // [B, H, L, D]
  const rotate = (value: Value): Value => {
    const back = mul(slice(value, 3, headWidth / 2), -1);
    return add(mul(value, cosine), mul(concat([back, slice(value, 3, 0, headWidth / 2)], 3), sine));
  };
  const query = rotate(perHead(heads));
  const cache = (kind: string, value: Value): Value => {
    const past = g.input(`past_key_values.${layer}.${kind}`, 'float32', [BATCH, keyHeads, PAST, headWidth]);
    const present = concat([past, value], 2); // [B, keyHeads, T, D]
    g.output(`present.${layer}.${kind}`, present, [BATCH, keyHeads, TOTAL, headWidth]);
    const shared = Array.from({ length: heads }, (_, head) => Math.floor((head * keyHeads) / heads));
    return gather(present, g.constant(shared), 1); // [B, H, T, D]
  };
  const key = cache('key', rotate(perHead(keyHeads)));
  const value = cache('value', perHead(keyHeads));
  const scores = add(mul(matMul(query, transpose(key, [0, 1, 3, 2])), headWidth ** -0.5), bias);
  const seen = transpose(matMul(softmax(scores), value), [0, 2, 1, 3]); // [B, L, H, D]
  return weights.linear(reshape(seen, [BATCH, LENGTH, width]), width, width, false);
}

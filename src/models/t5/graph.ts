// The T5 encoder as a graph (T5Stack of Hugging Face transformers, encoder only; T5 v1.0, v1.1, flan-t5, mT5).
// Shapes: B texts, L tokens, C width, H heads, D head width.

import {
  add,
  cast,
  clip,
  gather,
  gelu,
  geluTanh,
  GraphBuilder,
  type GraphModel,
  linearFrom,
  mul,
  multiHeadAttention,
  type Precision,
  range,
  relu,
  rmsNorm,
  silu,
  sizeOf,
  skipRmsNorm,
  sub,
  transpose,
  unsqueeze,
  type Value,
} from '../../runtime/graph/index.js';
import type { TensorSource } from '../../runtime/weights/index.js';
import type { T5Activation, T5Config } from './config.js';
import { biasByDistance } from './relative-bias.js';

/** Added to the score of a masked key: its share of the attention is exactly 0 then. */
const MASKED = -1e30;

const ACTIVATIONS: Readonly<Record<T5Activation, (x: Value) => Value>> = {
  relu,
  gelu,
  gelu_new: geluTanh,
  silu,
};

/** What every layer is made from. */
interface Layers {
  readonly config: T5Config;
  readonly weights: TensorSource;
  readonly precision: Precision;
}

/**
 * Builds the encoder. Inputs: `input_ids` int32 [B, L]; `attention_mask` int32 [B, L], 0 for keys that nobody sees.
 * Output: `last_hidden_state` [B, L, C], rows of padding included. The precision is that of the linear layers.
 */
export function buildT5Encoder(
  config: T5Config,
  weights: TensorSource,
  precision: Precision = 'float32',
): GraphModel {
  const { width, eps } = config;
  const g = new GraphBuilder('t5-encoder');
  const ids = g.input('input_ids', 'int32', ['B', 'L']);
  const mask = g.input('attention_mask', 'int32', ['B', 'L']);
  const norm = (name: string): Value => g.weightFrom(weights, `${name}.weight`, { expected: [width] });
  const table = g.weightFrom(weights, embeddingName(weights), { expected: [config.vocabulary, width] });
  const bias = add(positionBias(g, config, weights, ids), maskBias(mask)); // [B, H, L, L]

  let x = gather(table, ids); // [B, L, C]
  let normed = rmsNorm(x, { eps, weight: norm('encoder.block.0.layer.0.layer_norm') });
  for (let i = 0; i < config.layers; i++) {
    const block = `encoder.block.${i}`;
    const next =
      i + 1 < config.layers ? `encoder.block.${i + 1}.layer.0.layer_norm` : 'encoder.final_layer_norm';
    const attended = g.scoped(block, () =>
      selfAttention(normed, bias, `${block}.layer.0.SelfAttention`, { config, weights, precision }),
    );
    const middle = skipRmsNorm(attended, x, { eps, weight: norm(`${block}.layer.1.layer_norm`) });
    const fed = g.scoped(block, () =>
      feedForward(middle.normed, `${block}.layer.1.DenseReluDense`, { config, weights, precision }),
    );
    ({ sum: x, normed } = skipRmsNorm(fed, middle.sum, { eps, weight: norm(next) }));
  }
  g.output('last_hidden_state', normed, ['B', 'L', width]);
  return g.build();
}

function embeddingName(weights: TensorSource): string {
  return (
    ['shared.weight', 'encoder.embed_tokens.weight'].find((name) => weights.has(name)) ?? 'shared.weight'
  );
}

/** The summand of every pair of places, [1, H, L, L]: one table of all distances, from which the run picks. */
function positionBias(g: GraphBuilder, config: T5Config, weights: TensorSource, ids: Value): Value {
  const { heads, buckets, maxDistance } = config;
  const key = 'encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight';
  g.weightFrom(weights, key, { expected: [buckets, heads] }); // checks the shape; what nobody uses is left out
  const byDistance = g.lazyWeight('bias_by_distance', {
    shape: [2 * maxDistance + 1, heads],
    read: () => biasByDistance(weights.read(key), heads, { buckets, maxDistance }),
  });
  const places = cast(range(sizeOf(ids, 1), 'L'), 'int32');
  const distances = sub(unsqueeze(places, [0]), unsqueeze(places, [1])); // [L, L]: key minus query
  const rows = add(clip(distances, -maxDistance, maxDistance), maxDistance);
  return unsqueeze(transpose(gather(byDistance, rows), [2, 0, 1]), [0]);
}

/** 0 for keys that count, a huge negative number for masked ones: [B, 1, 1, L]. */
function maskBias(mask: Value): Value {
  return unsqueeze(mul(sub(1, cast(mask, 'float32')), MASKED), [1, 2]);
}

/** Attention without scaling of the scores; inner width H * D. */
function selfAttention(x: Value, bias: Value, name: string, { config, weights, precision }: Layers): Value {
  const inner = config.heads * config.headWidth;
  const project = (part: string, from: Value, out: number): Value =>
    linearFrom(from, weights, `${name}.${part}`, { out, bias: false, precision });
  const { output } = multiHeadAttention({
    heads: config.heads,
    query: project('q', x, inner),
    key: project('k', x, inner),
    value: project('v', x, inner),
    scale: 1,
    bias,
  });
  return project('o', output, config.width);
}

function feedForward(x: Value, name: string, { config, weights, precision }: Layers): Value {
  const layer = (part: string, from: Value, out: number, its = precision): Value =>
    linearFrom(from, weights, `${name}.${part}`, { out, bias: false, precision: its });
  const activate = ACTIVATIONS[config.activation];
  const hidden = config.gated
    ? mul(activate(layer('wi_0', x, config.hidden)), layer('wi_1', x, config.hidden))
    : activate(layer('wi', x, config.hidden));
  // What comes here is beyond float16 in the large T5s; Hugging Face keeps this layer in float32 too.
  return layer('wo', hidden, config.width, precision === 'float16' ? 'float32' : precision);
}

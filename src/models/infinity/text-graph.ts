// The prompt's side of Infinity, run once per prompt: text norm, attentive pool, AdaLN vectors, and the cross-attention's
// keys and values of every block (Infinity.__init__ and autoregressive_infer_cfg in infinity/models/infinity.py).
// S branches (1, or 2 with guidance: the prompt, then the unconditional rows), T text tokens, C width, N blocks.

import {
  add,
  concat,
  expandTo,
  geluTanh,
  GraphBuilder,
  type GraphModel,
  linearFrom,
  multiHeadAttention,
  type Precision,
  reshape,
  rmsNorm,
  silu,
  sizeOf,
  split,
  type Value,
} from '../../runtime/graph/index.js';
import type { TensorSource } from '../../runtime/weights/index.js';
import type { InfinityConfig } from './config.js';

const EPS = 1e-6;

/** Vectors of a block in the checkpoint's order: gamma1, gamma2, scale1, scale2, shift1, shift2. */
export const BLOCK_VECTORS = 6;

/**
 * Builds the text graph.
 * Input `text_features` [S, T, textChannels]. Outputs: `sos` [S, 1, C]; `modulation` [S, 6 N + 2, C], each block's six
 * vectors with 1 added to the scales, then the head's 1 + scale and shift; `text_key.i`, `text_value.i` [S, T, C]. The precision is
 * that of the blocks' matrices, nearly all of the weights; what every block depends on stays float32.
 */
export function buildTextGraph(
  config: InfinityConfig,
  weights: TensorSource,
  precision: Precision = 'float32',
): GraphModel {
  const { width, textChannels, blocks } = config;
  const g = new GraphBuilder('infinity-text');
  const features = g.input('text_features', 'float32', ['S', 'T', textChannels]);
  const normed = rmsNorm(features, {
    eps: EPS,
    weight: g.weightFrom(weights, 'text_norm.weight', { expected: [textChannels] }),
  });

  const sos = attentivePool(normed, config, weights); // [S, 1, C]
  g.output('sos', sos);
  g.output('modulation', modulation(sos, config, weights));

  const hidden = geluTanh(linearFrom(normed, weights, 'text_proj_for_ca.0', { out: width }));
  const context = linearFrom(hidden, weights, 'text_proj_for_ca.2', { out: width }); // [S, T, C]
  blocks.forEach((prefix, i) => {
    const [key, value] = g.scoped(`block${i}`, () =>
      keysAndValues(context, weights, `${prefix}ca.`, { width, precision }),
    );
    g.output(`text_key.${i}`, key);
    g.output(`text_value.${i}`, value);
  });
  return g.build();
}

/** A cross-attention's keys and values [S, T, C]: one matrix without bias, and a bias for the values only. */
function keysAndValues(
  context: Value,
  weights: TensorSource,
  prefix: string,
  { width, precision = 'float32' }: { readonly width: number; readonly precision?: Precision },
): [Value, Value] {
  const g = context.graph;
  const both = linearFrom(context, weights, `${prefix}mat_kv`, { out: 2 * width, bias: false, precision });
  const [key, value] = split(both, [width, width], -1);
  const bias = g.weightFrom(weights, `${prefix}v_bias`, { expected: [width] });
  return [key as Value, add(value as Value, bias)];
}

/** TextAttentivePool: attention of one learned query over the text, [S, 1, C]. */
function attentivePool(text: Value, { width, poolHeads }: InfinityConfig, weights: TensorSource): Value {
  const g = text.graph;
  const prefix = 'text_proj_for_sos.ca.';
  const [key, value] = keysAndValues(text, weights, prefix, { width });
  const learned = g.weightFrom(weights, `${prefix}mat_q`, {
    expected: [1, poolHeads, width / poolHeads],
    shape: [1, 1, width],
  });
  const query = expandTo(learned, concat([sizeOf(text, 0), g.constant([1, width])], 0), ['S', 1, width]);
  const { output } = multiHeadAttention({ heads: poolHeads, query, key, value });
  return linearFrom(output, weights, `${prefix}proj`, { out: width });
}

/** The vectors that modulate every block and the head, [S, 6 N + 2, C]. */
function modulation(sos: Value, { width, blocks }: InfinityConfig, weights: TensorSource): Value {
  const g = sos.graph;
  const activated = silu(sos);
  const shared = reshape(linearFrom(activated, weights, 'shared_ada_lin.1', { out: BLOCK_VECTORS * width }), [
    'S',
    BLOCK_VECTORS,
    width,
  ]);
  const onePlusScale = g.constant(Float32Array.of(0, 0, 1, 1, 0, 0), [1, BLOCK_VECTORS, 1]);
  const base = add(shared, onePlusScale);
  const perBlock = blocks.map((prefix) =>
    add(
      base,
      g.weightFrom(weights, `${prefix}ada_gss`, {
        expected: [1, 1, BLOCK_VECTORS, width],
        shape: [1, BLOCK_VECTORS, width],
      }),
    ),
  );
  const head = reshape(linearFrom(activated, weights, 'head_nm.ada_lin.1', { out: 2 * width }), [
    'S',
    2,
    width,
  ]);
  return concat([...perBlock, add(head, g.constant(Float32Array.of(1, 0), [1, 2, 1]))], 1);
}

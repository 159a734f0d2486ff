// The graphs of CLIP's two towers. Port of CLIPVisionTransformer and CLIPTextTransformer of transformers'
// modeling_clip.py (VisionTransformer and encode_text of OpenAI's clip/model.py).

import {
  add,
  conv2d,
  gather,
  GraphBuilder,
  type GraphModel,
  padZeros,
  reshape,
  sizeOf,
  sliceBetween,
  transpose,
  unsqueeze,
  type Value,
} from '../../runtime/graph/index.js';
import type { TextConfig, VisionConfig } from './config.js';
import type { ClipTensors } from './keys.js';
import { TowerBuilder } from './tower.js';

/** Which results a tower's graph gives. */
interface TowerOutputs {
  /** Width of the embedding; null leaves the projection and its output out. */
  readonly embedding: number | null;
  /** Give `last_hidden_state` too, which costs the last block for all tokens. @default false */
  readonly states?: boolean;
}

/**
 * The image tower: `pixel_values` [B, 3, S, S] to `pooler_output` [B, C] (the class token after the last norm) and
 * `image_embeds` [B, D]; on request `last_hidden_state` [B, 1 + (S / P)^2, C], before the last norm.
 */
export function buildVisionGraph(
  config: VisionConfig,
  tensors: ClipTensors,
  outputs: TowerOutputs,
): GraphModel {
  const { imageSize } = config;
  const graph = new GraphBuilder('clip-vision');
  const tower = new TowerBuilder(graph, config, tensors);
  const pixels = graph.input('pixel_values', 'float32', ['B', 3, imageSize, imageSize]);
  const tokens = patchTokens(tower, pixels, config); // [B, T, C]
  const normed = tower.norm(tokens, 'vision_model.pre_layrnorm');
  const states = outputs.states === true;
  const last = tower.blocks(normed, 'vision_model.encoder.layers', { firstOnly: !states }); // [B, T or 1, C]
  if (states) graph.output('last_hidden_state', last);
  const first = gather(last, graph.constant(BigInt64Array.of(0n), []), 1); // [B, C]
  const pooled = tower.norm(first, 'vision_model.post_layernorm');
  graph.output('pooler_output', pooled);
  if (outputs.embedding !== null) {
    graph.output('image_embeds', tower.project(pooled, 'visual_projection.weight', outputs.embedding), [
      'B',
      outputs.embedding,
    ]);
  }
  return graph.build();
}

/** Patches as tokens, the class token in front, positions added: [B, 3, S, S] to [B, T, C]. */
function patchTokens(
  tower: TowerBuilder,
  pixels: Value,
  { width, imageSize, patchSize }: VisionConfig,
): Value {
  const stem = 'vision_model.embeddings';
  const kernel = tower.tensor(`${stem}.patch_embedding.weight`, [width, 3, patchSize, patchSize]);
  const places = Math.floor(imageSize / patchSize) ** 2;
  const grid = conv2d(pixels, kernel, undefined, { stride: patchSize }); // [B, C, S / P, S / P]
  const patches = transpose(reshape(grid, ['B', grid.shape[1] ?? width, places]), [0, 2, 1]); // [B, T - 1, C]
  // The class token comes with the positions: a row of zeros makes room for it.
  const positions = tower.tensor(`${stem}.position_embedding.weight`, [places + 1, width]);
  const token = tower.tensor(`${stem}.class_embedding`, [width], [1, width]);
  const table = add(positions, padZeros(token, [0, 0], [places, 0])); // [T, C]
  return add(padZeros(patches, [0, 1, 0], [0, 0, 0]), table);
}

/**
 * The text tower: `input_ids` [B, L] and `end_positions` [B] (the place of each end token) to `pooler_output` [B, C] (the
 * end token after the last norm) and `text_embeds` [B, D]; on request `last_hidden_state` [B, L, C], after the last norm.
 */
export function buildTextGraph(config: TextConfig, tensors: ClipTensors, outputs: TowerOutputs): GraphModel {
  const { width, vocabulary, context } = config;
  const graph = new GraphBuilder('clip-text');
  const tower = new TowerBuilder(graph, config, tensors);
  const ids = graph.input('input_ids', 'int32', ['B', 'L']);
  const ends = graph.input('end_positions', 'int64', ['B']);
  const table = tower.tensor('text_model.embeddings.token_embedding.weight', [vocabulary, width]);
  const places = tower.tensor('text_model.embeddings.position_embedding.weight', [context, width]);
  const positions = sliceBetween(places, 0, graph.constant([0]), sizeOf(ids, 1), 'L'); // [L, C]
  const tokens = add(gather(table, ids), positions); // [B, L, C]
  const last = tower.blocks(tokens, 'text_model.encoder.layers', { causal: true });
  const states = outputs.states === true;
  const normed = tower.norm(states ? last : takeEnds(last, ends, width), 'text_model.final_layer_norm');
  if (states) graph.output('last_hidden_state', normed, ['B', 'L', width]);
  const pooled = states ? takeEnds(normed, ends, width) : normed; // [B, C]
  graph.output('pooler_output', pooled, ['B', width]);
  if (outputs.embedding !== null) {
    graph.output('text_embeds', tower.project(pooled, 'text_projection.weight', outputs.embedding), [
      'B',
      outputs.embedding,
    ]);
  }
  return graph.build();
}

/** The state of each row's end token: [B, L, C] and places [B] to [B, C]. */
function takeEnds(states: Value, ends: Value, width: number): Value {
  return states.graph.op1('GatherND', {
    inputs: [states, unsqueeze(ends, [1])],
    attributes: { batch_dims: 1 },
    type: 'float32',
    shape: ['B', width],
  });
}

// BLIP's image tower as a graph: timm's ViT with pre-norm blocks and one matrix for query, key and value (BLIP's
// models/vit.py, VisionTransformer). Shapes: B pictures, T tokens, C width.

import {
  add,
  conv2d,
  gelu,
  GraphBuilder,
  type GraphModel,
  layerNorm,
  linearFrom,
  multiHeadAttention,
  padZeros,
  reshape,
  skipLayerNorm,
  split,
  transpose,
  type Value,
} from '../../runtime/graph/index.js';
import type { TensorSource } from '../../runtime/weights/index.js';
import type { BlipVisionConfig } from './config.js';
import { normFrom } from './norm.js';

const STEM = 'visual_encoder';

/**
 * Builds the tower from the tensors below `blip.`: `pixel_values` [B, 3, S, S] to `image_embeds` [B, 1 + (S / P)^2, C], all
 * tokens after the last norm, class token first.
 */
export function buildBlipVision(config: BlipVisionConfig, blip: TensorSource): GraphModel {
  const { imageSize, layers } = config;
  const graph = new GraphBuilder('blip-vision');
  const norm = (name: string): ReturnType<typeof normFrom> =>
    normFrom(graph, blip, `${STEM}.${name}`, config);
  const pixels = graph.input('pixel_values', 'float32', ['B', 3, imageSize, imageSize]);
  const tokens = patchTokens(pixels, config, blip);
  let state = { sum: tokens, normed: layerNorm(tokens, norm('blocks.0.norm1')) };
  for (let layer = 0; layer < layers; layer++) {
    const at = `blocks.${layer}`;
    const next = layer + 1 < layers ? `blocks.${layer + 1}.norm1` : 'norm';
    graph.scoped(at, () => {
      const attended = attention(state.normed, `${STEM}.${at}.attn`, config, blip);
      state = skipLayerNorm(attended, state.sum, norm(`${at}.norm2`));
      const fed = feedForward(state.normed, `${STEM}.${at}.mlp`, config, blip);
      state = skipLayerNorm(fed, state.sum, norm(next));
    });
  }
  graph.output('image_embeds', state.normed);
  return graph.build();
}

/** Patches as tokens, the class token in front, positions added: [B, 3, S, S] to [B, T, C]. */
function patchTokens(
  pixels: Value,
  { width, imageSize, patchSize }: BlipVisionConfig,
  blip: TensorSource,
): Value {
  const { graph } = pixels;
  const places = (imageSize / patchSize) ** 2;
  const kernel = graph.weightFrom(blip, `${STEM}.patch_embed.proj.weight`, {
    expected: [width, 3, patchSize, patchSize],
  });
  const bias = graph.weightFrom(blip, `${STEM}.patch_embed.proj.bias`, { expected: [width] });
  const grid = conv2d(pixels, kernel, bias, { stride: patchSize }); // [B, C, S / P, S / P]
  const patches = transpose(reshape(grid, ['B', width, places]), [0, 2, 1]); // [B, T - 1, C]
  // The class token comes with the positions: a row of zeros makes room for it.
  const token = graph.weightFrom(blip, `${STEM}.cls_token`, { expected: [1, 1, width] });
  const positions = graph.weightFrom(blip, `${STEM}.pos_embed`, { expected: [1, places + 1, width] });
  const table = add(positions, padZeros(token, [0, 0, 0], [0, places, 0])); // [1, T, C]
  return add(padZeros(patches, [0, 1, 0], [0, 0, 0]), table);
}

function attention(x: Value, name: string, { width, heads }: BlipVisionConfig, blip: TensorSource): Value {
  const packed = linearFrom(x, blip, `${name}.qkv`, { out: 3 * width }); // [B, T, 3 C]
  const [query, key, value] = split(packed, [width, width, width], -1) as [Value, Value, Value];
  const { output } = multiHeadAttention({ heads, query, key, value });
  return linearFrom(output, blip, `${name}.proj`, { out: width });
}

function feedForward(x: Value, name: string, { width, hidden }: BlipVisionConfig, blip: TensorSource): Value {
  const up = linearFrom(x, blip, `${name}.fc1`, { out: hidden }); // [B, T, hidden]
  return linearFrom(gelu(up), blip, `${name}.fc2`, { out: width });
}

// The sizes of a CLIP: from config.json for Hugging Face's layout (transformers' configuration_clip.py, defaults
// included), read off the weights for OpenAI's (clip/model.py, build_model).

import { ConfigFields, inRange } from '../../core/config-fields.js';
import { type Range, RANGES } from '../../core/config-ranges.js';
import { CheckpointError } from '../../core/errors.js';
import { isObject, type JsonObject } from '../../core/json-file.js';
import type { TensorSource } from '../../runtime/weights/index.js';

/** The activations of the feed-forward layers, under transformers' names. */
const ACTIVATIONS = ['quick_gelu', 'gelu', 'gelu_new', 'gelu_pytorch_tanh'] as const;

/** What both towers have. */
export interface TowerConfig {
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  /** Width of the feed-forward layers. */
  readonly hidden: number;
  readonly activation: (typeof ACTIVATIONS)[number];
  /** The norms' epsilon. */
  readonly eps: number;
}

/** The image tower. */
export interface VisionConfig extends TowerConfig {
  /** Side of the square picture in pixels. */
  readonly imageSize: number;
  readonly patchSize: number;
}

/** The text tower. */
export interface TextConfig extends TowerConfig {
  readonly vocabulary: number;
  /** The longest text in tokens. */
  readonly context: number;
  /** The token whose state is the text's: the first one of this id, or the first place of the largest id. */
  readonly endToken: number | 'largest';
}

/** A whole CLIP; a tower is null where the checkpoint has none. */
export interface ClipConfig {
  /** Width of the embeddings. */
  readonly embedding: number;
  readonly vision: VisionConfig | null;
  readonly text: TextConfig | null;
}

const OPENAI_HEAD_WIDTH = 64;
/** The end token id that old configurations give wrongly; transformers takes the largest id then, and so do we. */
const LEGACY_END_TOKEN = 2;

/** Reads config.json of a Hugging Face folder; `towers` are those that the weights have. Throws CheckpointError. */
export function huggingFaceConfig(
  file: string,
  json: JsonObject,
  towers: { readonly vision: boolean; readonly text: boolean },
): ClipConfig {
  const top = new ConfigFields(file, json);
  const vision = new ConfigFields(file, towerFields(json, 'vision_config'), 'vision_config.');
  const text = new ConfigFields(file, towerFields(json, 'text_config'), 'text_config.');
  const end = text.whole('eos_token_id', RANGES.token, 49407);
  return {
    embedding: top.whole('projection_dim', RANGES.width, 512),
    vision: towers.vision
      ? {
          ...tower(vision, { width: 768, hidden: 3072, heads: 12 }),
          imageSize: vision.whole('image_size', RANGES.imageSide, 224),
          patchSize: vision.whole('patch_size', RANGES.patch, 32),
        }
      : null,
    text: towers.text
      ? {
          ...tower(text, { width: 512, hidden: 2048, heads: 8 }),
          vocabulary: text.whole('vocab_size', RANGES.vocabulary, 49408),
          context: text.whole('max_position_embeddings', RANGES.textLength, 77),
          endToken: end === LEGACY_END_TOKEN ? 'largest' : end,
        }
      : null,
  };
}

/** A tower's entries; the older `*_config_dict`, where there is one, wins over `*_config`, as in transformers. */
function towerFields(json: JsonObject, name: string): JsonObject {
  const plain = json[name];
  const older = json[`${name}_dict`];
  if (isObject(plain) || isObject(older)) {
    return { ...(isObject(plain) ? plain : {}), ...(isObject(older) ? older : {}) };
  }
  // The configuration of a single tower (CLIPTextModel, CLIPVisionModelWithProjection) has its entries at the top.
  return json;
}

function tower(
  fields: ConfigFields,
  defaults: { width: number; hidden: number; heads: number },
): TowerConfig {
  const width = fields.whole('hidden_size', RANGES.width, defaults.width);
  const heads = fields.whole('num_attention_heads', RANGES.heads, defaults.heads);
  if (width % heads !== 0) {
    fields.fail('num_attention_heads', `(${heads}) does not divide hidden_size (${width})`);
  }
  return {
    width,
    heads,
    layers: fields.whole('num_hidden_layers', RANGES.layers, 12),
    hidden: fields.whole('intermediate_size', RANGES.hidden, defaults.hidden),
    activation: fields.choice('hidden_act', ACTIVATIONS, 'quick_gelu'),
    eps: fields.number('layer_norm_eps', RANGES.epsilon, 1e-5),
  };
}

/** Reads the sizes of a checkpoint with OpenAI's names off its tensors. Throws CheckpointError. */
export function openAiConfig(weights: TensorSource): ClipConfig {
  const shape = (key: string, rank: number): readonly number[] => {
    if (!weights.has(key)) {
      throw new CheckpointError(weights.label, `is no OpenAI CLIP with a ViT: no tensor '${key}'`);
    }
    const found = weights.info(key).shape;
    if (found.length === rank) return found;
    throw new CheckpointError(
      weights.label,
      `'${key}' has shape [${found.join(', ')}], expected ${rank} dimensions`,
    );
  };
  const size = (what: string, value: number, range: Range): number =>
    inRange(weights.label, what, value, range);
  const tower = (prefix: string, width: number): TowerConfig => {
    const blocks = new RegExp(`^${prefix}transformer\\.resblocks\\.(\\d+)\\.attn\\.in_proj_weight$`);
    const [hidden = 0] = shape(`${prefix}transformer.resblocks.0.mlp.c_fc.weight`, 2);
    if (width % OPENAI_HEAD_WIDTH !== 0) {
      throw new CheckpointError(
        weights.label,
        `width ${width} is not a multiple of the head width ${OPENAI_HEAD_WIDTH}`,
      );
    }
    return {
      width,
      hidden,
      layers: size('layers', weights.names.filter((name) => blocks.test(name)).length, RANGES.layers),
      heads: size('heads', width / OPENAI_HEAD_WIDTH, RANGES.heads),
      activation: 'quick_gelu',
      eps: 1e-5,
    };
  };
  const [visionWidth = 0, , , patchSize = 0] = shape('visual.conv1.weight', 4);
  const [places = 0] = shape('visual.positional_embedding', 2);
  const [context = 0, textWidth = 0] = shape('positional_embedding', 2);
  return {
    embedding: shape('text_projection', 2)[1] ?? 0,
    vision: {
      ...tower('visual.', visionWidth),
      patchSize: size('patches', patchSize, RANGES.patch),
      imageSize: size('pictures', patchSize * Math.round(Math.sqrt(places - 1)), RANGES.imageSide),
    },
    text: {
      ...tower('', textWidth),
      vocabulary: shape('token_embedding.weight', 2)[0] ?? 0,
      context: size('texts', context, RANGES.textLength),
      endToken: 'largest',
    },
  };
}

// The sizes of a CLIP: from config.json for Hugging Face's layout (transformers' configuration_clip.py, defaults
// included), read off the weights for OpenAI's (clip/model.py, build_model).

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
  const top = new Fields(file, '', json);
  const vision = new Fields(file, 'vision_config.', towerFields(json, 'vision_config'));
  const text = new Fields(file, 'text_config.', towerFields(json, 'text_config'));
  const end = text.size('eos_token_id', 49407);
  return {
    embedding: top.size('projection_dim', 512),
    vision: towers.vision
      ? {
          ...tower(vision, { width: 768, hidden: 3072, heads: 12 }),
          imageSize: vision.size('image_size', 224),
          patchSize: vision.size('patch_size', 32),
        }
      : null,
    text: towers.text
      ? {
          ...tower(text, { width: 512, hidden: 2048, heads: 8 }),
          vocabulary: text.size('vocab_size', 49408),
          context: text.size('max_position_embeddings', 77),
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

function tower(fields: Fields, defaults: { width: number; hidden: number; heads: number }): TowerConfig {
  const width = fields.size('hidden_size', defaults.width);
  const heads = fields.size('num_attention_heads', defaults.heads);
  if (width % heads !== 0) {
    fields.fail('num_attention_heads', `(${heads}) does not divide hidden_size (${width})`);
  }
  return {
    width,
    heads,
    layers: fields.size('num_hidden_layers', 12),
    hidden: fields.size('intermediate_size', defaults.hidden),
    activation: fields.activation('hidden_act'),
    eps: fields.positive('layer_norm_eps', 1e-5),
  };
}

/** Typed access to the entries of a configuration, with errors that name file and entry. */
class Fields {
  readonly #file: string;
  readonly #prefix: string;
  readonly #json: JsonObject;

  constructor(file: string, prefix: string, json: JsonObject) {
    this.#file = file;
    this.#prefix = prefix;
    this.#json = json;
  }

  fail(name: string, fault: string): never {
    throw new CheckpointError(this.#file, `${this.#prefix}${name} ${fault}`);
  }

  /** A whole number from 1 on. */
  size(name: string, missing: number): number {
    const value = this.positive(name, missing);
    if (!Number.isSafeInteger(value)) this.fail(name, `should be a whole number, not ${value}`);
    return value;
  }

  positive(name: string, missing: number): number {
    const value = this.#json[name] ?? missing;
    if (typeof value === 'number' && value > 0 && Number.isFinite(value)) return value;
    return this.fail(name, `should be a number above 0, not ${JSON.stringify(value)}`);
  }

  activation(name: string): TowerConfig['activation'] {
    const value = this.#json[name] ?? 'quick_gelu';
    const found = ACTIVATIONS.find((known) => known === value);
    return found ?? this.fail(name, `is ${JSON.stringify(value)}; known are ${ACTIVATIONS.join(', ')}`);
  }
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
      layers: weights.names.filter((name) => blocks.test(name)).length,
      heads: width / OPENAI_HEAD_WIDTH,
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
      patchSize,
      imageSize: patchSize * Math.round(Math.sqrt(places - 1)),
    },
    text: {
      ...tower('', textWidth),
      vocabulary: shape('token_embedding.weight', 2)[0] ?? 0,
      context,
      endToken: 'largest',
    },
  };
}

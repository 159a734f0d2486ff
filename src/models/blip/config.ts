// The sizes of an ImageReward: read off the weights, the rest from med_config.json (BLIP's text encoder), and from a
// config.json beside it, which the official pair of files does not have, for models of other sizes.

import { join } from 'node:path';

import { CheckpointError } from '../../core/errors.js';
import { isObject, type JsonObject, readJsonFile, readOptionalJsonFile } from '../../core/json-file.js';
import type { TensorSource } from '../../runtime/weights/index.js';

/** The image tower (timm's ViT as in BLIP's models/vit.py). */
export interface BlipVisionConfig {
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  /** Width of the feed-forward layers. */
  readonly hidden: number;
  readonly eps: number;
  /** Side of the square picture in pixels. */
  readonly imageSize: number;
  readonly patchSize: number;
}

/** The text encoder (BLIP's models/med.py: BERT with cross-attention). */
export interface BlipTextConfig {
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly hidden: number;
  readonly eps: number;
  readonly vocabulary: number;
  /** The longest text that there are positions for. */
  readonly context: number;
  /** Width of the image tower, whose states the cross-attention reads. */
  readonly imageWidth: number;
}

/** A whole ImageReward. */
export interface ImageRewardConfig {
  readonly vision: BlipVisionConfig;
  readonly text: BlipTextConfig;
  /** Tokens that prompts are padded to and cut at. */
  readonly maxLength: number;
  /** What is taken off the head's number, and what the rest is divided by. */
  readonly mean: number;
  readonly deviation: number;
}

/** Constants of ImageReward/ImageReward.py that are not in the checkpoint. */
const OFFICIAL = { maxLength: 35, mean: 0.16717362830052426, deviation: 1.0333394966054072 };
/** BLIP's towers have heads of this width, in both sizes. */
const HEAD_WIDTH = 64;
const VISION_EPS = 1e-6;

/** BLIP's configuration of the text encoder. Throws CheckpointError. */
export function readMedConfig(folder: string): { readonly file: string; readonly med: JsonObject } {
  const file = join(folder, 'med_config.json');
  return { file, med: readJsonFile(file, 'it is published beside ImageReward.pt (THUDM/ImageReward)') };
}

/** Reads the sizes; `blip` are the tensors below `blip.`. Throws CheckpointError when files do not fit each other. */
export function readImageRewardConfig(folder: string, blip: TensorSource): ImageRewardConfig {
  const { file, med } = readMedConfig(folder);
  const extraFile = join(folder, 'config.json');
  const extra = readOptionalJsonFile(extraFile) ?? {};
  const tower = isObject(extra['visual_encoder']) ? extra['visual_encoder'] : {};
  const vision = visionConfig(extraFile, tower, blip);
  const text = textConfig(file, med, blip);
  const maxLength = positive(extraFile, extra, 'max_length', OFFICIAL.maxLength);
  if (maxLength > text.context) {
    throw new CheckpointError(
      blip.label,
      `has positions for ${text.context} tokens, and prompts are padded to ${maxLength}: ` +
        'a config.json beside it can give a smaller max_length',
    );
  }
  return {
    vision,
    text,
    maxLength,
    mean: number(extraFile, extra, 'reward_mean', OFFICIAL.mean),
    deviation: positive(extraFile, extra, 'reward_std', OFFICIAL.deviation),
  };
}

function visionConfig(file: string, tower: JsonObject, blip: TensorSource): BlipVisionConfig {
  const [width = 0, , patchSize = 0] = shapeOf(blip, 'visual_encoder.patch_embed.proj.weight', 4);
  const [, places = 0] = shapeOf(blip, 'visual_encoder.pos_embed', 3);
  const [hidden = 0] = shapeOf(blip, 'visual_encoder.blocks.0.mlp.fc1.weight', 2);
  const grid = Math.round(Math.sqrt(places - 1));
  if (grid < 1 || grid ** 2 !== places - 1) {
    throw new CheckpointError(blip.label, `has ${places} positions, which are no square and one more`);
  }
  return {
    width,
    hidden,
    patchSize,
    imageSize: grid * patchSize,
    layers: layerCount(blip, /^visual_encoder\.blocks\.(\d+)\.norm1\.weight$/),
    heads: headCount(file, width, positive(file, tower, 'num_heads', Math.max(1, width / HEAD_WIDTH))),
    eps: positive(file, tower, 'layer_norm_eps', VISION_EPS),
  };
}

function textConfig(file: string, med: JsonObject, blip: TensorSource): BlipTextConfig {
  const [vocabulary = 0, width = 0] = shapeOf(blip, 'text_encoder.embeddings.word_embeddings.weight', 2);
  const [context = 0] = shapeOf(blip, 'text_encoder.embeddings.position_embeddings.weight', 2);
  const [hidden = 0] = shapeOf(blip, 'text_encoder.encoder.layer.0.intermediate.dense.weight', 2);
  const cross = 'text_encoder.encoder.layer.0.crossattention.self.key.weight';
  const layers = layerCount(blip, /^text_encoder\.encoder\.layer\.(\d+)\.attention\.self\.query\.weight$/);
  for (const [name, found] of [['hidden_size', width], ['num_hidden_layers', layers]] as const) {
    const told = positive(file, med, name, found);
    if (told !== found) {
      throw new CheckpointError(file, `${name} is ${told}, but the weights have ${found}: the files do not belong together`);
    }
  } // prettier-ignore
  const activation = med['hidden_act'] ?? 'gelu';
  if (activation !== 'gelu') {
    throw new CheckpointError(file, `hidden_act is ${JSON.stringify(activation)}; only "gelu" is supported`);
  }
  return {
    width,
    layers,
    hidden,
    vocabulary,
    context,
    heads: headCount(
      file,
      width,
      positive(file, med, 'num_attention_heads', Math.max(1, width / HEAD_WIDTH)),
    ),
    eps: positive(file, med, 'layer_norm_eps', 1e-12),
    // The encoder_width of med_config.json is overwritten by the official code: the weights tell.
    imageWidth: shapeOf(blip, cross, 2)[1] ?? 0,
  };
}

function shapeOf(source: TensorSource, name: string, rank: number): readonly number[] {
  if (!source.has(name)) {
    throw new CheckpointError(source.label, `is no ImageReward: it has no tensor 'blip.${name}'`);
  }
  const { shape } = source.info(name);
  if (shape.length === rank) return shape;
  throw new CheckpointError(source.label, `'blip.${name}' has ${shape.length} dimensions, not ${rank}`);
}

function layerCount(source: TensorSource, pattern: RegExp): number {
  return source.names.filter((name) => pattern.test(name)).length;
}

function headCount(file: string, width: number, heads: number): number {
  if (Number.isInteger(heads) && width % heads === 0) return heads;
  throw new CheckpointError(file, `${heads} attention heads do not divide the width ${width}`);
}

function positive(file: string, json: JsonObject, name: string, missing: number): number {
  const value = number(file, json, name, missing);
  if (value > 0) return value;
  throw new CheckpointError(file, `${name} should be above 0, not ${value}`);
}

function number(file: string, json: JsonObject, name: string, missing: number): number {
  const value = json[name] ?? missing;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new CheckpointError(file, `${name} should be a number, not ${JSON.stringify(value)}`);
}

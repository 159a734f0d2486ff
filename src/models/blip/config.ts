// The sizes of an ImageReward: read off the weights, the rest from med_config.json (BLIP's text encoder), and from a
// config.json beside it, which the official pair of files does not have, for models of other sizes.

import { join } from 'node:path';

import { ConfigFields, inRange } from '../../core/config-fields.js';
import { RANGES } from '../../core/config-ranges.js';
import { CheckpointError } from '../../core/errors.js';
import { type JsonObject, readJsonFile, readOptionalJsonFile } from '../../core/json-file.js';
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
  const extra = new ConfigFields(extraFile, readOptionalJsonFile(extraFile) ?? {});
  const vision = visionConfig(extra.part('visual_encoder'), blip);
  const text = textConfig(new ConfigFields(file, med), blip);
  const maxLength = extra.whole('max_length', RANGES.textLength, OFFICIAL.maxLength);
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
    mean: extra.number('reward_mean', RANGES.rewardMean, OFFICIAL.mean),
    deviation: extra.number('reward_std', RANGES.rewardDeviation, OFFICIAL.deviation),
  };
}

function visionConfig(tower: ConfigFields, blip: TensorSource): BlipVisionConfig {
  const [width = 0, , patchSize = 0] = shapeOf(blip, 'visual_encoder.patch_embed.proj.weight', 4);
  const [, places = 0] = shapeOf(blip, 'visual_encoder.pos_embed', 3);
  const [hidden = 0] = shapeOf(blip, 'visual_encoder.blocks.0.mlp.fc1.weight', 2);
  const grid = Math.round(Math.sqrt(places - 1));
  const imageSize = inRange(blip.label, 'pictures', grid * patchSize, RANGES.imageSide);
  if (grid < 1 || grid ** 2 !== places - 1) {
    throw new CheckpointError(blip.label, `has ${places} positions, which are no square and one more`);
  }
  return {
    width: inRange(blip.label, 'image states', width, RANGES.width),
    hidden,
    patchSize,
    imageSize,
    layers: layerCount(blip, /^visual_encoder\.blocks\.(\d+)\.norm1\.weight$/),
    heads: headCount(tower, 'num_heads', width),
    eps: tower.number('layer_norm_eps', RANGES.epsilon, VISION_EPS),
  };
}

function textConfig(med: ConfigFields, blip: TensorSource): BlipTextConfig {
  const [vocabulary = 0, width = 0] = shapeOf(blip, 'text_encoder.embeddings.word_embeddings.weight', 2);
  const [context = 0] = shapeOf(blip, 'text_encoder.embeddings.position_embeddings.weight', 2);
  const [hidden = 0] = shapeOf(blip, 'text_encoder.encoder.layer.0.intermediate.dense.weight', 2);
  const cross = 'text_encoder.encoder.layer.0.crossattention.self.key.weight';
  const layers = layerCount(blip, /^text_encoder\.encoder\.layer\.(\d+)\.attention\.self\.query\.weight$/);
  for (const [name, found] of [['hidden_size', width], ['num_hidden_layers', layers]] as const) {
    const told = med.whole(name, RANGES.width, found);
    if (told !== found) {
      med.fail(name, `is ${told}, but the weights have ${found}: the files do not belong together`);
    }
  } // prettier-ignore
  med.choice('hidden_act', ['gelu'], 'gelu');
  return {
    width: inRange(blip.label, 'text states', width, RANGES.width),
    layers,
    hidden,
    vocabulary,
    context,
    heads: headCount(med, 'num_attention_heads', width),
    eps: med.number('layer_norm_eps', RANGES.epsilon, 1e-12),
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
  const count = source.names.filter((name) => pattern.test(name)).length;
  return inRange(source.label, 'layers', count, RANGES.layers);
}

function headCount(fields: ConfigFields, name: string, width: number): number {
  const heads = fields.whole(name, RANGES.heads, Math.max(1, width / HEAD_WIDTH));
  return width % heads === 0 ? heads : fields.fail(name, `(${heads}) does not divide the width ${width}`);
}

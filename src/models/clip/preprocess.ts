// Pictures to the input of an image tower, as OpenAI's `_transform` (clip/clip.py) makes it with torchvision and
// Pillow: shorter side resized bicubically with antialiasing, centre crop, scaled to 0..1, mean and deviation.

import { join } from 'node:path';

import { ConfigFields } from '../../core/config-fields.js';
import { RANGES } from '../../core/config-ranges.js';
import { CheckpointError } from '../../core/errors.js';
import type { Image } from '../../core/image.js';
import { isObject, readOptionalJsonFile } from '../../core/json-file.js';
import { resizeBicubic } from './resample.js';

/** How pictures are made ready. */
export interface Preprocessing {
  /** Length of the shorter side after resizing, in pixels. */
  readonly shorterSide: number;
  /** Side of the square that is cut out of the middle. */
  readonly size: number;
  /** Mean and deviation of red, green and blue, in 0..1. */
  readonly mean: readonly [number, number, number];
  readonly deviation: readonly [number, number, number];
}

/** OpenAI's mean and deviation, which nearly every CLIP uses (BLIP and ImageReward as well). */
export const CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073] as const;
/** See CLIP_MEAN. */
export const CLIP_DEVIATION = [0.26862954, 0.26130258, 0.27577711] as const;

/** The preprocessing of a folder: its preprocessor_config.json, or OpenAI's where there is none. Throws CheckpointError. */
export function readPreprocessing(folder: string, imageSize: number): Preprocessing {
  const file = join(folder, 'preprocessor_config.json');
  const json = readOptionalJsonFile(file) ?? {};
  const bicubic = json['resample'] ?? 3;
  if (bicubic !== 3) {
    throw new CheckpointError(file, `resample is ${JSON.stringify(bicubic)}; only 3 (bicubic) is supported`);
  }
  const fields = new ConfigFields(file, json);
  const size = sideOf(fields, 'crop_size', 'height', json['crop_size']) ?? imageSize;
  if (size !== imageSize) {
    throw new CheckpointError(file, `crops to ${size} pixels, but the image tower takes ${imageSize}`);
  }
  return {
    shorterSide: Math.max(size, sideOf(fields, 'size', 'shortest_edge', json['size']) ?? size),
    size,
    mean: triple(fields.list('image_mean', RANGES.mean, THREE)) ?? CLIP_MEAN,
    deviation: triple(fields.list('image_std', RANGES.deviation, THREE)) ?? CLIP_DEVIATION,
  };
}

const THREE = { least: 3, most: 3 };

/** `224`, as older files write it, or `{ "shortest_edge": 224 }`. */
function sideOf(fields: ConfigFields, name: string, key: string, entry: unknown): number | undefined {
  if (!isObject(entry)) return fields.has(name) ? fields.whole(name, RANGES.imageSide) : undefined;
  const part = fields.part(name);
  return part.has(key) ? part.whole(key, RANGES.imageSide) : undefined;
}

function triple(list: readonly number[] | undefined): [number, number, number] | undefined {
  return list as [number, number, number] | undefined;
}

/** Makes pictures of any size ready: [N, 3, size, size], red plane first. */
export function preprocess(images: readonly Image[], options: Preprocessing): Float32Array {
  const plane = options.size ** 2;
  const result = new Float32Array(images.length * 3 * plane);
  const tables = [0, 1, 2].map((channel) =>
    normalised(options.mean[channel] ?? 0, options.deviation[channel] ?? 1),
  );
  images.forEach((image, i) => {
    const { data } = fit(image, options);
    tables.forEach((table, channel) => {
      const to = (i * 3 + channel) * plane;
      for (let at = 0; at < plane; at++) result[to + at] = table[data[at * 3 + channel] as number] as number;
    });
  });
  return result;
}

/** The picture that torchvision's Resize(shorterSide, BICUBIC) and CenterCrop(size) give; the same one if it fits already. */
export function fit(image: Image, { shorterSide, size }: Pick<Preprocessing, 'shorterSide' | 'size'>): Image {
  const { width, height } = image;
  // The longer side is cut down to whole pixels, the offset of the crop rounded half to even, as Python does.
  const longer = Math.trunc((shorterSide * Math.max(width, height)) / Math.min(width, height));
  const resized =
    width <= height ? { width: shorterSide, height: longer } : { width: longer, height: shorterSide };
  const left = roundHalfToEven((resized.width - size) / 2);
  const top = roundHalfToEven((resized.height - size) / 2);
  return resizeBicubic(image, resized, { left, top, width: size, height: size });
}

function roundHalfToEven(x: number): number {
  const floor = Math.floor(x);
  return x - floor === 0.5 && floor % 2 === 0 ? floor : Math.round(x);
}

/** The 256 values of a channel, in the float32 steps of ToTensor and Normalize. */
function normalised(mean: number, deviation: number): Float32Array {
  const [m, d] = [Math.fround(mean), Math.fround(deviation)];
  return Float32Array.from({ length: 256 }, (_, byte) => Math.fround(Math.fround(byte / 255) - m) / d);
}

// A folder with an Infinity in it, as the embedded model is laid out: config.json, transformer.pth, vae.pth and
// text-encoder/. The names in config.json are the official ones.

import { join } from 'node:path';

import { CheckpointError } from '../../core/errors.js';
import { type JsonObject, readJsonFile } from '../../core/json-file.js';
import type { TransformerSizes } from './config.js';
import type { InfinityOptions } from './model.js';
import type { InfinityDefaults } from './options.js';
import {
  officialSchedule,
  PICTURE_SIZES,
  type PictureSize,
  type Scale,
  type ScaleSchedule,
} from './schedule.js';
import type { InfinityFacts } from './steps.js';

/** The part of config.json that says how the model is run. */
export interface InfinityFolderConfig {
  readonly schedule: ScaleSchedule;
  readonly cfgInsertionLayer: readonly number[];
  readonly defaults: InfinityDefaults;
}

/** Reads an Infinity's config.json; throws a CheckpointError that names the entry at fault. */
export function readInfinityConfig(path: string): InfinityFolderConfig {
  return parseInfinityConfig(readJsonFile(path), path);
}

/** As `readInfinityConfig`, from the parsed file. */
export function parseInfinityConfig(config: JsonObject, path: string): InfinityFolderConfig {
  const numbers = (name: string): readonly number[] => {
    const value = config[name];
    const list = Array.isArray(value) ? (value as unknown[]) : [value];
    if (list.length > 0 && list.every((item) => typeof item === 'number')) return list;
    throw new CheckpointError(path, `'${name}' has to be a number or a list of numbers`);
  };
  const oneOrMany = (name: string): number | readonly number[] => {
    const list = numbers(name);
    return list.length === 1 ? (list[0] ?? 0) : list;
  };
  return {
    schedule: scheduleOf(config, path),
    cfgInsertionLayer: numbers('cfg_insertion_layer'),
    defaults: { cfg: oneOrMany('cfg'), temperature: oneOrMany('tau') },
  };
}

/** Where the files of an Infinity folder are, and how to run it. */
export function infinityFolder(folder: string, name: string): InfinityOptions & InfinityFolderConfig {
  const config = join(folder, 'config.json');
  return {
    name,
    config,
    transformer: join(folder, 'transformer.pth'),
    vae: join(folder, 'vae.pth'),
    textEncoder: join(folder, 'text-encoder'),
    ...readInfinityConfig(config),
  };
}

/** What the config.json of an Infinity folder says of the model without its weights; throws a CheckpointError. */
export function infinityFacts(folder: string, name: string): InfinityFacts {
  const path = join(folder, 'config.json');
  const config = readJsonFile(path);
  const { schedule, defaults } = parseInfinityConfig(config, path);
  return { name, schedule, defaults, ...sizesOf(config, path) };
}

function sizesOf(
  config: JsonObject,
  path: string,
): { readonly sizes: TransformerSizes; readonly tokenPixels: number } {
  const size = (name: string): number => {
    const value = config[name];
    if (Number.isSafeInteger(value) && Number(value) > 0) return value as number;
    throw new CheckpointError(path, `'${name}' has to be a whole number above 0`);
  };
  const width = size('embed_dim');
  // With spatial patchify a token covers 2 x 2 places of the latent.
  const patch = config['apply_spatial_patchify'] === true ? 2 : 1;
  const hidden = size('mlp_ratio') * width;
  const sizes = { depth: size('depth'), width, hidden, bits: size('codebook_dim') * patch * patch };
  return { sizes, tokenPixels: size('vae_patch_size') * patch };
}

/** The schedule, and what its rotary positions are stretched to: the ratio's 1M schedule where it is an official one. */
function scheduleOf(config: JsonObject, path: string): ScaleSchedule {
  const scales = gridList(config['scale_schedule']);
  if (!scales) throw new CheckpointError(path, "'scale_schedule' has to be a list of [height, width]");
  const { pn, aspect_ratio_h_div_w: ratio } = config;
  if (typeof pn !== 'string' || typeof ratio !== 'number') return { scales, rotary: scales };
  if (!Object.hasOwn(PICTURE_SIZES, pn)) {
    throw new CheckpointError(path, `'pn' is '${pn}', not one of ${Object.keys(PICTURE_SIZES).join(', ')}`);
  }
  return { scales, rotary: officialSchedule(pn as PictureSize, ratio).rotary };
}

/** A list of [height, width] as scales; null for anything else. */
export function gridList(value: unknown): Scale[] | null {
  if (!Array.isArray(value) || value.length === 0) return null;
  const scales = (value as unknown[]).map((pair) => {
    const [height, width] = Array.isArray(pair) ? (pair as unknown[]) : [];
    return { height, width };
  });
  const sane = (side: unknown): side is number => Number.isInteger(side) && (side as number) > 0;
  return scales.every((scale): scale is Scale => sane(scale.height) && sane(scale.width)) ? scales : null;
}

// A folder with an Infinity in it, as the embedded model is laid out: config.json, transformer.pth, vae.pth and
// text-encoder/. The names in config.json are the official ones.

import { join } from 'node:path';

import { ConfigFields } from '../../core/config-fields.js';
import { RANGES } from '../../core/config-ranges.js';
import { CheckpointError } from '../../core/errors.js';
import { type JsonObject, readJsonFile } from '../../core/json-file.js';
import type { VaeSizes } from '../vae/cost.js';
import type { InfinityOptions } from './model.js';
import type { InfinityDefaults } from './options.js';
import {
  officialSchedule,
  PICTURE_SIZES,
  type PictureSize,
  type Scale,
  type ScaleSchedule,
  tokensBefore,
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
  const fields = new ConfigFields(path, config);
  const scales = RANGES.scales.most;
  const first = 1 - fields.whole('depth', RANGES.layers, RANGES.layers.most);
  const insertion = [fields.oneOrMany('cfg_insertion_layer', { least: first, most: 0 }, scales)].flat();
  if (!insertion.every(Number.isInteger)) {
    fields.fail('cfg_insertion_layer', `should be whole numbers, not ${insertion.join(', ')}`);
  }
  return {
    schedule: scheduleOf(config, path),
    cfgInsertionLayer: insertion,
    defaults: {
      cfg: fields.oneOrMany('cfg', RANGES.guidance, scales),
      temperature: fields.oneOrMany('tau', RANGES.temperature, scales),
    },
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

function sizesOf(config: JsonObject, path: string): Pick<InfinityFacts, 'sizes' | 'tokenPixels' | 'decoder'> {
  const fields = new ConfigFields(path, config);
  const width = fields.whole('embed_dim', RANGES.width);
  // With spatial patchify a token covers 2 x 2 places of the latent.
  const patch = config['apply_spatial_patchify'] === true ? 2 : 1;
  const hidden = fields.whole('mlp_ratio', RANGES.ratio) * width;
  const channels = fields.whole('codebook_dim', RANGES.bits);
  const bits = channels * patch * patch;
  const depth = fields.whole('depth', RANGES.layers);
  const heads = fields.whole('num_heads', RANGES.heads);
  return {
    sizes: { depth, width, heads, hidden, bits },
    tokenPixels: fields.whole('vae_patch_size', RANGES.patch) * patch,
    decoder: vaeOf(fields, channels),
  };
}

/** The decoder's sizes, where they are told: drawing reads them off the weights. */
function vaeOf(fields: ConfigFields, channels: number): VaeSizes | undefined {
  const base = fields.optional('vae_base_channels', RANGES.width);
  const multipliers = fields.list('vae_channel_multipliers', RANGES.ratio, RANGES.levelsOfVae);
  const blocks = fields.optional('vae_num_res_blocks', RANGES.blocksOfLevel);
  if (base === undefined || blocks === undefined || !multipliers) return undefined;
  return { channels, base, multipliers, blocks, attention: false };
}

/** The schedule, and what its rotary positions are stretched to: the ratio's 1M schedule where it is an official one. */
function scheduleOf(config: JsonObject, path: string): ScaleSchedule {
  const scales = gridList(config['scale_schedule']);
  if (!scales) {
    throw new CheckpointError(
      path,
      `'scale_schedule' has to be a list of at most ${RANGES.scales.most} [height, width] of 1 to ${RANGES.scaleSide.most} ` +
        `tokens, ${RANGES.scaleTokens.most} of them together`,
    );
  }
  const { pn } = config;
  const ratio = new ConfigFields(path, config).optional('aspect_ratio_h_div_w', RANGES.aspect);
  if (typeof pn !== 'string' || ratio === undefined) return { scales, rotary: scales };
  if (!Object.hasOwn(PICTURE_SIZES, pn)) {
    throw new CheckpointError(path, `'pn' is '${pn}', not one of ${Object.keys(PICTURE_SIZES).join(', ')}`);
  }
  return { scales, rotary: officialSchedule(pn as PictureSize, ratio).rotary };
}

/** A list of [height, width] as scales; null for anything else, and for more than any model draws. */
export function gridList(value: unknown): Scale[] | null {
  if (!Array.isArray(value) || value.length === 0 || value.length > RANGES.scales.most) return null;
  const scales = (value as unknown[]).map((pair) => {
    const [height, width] = Array.isArray(pair) ? (pair as unknown[]) : [];
    return { height, width };
  });
  const { least, most } = RANGES.scaleSide;
  const sane = (side: unknown): side is number =>
    Number.isInteger(side) && (side as number) >= least && (side as number) <= most;
  if (!scales.every((scale): scale is Scale => sane(scale.height) && sane(scale.width))) return null;
  return tokensBefore(scales, scales.length) <= RANGES.scaleTokens.most ? scales : null;
}

// What is known of a FLUX without reading a weight: from the headers of its files where they are there, from its config.json
// where they are not, or of the official models.

import { existsSync } from 'node:fs';

import { ConfigFields } from '../../core/config-fields.js';
import { RANGES } from '../../core/config-ranges.js';
import { CheckpointError } from '../../core/errors.js';
import { readJsonFile, readOptionalJsonFile } from '../../core/json-file.js';
import { openWeights } from '../../runtime/weights/index.js';
import type { VaeSizes } from '../vae/cost.js';
import { configFromParams, FLUX_DEV, type FluxConfig, fluxConfig } from './config.js';
import { type FluxKind, type FluxOptions, OFFICIAL_DEFAULTS, TEXT_LENGTH } from './folder.js';
import { autoencoderTensors, fluxTensors } from './names.js';
import type { FluxFacts } from './options.js';
import { PATCH } from './packing.js';
import { DEV_SHIFT } from './schedule.js';

/** The autoencoder of all official models (flux/util.py). */
const OFFICIAL_VAE: VaeSizes = {
  channels: 16,
  base: 128,
  multipliers: [1, 2, 4, 4],
  blocks: 2,
  attention: true,
};

/** The facts of an official model. */
export function officialFacts(name: string, kind: FluxKind): FluxFacts {
  return {
    name,
    config: { ...FLUX_DEV, guidance: kind === 'dev' },
    tokenPixels: 16,
    decoder: OFFICIAL_VAE,
    textLength: TEXT_LENGTH[kind],
    shift: kind === 'dev' ? DEV_SHIFT : null,
    defaults: OFFICIAL_DEFAULTS[kind],
  };
}

/** The facts of a folder's FLUX. Throws CheckpointError where files are missing, of another model, or contradict the settings. */
export function fluxFacts(options: FluxOptions): FluxFacts {
  return { ...settingsOf(options), ...sizesOf(options), decoder: vaeOf(options) };
}

/** Those of the facts that the files of the weights do not say. */
export function settingsOf({
  name,
  textLength,
  shift,
  defaults,
  oneSize,
}: FluxOptions): Omit<FluxFacts, 'config' | 'tokenPixels' | 'decoder'> {
  return { name, textLength, shift, defaults, oneSize };
}

function sizesOf(options: FluxOptions): Pick<FluxFacts, 'config' | 'tokenPixels'> {
  const { transformer, autoencoder, hints, configs } = options;
  const path = configs['config'];
  if (!existsSync(transformer) && path !== undefined) {
    const json = new ConfigFields(path, readJsonFile(path));
    const { levelsOfVae } = RANGES;
    const levels = json.part('ae_params').list('ch_mult', RANGES.ratio, levelsOfVae)?.length ?? 0;
    return { config: configFromParams(json.part('params')), tokenPixels: tokenPixelsOf(levels) };
  }
  const source = openWeights(transformer);
  try {
    const config = fluxConfig(fluxTensors(source), hints);
    checkKind(source.label, config, options);
    return { config, tokenPixels: tokenPixelsOf(levelsOf(autoencoder)) };
  } finally {
    source.close();
  }
}

/** The decoder's sizes, where a config.json tells them (of Diffusers' layout none does). */
function vaeOf({ configs }: FluxOptions): VaeSizes | undefined {
  const path = configs['config'];
  const json = path === undefined ? undefined : readOptionalJsonFile(path);
  if (path === undefined || !json) return undefined;
  const fields = new ConfigFields(path, json).part('ae_params');
  const base = fields.optional('ch', RANGES.width);
  const multipliers = fields.list('ch_mult', RANGES.ratio, RANGES.levelsOfVae);
  const blocks = fields.optional('num_res_blocks', RANGES.blocksOfLevel);
  const channels = fields.optional('z_channels', RANGES.width);
  if (base === undefined || blocks === undefined || channels === undefined || !multipliers) return undefined;
  return { channels, base, multipliers, blocks, attention: true };
}

/** The autoencoder's last level is as fine as the picture, each before it half as fine. */
const tokenPixelsOf = (levels: number): number => PATCH * 2 ** (levels - 1);

function levelsOf(autoencoder: string): number {
  const source = openWeights(autoencoder);
  try {
    const { names } = autoencoderTensors(source);
    return new Set(names.flatMap((name) => /^decoder\.up\.(\d+)\./.exec(name)?.[1] ?? [])).size;
  } finally {
    source.close();
  }
}

/** Throws a CheckpointError where the settings are those of the other kind: the weights say whether guidance is an input. */
export function checkKind(file: string, { guidance }: FluxConfig, { defaults }: FluxOptions): void {
  if (guidance === (defaults.guidance !== null)) return;
  throw new CheckpointError(
    file,
    guidance
      ? "has a guidance embedding (it is a FLUX.1-dev) and is to run with schnell's settings: as a single file call it " +
          'flux1-dev.safetensors and say no "guidance": null in config.json; in Diffusers\' layout say "guidance_embeds": true'
      : "has no guidance embedding (it is a FLUX.1-schnell) and is to run with dev's settings: as a single file call it " +
          'flux1-schnell.safetensors, or say "guidance": null in config.json; in Diffusers\' layout say "guidance_embeds": false',
  );
}

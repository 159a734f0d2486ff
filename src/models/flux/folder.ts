// Folders with a FLUX in them: where the files are, and how the model is run. Two layouts are read: Diffusers' (transformer/,
// vae/, scheduler/, text_encoder/, ...), and single files under the official names beside a config.json whose entries are
// those of the official code's ModelSpec (params, ae_params, ...), as the embedded model has them.

import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { ConfigFields } from '../../core/config-fields.js';
import { RANGES } from '../../core/config-ranges.js';
import { CheckpointError } from '../../core/errors.js';
import { readJsonFile, readOptionalJsonFile } from '../../core/json-file.js';
import { type LatentScaling, OFFICIAL_SCALING } from './autoencoder.js';
import type { FluxHints } from './config.js';
import type { FluxDefaults } from './options.js';
import { DEV_SHIFT, type Shift } from './schedule.js';

/** A text encoder's weights and the tokenizer that belongs to them: folders, often the same. */
export interface EncoderFiles {
  readonly weights: string;
  readonly tokenizer: string;
}

/** The files of a FLUX, and what they do not say themselves. */
export interface FluxOptions {
  readonly name: string;
  readonly transformer: string;
  readonly autoencoder: string;
  /** Without them only given text states can be used. */
  readonly text?: { readonly t5: EncoderFiles; readonly clip: EncoderFiles };
  readonly hints: FluxHints;
  readonly scaling: LatentScaling;
  /** null: the times are not moved. */
  readonly shift: Shift | null;
  /** Length that T5's tokens are padded to. */
  readonly textLength: number;
  readonly defaults: FluxDefaults;
  /** Whether pictures of the default size are all that it draws. @default false */
  readonly oneSize?: boolean;
  /** Bytes that prefixes and a running step may take. @default 2 GiB */
  readonly memory?: number;
}

/** The official lengths of padded text. */
export const TEXT_LENGTH = { dev: 512, schnell: 256 } as const;

const DEFAULTS = {
  dev: { steps: 28, guidance: 3.5, cfg: 1, height: 1024, width: 1024 },
  schnell: { steps: 4, guidance: null, cfg: 1, height: 1024, width: 1024 },
} as const;

/** Finds the files of a folder in either layout and reads their configurations. Throws CheckpointError, naming the entry at fault. */
export function fluxFolder(folder: string, name: string): FluxOptions {
  return existsSync(join(folder, 'transformer'))
    ? diffusersFolder(folder, name)
    : officialFolder(folder, name);
}

function diffusersFolder(folder: string, name: string): FluxOptions {
  const model = reader(join(folder, 'transformer', 'config.json'));
  const vae = reader(join(folder, 'vae', 'config.json'));
  const scheduler = reader(join(folder, 'scheduler', 'scheduler_config.json'));
  const kind = model.flag('guidance_embeds', false) ? 'dev' : 'schnell';
  const clip = join(folder, 'text_encoder');
  const t5 = join(folder, 'text_encoder_2');
  return {
    name,
    transformer: join(folder, 'transformer'),
    autoencoder: join(folder, 'vae'),
    ...(existsSync(clip) && existsSync(t5)
      ? {
          text: {
            clip: { weights: clip, tokenizer: join(folder, 'tokenizer') },
            t5: { weights: t5, tokenizer: join(folder, 'tokenizer_2') },
          },
        }
      : {}),
    hints: { axes: axes(model, 'axes_dims_rope') },
    scaling: scaling(vae, 'scaling_factor'),
    shift: scheduler.flag('use_dynamic_shifting', false) ? shift(scheduler) : null,
    textLength: TEXT_LENGTH[kind],
    defaults: DEFAULTS[kind],
  };
}

/** Names of the transformer's file, best first. */
const TRANSFORMERS = ['flux.safetensors', 'flux1-dev.safetensors', 'flux1-schnell.safetensors'];

function officialFolder(folder: string, name: string): FluxOptions {
  const found = TRANSFORMERS.find((file) => existsSync(join(folder, file)));
  if (found === undefined) {
    throw new CheckpointError(
      folder,
      `holds no FLUX: neither a folder transformer/ (Diffusers) nor one of ${TRANSFORMERS.join(', ')}`,
    );
  }
  const path = join(folder, 'config.json');
  const json = readOptionalJsonFile(path) ?? {};
  const top = new ConfigFields(path, json);
  const params = top.part('params');
  const schnell = found.includes('schnell') || json['guidance'] === null || json['shift'] === false;
  const usual = DEFAULTS[schnell ? 'schnell' : 'dev'];
  const [t5, clip] = [join(folder, 'text-encoder'), join(folder, 'clip-text')];
  return {
    name,
    transformer: join(folder, found),
    autoencoder: join(folder, 'ae.safetensors'),
    ...(existsSync(t5) && existsSync(clip)
      ? { text: { t5: { weights: t5, tokenizer: t5 }, clip: { weights: clip, tokenizer: clip } } }
      : {}),
    hints: { axes: axes(params, 'axes_dim'), theta: params.optional('theta', RANGES.theta) },
    scaling: scaling(top.part('ae_params'), 'scale_factor'),
    shift: top.flag('shift', !schnell) ? shift(top) : null,
    oneSize: top.flag('one_size', false),
    textLength: top.whole('text_length', RANGES.textLength, TEXT_LENGTH[schnell ? 'schnell' : 'dev']),
    defaults: {
      steps: top.whole('num_steps', RANGES.steps, usual.steps),
      guidance:
        json['guidance'] === null ? null : (top.optional('guidance', RANGES.guidance) ?? usual.guidance),
      cfg: top.number('cfg', RANGES.guidance, usual.cfg),
      height: top.whole('height', RANGES.pixels, usual.height),
      width: top.whole('width', RANGES.pixels, usual.width),
    },
  };
}

function reader(path: string): ConfigFields {
  const remedy = "it comes with the model's other files, fetch it from the same place";
  return new ConfigFields(path, readJsonFile(path, remedy));
}

/** The shares of the rotary axes, three of them. */
function axes(fields: ConfigFields, name: string): readonly number[] | undefined {
  return fields.list(name, RANGES.axis, { least: 3, most: 3 });
}

function scaling(fields: ConfigFields, name: string): LatentScaling {
  return {
    scale: fields.number(name, RANGES.latentScale, OFFICIAL_SCALING.scale),
    shift: fields.number('shift_factor', RANGES.latentShift, OFFICIAL_SCALING.shift),
  };
}

function shift(fields: ConfigFields): Shift {
  return {
    base: fields.number('base_shift', RANGES.shift, DEV_SHIFT.base),
    max: fields.number('max_shift', RANGES.shift, DEV_SHIFT.max),
  };
}

// Folders with a FLUX in them: where the files are, and how the model is run. Two layouts are read: Diffusers' (transformer/,
// vae/, scheduler/, text_encoder/, ...), and single files under the official names beside a config.json whose entries are
// those of the official code's ModelSpec (params, ae_params, ...), as the embedded model has them; official files need none.

import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { ConfigFields } from '../../core/config-fields.js';
import { RANGES } from '../../core/config-ranges.js';
import { CheckpointError } from '../../core/errors.js';
import { isObject, readJsonFile, readOptionalJsonFile } from '../../core/json-file.js';
import type { Precision } from '../../runtime/graph/index.js';
import { type LatentScaling, OFFICIAL_SCALING } from './autoencoder.js';
import type { FluxHints } from './config.js';
import type { FluxDefaults } from './options.js';
import { DEV_SHIFT, type Shift } from './schedule.js';

/** A text encoder's weights and the tokenizer that belongs to them: folders, often the same. */
export interface EncoderFiles {
  readonly weights: string;
  readonly tokenizer: string;
}

/** The text encoders of a FLUX. */
export interface TextFiles {
  readonly t5: EncoderFiles;
  readonly clip: EncoderFiles;
}

/** The two kinds: dev takes guidance as an input, schnell takes none. */
export type FluxKind = 'dev' | 'schnell';

/** The files of a FLUX, and what they do not say themselves. */
export interface FluxOptions {
  readonly name: string;
  /** Whose settings these are; the weights have to be of that kind. */
  readonly kind: FluxKind;
  readonly transformer: string;
  readonly autoencoder: string;
  /** Without them only given text states can be used. */
  readonly text?: TextFiles;
  /** The configurations that are there, by name, for hashes. */
  readonly configs: Readonly<Record<string, string>>;
  readonly hints: FluxHints;
  readonly scaling: LatentScaling;
  /** By the size of the picture, by one factor, or null: the times are not moved. */
  readonly shift: Shift | number | null;
  /** Length that T5's tokens are padded to. */
  readonly textLength: number;
  readonly defaults: FluxDefaults;
  /** Whether pictures of the default size are all that it draws. @default false */
  readonly oneSize?: boolean;
  /** Bytes that prefixes and a running step may take. @default 2 GiB */
  readonly memory?: number;
  /** Of the transformer's blocks and of T5. @default float32 */
  readonly precision?: Precision;
}

/** The official lengths of padded text. */
export const TEXT_LENGTH = { dev: 512, schnell: 256 } as const;

/** How the official models are run where nobody says otherwise. */
export const OFFICIAL_DEFAULTS = {
  dev: { steps: 28, guidance: 3.5, cfg: 1, height: 1024, width: 1024 },
  schnell: { steps: 4, guidance: null, cfg: 1, height: 1024, width: 1024 },
} as const satisfies Record<FluxKind, FluxDefaults>;

/** Names of the transformer's file in the official layout: of files in float8 people have made many. */
const TRANSFORMER = /^flux.*\.safetensors$/i;
const NAMES = 'flux.safetensors, flux1-dev.safetensors or flux1-schnell.safetensors';

/** Files of a folder that are called as a FLUX transformer is; none where there is no folder. */
function transformersIn(folder: string): readonly string[] {
  const isFolder = statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  return isFolder
    ? readdirSync(folder)
        .filter((name) => TRANSFORMER.test(name))
        .sort()
    : [];
}

/** Whether a folder is laid out as one of FLUX's, whatever its files hold. */
export function isFluxFolder(folder: string): boolean {
  return (
    existsSync(join(folder, 'transformer')) ||
    transformersIn(folder).length > 0 ||
    isObject(readOptionalJsonFile(join(folder, 'config.json'))?.['ae_params'])
  );
}

/** The first of a FLUX's files that is not there, and what to do; true where all of them are. */
export function missingOf({ transformer, autoencoder, text }: FluxOptions): true | string {
  const weights = [transformer, autoencoder].find((path) => !existsSync(path));
  if (weights !== undefined) return `${weights} is missing`;
  return text ? true : `a text encoder is missing: ${TEXT_REMEDY}`;
}

/** Finds the files of a folder in either layout and reads their configurations. Throws CheckpointError, naming the entry at fault. */
export function fluxFolder(folder: string, name: string): FluxOptions {
  return existsSync(join(folder, 'transformer'))
    ? diffusersFolder(folder, name)
    : officialFolder(folder, name);
}

/** Where the text encoders may lie: as the embedded model has them, or as in the official repositories. */
const ENCODERS = {
  t5: [
    ['text-encoder', 'text-encoder'],
    ['text_encoder_2', 'tokenizer_2'],
  ],
  clip: [
    ['clip-text', 'clip-text'],
    ['text_encoder', 'tokenizer'],
  ],
} as const;

/** What to do where a text encoder is missing. */
export const TEXT_REMEDY =
  'put T5 v1.1 XXL beside the weights as text-encoder/ (or text_encoder_2/ and tokenizer_2/), ' +
  'and CLIP ViT-L/14 as clip-text/ (or text_encoder/ and tokenizer/)';

/** The text encoders of a folder; nothing where one is missing. */
function textIn(folder: string): { readonly text?: TextFiles } {
  const find = (places: readonly (readonly [weights: string, tokenizer: string])[]): EncoderFiles | null => {
    const found = places.find(([weights]) => existsSync(join(folder, weights)));
    return found ? { weights: join(folder, found[0]), tokenizer: join(folder, found[1]) } : null;
  };
  const [t5, clip] = [find(ENCODERS.t5), find(ENCODERS.clip)];
  return t5 && clip ? { text: { t5, clip } } : {};
}

function diffusersFolder(folder: string, name: string): FluxOptions {
  const configs = {
    'transformer/config': join(folder, 'transformer', 'config.json'),
    'autoencoder/config': join(folder, 'vae', 'config.json'),
    'scheduler/config': join(folder, 'scheduler', 'scheduler_config.json'),
  };
  const model = required(configs['transformer/config']);
  const vae = required(configs['autoencoder/config']);
  const scheduler = required(configs['scheduler/config']);
  const kind = model.flag('guidance_embeds', false) ? 'dev' : 'schnell';
  const factor = scheduler.number('shift', SHIFT_FACTOR, 1);
  return {
    name,
    kind,
    transformer: join(folder, 'transformer'),
    autoencoder: join(folder, 'vae'),
    ...textIn(folder),
    configs,
    hints: { axes: axes(model, 'axes_dims_rope') },
    scaling: scaling(vae, 'scaling_factor'),
    shift: scheduler.flag('use_dynamic_shifting', false) ? shift(scheduler) : factor === 1 ? null : factor,
    textLength: TEXT_LENGTH[kind],
    defaults: OFFICIAL_DEFAULTS[kind],
  };
}

/** What config.json says of guidance goes before what names suggest. */
function kindOf(guidance: number | null | undefined, namedSchnell: boolean): FluxKind {
  if (guidance === undefined) return namedSchnell ? 'schnell' : 'dev';
  return guidance === null ? 'schnell' : 'dev';
}

function officialFolder(folder: string, name: string): FluxOptions {
  const [file, ...others] = transformersIn(folder);
  const path = join(folder, 'config.json');
  const json = readOptionalJsonFile(path);
  if (file === undefined && json === undefined) {
    throw new CheckpointError(
      folder,
      `holds no FLUX: neither a folder transformer/ (Diffusers) nor ${NAMES}`,
    );
  }
  if (others.length > 0) {
    throw new CheckpointError(
      folder,
      `holds several transformers (${[file, ...others].join(', ')}): give each a folder of its own`,
    );
  }
  const top = new ConfigFields(path, json ?? {});
  const params = top.part('params');
  const guidance = json?.['guidance'] === null ? null : top.optional('guidance', RANGES.guidance);
  const kind = kindOf(guidance, file?.includes('schnell') === true || !top.flag('shift', true));
  const usual = OFFICIAL_DEFAULTS[kind];
  return {
    name,
    kind,
    transformer: join(folder, file ?? 'flux.safetensors'),
    autoencoder: join(folder, 'ae.safetensors'),
    ...textIn(folder),
    configs: { config: path },
    hints: { axes: axes(params, 'axes_dim'), theta: params.optional('theta', RANGES.theta) },
    scaling: scaling(top.part('ae_params'), 'scale_factor'),
    shift: top.flag('shift', kind === 'dev') ? shift(top) : null,
    oneSize: top.flag('one_size', false),
    textLength: top.whole('text_length', RANGES.textLength, TEXT_LENGTH[kind]),
    defaults: {
      steps: top.whole('num_steps', RANGES.steps, usual.steps),
      guidance: guidance === undefined ? usual.guidance : guidance,
      cfg: top.number('cfg', RANGES.guidance, usual.cfg),
      height: top.whole('height', RANGES.pixels, usual.height),
      width: top.whole('width', RANGES.pixels, usual.width),
    },
  };
}

/** A factor of times: SD3 3, FLUX.1-schnell 1. */
const SHIFT_FACTOR = { least: 1e-3, most: 1e3 };

function required(path: string): ConfigFields {
  return new ConfigFields(
    path,
    readJsonFile(path, "it comes with the model's other files, fetch it from the same place"),
  );
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

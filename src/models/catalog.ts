// The image models by name: what each is, under which licence, whether its files are there, and how to load it.

import { existsSync } from 'node:fs';
import { basename, join, resolve as absolute } from 'node:path';

import { assetPath, modelsFolder } from '../core/assets.js';
import { CheckpointError, UsageError } from '../core/errors.js';
import { given } from '../core/given.js';
import { didYouMean } from '../core/nearest.js';
import type { OptionTable, OptionValues } from '../core/options.js';
import { findPart, type HubPart, type HubSet, isBegun, namesOf } from '../hub/index.js';
import type { Precision } from '../runtime/graph/index.js';
import { type RuntimeChoice, withRuntime } from '../runtime/index.js';
import { checkPrompt } from '../toybox/world/prompt-check.js';
import type { ImageModel, Readout, Schedule } from './contract.js';
import { fluxWeightBytes } from './flux/cost.js';
import { fluxFacts, officialFacts } from './flux/facts.js';
import { fluxFolder, type FluxOptions, isFluxFolder, missingOf } from './flux/folder.js';
import { openFlux } from './flux/model.js';
import { licenceOf, OFFICIAL_FLUX, type OfficialFlux } from './flux/official.js';
import { FLUX_DRAWING, FLUX_OPTIONS, type FluxFacts, resolveFlux } from './flux/options.js';
import { fluxScheduleOf } from './flux/steps.js';
import { blockMatrices } from './infinity/cost.js';
import { infinityFacts, infinityFolder } from './infinity/folder.js';
import { type InfinityOptions, openInfinity } from './infinity/model.js';
import { OFFICIAL_INFINITIES, type OfficialInfinity } from './infinity/official.js';
import { INFINITY_OPTIONS, resolveInfinity } from './infinity/options.js';
import { type InfinityFacts, scheduleFromFacts } from './infinity/steps.js';
import {
  FLAN_T5_XL,
  FLAN_T5_XL_ENCODER_BYTES,
  FLAN_T5_XL_SIZES,
  T5_XXL_SIZES,
  t5Matrices,
} from './t5/files.js';
import { decoderFlops, type VaeSizes } from './vae/cost.js';
import { savedBytes } from './weight-bytes.js';

/** What loading a model may be given. */
export interface ModelLoadOptions extends RuntimeChoice {
  /** Bytes that prefixes and a running step may take. @default 2 GiB */
  readonly memory?: number;
  /** @default float32 */
  readonly precision?: Precision;
}

/** A model that can be asked for by name. */
export interface ModelEntry {
  readonly name: string;
  readonly description: string;
  /** Of the weights; the code is under varsearch's own licence. */
  readonly licence: string;
  /** The options that are this model's own. */
  readonly options: OptionTable;
  /** Given options with the model's defaults filled in, without loading it; a UsageError where they cannot be. */
  resolve(options: OptionValues): OptionValues;
  /** The schedule with these options, for a prompt of usual length, without loading it. @default the model's options */
  schedule(options?: OptionValues): Schedule;
  /** Options with which more of its steps draw than usually, as a loaded one has them (contract.ts). @default none */
  readonly drawing?: OptionValues;
  /** Floating-point operations of decoding a picture of so many pixels; null where only its weights tell. @default not known */
  decoderFlops?(picture: Pick<Readout, 'width' | 'height'>): number | null;
  /** What its pictures show: the toybox world, anything, or what nobody has told. */
  readonly world: 'toybox' | 'any' | 'unknown';
  /** The verifier for it where none is named; null where nobody knows who could judge its pictures. */
  readonly verifier: string | null;
  /** Bytes of its weights in the engine, about: text encoder and VAE included. @default not known */
  readonly weightBytes?: (precision: Precision) => number;
  /** Bytes that its decoder takes for a pixel, about. @default not known */
  readonly decoderPixelBytes?: number;
  /** The same of a decoder of its own for unfinished pictures. @default there is none in this precision */
  readonly previewBytes?: (precision: Precision) => PreviewBytes | undefined;
  /** The files that `varsearch pull` fetches. @default there is nothing to fetch */
  readonly hub?: HubSet;
  /** True, or what is missing and where it comes from, in one line. */
  installed(): true | string;
  /** Loads it; the caller closes it. Throws CheckpointError when files are missing or wrong. */
  load(options?: ModelLoadOptions): Promise<ImageModel>;
  /** A warning about a prompt that the model cannot draw, or null. */
  checkPrompt?(prompt: string): string | null;
}

/** Bytes of a decoder of unfinished pictures, about. */
export interface PreviewBytes {
  readonly weights: number;
  /** For a pixel, while it decodes. */
  readonly pixel: number;
}

const toyboxFolder = assetPath('toybox');
const flowFolder = assetPath('toybox-flow');

/** The embedded FLUX reads prompts with the embedded Infinity's text encoder, which ships once. */
function flowOptions(): FluxOptions {
  const options = fluxFolder(flowFolder, 'toybox-flow');
  const t5 = join(toyboxFolder, 'text-encoder');
  const clip = join(flowFolder, 'clip-text');
  return {
    ...options,
    text: { t5: { weights: t5, tokenizer: t5 }, clip: { weights: clip, tokenizer: clip } },
  };
}

/** Bytes of an official VAE's decoder, about. */
const VAE_BYTES = 0.25e9;

/** What it takes for a pixel: 0.24 to 0.27 GB were measured at 256 pixels, 1.05 GB at 512, 3.2 GB at 1024. */
const VAE_PIXEL_BYTES = 3500;

/** The same of FLUX's, whose norms' moments are found from what is left after the mean: 4.0 GB were measured at 1024. */
const FLUX_PIXEL_BYTES = 3900;

/** The same of the decoder in 8 bits: 0.42 GB were measured at 256 pixels, 1.68 at 512. */
const PREVIEW_BYTES: PreviewBytes = { weights: 0.07e9, pixel: 6400 };

function official(facts: OfficialInfinity): ModelEntry {
  const { name, description, sizes, decoder, size } = facts;
  // What tools/run_infinity.py does where nothing is said: --cfg 3, --tau 1, and the top_p of gen_one_img. Its top_k of 900
  // keeps both values of a bit.
  const run = {
    name,
    schedule: 'official',
    pictureSize: size,
    defaults: { cfg: 3, temperature: 1, topP: 0.97 },
  } as const;
  const files = officialFiles(facts);
  return {
    name,
    description,
    licence: 'MIT',
    world: 'any',
    verifier: 'clip-score-l14',
    hub: { parts: [facts.transformer, facts.vae, FLAN_T5_XL] },
    decoderPixelBytes: VAE_PIXEL_BYTES,
    previewBytes: (precision) => (precision === 'int8' ? PREVIEW_BYTES : undefined),
    weightBytes: (precision) =>
      (facts.transformer.bytes ?? 0) -
      savedBytes(blockMatrices(sizes), precision) +
      VAE_BYTES +
      FLAN_T5_XL_ENCODER_BYTES -
      savedBytes(t5Matrices(FLAN_T5_XL_SIZES), precision),
    // A token covers 16 x 16 pixels: a VAE that divides by 16, or by 8 and then patches of 2 x 2.
    ...describedInfinity(() => ({ ...run, sizes, tokenPixels: 16, decoder })),
    installed: () => {
      const missing = files().flatMap((file) => file.missing);
      return missing.length === 0 || whatIsMissing(name, missing, files());
    },
    load: (options = {}) =>
      loadInfinity(options, () => {
        const [transformer, vae, textEncoder] = files();
        return {
          ...run,
          transformer: transformer.path,
          vae: vae.path,
          textEncoder: textEncoder.path,
          cfgInsertionLayer: [0],
        };
      }),
  };
}

function officialFlux(model: OfficialFlux): ModelEntry {
  const { name, kind, description, parts } = model;
  const [part, tokenizerPart] = parts;
  const { repo, files } = part;
  /** The user's own folder goes before the cache. */
  const folder = (): string => {
    const own = join(modelsFolder(), name);
    const pulled = existsSync(own) ? null : findPart(part);
    return pulled?.missing.length === 0 ? pulled.folder : own;
  };
  const options = (): FluxOptions => {
    const found = fluxFolder(folder(), name);
    const { text } = found;
    const tokenizer = tokenizerPart && findPart(tokenizerPart);
    if (!text || !tokenizer || existsSync(join(text.clip.tokenizer, 'tokenizer.json'))) return found;
    return { ...found, text: { ...text, clip: { ...text.clip, tokenizer: tokenizer.folder } } };
  };
  return {
    name,
    description,
    licence: licenceOf(model),
    world: 'any',
    verifier: 'clip-score-l14',
    hub: { parts },
    decoderPixelBytes: FLUX_PIXEL_BYTES,
    // The files are of bfloat16, the graphs of float32.
    weightBytes: (precision) => {
      const { config } = officialFacts(name, kind);
      const transformer = fluxWeightBytes(config, 'float32') - fluxWeightBytes(config, precision);
      return 2 * (part.bytes ?? 0) - transformer - savedBytes(t5Matrices(T5_XXL_SIZES), precision);
    },
    ...describedFlux(() => officialFacts(name, kind)),
    installed: () => {
      const remedy = `'varsearch pull ${name}' fetches it, or put ${files.slice(0, 2).join(' and ')} of ${repo} there, with its text encoders and tokenizers`;
      if (!isFluxFolder(folder())) return `${folder()} is missing: ${remedy}`;
      const missing = missingOf(options());
      return missing === true || `${missing}: ${remedy}`;
    },
    load: (given = {}) =>
      loadFlux(given, () => {
        const found = options();
        if (found.kind === kind) return found;
        throw new CheckpointError(
          found.transformer,
          `is a FLUX.1-${found.kind}, not a FLUX.1-${kind}: keep it as ${join(modelsFolder(), `flux1-${found.kind}`)}`,
        );
      }),
  };
}

/** Where a file or folder of a model is, or would be. */
interface Place {
  readonly path: string;
  /** What of it is not there. */
  readonly missing: readonly string[];
  /** Whether a pull of it was begun. */
  readonly begun: boolean;
}

/** Finds transformer, VAE and text encoder: what the user has put into a folder of the model's name, or the Hub's cache. */
function officialFiles({ name, transformer, vae }: OfficialInfinity): () => [Place, Place, Place] {
  const place = (own: string, part: HubPart, isFolder = false): Place => {
    const path = join(modelsFolder(), name, own);
    if (existsSync(path)) return { path, missing: [], begun: false };
    const found = findPart(part);
    const begun = found !== null || isBegun(part);
    if (found?.missing.length !== 0) {
      const missing = found?.missing ?? part.files.map((file) => namesOf(file).join(' or '));
      return { path, begun, missing: missing.map((file) => `${file} of ${part.repo}`) };
    }
    return { path: isFolder ? found.folder : join(found.folder, found.files[0] ?? ''), missing: [], begun };
  };
  // A checkpoint in shards has a folder of its own, the name of which stands before its index's.
  const own = (part: HubPart): string => namesOf(part.files[0] ?? '')[0]?.split('/')[0] ?? '';
  return () => [
    place(own(transformer), transformer),
    place(own(vae), vae),
    place('text-encoder', FLAN_T5_XL, true),
  ];
}

function whatIsMissing(name: string, missing: readonly string[], files: readonly Place[]): string {
  const folder = join(modelsFolder(), name);
  const lacks = `${missing.slice(0, 3).join(', ')}${missing.length > 3 ? ` and ${missing.length - 3} more` : ''}`;
  return files.some(({ begun }) => begun)
    ? `it is half pulled and lacks ${lacks}: 'varsearch pull ${name}' goes on where it stopped`
    : `${lacks} are missing: 'varsearch pull ${name}' fetches them, or put them into ${folder}, google/flan-t5-xl as text-encoder/`;
}

/** Every model of this package. */
export const MODELS: readonly ModelEntry[] = [
  {
    name: 'toybox',
    description: 'the embedded tiny Infinity: coloured shapes on plain ground, 64 x 64 pixels',
    licence: 'Apache-2.0',
    world: 'toybox',
    verifier: 'clip-score',
    ...describedInfinity(() => infinityFacts(toyboxFolder, 'toybox')),
    installed: () =>
      existsSync(toyboxFolder) || `the folder ${toyboxFolder} is missing: install varsearch again`,
    load: (options = {}) => loadInfinity(options, () => infinityFolder(toyboxFolder, 'toybox')),
    checkPrompt: (prompt) => checkPrompt(prompt).warning,
  },
  ...OFFICIAL_INFINITIES.map(official),
  {
    name: 'toybox-flow',
    description: 'the embedded tiny FLUX: the same scenes as toybox, 64 x 64 pixels',
    licence: 'Apache-2.0',
    world: 'toybox',
    verifier: 'clip-score',
    ...describedFlux(() => fluxFacts(flowOptions())),
    installed: () => {
      if (!isFluxFolder(flowFolder)) return `the folder ${flowFolder} is missing: install varsearch again`;
      const files = ['flux.safetensors', 'ae.safetensors', join('clip-text', 'model.safetensors')];
      const missing = files.map((file) => join(flowFolder, file)).find((path) => !existsSync(path));
      return (
        missing === undefined ||
        `${missing} is missing: this copy of varsearch came without its weights, install it again`
      );
    },
    load: (options = {}) => loadFlux(options, flowOptions),
    checkPrompt: (prompt) => checkPrompt(prompt).warning,
  },
  ...OFFICIAL_FLUX.map(officialFlux),
];

/** The entry of a name; a UsageError that lists the names otherwise. A name is never a folder. */
export function findModel(name: string): ModelEntry {
  const found = MODELS.find((entry) => entry.name === name);
  if (found) return found;
  const names = MODELS.map((entry) => entry.name);
  throw new UsageError(
    `unknown model '${name}'${didYouMean(name, names) || ':'} choose one of ${names.join(', ')}, ` +
      "or give a folder of your own by option 'modelDir'",
  );
}

/** The entry of a folder laid out as one of the embedded models, or as Diffusers lays out a FLUX; a UsageError where it is none. */
export function modelIn(folder: string): ModelEntry {
  const name = basename(absolute(folder));
  const rest = { name, licence: 'of the folder', world: 'unknown', verifier: null } as const;
  if (isFluxFolder(folder)) {
    const locate = (): FluxOptions => fluxFolder(folder, name);
    return {
      ...rest,
      description: `the FLUX in ${folder}`,
      ...describedFlux(() => fluxFacts(locate())),
      installed: () => missingOf(locate()),
      load: (options = {}) => loadFlux(options, locate),
    };
  }
  if (!existsSync(join(folder, 'config.json'))) {
    throw new UsageError(
      `there is no model in the folder '${folder}': give the folder, not a file; an Infinity is config.json, transformer.pth, vae.pth and text-encoder/, ` +
        'a FLUX is flux1-dev.safetensors (or -schnell), ae.safetensors, text-encoder/ and clip-text/, or a folder of Diffusers',
    );
  }
  return {
    ...rest,
    description: `the Infinity in ${folder}`,
    ...describedInfinity(() => infinityFacts(folder, name)),
    installed: () => true,
    load: (options = {}) => loadInfinity(options, () => infinityFolder(folder, name)),
  };
}

type Described = Pick<ModelEntry, 'options' | 'resolve' | 'schedule' | 'drawing' | 'decoderFlops'>;

/** What decoding costs with a decoder whose sizes are known. */
function decoding(
  facts: () => { readonly decoder?: VaeSizes | undefined },
): NonNullable<ModelEntry['decoderFlops']> {
  return (picture) => {
    const { decoder } = facts();
    return decoder ? decoderFlops(decoder, picture) : null;
  };
}

/** What is said of an Infinity without its weights; facts are read when they are asked for. */
function describedInfinity(facts: () => InfinityFacts): Described {
  return {
    options: INFINITY_OPTIONS,
    resolve: (options) => resolveInfinity(options, facts()),
    schedule: (options = {}) => scheduleFromFacts(facts(), options),
    decoderFlops: decoding(facts),
  };
}

/** The same of a FLUX. */
function describedFlux(facts: () => FluxFacts): Described {
  return {
    options: FLUX_OPTIONS,
    resolve: (options) => resolveFlux(options, facts()),
    schedule: (options = {}) => fluxScheduleOf(facts(), options),
    drawing: FLUX_DRAWING,
    decoderFlops: decoding(facts),
  };
}

/** Reads where the files are when it is called, so that a changed VARSEARCH_MODELS counts. */
function loadInfinity(
  { memory, precision, ...choice }: ModelLoadOptions,
  locate: () => InfinityOptions,
): Promise<ImageModel> {
  return withRuntime<ImageModel>(choice, (runtime) =>
    openInfinity(runtime, { ...locate(), ...given({ memory, precision }) }),
  );
}

/** The same of a FLUX. */
function loadFlux(
  { memory, precision, ...choice }: ModelLoadOptions,
  locate: () => FluxOptions,
): Promise<ImageModel> {
  return withRuntime<ImageModel>(choice, (runtime) =>
    openFlux(runtime, { ...locate(), ...given({ memory, precision }) }),
  );
}

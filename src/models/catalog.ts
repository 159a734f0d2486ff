// The image models by name: what each is, under which licence, whether its files are there, and how to load it.

import { existsSync } from 'node:fs';
import { basename, join, resolve as absolute } from 'node:path';

import { assetPath, modelsFolder } from '../core/assets.js';
import { UsageError } from '../core/errors.js';
import { given } from '../core/given.js';
import type { OptionTable, OptionValues } from '../core/options.js';
import type { Precision } from '../runtime/graph/index.js';
import { type RuntimeChoice, withRuntime } from '../runtime/index.js';
import { checkPrompt } from '../toybox/world/prompt-check.js';
import type { ImageModel, Schedule } from './contract.js';
import type { TransformerSizes } from './infinity/config.js';
import { infinityFacts, infinityFolder } from './infinity/folder.js';
import { type InfinityOptions, openInfinity } from './infinity/model.js';
import { INFINITY_OPTIONS, resolveInfinity } from './infinity/options.js';
import { type InfinityFacts, scheduleFromFacts } from './infinity/steps.js';

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
  /** What its pictures show: the toybox world, anything, or what nobody has told. */
  readonly world: 'toybox' | 'any' | 'unknown';
  /** The verifier for it where none is named; null where nobody knows who could judge its pictures. */
  readonly verifier: string | null;
  /** True, or what is missing and where it comes from, in one line. */
  installed(): true | string;
  /** Loads it; the caller closes it. Throws CheckpointError when files are missing or wrong. */
  load(options?: ModelLoadOptions): Promise<ImageModel>;
  /** A warning about a prompt that the model cannot draw, or null. */
  checkPrompt?(prompt: string): string | null;
}

const toyboxFolder = assetPath('toybox');

/** An official Infinity: the files of FoundationVision/Infinity and its text encoder, in one folder. */
interface Official {
  readonly transformer: string;
  readonly vae: string;
  /** Of model_type in tools/run_infinity.py; the bits of a token are d of the VAE, 4 d with patches of 2 x 2. */
  readonly sizes: TransformerSizes;
}

function official(name: string, description: string, files: Official): ModelEntry {
  // What tools/run_infinity.py does where nothing is said: --cfg 3, --tau 1, and the top_p of gen_one_img. Its top_k of 900
  // keeps both values of a bit.
  const run = { name, schedule: 'official', defaults: { cfg: 3, temperature: 1, topP: 0.97 } } as const;
  const locate = (): InfinityOptions => {
    const folder = join(modelsFolder(), name);
    return {
      ...run,
      transformer: join(folder, files.transformer),
      vae: join(folder, files.vae),
      textEncoder: join(folder, 'text-encoder'),
      cfgInsertionLayer: [0],
    };
  };
  return {
    name,
    description,
    licence: 'MIT',
    world: 'any',
    verifier: 'clip-score-l14',
    // A token covers 16 x 16 pixels: a VAE that divides by 16, or by 8 and then patches of 2 x 2.
    ...described(() => ({ ...run, sizes: files.sizes, tokenPixels: 16 })),
    installed: () => {
      const { transformer, vae, textEncoder = '' } = locate();
      const missing = [transformer, vae, textEncoder].find((path) => !existsSync(path));
      return (
        missing === undefined ||
        `${missing} is missing: put ${files.transformer} and ${files.vae} of FoundationVision/Infinity there, ` +
          'and google/flan-t5-xl as text-encoder/'
      );
    },
    load: (options = {}) => load(options, locate),
  };
}

/** Every model of this package. */
export const MODELS: readonly ModelEntry[] = [
  {
    name: 'toybox',
    description: 'the embedded tiny Infinity: coloured shapes on plain ground, 64 x 64 pixels',
    licence: 'Apache-2.0',
    world: 'toybox',
    verifier: 'clip-score',
    ...described(() => infinityFacts(toyboxFolder, 'toybox')),
    installed: () =>
      existsSync(toyboxFolder) || `the folder ${toyboxFolder} is missing: install varsearch again`,
    load: (options = {}) => load(options, () => infinityFolder(toyboxFolder, 'toybox')),
    checkPrompt: (prompt) => checkPrompt(prompt).warning,
  },
  official('infinity-2b', 'Infinity-2B, up to 1024 x 1024 pixels', {
    transformer: 'infinity_2b_reg.pth',
    vae: 'infinity_vae_d32reg.pth',
    sizes: { depth: 32, width: 2048, hidden: 4 * 2048, bits: 32 },
  }),
  official('infinity-8b', 'Infinity-8B, up to 1024 x 1024 pixels', {
    transformer: 'infinity_8b_weights',
    vae: 'infinity_vae_d56_f8_14_patchify.pth',
    sizes: { depth: 40, width: 3584, hidden: 4 * 3584, bits: 4 * 14 },
  }),
];

/** The entry of a name; a UsageError that lists the names otherwise. A name is never a folder. */
export function findModel(name: string): ModelEntry {
  const found = MODELS.find((entry) => entry.name === name);
  if (found) return found;
  throw new UsageError(
    `unknown model '${name}': choose one of ${MODELS.map((entry) => entry.name).join(', ')}, ` +
      "or give a folder of your own by option 'modelDir' (--model-dir)",
  );
}

/** The entry of a folder laid out as assets/toybox; a UsageError where it is none. */
export function modelIn(folder: string): ModelEntry {
  const name = basename(absolute(folder));
  if (!existsSync(join(folder, 'config.json'))) {
    throw new UsageError(
      `there is no model in the folder '${folder}': it needs config.json, transformer.pth, vae.pth and text-encoder/`,
    );
  }
  return {
    name,
    description: `the Infinity in ${folder}`,
    licence: 'of the folder',
    world: 'unknown',
    verifier: null,
    ...described(() => infinityFacts(folder, name)),
    installed: () => true,
    load: (options = {}) => load(options, () => infinityFolder(folder, name)),
  };
}

/** What is said of an Infinity without its weights; facts are read when they are asked for. */
function described(facts: () => InfinityFacts): Pick<ModelEntry, 'options' | 'resolve' | 'schedule'> {
  return {
    options: INFINITY_OPTIONS,
    resolve: (options) => resolveInfinity(options, facts()),
    schedule: (options = {}) => scheduleFromFacts(facts(), options),
  };
}

/** Reads where the files are when it is called, so that a changed VARSEARCH_MODELS counts. */
function load(
  { memory, precision, ...choice }: ModelLoadOptions,
  locate: () => InfinityOptions,
): Promise<ImageModel> {
  const infinity = { ...locate(), ...given({ memory, precision }) };
  return withRuntime<ImageModel>(choice, (runtime) => openInfinity(runtime, infinity));
}

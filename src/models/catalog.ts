// The image models by name: what each is, under which licence, whether its files are there, and how to load it.

import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';

import { assetPath, modelsFolder } from '../core/assets.js';
import { UsageError } from '../core/errors.js';
import { type RuntimeChoice, withRuntime } from '../runtime/index.js';
import { checkPrompt } from '../toybox/world/prompt-check.js';
import type { ImageModel, Scale } from './contract.js';
import { infinityFolder } from './infinity/folder.js';
import { type InfinityOptions, openInfinity } from './infinity/model.js';
import { officialSchedule, type PictureSize } from './infinity/schedule.js';

/** What loading a model may be given. */
export interface ModelLoadOptions extends RuntimeChoice {
  /** Bytes that prefixes and a running step may take. @default 2 GiB */
  readonly memory?: number;
}

/** A model that can be asked for by name. */
export interface ModelEntry {
  readonly name: string;
  readonly description: string;
  /** Of the weights; the code is under varsearch's own licence. */
  readonly licence: string;
  /** The scales of its default picture. */
  readonly scales: readonly Scale[];
  /** The scales of a picture of another size or ratio; a UsageError where there is none. */
  scalesOf?(size: string | undefined, aspectRatio: number | undefined): readonly Scale[];
  readonly defaults: { readonly cfg: number; readonly temperature: number };
  /** What its pictures show: the toybox world, anything, or what nobody has told. */
  readonly world: 'toybox' | 'any' | 'unknown';
  /** The verifier for it where none is named. */
  readonly verifier: string;
  /** True, or what is missing and where it comes from, in one line. */
  installed(): true | string;
  /** Loads it; the caller closes it. Throws CheckpointError when files are missing or wrong. */
  load(options?: ModelLoadOptions): Promise<ImageModel>;
  /** A warning about a prompt that the model cannot draw, or null. */
  checkPrompt?(prompt: string): string | null;
}

const toyboxFolder = assetPath('toybox');

/** An official Infinity: the files of FoundationVision/Infinity and its text encoder, in one folder. */
interface OfficialFiles {
  readonly transformer: string;
  readonly vae: string;
}

function official(name: string, description: string, files: OfficialFiles): ModelEntry {
  const defaults = { cfg: 3, temperature: 1 };
  const locate = (): InfinityOptions => {
    const folder = join(modelsFolder(), name);
    return {
      name,
      transformer: join(folder, files.transformer),
      vae: join(folder, files.vae),
      textEncoder: join(folder, 'text-encoder'),
      schedule: 'official',
      cfgInsertionLayer: [0],
      defaults,
    };
  };
  return {
    name,
    description,
    licence: 'MIT',
    scales: officialSchedule('1M').scales,
    world: 'any',
    verifier: 'clip-score-l14',
    scalesOf: (size = '1M', aspectRatio) => officialSchedule(size as PictureSize, aspectRatio).scales,
    defaults,
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
    ...folderFacts(toyboxFolder),
    installed: () =>
      existsSync(toyboxFolder) || `the folder ${toyboxFolder} is missing: install varsearch again`,
    load: (options = {}) => load(options, () => infinityFolder(toyboxFolder, 'toybox')),
    checkPrompt: (prompt) => checkPrompt(prompt).warning,
  },
  official('infinity-2b', 'Infinity-2B, up to 1024 x 1024 pixels', {
    transformer: 'infinity_2b_reg.pth',
    vae: 'infinity_vae_d32reg.pth',
  }),
  official('infinity-8b', 'Infinity-8B, up to 1024 x 1024 pixels', {
    transformer: 'infinity_8b_weights',
    vae: 'infinity_vae_d56_f8_14_patchify.pth',
  }),
];

/** The entry of a name, or of a folder laid out as assets/toybox; a UsageError that lists the names otherwise. */
export function findModel(name: string): ModelEntry {
  const found = MODELS.find((entry) => entry.name === name);
  if (found) return found;
  if (existsSync(join(name, 'config.json'))) return folderEntry(name);
  throw new UsageError(
    `unknown model '${name}': choose one of ${MODELS.map((entry) => entry.name).join(', ')}, ` +
      'or name a folder with config.json, transformer.pth, vae.pth and text-encoder/',
  );
}

function folderEntry(folder: string): ModelEntry {
  const name = basename(folder);
  return {
    name,
    description: `the Infinity in ${folder}`,
    licence: 'of the folder',
    world: 'unknown',
    verifier: 'clip-score',
    ...folderFacts(folder),
    installed: () => true,
    load: (options = {}) => load(options, () => infinityFolder(folder, name)),
  };
}

function folderFacts(folder: string): Pick<ModelEntry, 'scales' | 'defaults'> {
  const { schedule, defaults } = infinityFolder(folder, 'toybox');
  const first = (value: number | readonly number[]): number =>
    typeof value === 'number' ? value : (value[0] ?? 1);
  return {
    scales: schedule.scales,
    defaults: { cfg: first(defaults.cfg), temperature: first(defaults.temperature) },
  };
}

/** Reads where the files are when it is called, so that a changed VARSEARCH_MODELS counts. */
function load({ memory, ...choice }: ModelLoadOptions, locate: () => InfinityOptions): Promise<ImageModel> {
  const infinity = { ...locate(), ...(memory === undefined ? {} : { memory }) };
  return withRuntime<ImageModel>(choice, (runtime) => openInfinity(runtime, infinity));
}

// The library's front door: one call for one picture, or models loaded once for many.

import type { CatalogOption, Engine } from './engine/engine.js';
import { openEngine } from './engine/engine.js';
import type {
  CompareOptions,
  ComparePictureOptions,
  GenerateOptions,
  OpenOptions,
  PictureOptions,
} from './engine/options.js';
import {
  checkCompareOptions,
  checkOpenOptions,
  checkPictureOptions,
  splitCompareOptions,
  splitGenerateOptions,
} from './engine/options.js';
import type { CompareRun } from './run/compare.js';
import { startCompare } from './run/compare.js';
import type { GenerateRun } from './run/generate.js';
import { startGenerate } from './run/generate.js';
import type { Recipe } from './run/recipe.js';
import type { ReplayOptions, ReplayRun } from './run/replay.js';
import { openOptionsOf, startReplay } from './run/replay.js';

const close = (engine: Engine): Promise<void> => engine.close();

/**
 * Searches for one picture: loads what the options name, runs, and closes it again. Wrong options throw a UsageError
 * at once; what fails later rejects `result` and the iteration.
 */
export function generate(options: GenerateOptions, { catalogs }: CatalogOption = {}): GenerateRun {
  const { open, picture } = splitGenerateOptions(options);
  return startGenerate(picture, { open: (signal) => openEngine(open, catalogs, signal), close });
}

/** Runs every strategy at the same budget with the same prompt and seed; errors as in `generate`. */
export function compare(options: CompareOptions, { catalogs }: CatalogOption = {}): CompareRun {
  const { open, picture } = splitCompareOptions(options);
  return startCompare(picture, { open: (signal) => openEngine(open, catalogs, signal), close });
}

/**
 * Makes the picture of a PNG file again by the recipe that it carries, with the model and verifier that the recipe
 * names (or those given). Rejects with a clear error when their files are not the ones that made the picture.
 */
export function replay(
  png: Uint8Array,
  options: ReplayOptions & OpenOptions = {},
  { catalogs }: CatalogOption = {},
): ReplayRun {
  const { anyModel, name, signal, ...given } = options;
  // A rule without verifiers is one for the recipe's.
  checkOpenOptions(given.verifier === undefined ? { ...given, ensemble: undefined } : given);
  const open = async (recipe: Recipe): Promise<Engine> =>
    openEngine(checkOpenOptions(openOptionsOf(recipe, given)), catalogs, signal);
  return startReplay(png, { anyModel, name, signal }, { open, close });
}

/** A model and a verifier that stay loaded for any number of runs. */
export interface Varsearch {
  generate(options: PictureOptions): GenerateRun;
  compare(options: ComparePictureOptions): CompareRun;
  /** Frees model and verifier, unless they were handed in; runs must have ended. */
  close(): Promise<void>;
}

/** Loads a model and a verifier once, for several runs. */
export async function openVarsearch(
  options: OpenOptions = {},
  { catalogs }: CatalogOption = {},
): Promise<Varsearch> {
  const engine = await openEngine(checkOpenOptions(options), catalogs);
  const context = { open: () => Promise.resolve(engine) };
  return {
    generate: (picture) => startGenerate(checkPictureOptions(picture), context),
    compare: (picture) => startCompare(checkCompareOptions(picture), context),
    close: () => engine.close(),
  };
}

// The library's front door: one call for one picture, or models loaded once for many.

import { basename, resolve } from 'node:path';

import type { Image } from './core/image.js';
import { requireInstalled } from './core/installed.js';
import { Ledger } from './core/ledger.js';
import type { OptionValues } from './core/options.js';
import { type CatalogOption, type Catalogs, catalogsFor, isEntry } from './engine/catalogs.js';
import type { Engine } from './engine/engine.js';
import { openEngine } from './engine/engine.js';
import { HeldEngine } from './engine/held-engine.js';
import { checkOpenOptions, type OpenOptions } from './engine/options.js';
import type { ModelEntry } from './models/catalog.js';
import type { CompareRun } from './run/compare.js';
import { comparedSearches, startCompare } from './run/compare.js';
import type { GenerateRun } from './run/generate.js';
import { startGenerate } from './run/generate.js';
import {
  type AnyPictureOptions,
  checkCompareOptions,
  checkPictureOptions,
  type CompareOptions,
  type ComparePictureOptions,
  type GenerateOptions,
  type OwnGenerateOptions,
  type OwnPictureOptions,
  partCompare,
  partPicture,
  type PictureOptions,
  splitCompareOptions,
  splitGenerateOptions,
} from './run/options.js';
import { redraw, viewOf } from './run/pictures.js';
import { checkPlans, type SearchGiven } from './run/plan.js';
import type { Recipe } from './run/recipe.js';
import type { ReplayOptions, ReplayPlan, ReplayRun } from './run/replay.js';
import { openOptionsOf, planReplay, startReplay } from './run/replay.js';
import type { GenerateResult } from './run/result.js';
import { findTogether } from './run/together.js';
import type { PictureScore } from './score/pictures.js';
import { scoreWith } from './score/pictures.js';
import type { AnyStrategy } from './search/registry.js';

const close = (engine: Engine): Promise<void> => engine.close();

interface Planned extends CatalogOption {
  readonly modelOptions: OptionValues;
  readonly searches: readonly SearchGiven[];
}

/** Loads an engine for searches that can be, as far as that is known before. */
function openFor(open: OpenOptions, { catalogs, ...planned }: Planned) {
  return async (signal?: AbortSignal): Promise<Engine> => {
    const known = await catalogsFor([open.model ?? 'named'], catalogs);
    if (typeof (open.model ?? 'named') === 'string') checkPlans(open, planned, known);
    return await openEngine(open, catalogs, signal);
  };
}

/**
 * Searches for one picture: loads what the options name, runs, and closes it again. Wrong options throw a UsageError
 * at once; what fails later rejects `result` and the iteration.
 */
export function generate<Own extends AnyStrategy>(
  options: OwnGenerateOptions<Own>,
  context?: CatalogOption,
): GenerateRun;
export function generate(options: GenerateOptions, context?: CatalogOption): GenerateRun;
export function generate(
  options: GenerateOptions | OwnGenerateOptions,
  { catalogs }: CatalogOption = {},
): GenerateRun {
  const { open, picture } = splitGenerateOptions(options);
  const { modelOptions, search } = partPicture(picture);
  return startGenerate(picture, {
    open: openFor(open, { modelOptions, searches: [search], catalogs }),
    close,
  });
}

/** Runs every strategy at the same budget with the same prompt and seed; errors as in `generate`. */
export function compare(options: CompareOptions, { catalogs }: CatalogOption = {}): CompareRun {
  const { open, picture, models } = splitCompareOptions(options);
  const several = models.length > 0;
  const opened = several ? models : [open];
  const { modelOptions } = partCompare(picture);
  // What does not suit one of several models is left out when its turn comes.
  const searches = several ? [] : comparedSearches(picture);
  return startCompare(picture, {
    several,
    check: () => checkTogether(opened, modelOptions, catalogs),
    models: opened.map((each) => ({
      name: nameOf(each),
      open: openFor(each, { modelOptions: several ? {} : modelOptions, searches, catalogs }),
      close,
    })),
  });
}

/** The name of what is opened; of a folder it is told when that is read. */
function nameOf({ model, modelDir }: OpenOptions): string | undefined {
  if (modelDir !== undefined) return basename(resolve(modelDir));
  return typeof model === 'object' ? model.name : model;
}

/** Throws where models are not there, or do not go together. */
async function checkTogether(
  models: readonly OpenOptions[],
  modelOptions: OptionValues,
  catalogs: Catalogs | undefined,
): Promise<void> {
  if (models.length < 2) return;
  const names = models.flatMap(({ model, verifier }) => [model ?? 'in a folder', verifier ?? 'usual']);
  const wanted = findTogether(models, modelOptions, await catalogsFor(names, catalogs));
  for (const { model } of wanted) if (isEntry<ModelEntry>(model)) requireInstalled('model', model);
}

/**
 * Makes the picture of a PNG file again by the recipe that it carries, with the model and verifier that the recipe
 * names (or those given). Rejects with a clear error when their files are not the ones that made the picture. A recipe is
 * somebody's file: it names what is in the catalogue, and what sends pictures away or takes long needs the caller's word.
 */
export function replay(
  png: Uint8Array,
  options: ReplayOptions & OpenOptions = {},
  { catalogs }: CatalogOption = {},
): ReplayRun {
  const { anyModel, allowEndpoint, allowLarge, strategy, name, signal, ...given } = options;
  const own = { anyModel, allowEndpoint, allowLarge, strategy, name, signal };
  // A rule without verifiers is one for the recipe's.
  const { verifier } = given;
  checkOpenOptions(verifier === undefined ? { ...given, ensemble: undefined, weights: undefined } : given);
  const open = async (recipe: Recipe): Promise<Engine> =>
    openEngine(checkOpenOptions(openOptionsOf(recipe, given)), catalogs, signal);
  const plan = async (recipe: Recipe): Promise<ReplayPlan | null> => {
    const known = await catalogsFor([given.model ?? 'named', given.verifier ?? 'named'], catalogs);
    return planReplay(recipe, known, { given, options: own });
  };
  return startReplay(png, own, { plan, open, close });
}

/** How pictures in memory are scored by an open varsearch. */
export interface OpenScoreOptions {
  /** What the pictures should show. */
  readonly prompt: string;
  readonly signal?: AbortSignal | undefined;
}

/** A model and a jury that stay loaded for any number of runs. */
export interface Varsearch extends AsyncDisposable {
  generate<Own extends AnyStrategy>(options: OwnPictureOptions<Own>): GenerateRun;
  generate(options: PictureOptions): GenerateRun;
  compare(options: ComparePictureOptions): CompareRun;
  /** As `replay`, with the model and the jury that are open here, whatever the recipe names. */
  replay(png: Uint8Array, options?: ReplayOptions): ReplayRun;
  /** Scores pictures by the open jury, best first. */
  score(pictures: readonly Image[], options: OpenScoreOptions): Promise<PictureScore[]>;
  /** The whole pictures of candidates of a result that this model made: a decode each, and no search. */
  redraw(result: GenerateResult, candidates: readonly number[]): Promise<Image[]>;
  /** Frees model and verifiers, unless they were handed in; runs must have ended. */
  close(): Promise<void>;
}

/** Loads a model and a jury once, for several runs; and again, at the next call, where the process that they live in was ended. */
export async function openVarsearch(
  options: OpenOptions = {},
  { catalogs }: CatalogOption = {},
): Promise<Varsearch> {
  const checked = checkOpenOptions(options);
  const held = await HeldEngine.open(() => openEngine(checked, catalogs));
  const open = (): Promise<Engine> => held.engine();
  return {
    generate: (picture: AnyPictureOptions) => startGenerate(checkPictureOptions(picture), { open }),
    compare: (picture) => startCompare(checkCompareOptions(picture), { models: [{ open }] }),
    replay: (png, replayed = {}) => startReplay(png, replayed, { open }),
    score: async (pictures, { prompt, signal }) =>
      scoreWith((await open()).jury, pictures, { prompt, signal }),
    redraw: async (result, candidates) => redrawWith(await open(), result, candidates),
    close: () => held.close(),
    [Symbol.asyncDispose]: () => held.close(),
  };
}

async function redrawWith(
  { model }: Engine,
  { options, candidates, pictures }: GenerateResult,
  ids: readonly number[],
): Promise<Image[]> {
  const byId = new Map(candidates.map((candidate) => [candidate.id, candidate]));
  const packed = ids.map((id) => {
    const state = pictures.states.get(byId.get(id)?.sameAs ?? id);
    if (!state) throw new RangeError(`the result has no candidate ${id}`);
    return { state, view: viewOf(byId.get(id) ?? {}) };
  });
  const generator = await model.prepare(options.prompt, new Ledger(), options.modelOptions);
  try {
    return await redraw(packed, generator);
  } finally {
    generator.close();
  }
}

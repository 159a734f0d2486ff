// Where names of models and verifiers are looked up, and what they stand for: all before anything is loaded.

import { UsageError } from '../core/errors.js';
import { isObject } from '../core/options.js';
import type { ModelEntry } from '../models/catalog.js';
import type { ImageModel } from '../models/contract.js';
import type { Runtime, RuntimeOptions } from '../runtime/index.js';
import type { VerifierEntry } from '../verifiers/catalog.js';
import type { Verifier } from '../verifiers/contract.js';
import {
  DEFAULT_NAMES,
  ENSEMBLE_MEMBERS,
  type JudgeOptions,
  listVerifiers,
  type OpenOptions,
  type VerifierOption,
} from './options.js';

/** The models and verifiers that names stand for. A name is never a path. */
export interface Catalogs {
  readonly models: readonly ModelEntry[];
  readonly verifiers: readonly VerifierEntry[];
  /** The entry of a name; a UsageError that lists the names when there is none. */
  readonly findModel: (name: string) => ModelEntry;
  readonly findVerifier: (name: string) => VerifierEntry;
  /** The entry of a folder with a model in it. */
  readonly modelIn: (folder: string) => ModelEntry;
  /** The entry of a folder with a CLIP in it, under the name `clip-dir`. */
  readonly clipIn: (folder: string) => VerifierEntry;
  /** Makes the runtime that model and verifiers share. @default each entry makes its own */
  readonly createRuntime?: (options: Pick<RuntimeOptions, 'device' | 'threads'>) => Promise<Runtime>;
}

/** Where names of models and verifiers are looked up: the built-in catalogues, unless a program has its own. */
export interface CatalogOption {
  readonly catalogs?: Catalogs | undefined;
}

let loading: Promise<Catalogs> | undefined;

/** The catalogues of this package; read when a name has to be looked up. */
export function builtInCatalogs(): Promise<Catalogs> {
  // One import for all: Jest and Vitest on Node.js 20 cannot link two at once that share a module.
  return (loading ??= import('./built-in.js').then(({ MODELS: models, VERIFIERS: verifiers, ...others }) => ({
    models,
    verifiers,
    ...others,
  })));
}

/** The catalogues to look `wanted` up in: those given or the built-in ones, none where everything is loaded already. */
export async function catalogsFor(
  wanted: readonly unknown[],
  catalogs: Catalogs | undefined,
): Promise<Catalogs> {
  if (catalogs) return catalogs;
  return wanted.flat().every(isObject) ? NO_CATALOGS : await builtInCatalogs();
}

function nothing(): never {
  throw new RangeError('nothing has to be looked up');
}

const NO_CATALOGS: Catalogs = {
  models: [],
  verifiers: [],
  findModel: nothing,
  findVerifier: nothing,
  modelIn: nothing,
  clipIn: nothing,
};

/** A verifier that was asked for: an entry to be loaded, or one that is loaded. */
export type WantedVerifier = VerifierEntry | Verifier;

/** A model that was asked for: an entry to be loaded, or one that is loaded. */
export type WantedModel = ModelEntry | ImageModel;

/** What a run is to work with. */
export interface Wanted {
  readonly model: WantedModel;
  /** Those who guide: at least one. */
  readonly judges: readonly WantedVerifier[];
  /** Those who look on, which may be judges as well; null where nobody does. */
  readonly observers: readonly WantedVerifier[] | null;
}

/** True for what is still to be loaded. */
export function isEntry<Entry extends ModelEntry | VerifierEntry>(
  wanted: Entry | ImageModel | Verifier,
): wanted is Entry {
  return 'load' in wanted;
}

/** Looks up what the options name, without loading it; throws a UsageError for what does not exist or go together. */
export function findWanted(options: OpenOptions, catalogs: Catalogs): Wanted {
  const { model: named = DEFAULT_NAMES.model, modelDir, holdOut } = options;
  const model =
    modelDir !== undefined
      ? catalogs.modelIn(modelDir)
      : typeof named === 'string'
        ? catalogs.findModel(named)
        : named;
  const entry = isEntry<ModelEntry>(model) ? model : null;
  const judges = findJudges(options, catalogs, entry);
  const context = { judges, model: entry, catalogs, options };
  const observers = holdOut === undefined ? null : findObservers(holdOut, context);
  const verifiers = [...judges, ...(observers ?? [])];
  checkClipDir(options, verifiers);
  for (const each of verifiers) checkWorld(each, entry, catalogs);
  return { model, judges, observers };
}

/** Looks up who judges: those named, or the usual one of the model. */
export function findJudges(
  options: JudgeOptions,
  catalogs: Catalogs,
  model: ModelEntry | null = null,
): readonly WantedVerifier[] {
  const { verifier = model ? model.verifier : DEFAULT_NAMES.verifier } = options;
  if (verifier === null) {
    throw new UsageError(
      `nobody knows what the model '${model?.name}' draws, so that it has no usual judge: name one by option 'verifier'`,
    );
  }
  return listVerifiers(verifier, 'verifier').map((each) => find(each, options, catalogs));
}

/** A folder that nobody looks into is an oversight; throws a UsageError for it. */
export function checkClipDir({ clipDir }: JudgeOptions, verifiers: readonly WantedVerifier[]): void {
  if (clipDir === undefined || verifiers.some(({ name }) => name === CLIP_DIR)) return;
  throw new UsageError(`option 'clipDir' is for the verifier ${CLIP_DIR}, which is not asked for here`);
}

/** The verifier whose folder is an option of its own. */
export const CLIP_DIR = 'clip-dir';

function find(each: string | Verifier, { clipDir }: JudgeOptions, catalogs: Catalogs): WantedVerifier {
  if (typeof each !== 'string') return each;
  return each === CLIP_DIR && clipDir !== undefined ? catalogs.clipIn(clipDir) : catalogs.findVerifier(each);
}

interface ObserverContext {
  readonly judges: readonly WantedVerifier[];
  readonly model: ModelEntry | null;
  readonly catalogs: Catalogs;
  readonly options: OpenOptions;
}

/** Those who look on, each once: a judge is meant where one has the name. */
function findObservers(asked: VerifierOption, context: ObserverContext): readonly WantedVerifier[] {
  const { judges, catalogs, options } = context;
  const found = listVerifiers(asked, 'holdOut').flatMap((each) => {
    if (each === ENSEMBLE_MEMBERS) return heldOut(context);
    return judges.find(({ name }) => name === each) ?? find(each, options, catalogs);
  });
  const other = found.find((each) => judges.some((judge) => judge.name === each.name && judge !== each));
  if (other) {
    throw new UsageError(
      `option 'holdOut' has another verifier called '${other.name}' than the one that guides`,
    );
  }
  return [...new Map(found.map((each) => [each.name, each])).values()];
}

function checkWorld(wanted: WantedVerifier, model: ModelEntry | null, catalogs: Catalogs): void {
  if (model?.world !== 'any' || !isEntry<VerifierEntry>(wanted) || wanted.world === 'any') return;
  const others = catalogs.verifiers.filter(({ world }) => world === 'any').map(({ name }) => name);
  throw new UsageError(
    `verifier '${wanted.name}' knows the pictures of the embedded model alone, and '${model.name}' draws others: ` +
      `choose from ${others.join(', ')}`,
  );
}

function heldOut({ judges, model, catalogs }: ObserverContext): readonly VerifierEntry[] {
  const world =
    model && model.world !== 'unknown'
      ? model.world
      : judges.find((each): each is VerifierEntry => isEntry<VerifierEntry>(each))?.world;
  if (world === undefined) {
    throw new UsageError(
      `option 'holdOut': '${ENSEMBLE_MEMBERS}' needs a model or a verifier by name, to know whose pictures to judge: ` +
        'name the observers',
    );
  }
  const guiding = new Set(judges.map(({ name }) => name));
  const found = catalogs.verifiers.filter(
    (each) =>
      each.world === world && each.studyOnly !== true && !guiding.has(each.name) && each.installed() === true,
  );
  if (found.length > 0) return found;
  throw new UsageError(
    `option 'holdOut': no installed verifier for these pictures is left that does not guide the search: name one`,
  );
}

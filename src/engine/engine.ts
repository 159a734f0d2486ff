// A model and its verifiers, loaded and ready for any number of runs, by name or as given by the caller.

import { given } from '../core/given.js';
import type { FileHashes } from '../core/hash.js';
import { requireInstalled } from '../core/installed.js';
import type { ModelEntry } from '../models/catalog.js';
import type { ImageModel } from '../models/contract.js';
import type { Runtime } from '../runtime/index.js';
import type { Verifier } from '../verifiers/contract.js';
import { entriesOf, joinVerifiers, type LoadedVerifiers, loadVerifiers } from './load-verifiers.js';
import { parseMemory } from './memory.js';
import type { OpenOptions } from './options.js';
import { DEFAULTS } from './options.js';
import { findVerifiers, type VerifierCatalog, type WantedVerifiers } from './verifier-options.js';

/** The models and verifiers that names stand for. */
export interface Catalogs extends VerifierCatalog {
  readonly models: readonly ModelEntry[];
  /** The entry of a name; a UsageError that lists the names when there is none. */
  readonly findModel: (name: string) => ModelEntry;
  /** Makes the runtime that model and verifiers share. @default each entry makes its own */
  readonly createRuntime?: (options: { readonly threads?: number }) => Promise<Runtime>;
}

/** Where names of models and verifiers are looked up: the built-in catalogues, unless a program has its own. */
export interface CatalogOption {
  readonly catalogs?: Catalogs | undefined;
}

/** The catalogues of this package; read when a name has to be looked up. */
export async function builtInCatalogs(): Promise<Catalogs> {
  const [{ MODELS, findModel }, { VERIFIERS, findVerifier }, { createRuntime }] = await Promise.all([
    import('../models/catalog.js'),
    import('../verifiers/catalog.js'),
    import('../runtime/index.js'),
  ]);
  return { models: MODELS, verifiers: VERIFIERS, findModel, findVerifier, createRuntime };
}

/** SHA-256 of the files that a picture depends on, by name. */
export interface EngineHashes {
  readonly model: FileHashes;
  readonly verifier: FileHashes;
}

/** What runs work with. */
export interface Engine {
  readonly model: ImageModel;
  /** What guides the search; of several verifiers their ensemble. */
  readonly verifier: Verifier;
  /** The verifiers that report on the winner; null where no report is wanted. */
  readonly reporters: readonly Verifier[] | null;
  /** Guidance and temperature where a run gives none; null when the model was handed in and keeps its own. */
  readonly defaults: ModelEntry['defaults'] | null;
  /** What speaks against a prompt for this model, in one line; null when nothing does. */
  readonly checkPrompt: (prompt: string) => string | null;
  /** SHA-256 of the files of model and verifier, read once. */
  readonly hashes: () => Promise<EngineHashes>;
  /** Milliseconds that loading took, told once: the first run's ledger has them. */
  readonly takeLoadTime: () => number;
  /** Closes what was loaded here; a model or verifier that the caller handed in stays open. */
  readonly close: () => Promise<void>;
}

/** What has to be loaded, or was handed in. */
interface Wanted extends WantedVerifiers {
  readonly model: ModelEntry | ImageModel;
}

const NO_CATALOGS: Catalogs = {
  models: [],
  verifiers: [],
  findModel: () => {
    throw new RangeError('nothing has to be looked up');
  },
  findVerifier: () => {
    throw new RangeError('nothing has to be looked up');
  },
};

/** The catalogues to look `wanted` up in: those given or the built-in ones, none where everything is loaded already. */
export async function catalogsFor(
  wanted: readonly unknown[],
  catalogs: Catalogs | undefined,
): Promise<Catalogs> {
  if (catalogs) return catalogs;
  return wanted.flat().every((each) => typeof each === 'object') ? NO_CATALOGS : await builtInCatalogs();
}

function isModelEntry(model: ModelEntry | ImageModel): model is ModelEntry {
  return 'load' in model;
}

/** Looks up what the options name, without loading it; throws a UsageError for what does not exist or go together. */
export function findWanted(options: OpenOptions, catalogs: Catalogs): Wanted {
  const { model: named = DEFAULTS.model } = options;
  const model = typeof named === 'string' ? catalogs.findModel(named) : named;
  const entry = isModelEntry(model) ? model : null;
  return { model, ...findVerifiers(options, { model: entry, usual: DEFAULTS.verifier, catalogs }) };
}

/** What was loaded, and what closes it again. */
interface Loaded extends LoadedVerifiers {
  readonly model: ImageModel;
}

/** Loads everything at the same time into one runtime; when one part fails, the others are closed again. */
async function load(
  wanted: Wanted,
  options: OpenOptions,
  { catalogs, signal }: { readonly catalogs: Catalogs; readonly signal: AbortSignal | undefined },
): Promise<Loaded> {
  const entry = isModelEntry(wanted.model) ? wanted.model : null;
  const judges = [...wanted.guides, ...(wanted.reporters ?? [])];
  const entries = entriesOf(judges);
  if (entry) requireInstalled('model', entry);
  for (const each of entries) requireInstalled('verifier', each);
  const threads = given({ threads: options.threads });
  const bytes = options.memory === undefined ? undefined : (parseMemory(options.memory) ?? undefined);
  const runtime = entry || entries.length > 0 ? await catalogs.createRuntime?.(threads) : undefined;
  const [model, verifiers] = await Promise.allSettled([
    isModelEntry(wanted.model)
      ? wanted.model.load({ ...threads, ...given({ memory: bytes, runtime }) })
      : wanted.model,
    loadVerifiers(judges, { runtime, threads: options.threads, signal }),
  ]);
  const close = async (): Promise<void> => {
    if (entry && model.status === 'fulfilled') await model.value.close();
    if (verifiers.status === 'fulfilled') await verifiers.value.close();
    await runtime?.close();
  };
  if (model.status === 'rejected' || verifiers.status === 'rejected') {
    await close();
    throw ([model, verifiers].find((each) => each.status === 'rejected') as PromiseRejectedResult).reason;
  }
  return { model: model.value, verifierOf: verifiers.value.verifierOf, close };
}

/** Loads a model and its verifiers. Throws UsageError for names and combinations that cannot be, before anything is loaded. */
export async function openEngine(
  options: OpenOptions,
  catalogs?: Catalogs,
  signal?: AbortSignal,
): Promise<Engine> {
  const report = options.report === undefined ? [] : [options.report];
  const known = await catalogsFor([options.model, options.verifier, ...report], catalogs);
  const wanted = findWanted(options, known);
  const start = performance.now();
  const { model, verifierOf, close } = await load(wanted, options, { catalogs: known, signal });
  return engineOf(model, {
    verifier: joinVerifiers(wanted.guides.map(verifierOf), options.ensemble),
    reporters: wanted.reporters?.map(verifierOf) ?? null,
    entry: isModelEntry(wanted.model) ? wanted.model : null,
    loadTime: performance.now() - start,
    close,
  });
}

interface EngineParts extends Pick<Engine, 'verifier' | 'reporters' | 'close'> {
  readonly entry: ModelEntry | null;
  readonly loadTime: number;
}

function engineOf(model: ImageModel, { verifier, reporters, entry, close, ...rest }: EngineParts): Engine {
  let { loadTime } = rest;
  let hashes: Promise<EngineHashes> | undefined;
  return {
    model,
    verifier,
    reporters,
    defaults: entry?.defaults ?? null,
    checkPrompt: (prompt) => entry?.checkPrompt?.(prompt) ?? null,
    hashes: () => {
      hashes ??= Promise.all([model.hashes(), verifier.hashes()]).then(([ofModel, ofVerifier]) => ({
        model: ofModel,
        verifier: ofVerifier,
      }));
      return hashes;
    },
    takeLoadTime: () => {
      const taken = loadTime;
      loadTime = 0;
      return taken;
    },
    close,
  };
}

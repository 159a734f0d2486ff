// A model and a verifier, loaded and ready for any number of runs, by name or as given by the caller.

import { VarsearchError } from '../core/errors.js';
import type { ModelEntry } from '../models/catalog.js';
import type { ImageModel } from '../models/contract.js';
import type { Runtime } from '../runtime/index.js';
import type { VerifierEntry } from '../verifiers/catalog.js';
import type { Verifier } from '../verifiers/contract.js';
import { given } from './given.js';
import { parseMemory } from './memory.js';
import type { OpenOptions } from './options.js';
import { DEFAULTS } from './options.js';
import type { FileHashes } from './recipe.js';

/** The models and verifiers that names stand for. */
export interface Catalogs {
  readonly models: readonly ModelEntry[];
  readonly verifiers: readonly VerifierEntry[];
  /** The entry of a name; a UsageError that lists the names when there is none. */
  readonly findModel: (name: string) => ModelEntry;
  readonly findVerifier: (name: string) => VerifierEntry;
  /** Makes the runtime that model and verifier share. @default each entry makes its own */
  readonly createRuntime?: (options: { readonly threads?: number }) => Promise<Runtime>;
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
  readonly verifier: Verifier;
  /** Guidance and temperature where a run gives none; null when the model was handed in and keeps its own. */
  readonly defaults: ModelEntry['defaults'] | null;
  /** What speaks against a prompt for this model, in one line; null when nothing does. */
  readonly checkPrompt: (prompt: string) => string | null;
  /** SHA-256 of the files of both, read once. */
  readonly hashes: () => Promise<EngineHashes>;
  /** Milliseconds that loading took, told once: the first run's ledger has them. */
  readonly takeLoadTime: () => number;
  /** Closes what was loaded here; a model or verifier that the caller handed in stays open. */
  readonly close: () => Promise<void>;
}

function requireInstalled(kind: string, entry: Pick<ModelEntry, 'name' | 'installed'>): void {
  const installed = entry.installed();
  if (installed !== true) throw new VarsearchError(`${kind} '${entry.name}' is not installed: ${installed}`);
}

/** What has to be loaded: an entry of a catalogue, or null where the caller gave a loaded value. */
interface Wanted {
  readonly model: ModelEntry | null;
  readonly verifier: VerifierEntry | null;
}

async function findEntries(
  options: OpenOptions,
  catalogs: Catalogs | undefined,
): Promise<Wanted & { readonly catalogs: Catalogs | null }> {
  const { model = DEFAULTS.model, verifier = DEFAULTS.verifier } = options;
  if (typeof model !== 'string' && typeof verifier !== 'string') {
    return { model: null, verifier: null, catalogs: null };
  }
  const known = catalogs ?? (await builtInCatalogs());
  const wanted = {
    model: typeof model === 'string' ? known.findModel(model) : null,
    verifier: typeof verifier === 'string' ? known.findVerifier(verifier) : null,
  };
  if (wanted.model) requireInstalled('model', wanted.model);
  if (wanted.verifier) requireInstalled('verifier', wanted.verifier);
  return { ...wanted, catalogs: known };
}

/** Loads a model and a verifier at the same time; when one fails, the other is closed again. */
export async function openEngine(options: OpenOptions, catalogs?: Catalogs): Promise<Engine> {
  const wanted = await findEntries(options, catalogs);
  const start = performance.now();
  const threads = given({ threads: options.threads });
  const memory = given({
    memory: options.memory === undefined ? undefined : (parseMemory(options.memory) ?? undefined),
  });
  const runtime = await wanted.catalogs?.createRuntime?.(threads);
  const shared = given({ runtime });
  const loads = await Promise.allSettled([
    wanted.model ? wanted.model.load({ ...threads, ...memory, ...shared }) : (options.model as ImageModel),
    wanted.verifier ? wanted.verifier.load({ ...threads, ...shared }) : (options.verifier as Verifier),
  ]);
  const [model, verifier] = loads;
  const close = async (): Promise<void> => {
    if (wanted.model && model.status === 'fulfilled') await model.value.close();
    if (wanted.verifier && verifier.status === 'fulfilled') await verifier.value.close();
    await runtime?.close();
  };
  if (model.status === 'rejected' || verifier.status === 'rejected') {
    await close();
    throw (loads.find((each) => each.status === 'rejected') as PromiseRejectedResult).reason;
  }
  const loadTime = performance.now() - start;
  return engineOf(model.value, verifier.value, { entry: wanted.model, loadTime, close });
}

function engineOf(
  model: ImageModel,
  verifier: Verifier,
  rest: { readonly entry: ModelEntry | null; readonly loadTime: number; readonly close: () => Promise<void> },
): Engine {
  const { entry, close } = rest;
  let { loadTime } = rest;
  let hashes: Promise<EngineHashes> | undefined;
  return {
    model,
    verifier,
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

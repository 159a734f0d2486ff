// A model and a verifier, loaded and ready for any number of runs, by name or as given by the caller.

import { UsageError } from '../core/errors.js';
import type { ModelEntry } from '../models/catalog.js';
import type { ImageModel } from '../models/contract.js';
import type { VerifierEntry } from '../verifiers/catalog.js';
import type { Verifier } from '../verifiers/contract.js';
import { parseMemory } from './memory.js';
import type { OpenOptions } from './options.js';
import { DEFAULTS } from './options.js';
import type { FileHashes } from './recipe.js';

/** The models and verifiers that names stand for. */
export interface Catalogs {
  readonly models: readonly ModelEntry[];
  readonly verifiers: readonly VerifierEntry[];
}

/** The catalogues of this package; read when a name has to be looked up. */
export async function builtInCatalogs(): Promise<Catalogs> {
  const [{ MODELS }, { VERIFIERS }] = await Promise.all([
    import('../models/catalog.js'),
    import('../verifiers/catalog.js'),
  ]);
  return { models: MODELS, verifiers: VERIFIERS };
}

/** The entry of a name; a UsageError that lists the names when there is none. */
export function findEntry<Entry extends { readonly name: string }>(
  kind: 'model' | 'verifier',
  entries: readonly Entry[],
  name: string,
): Entry {
  const entry = entries.find((each) => each.name === name);
  if (entry) return entry;
  throw new UsageError(`unknown ${kind} '${name}': choose one of ${entries.map((each) => each.name).join(', ')}`);
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

function requireInstalled(kind: string, entry: { readonly name: string; installed(): boolean | string }): void {
  const installed = entry.installed();
  if (installed === true) return;
  const reason = installed === false ? 'its files are missing' : installed;
  throw new UsageError(`${kind} '${entry.name}' is not installed: ${reason}`);
}

interface Loaded<Value> {
  readonly value: Value;
  readonly own: boolean;
}

async function loadModel(options: OpenOptions, entry: ModelEntry | null): Promise<Loaded<ImageModel>> {
  if (!entry) return { value: options.model as ImageModel, own: false };
  requireInstalled('model', entry);
  const { threads } = options;
  const memory = options.memory === undefined ? null : parseMemory(options.memory);
  const value = await entry.load({
    ...(threads === undefined ? {} : { threads }),
    ...(memory === null ? {} : { memory }),
  });
  return { value, own: true };
}

async function loadVerifier(options: OpenOptions, entry: VerifierEntry | null): Promise<Loaded<Verifier>> {
  if (!entry) return { value: options.verifier as Verifier, own: false };
  requireInstalled('verifier', entry);
  const { threads } = options;
  return { value: await entry.load(threads === undefined ? {} : { threads }), own: true };
}

/** Loads a model and a verifier at the same time; when one fails, the other is closed again. */
export async function openEngine(options: OpenOptions, catalogs?: Catalogs): Promise<Engine> {
  const { model = DEFAULTS.model, verifier = DEFAULTS.verifier } = options;
  const named = typeof model === 'string' || typeof verifier === 'string';
  const known = named ? (catalogs ?? (await builtInCatalogs())) : { models: [], verifiers: [] };
  const modelEntry = typeof model === 'string' ? findEntry('model', known.models, model) : null;
  const verifierEntry = typeof verifier === 'string' ? findEntry('verifier', known.verifiers, verifier) : null;
  const start = performance.now();
  const loads = await Promise.allSettled([loadModel(options, modelEntry), loadVerifier(options, verifierEntry)]);
  const [loadedModel, loadedVerifier] = loads;
  const close = async (): Promise<void> => {
    for (const each of loads) if (each.status === 'fulfilled' && each.value.own) await each.value.value.close();
  };
  if (loadedModel.status === 'rejected' || loadedVerifier.status === 'rejected') {
    await close();
    throw loadedModel.status === 'rejected' ? loadedModel.reason : (loadedVerifier as PromiseRejectedResult).reason;
  }
  return engineOf(loadedModel.value.value, loadedVerifier.value.value, {
    entry: modelEntry,
    loadTime: performance.now() - start,
    close,
  });
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

// A model and its verifiers, loaded and ready for any number of runs, by name or as given by the caller.

import { given } from '../core/given.js';
import type { FileHashes } from '../core/hash.js';
import { requireInstalled } from '../core/installed.js';
import type { OptionValues } from '../core/options.js';
import type { ModelEntry } from '../models/catalog.js';
import type { ImageModel, Schedule } from '../models/contract.js';
import type { Device } from '../runtime/index.js';
import type { Verifier } from '../verifiers/contract.js';
import { type Catalogs, catalogsFor, findWanted, isEntry, type Wanted } from './catalogs.js';
import { entriesOf, type JuryRoom, type LoadedVerifiers, loadVerifiers, seatJury } from './jury.js';
import { MemoryBudget, parseMemory } from './memory.js';
import type { OpenOptions } from './options.js';

/** SHA-256 of the files that a picture depends on, by name. */
export interface EngineHashes {
  readonly model: FileHashes;
  /** As verifier/file. */
  readonly jury: FileHashes;
}

/** What runs work with. */
export interface Engine {
  readonly model: ImageModel;
  readonly jury: JuryRoom;
  /** The verifiers that look on; null where no report is wanted. */
  readonly observers: readonly Verifier[] | null;
  /** What computes, and in words what was taken where it was asked for; the CPU where all was loaded already. */
  readonly device: { readonly name: Device; readonly words: string | null };
  /** What its runs may hold together. */
  readonly memory: MemoryBudget;
  /** The schedule with a model's options, for a prompt of usual length; null for a model that does not tell it beforehand. */
  readonly schedule: (options: OptionValues) => Schedule | null;
  /** What speaks against a prompt for this model, in one line; null when nothing does. */
  readonly checkPrompt: (prompt: string) => string | null;
  /** SHA-256 of the files of model and judges, read once. */
  readonly hashes: () => Promise<EngineHashes>;
  /** Milliseconds that loading took, told once: the first run's ledger has them. */
  readonly takeLoadTime: () => number;
  /** Whether what was loaded here has broken down, such as a process that was ended: it has to be opened again. */
  readonly isBroken: () => boolean;
  /** Closes what was loaded here; a model or verifier that the caller handed in stays open. */
  readonly close: () => Promise<void>;
}

/** What was loaded, and what closes it again. */
interface Loaded extends LoadedVerifiers {
  readonly model: ImageModel;
  readonly device: Engine['device'];
  readonly isBroken: () => boolean;
}

/** Bytes that an engine may hold. */
export function memoryOf({ memory }: OpenOptions): number | undefined {
  return memory === undefined ? undefined : (parseMemory(memory) ?? undefined);
}

/** Loads everything at the same time into one runtime; when one part fails, the others are closed again. */
async function load(
  wanted: Wanted,
  options: OpenOptions,
  { catalogs, signal }: { readonly catalogs: Catalogs; readonly signal: AbortSignal | undefined },
): Promise<Loaded> {
  const entry = isEntry<ModelEntry>(wanted.model) ? wanted.model : null;
  const verifiers = [...wanted.judges, ...(wanted.observers ?? [])];
  const entries = entriesOf(verifiers);
  if (entry) requireInstalled('model', entry);
  for (const each of entries) requireInstalled('verifier', each);
  const choice = given({ threads: options.threads, device: options.device });
  const memory = memoryOf(options);
  const runtime = entry || entries.length > 0 ? await catalogs.createRuntime?.(choice) : undefined;
  const [model, loaded] = await Promise.allSettled([
    isEntry<ModelEntry>(wanted.model)
      ? wanted.model.load({ ...choice, ...given({ memory, runtime, precision: options.precision }) })
      : wanted.model,
    loadVerifiers(verifiers, { runtime, threads: options.threads, device: options.device, signal }),
  ]);
  const close = async (): Promise<void> => {
    if (entry && model.status === 'fulfilled') await model.value.close();
    if (loaded.status === 'fulfilled') await loaded.value.close();
    await runtime?.close();
  };
  if (model.status === 'rejected' || loaded.status === 'rejected') {
    await close();
    throw ([model, loaded].find((each) => each.status === 'rejected') as PromiseRejectedResult).reason;
  }
  const { verifierOf } = loaded.value;
  const isBroken = (): boolean => runtime?.isBroken === true || loaded.value.isBroken();
  const { device = 'cpu', deviceWords = null } = runtime ?? {};
  return { model: model.value, verifierOf, device: { name: device, words: deviceWords }, isBroken, close };
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
  const { model, verifierOf, device, isBroken, close } = await load(wanted, options, {
    catalogs: known,
    signal,
  });
  const observers = wanted.observers?.map(verifierOf) ?? null;
  return engineOf(model, {
    jury: seatJury(wanted.judges.map(verifierOf), options, observers ?? []),
    observers,
    device,
    memory: new MemoryBudget(memoryOf(options)),
    entry: isEntry<ModelEntry>(wanted.model) ? wanted.model : null,
    loadTime: performance.now() - start,
    isBroken,
    close,
  });
}

interface EngineParts extends Pick<
  Engine,
  'jury' | 'observers' | 'device' | 'memory' | 'isBroken' | 'close'
> {
  readonly entry: ModelEntry | null;
  readonly loadTime: number;
}

function engineOf(model: ImageModel, { entry, ...rest }: EngineParts): Engine {
  const { jury, observers, device, memory, isBroken, close } = rest;
  let { loadTime } = rest;
  let hashes: Promise<EngineHashes> | undefined;
  return {
    model,
    jury,
    observers,
    device,
    memory,
    schedule: (options) => entry?.schedule(options) ?? model.schedule?.(options) ?? null,
    checkPrompt: (prompt) => entry?.checkPrompt?.(prompt) ?? null,
    hashes: () => {
      hashes ??= Promise.all([model.hashes(), jury.hashes()]).then(([ofModel, ofJury]) => ({
        model: ofModel,
        jury: ofJury,
      }));
      return hashes;
    },
    takeLoadTime: () => {
      const taken = loadTime;
      loadTime = 0;
      return taken;
    },
    isBroken,
    close,
  };
}

// What a run of a benchmark has open: every model and every verifier once, in one runtime, and an engine for each model and jury that
// shares them.

import { given } from '../core/given.js';
import type { FileHashes } from '../core/hash.js';
import { requireInstalled } from '../core/installed.js';
import { type Catalogs, checkClipDir, CLIP_DIR, findWanted } from '../engine/catalogs.js';
import { type Engine, memoryOf, openEngine } from '../engine/engine.js';
import { type LoadedVerifiers, loadVerifiers } from '../engine/jury.js';
import type { OpenOptions } from '../engine/options.js';
import type { ModelEntry } from '../models/catalog.js';
import type { ImageModel } from '../models/contract.js';
import type { Device, Runtime } from '../runtime/index.js';
import type { VerifierEntry } from '../verifiers/catalog.js';
import type { Verifier } from '../verifiers/contract.js';
import { COIN, NONE } from './coin.js';

/** The verifiers that only benchmarks have. */
const OWN: readonly Verifier[] = [COIN, NONE];

/** What is opened for a run. */
export interface LabOptions extends Pick<
  OpenOptions,
  'device' | 'threads' | 'precision' | 'memory' | 'ensemble' | 'clipDir'
> {
  /** By name, those of folders too. */
  readonly models: readonly string[];
  /** The folders of models that are in none of the catalogues, by the names of the models: whole paths. */
  readonly folders?: Readonly<Record<string, string>>;
  /** Of verifiers, as `judgesOf` reads them. */
  readonly juries: readonly string[];
  readonly heldOut: readonly string[];
}

/** The judges of a jury by its name. */
export const judgesOf = (jury: string): readonly string[] => jury.split('+');

/** A jury's name: its judges in the order of their names. */
export function juryName(judges: readonly string[]): string {
  return judges.toSorted().join('+');
}

/** The entries of all verifiers of some juries that have one. Throws a UsageError for names that there are not, and worlds that do not fit. */
export function verifiersOf(
  { models, folders, juries, heldOut, ensemble, clipDir }: LabOptions,
  catalogs: Catalogs,
): readonly VerifierEntry[] {
  const listed = [...juries.map(judgesOf), ...heldOut.map((name) => [name])];
  const found = new Map<string, VerifierEntry>();
  for (const judges of listed) {
    const named = judges.filter((name) => OWN.every((own) => own.name !== name));
    if (named.length === 0) continue;
    for (const model of models) {
      const rule = named.length > 1 ? given({ ensemble }) : {};
      const own = named.includes(CLIP_DIR) ? given({ clipDir }) : {};
      const folder = folders?.[model];
      const drawing = folder === undefined ? { model } : { modelDir: folder };
      for (const each of findWanted({ ...drawing, verifier: named, ...rule, ...own }, catalogs).judges) {
        if ('load' in each) found.set(each.name, each);
      }
    }
  }
  checkClipDir({ clipDir }, [...found.values()]);
  return [...found.values()];
}

/** The verifiers that look on where nobody names any: all installed ones of the models' world, but those that are for studies alone. */
export function usualHeldOut(models: readonly ModelEntry[], catalogs: Catalogs): readonly string[] {
  const worlds = new Set(models.map(({ world }) => world));
  return catalogs.verifiers
    .filter(
      ({ world, studyOnly, sendsAway }) => worlds.has(world) && studyOnly !== true && sendsAway !== true,
    )
    .filter((each) => each.installed() === true)
    .map(({ name }) => name);
}

interface Parts {
  readonly options: LabOptions;
  readonly catalogs: Catalogs;
  readonly models: ReadonlyMap<string, { readonly entry: ModelEntry; readonly model: ImageModel }>;
  readonly verifiers: LoadedVerifiers;
  readonly byName: ReadonlyMap<string, VerifierEntry>;
  readonly runtime: Runtime | undefined;
}

/** What is open. */
export class Lab {
  readonly #parts: Parts;
  readonly #engines = new Map<string, Promise<Engine>>();

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Looks everything up, then loads it. */
  static async open(options: LabOptions, catalogs: Catalogs, signal?: AbortSignal): Promise<Lab> {
    const entries = verifiersOf(options, catalogs);
    const drawing = options.models.map((name) => {
      const folder = options.folders?.[name];
      return { name, entry: folder === undefined ? catalogs.findModel(name) : catalogs.modelIn(folder) };
    });
    for (const { entry } of drawing) requireInstalled('model', entry);
    for (const entry of entries) requireInstalled('verifier', entry);
    const { threads, precision, device } = options;
    const runtime = await catalogs.createRuntime?.(given({ threads, device }));
    const memory = memoryOf(options);
    const models: Parts['models'] extends ReadonlyMap<infer K, infer V> ? Map<K, V> : never = new Map();
    let verifiers: LoadedVerifiers | undefined;
    try {
      for (const { name, entry } of drawing) {
        signal?.throwIfAborted();
        const model = await entry.load(given({ threads, memory, runtime, precision }));
        models.set(name, { entry, model });
      }
      verifiers = await loadVerifiers(entries, { runtime, threads, device, signal });
      const byName = new Map(entries.map((entry) => [entry.name, entry]));
      return new Lab({ options, catalogs, models, verifiers, byName, runtime });
    } catch (error) {
      await verifiers?.close();
      for (const { model } of models.values()) await model.close();
      await runtime?.close();
      throw error;
    }
  }

  /** What computes; numbers of another device differ in their last bits, and pictures with them. */
  get device(): Device {
    return this.#parts.runtime?.device ?? 'cpu';
  }

  entry(model: string): ModelEntry {
    return this.#model(model).entry;
  }

  #model(name: string): { readonly entry: ModelEntry; readonly model: ImageModel } {
    const found = this.#parts.models.get(name);
    if (!found) throw new RangeError(`the model '${name}' is not open`);
    return found;
  }

  verifier(name: string): Verifier {
    const entry = this.#parts.byName.get(name);
    const found = entry ? this.#parts.verifiers.verifierOf(entry) : OWN.find((own) => own.name === name);
    if (!found) throw new RangeError(`the verifier '${name}' is not open`);
    return found;
  }

  /** Whether a process that something lives in was ended: all has to be opened again. */
  get isBroken(): boolean {
    return this.#parts.runtime?.isBroken === true || this.#parts.verifiers.isBroken();
  }

  /** What searches of a model that a jury guides run with. */
  engine(model: string, jury: string): Promise<Engine> {
    const key = `${model} ${jury}`;
    const known = this.#engines.get(key) ?? this.#seat(model, jury);
    this.#engines.set(key, known);
    return known;
  }

  async #seat(model: string, jury: string): Promise<Engine> {
    const judges = judgesOf(jury).map((name) => this.verifier(name));
    const { memory, ensemble } = this.#parts.options;
    const rule = judges.length > 1 ? given({ ensemble }) : {};
    const options = { model: this.#model(model).model, verifier: judges, ...given({ memory }), ...rule };
    return await openEngine(options, this.#parts.catalogs);
  }

  /** SHA-256 of all files of models and verifiers, as name/file. */
  async hashes(): Promise<FileHashes> {
    const { models, byName } = this.#parts;
    const parts = [...models.values()].map(({ model }) => model);
    const all = [...parts, ...[...byName.keys()].map((name) => this.verifier(name))];
    const found = await Promise.all(
      all.map(async (each) =>
        Object.entries(await each.hashes()).map(([file, hash]) => [`${each.name}/${file}`, hash] as const),
      ),
    );
    return Object.fromEntries(found.flat().sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  async close(): Promise<void> {
    const { models, verifiers, runtime } = this.#parts;
    await verifiers.close();
    for (const { model } of models.values()) await model.close();
    await runtime?.close();
  }
}

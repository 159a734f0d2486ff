// The cache of ready graphs: a large model is converted once, and every later start maps its files by path. Entries are shared by
// processes, appear whole or not at all, and are found by what they were made from, so that none has to be declared invalid.

import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

import { cacheFolder } from '../../core/cache-folder.js';
import { VarsearchError } from '../../core/errors.js';
import { fileFault } from '../../core/file-faults.js';
import { checkpointFiles } from '../../core/hash.js';
import { isRunning } from '../../core/is-running.js';
import type { GraphModel } from '../graph/index.js';
import { MODEL_FILE } from '../model-files.js';
import { damageOf, type Entry, entryName, GRAPH_VERSION, readEntry, staleness, writeEntry } from './entry.js';
import { type FileIdentity, identityOf } from './identity.js';
import { withLock } from './lock.js';

/** An entry, for people. */
export interface CachedGraph {
  readonly folder: string;
  /** Of the graph. */
  readonly graph: string;
  readonly bytes: number;
  /** The files that it was made from. */
  readonly sources: readonly string[];
  /** ISO 8601; null where the entry does not tell. */
  readonly made: string | null;
  /** 'ready', or why it will not be used. */
  readonly state: string;
}

/** Models of fewer bytes are converted faster than they are looked up. */
const CACHED_FROM = 2 ** 25;
const MAKING = '.making-';
const DAY_MS = 86_400_000;

/** Where ready graphs lie by default; null where nothing is to be kept. */
export function graphCacheFolder(): string | null {
  const folder = cacheFolder();
  return folder === null ? null : join(folder, 'graphs');
}

/** One conversion at a time in this process: each holds a weight or two in memory. */
let last: Promise<unknown> = Promise.resolve();

function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const turn = last.then(work, work);
  last = turn.catch(() => undefined);
  return turn;
}

/** A folder of ready graphs. */
export class GraphCache {
  readonly folder: string;
  /** Models from this number of bytes of weights on are kept. */
  readonly from: number;

  constructor(folder: string, { from = CACHED_FROM }: { readonly from?: number } = {}) {
    this.folder = folder;
    this.from = from;
  }

  /**
   * The path of the model's .onnx file with all its weights beside it: found, or made now. `checkpoint` is the file that the
   * weights are read from, or an index of several. Throws VarsearchError where it cannot be written.
   */
  async ready(model: GraphModel, checkpoint: string): Promise<string> {
    // Shards without any tensor that is needed may never have been fetched.
    const files = (await checkpointFiles(checkpoint)).filter((file) => existsSync(file));
    const sources = await Promise.all(files.map(identityOf));
    const place = join(this.folder, entryName(model, sources));
    if (await isWhole(place)) return join(place, MODEL_FILE);
    try {
      await mkdir(this.folder, { recursive: true });
      await inTurn(() => withLock(`${place}.lock`, () => this.#make(model, sources, place)));
    } catch (cause) {
      if (cause instanceof VarsearchError || (cause as NodeJS.ErrnoException).code === undefined) throw cause;
      throw new VarsearchError(
        `the ready graph ${model.name} cannot be kept in ${this.folder}: ${fileFault(cause)}; ${REMEDY}`,
        { cause },
      );
    }
    return join(place, MODEL_FILE);
  }

  /** All entries, those that will not be used included. */
  async list(): Promise<CachedGraph[]> {
    const found: CachedGraph[] = [];
    for (const name of await this.#names()) {
      const folder = join(this.folder, name);
      const entry = await readEntry(folder);
      found.push({
        folder,
        graph: entry?.graph ?? name.replace(/-[^-]*$/, ''),
        bytes: await bytesIn(folder),
        sources: entry?.sources.map(({ path }) => path) ?? [],
        made: entry?.made ?? null,
        state: await stateOf(folder, entry),
      });
    }
    return found;
  }

  /** Removes all entries, and what broken conversions left; gives the bytes that were freed. */
  async clear(): Promise<number> {
    let freed = 0;
    for (const name of [...(await this.#names()), ...(await this.#abandoned())]) {
      const folder = join(this.folder, name);
      freed += await bytesIn(folder);
      await rm(folder, { recursive: true, force: true });
    }
    return freed;
  }

  async #make(model: GraphModel, sources: readonly FileIdentity[], place: string): Promise<void> {
    if (await isWhole(place)) return; // by another process, meanwhile
    await rm(place, { recursive: true, force: true });
    await this.#sweep(sources);
    await this.#checkSpace(model);
    const folder = join(this.folder, `${MAKING}${hostname()}-${process.pid}-${randomUUID()}`);
    try {
      await writeEntry(model, sources, folder);
      await rename(folder, place).catch(async (error: unknown) => {
        if (!(await isWhole(place))) throw error; // made by another process whose lock was taken over
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** Removes what was made from these files before they were changed, and what broken conversions left. */
  async #sweep(sources: readonly FileIdentity[]): Promise<void> {
    const paths = new Set(sources.map(({ path }) => path));
    for (const name of await this.#names()) {
      const folder = join(this.folder, name);
      const entry = await readEntry(folder);
      if (!entry?.sources.some(({ path }) => paths.has(path)) || entry.version > GRAPH_VERSION) continue;
      if ((await staleness(entry)) !== null) await rm(folder, { recursive: true, force: true });
    }
    for (const name of await this.#abandoned()) {
      await rm(join(this.folder, name), { recursive: true, force: true });
    }
  }

  async #checkSpace({ name, weightBytes }: GraphModel): Promise<void> {
    const { bavail, bsize } = await statfs(this.folder);
    const free = bavail * bsize;
    if (free > weightBytes * 1.01) return;
    const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
    throw new VarsearchError(
      `the ready graph ${name} needs ${gigabytes(weightBytes)} in ${this.folder}, where ${gigabytes(free)} are free; ${REMEDY}`,
    );
  }

  async #names(): Promise<string[]> {
    return (await foldersIn(this.folder)).filter((name) => !name.startsWith('.'));
  }

  /** Conversions whose process is gone; of another machine's, those of yesterday. */
  async #abandoned(): Promise<string[]> {
    const names = (await foldersIn(this.folder)).filter((name) => name.startsWith(MAKING));
    const ours = `${MAKING}${hostname()}-`;
    const gone: string[] = [];
    for (const name of names) {
      const pid = name.startsWith(ours) ? Number.parseInt(name.slice(ours.length)) : null;
      const { mtimeMs } = await stat(join(this.folder, name));
      if (pid === null ? Date.now() - mtimeMs > DAY_MS : !isRunning(pid)) gone.push(name);
    }
    return gone;
  }
}

const REMEDY =
  "set VARSEARCH_CACHE to a folder with room, or to 'off' to convert the model again at every start";

async function isWhole(place: string): Promise<boolean> {
  const entry = await readEntry(place);
  return entry !== null && (await damageOf(place, entry)) === null;
}

async function stateOf(folder: string, entry: Entry | null): Promise<string> {
  if (!entry) return 'damaged: entry.json cannot be read';
  const stale = await staleness(entry);
  if (stale !== null) return `stale: ${stale}`;
  const damage = await damageOf(folder, entry);
  return damage === null ? 'ready' : `damaged: ${damage}`;
}

async function foldersIn(folder: string): Promise<string[]> {
  try {
    const found = await readdir(folder, { withFileTypes: true });
    return found
      .filter((each) => each.isDirectory())
      .map(({ name }) => name)
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder)) bytes += (await stat(join(folder, name))).size;
  return bytes;
}

// Fetches what a name needs into the cache that all Hub programs share. Whatever ends it, nothing half-fetched has its final
// name, and the next pull goes on where this one stopped.

import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, mkdir, readFile, rename, rm, stat, statfs, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

import { modelsFolder } from '../core/assets.js';
import { UsageError, VarsearchError } from '../core/errors.js';
import { formatLarge } from '../core/format.js';
import { type Expected, fetchBlob, onDisk } from './blob.js';
import { findPart, PARTIAL } from './cache.js';
import { type HubClient, hubClient, type HubFile } from './client.js';
import { type HubLicence, type HubPart, type HubSet, revisionOf, type WebFile } from './facts.js';
import { locked, type LockTiming } from './lock.js';
import { blobPath, isComplete, isHere, missingFiles, type PartPlan, planPart } from './plan.js';
import { connected, type Patience, patiently, type RetryTiming, USUAL_TIMING } from './retry.js';
import { type Environment, type HubSettings, hubSettings } from './settings.js';

/** What a pull tells while it runs. */
export type PullEvent =
  | { readonly type: 'plan'; readonly files: number; readonly bytes: number; readonly have: number }
  | { readonly type: 'file'; readonly path: string; readonly index: number }
  /** Bytes of all files together that are on disk, those of an earlier pull included. */
  | { readonly type: 'bytes'; readonly have: number }
  | { readonly type: 'retry'; readonly fault: string; readonly wait: number }
  | { readonly type: 'waiting'; readonly path: string; readonly holder: string };

/** Terms that somebody has to accept. */
export interface Terms {
  readonly repo: string;
  readonly licence: HubLicence;
  /** The page to read. */
  readonly url: string;
  readonly reason: string;
}

/** How a pull is done. */
export interface PullOptions {
  readonly env?: Environment;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: PullEvent) => void;
  /** Asks whether terms are accepted; a pull that may not ends with an error. */
  readonly accept: (terms: Terms) => Promise<boolean>;
  /** @default what the environment says */
  readonly xet?: boolean;
  readonly timing?: RetryTiming & { readonly lock?: LockTiming };
  /** Free bytes of the disk of a folder. @default the system's word */
  readonly free?: (folder: string) => Promise<number>;
}

/** What a pull has done. */
export interface PullResult {
  /** Bytes that came over the network. */
  readonly fetched: number;
  /** The folders that hold the parts, in their order. */
  readonly folders: readonly string[];
}

/** What is left free on a disk. */
const SPARE = 64 * 1024 ** 2;
/** After so many tries that failed, the plain way is taken instead of xet. */
const XET_TRIES = 2;

/** Fetches what is missing of a set. Throws VarsearchError, and the signal's reason. */
export async function pull(set: HubSet, options: PullOptions): Promise<PullResult> {
  const { env = process.env } = options;
  const found = set.parts.map((part) => findPart(part, env));
  const web = (set.web ?? []).filter((file) => !existsSync(webPath(file)));
  const lacking = set.parts.filter((_, i) => found[i]?.missing.length !== 0);
  if (lacking.length === 0 && web.length === 0) return { fetched: 0, folders: foldersOf(set, env) };
  const settings = hubSettings(env);
  if (settings.offline) {
    const missing = lacking.flatMap((part) => findPart(part, env)?.missing ?? [part.repo]);
    throw new UsageError(
      `HF_HUB_OFFLINE is set, and the cache ${settings.cache} lacks ${[...missing, ...web.map(({ file }) => file)].join(', ')}: ` +
        'unset it, or copy the cache from another machine',
    );
  }
  const run = new Pull(settings, options);
  await run.parts(lacking);
  for (const file of web) await run.web(file);
  return { fetched: run.fetched, folders: foldersOf(set, env) };
}

function foldersOf({ parts }: HubSet, env: Environment): string[] {
  return parts.map((part) => {
    const state = findPart(part, env);
    if (state?.missing.length === 0) return state.folder;
    throw new VarsearchError(`${part.repo} is not whole in the cache after all: pull it again`);
  });
}

/** Where a file that is on no Hub goes. */
export function webPath({ folder, file }: WebFile): string {
  return join(modelsFolder(), folder, file);
}

/** One pull under way. */
class Pull {
  fetched = 0;
  readonly #settings: HubSettings;
  readonly #options: PullOptions;
  readonly #client: HubClient;
  readonly #signal: AbortSignal;
  readonly #timing: NonNullable<PullOptions['timing']>;

  constructor(settings: HubSettings, options: PullOptions) {
    this.#settings = settings;
    this.#options = options;
    this.#client = hubClient(settings);
    this.#signal = options.signal ?? new AbortController().signal;
    this.#timing = options.timing ?? USUAL_TIMING;
  }

  async parts(parts: readonly HubPart[]): Promise<void> {
    const plans: PartPlan[] = [];
    for (const part of parts) plans.push(await this.#plan(part));
    for (const plan of plans) await this.#accept(plan);
    const missing = missingFiles(plans);
    await this.#checkRoom(missing);
    const total = missing.reduce((sum, { file }) => sum + file.bytes, 0);
    let done = missing.reduce((sum, { have }) => sum + have, 0);
    this.#tell({ type: 'plan', files: missing.length, bytes: total, have: done });
    for (const [index, { plan, file, have }] of missing.entries()) {
      this.#tell({ type: 'file', path: file.path, index });
      const others = done - have;
      await this.#blob(plan, file, (bytes) => {
        this.#tell({ type: 'bytes', have: others + bytes });
      });
      done = others + file.bytes;
    }
    for (const plan of plans) await this.#finish(plan);
  }

  /** A file that is on no Hub; small ones, so that it begins anew each time. */
  async web(file: WebFile): Promise<void> {
    const path = webPath(file);
    this.#tell({ type: 'file', path: file.file, index: 0 });
    await onDisk(path, () => mkdir(dirname(path), { recursive: true }));
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.#client.get(file.url, { signal: this.#signal })) chunks.push(chunk);
    const aside = `${path}.${randomUUID()}`;
    await onDisk(path, async () => {
      await writeFile(aside, Buffer.concat(chunks));
      await rename(aside, path);
    });
    this.fetched += chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /** The plan of a part; what fails by the network is asked again. */
  async #plan(part: HubPart): Promise<PartPlan> {
    return await planPart(part, {
      client: this.#client,
      settings: this.#settings,
      ask: (work) => patiently(() => connected(work, this.#patience), this.#patience),
      readIndex: async (plan, file) => {
        await this.#accept(plan);
        await this.#blob(plan, file, () => undefined);
        return readFile(blobPath(plan, file), 'utf8');
      },
    });
  }

  get #patience(): Patience {
    return {
      timing: this.#timing,
      signal: this.#signal,
      onRetry: (fault, wait) => {
        this.#tell({ type: 'retry', fault, wait });
      },
    };
  }

  async #accept({ part, gated }: PartPlan): Promise<void> {
    const { licence, repo } = part;
    const reason = licence.accept ?? (gated ? 'gated by its owner' : null);
    if (reason === null) return;
    const path = join(dirname(modelsFolder()), 'accepted-licences.json');
    const accepted = existsSync(path) ? (JSON.parse(await readFile(path, 'utf8')) as string[]) : [];
    const mark = `${repo}: ${licence.name}`;
    if (accepted.includes(mark)) return;
    const url = licence.url ?? `${this.#settings.endpoint}/${repo}`;
    if (!(await this.#options.accept({ repo, licence, url, reason }))) {
      throw new UsageError(
        `${repo} is under '${licence.name}' (${reason}), which has not been accepted: read ${url}, then add --accept-licence`,
      );
    }
    await onDisk(path, async () => {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(`${path}.${process.pid}`, JSON.stringify([...accepted, mark]));
      await rename(`${path}.${process.pid}`, path);
    });
  }

  async #checkRoom(missing: ReturnType<typeof missingFiles>): Promise<void> {
    const needed = missing.reduce((sum, { file, have }) => sum + file.bytes - have, 0);
    if (needed === 0) return;
    const { cache } = this.#settings;
    await onDisk(cache, () => mkdir(cache, { recursive: true }));
    const free = await (this.#options.free ?? freeBytes)(cache);
    if (needed + SPARE <= free) return;
    throw new VarsearchError(
      `${formatLarge(needed)}B more are needed in ${cache}, where ${formatLarge(free)}B are free: ` +
        'make room, or set HF_HUB_CACHE to a folder on another disk',
    );
  }

  /** Brings one content, whoever fetches it, and links its name to it. */
  async #blob(plan: PartPlan, file: HubFile, onBytes: (have: number) => void): Promise<void> {
    const path = blobPath(plan, file);
    if (isHere(plan, file)) return;
    await onDisk(plan.repo, () => mkdir(dirname(path), { recursive: true }));
    const lock = join(this.#settings.cache, '.locks', basenameOf(plan.repo), `${file.etag}.varsearch.lock`);
    const fetchIt = async (): Promise<void> => {
      if (!(await isWhole(path, file))) await this.#fetch(plan, file, path, onBytes);
      await onDisk(plan.snapshot, () => linkTo(path, join(plan.snapshot, file.path)));
    };
    const onWait = (holder: string): void => {
      this.#tell({ type: 'waiting', path: file.path, holder });
    };
    await onDisk(lock, () =>
      locked(lock, fetchIt, { signal: this.#signal, timing: this.#timing.lock, onWait }),
    );
  }

  async #fetch(plan: PartPlan, file: HubFile, path: string, onBytes: (have: number) => void): Promise<void> {
    const { part, commit } = plan;
    const expected: Expected = { what: `${file.path} of ${part.repo}`, bytes: file.bytes, etag: file.etag };
    const wanted = this.#options.xet ?? this.#settings.xet;
    let first: number | null = null;
    await fetchBlob(path, `${path}${PARTIAL}`, expected, {
      read: (from, attempt, watch) => {
        first ??= from;
        const xet = wanted && attempt < XET_TRIES;
        return this.#client.read({ repo: part.repo, commit, file, from, xet }, watch);
      },
      ...this.#patience,
      onBytes: (have) => {
        if (first !== null) this.fetched += Math.max(0, have - first);
        first = first === null ? null : have;
        onBytes(have);
      },
    });
  }

  /** The branch's name for the commit comes last: who finds it finds all of the part. */
  async #finish(plan: PartPlan): Promise<void> {
    const revision = revisionOf(plan.part);
    for (const file of plan.files) {
      // Two names of one content.
      if (!isHere(plan, file)) {
        await onDisk(plan.snapshot, () => linkTo(blobPath(plan, file), join(plan.snapshot, file.path)));
      }
    }
    if (!isComplete(plan)) {
      throw new VarsearchError(`${plan.part.repo} has lost files while it was fetched: pull it again`);
    }
    if (revision === plan.commit) return;
    const path = join(plan.repo, 'refs', revision);
    await onDisk(path, async () => {
      await mkdir(dirname(path), { recursive: true });
      const aside = `${path}.${randomUUID()}`;
      await writeFile(aside, plan.commit);
      await rename(aside, path);
    });
  }

  #tell(event: PullEvent): void {
    this.#options.onEvent?.(event);
  }
}

function basenameOf(path: string): string {
  return path.slice(dirname(path).length + 1);
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** Whether a content is there with all its bytes: one that another program has put there counts. */
async function isWhole(path: string, { bytes }: HubFile): Promise<boolean> {
  return await stat(path).then(
    ({ size }) => size === bytes,
    () => false,
  );
}

/** A name in a snapshot: a relative link, as Python makes it; where links are forbidden the content itself, with two names or one. */
async function linkTo(blob: string, name: string): Promise<void> {
  await mkdir(dirname(name), { recursive: true });
  await rm(name, { force: true });
  try {
    await symlink(relative(dirname(name), blob), name);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (!['EPERM', 'EACCES', 'ENOSYS', 'ENOTSUP', 'EINVAL'].includes(code)) throw error;
    await link(blob, name).catch(() => rename(blob, name));
  }
}

// Lists of prompts that others publish: fetched at run time from a pinned commit, checked, and kept in the cache. None is in this package.

import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { cacheFolder } from '../../core/cache-folder.js';
import { VarsearchError } from '../../core/errors.js';
import { isError } from '../../core/realm.js';
import type { ListContext } from './benchmark.js';

/** A file of a list. */
export interface ListFile {
  /** Its name in the cache, without slashes. */
  readonly name: string;
  readonly url: string;
  readonly licence: string;
  /** Of its bytes; null where nobody can pin them, so that what is in them is checked. */
  readonly sha256: string | null;
}

/** A file of a commit on GitHub. */
export function onGitHub(repository: string, commit: string, path: string): string {
  return `https://raw.githubusercontent.com/${repository}/${commit}/${path}`;
}

export const sha256Of = (bytes: Uint8Array | string): string =>
  createHash('sha256').update(bytes).digest('hex');

/** Nobody publishes a list larger than this. */
const MOST_BYTES = 2 ** 24;
const PATIENCE = 30_000;

/** A file that is there, and which of several it is. */
export interface FoundFile {
  readonly file: ListFile;
  readonly bytes: Uint8Array;
}

/** The bytes of a file: from the cache, or fetched. Throws a VarsearchError where it cannot be fetched, or is not the one that is meant. */
export async function fetchFile(file: ListFile, context: ListContext = {}): Promise<Uint8Array> {
  return (await fetchFirst([file], context)).bytes;
}

/** The first that can be had of files with the same prompts: those of the cache go before those that have to be fetched. */
export async function fetchFirst(files: readonly ListFile[], context: ListContext = {}): Promise<FoundFile> {
  for (const file of files) {
    const bytes = readKept(file, context);
    if (bytes) return { file, bytes };
  }
  const faults: VarsearchError[] = [];
  for (const file of files) {
    try {
      const bytes = await fetchAnew(file, context);
      keep(file, bytes, context);
      return { file, bytes };
    } catch (error) {
      context.signal?.throwIfAborted();
      if (!(error instanceof VarsearchError)) throw error;
      faults.push(error);
    }
  }
  const [cause] = faults;
  throw new VarsearchError(
    `${faults.map(({ message }) => message).join('; nor another place: ')}; or give a file of your own in place of the benchmark's name`,
    { cause },
  );
}

/** Where a file is kept; null where nothing is. */
function placeOf({ name }: ListFile, { cache }: ListContext): string | null {
  const usual = cacheFolder();
  const folder = cache ?? (usual === null ? null : join(usual, 'benchmarks'));
  return folder === null ? null : join(folder, name);
}

function readKept(file: ListFile, context: ListContext): Uint8Array | null {
  const kept = placeOf(file, context);
  if (kept === null || !existsSync(kept)) return null;
  const bytes = readFileSync(kept);
  if (file.sha256 === null || sha256Of(bytes) === file.sha256) return bytes;
  // Damaged since it was checked.
  rmSync(kept);
  return null;
}

async function fetchAnew(file: ListFile, context: ListContext): Promise<Uint8Array> {
  context.tell?.(`fetching ${file.url} (licence: ${file.licence})`);
  const bytes = await download(context.mirror?.(file.url) ?? file.url, file.url, context);
  const found = sha256Of(bytes);
  if (file.sha256 === null || found === file.sha256) return bytes;
  throw new VarsearchError(
    `${file.url} is not the file that this version of varsearch knows (SHA-256 ${found.slice(0, 12)}, expected ${file.sha256.slice(0, 12)}): ` +
      'somebody has changed it on the way',
  );
}

async function download(from: string, url: string, { signal }: ListContext): Promise<Uint8Array> {
  const patience = AbortSignal.timeout(PATIENCE);
  try {
    const answer = await fetch(from, { signal: signal ? AbortSignal.any([signal, patience]) : patience });
    if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
    const bytes = new Uint8Array(await answer.arrayBuffer());
    if (bytes.length > MOST_BYTES) throw new Error(`it has ${bytes.length} bytes`);
    return bytes;
  } catch (cause) {
    signal?.throwIfAborted();
    const { message, cause: deeper } = cause as Error;
    const why = isError(deeper) ? deeper.message : message;
    throw new VarsearchError(`cannot fetch ${url}: ${why}`, { cause });
  }
}

function keep(file: ListFile, bytes: Uint8Array, context: ListContext): void {
  const path = placeOf(file, context);
  if (path === null) return;
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${randomBytes(8).toString('hex')}.tmp`;
  try {
    writeFileSync(temporary, bytes, { flag: 'wx' });
    renameSync(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
}

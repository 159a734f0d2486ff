// One content into the cache: fetched into a file beside its place, gone on with where it was interrupted, compared with its
// size and hash, and only then given its name.

import { createHash, type Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { open, rename, rm } from 'node:fs/promises';

import { VarsearchError } from '../core/errors.js';
import { fileFault } from '../core/file-faults.js';
import { isError } from '../core/realm.js';
import { HubFault, type Watch } from './client.js';
import { connected, type Patience, patiently } from './retry.js';

/** What a content has to be. */
export interface Expected {
  /** For messages. */
  readonly what: string;
  readonly bytes: number;
  /** SHA-256, or the SHA-1 that git gives a file; null where nothing is known. */
  readonly etag: string | null;
}

/** How a transfer is done. */
export interface BlobOptions extends Omit<Patience, 'progress'> {
  /** Bytes from a position on; `attempt` counts from 0. */
  readonly read: (from: number, attempt: number, watch: Watch) => AsyncIterable<Uint8Array>;
  /** Bytes of the file that are on disk now. */
  readonly onBytes: (have: number) => void;
}

/** Fetches a content into `partial` and gives it the name `path`. Throws VarsearchError; what has come is kept for the next time. */
export async function fetchBlob(
  path: string,
  partial: string,
  expected: Expected,
  options: BlobOptions,
): Promise<void> {
  for (let again = true; ; again = false) {
    const got = await onDisk(partial, () => fill(partial, expected, options));
    if (expected.etag === null || got === expected.etag) break;
    // Bytes that were wrong once may have come from a bad resumption: once more, from the start.
    await rm(partial, { force: true });
    const fault = `${expected.what} has come with the hash ${got}, not ${expected.etag}`;
    if (!again) {
      throw new VarsearchError(`${fault}: the server or the way from it is at fault, nothing was kept`);
    }
    options.onRetry(fault, 0);
  }
  await onDisk(path, () => rename(partial, path));
}

/** Writes what is missing and gives the hash of all. */
async function fill(partial: string, expected: Expected, options: BlobOptions): Promise<string> {
  const file = await open(partial, 'a+');
  try {
    const state = await begun(file, expected, options);
    await transfer(file, state, expected, options);
    await file.sync();
    return state.hash.digest('hex');
  } finally {
    await file.close();
  }
}

interface State {
  have: number;
  readonly hash: Hash;
}

/** Hashes what an earlier pull has left. */
async function begun(file: FileHandle, { bytes, etag }: Expected, options: BlobOptions): Promise<State> {
  const hash = etag?.length === 40 ? createHash('sha1').update(`blob ${bytes}\0`) : createHash('sha256');
  const state = { have: 0, hash };
  const { size } = await file.stat();
  if (size > bytes) {
    await file.truncate(0);
    return state;
  }
  const buffer = Buffer.alloc(1 << 20);
  while (state.have < size) {
    options.signal.throwIfAborted();
    const { bytesRead } = await file.read(buffer, 0, buffer.length, state.have);
    if (bytesRead === 0) break;
    hash.update(buffer.subarray(0, bytesRead));
    state.have += bytesRead;
    options.onBytes(state.have);
  }
  return state;
}

async function transfer(
  file: FileHandle,
  state: State,
  { what, bytes }: Expected,
  options: BlobOptions,
): Promise<void> {
  if (state.have === bytes) return;
  const take = async (chunk: Uint8Array): Promise<void> => {
    if (state.have + chunk.byteLength > bytes) {
      throw new HubFault(`the server sends more than the ${bytes} bytes of ${what}`, { again: true });
    }
    await writeAll(file, chunk);
    state.hash.update(chunk);
    state.have += chunk.byteLength;
    options.onBytes(state.have);
  };
  const once = (attempt: number): Promise<void> =>
    connected(async (watch) => {
      for await (const chunk of options.read(state.have, attempt, watch)) await take(chunk);
      if (state.have < bytes) {
        throw new HubFault(`${what} broke off at ${state.have} of ${bytes} bytes`, { again: true });
      }
    }, options);
  await patiently(once, { ...options, progress: () => state.have });
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.byteLength;) {
    done += (await file.write(chunk, done)).bytesWritten;
  }
}

/** Does work with a file; its faults become one line. */
export async function onDisk<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = isError(error) && 'syscall' in error && 'code' in error ? error.code : undefined;
    if (code === undefined || error instanceof VarsearchError) throw error;
    const remedy =
      code === 'ENOSPC'
        ? 'make room, and the same command goes on where it stopped'
        : 'set HF_HUB_CACHE to a folder that can be written';
    throw new VarsearchError(`cannot write ${path}: ${fileFault(error)}; ${remedy}`, { cause: error });
  }
}

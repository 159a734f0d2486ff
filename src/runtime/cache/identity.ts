// Which file a ready graph was made from: path, size, time of the last change, and a sample of the content. Reading files of
// gigabytes whole at every start would cost what the cache saves; a file of other content that has all four in common would
// have to be forged.

import { createHash } from 'node:crypto';
import { type FileHandle, open, realpath } from 'node:fs/promises';

import { CheckpointError } from '../../core/errors.js';
import { fileFault } from '../../core/file-faults.js';

/** What tells a file from any other. */
export interface FileIdentity {
  /** Without links. */
  readonly path: string;
  readonly size: number;
  /** Nanoseconds, as text: too many for a number. */
  readonly changed: string;
  /** SHA-256 of its beginning, its end and blocks in between. */
  readonly sample: string;
}

/** A torch archive's end holds the checksums of all its tensors, a safetensors file's beginning their names and places. */
const EDGE_BYTES = 2 ** 16;
const BLOCK_BYTES = 2 ** 12;
const BLOCKS = 32;

/** The identity of a file. Throws CheckpointError where it cannot be read. */
export async function identityOf(path: string): Promise<FileIdentity> {
  try {
    const file = await open(path);
    try {
      const { size, mtimeNs } = await file.stat({ bigint: true });
      return {
        path: await realpath(path),
        size: Number(size),
        changed: String(mtimeNs),
        sample: await sampleOf(file, Number(size)),
      };
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new CheckpointError(path, `cannot be read: ${fileFault(cause)}`, { cause });
  }
}

/** True for the same file, unchanged. */
export function isSame(a: FileIdentity, b: FileIdentity): boolean {
  return a.path === b.path && a.size === b.size && a.changed === b.changed && a.sample === b.sample;
}

/** SHA-256 of samples of a file: all of it where it is small. */
export async function sampleOf(file: FileHandle, size: number): Promise<string> {
  const hash = createHash('sha256');
  const add = async (from: number, length: number): Promise<void> => {
    const bytes = new Uint8Array(Math.min(length, size - from));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, from);
    hash.update(bytes.subarray(0, bytesRead));
  };
  if (size <= 2 * EDGE_BYTES + BLOCKS * BLOCK_BYTES) await add(0, size);
  else {
    await add(0, EDGE_BYTES);
    for (let i = 1; i <= BLOCKS; i++) await add(Math.floor((size * i) / (BLOCKS + 1)), BLOCK_BYTES);
    await add(size - EDGE_BYTES, EDGE_BYTES);
  }
  return hash.digest('hex');
}

// Random access to the bytes of a file, or of an array in memory: positional reads, bounds always checked.

import { closeSync, readSync } from 'node:fs';

import { CheckpointError } from '../../core/errors.js';
import { isError } from '../../core/realm.js';
import { openRegularFile } from '../../core/regular-file.js';

/** Bytes that are read by position. */
export interface ByteSource {
  /** The file, for messages. */
  readonly label: string;
  /** Bytes in all. */
  readonly size: number;
  /** A fresh array of `length` bytes from `offset`; throws CheckpointError when they are not all there. */
  read(offset: number, length: number): Uint8Array;
  /** Frees the file; later reads throw. */
  close(): void;
}

/** One system call reads at most 2^31 - 1 bytes. */
const MAX_CHUNK = 1 << 30;

/** Opens a file for positional reads; throws CheckpointError when it is missing, unreadable or no regular file. */
export function openFileBytes(path: string): ByteSource {
  try {
    const { descriptor, size } = openRegularFile(path);
    return new FileBytes(path, descriptor, size);
  } catch (cause) {
    if (cause instanceof CheckpointError) throw cause;
    throw new CheckpointError(path, systemFault(cause), { cause });
  }
}

/** Serves an array as if it were a file called `label`. */
export function memoryBytes(label: string, bytes: Uint8Array): ByteSource {
  return {
    label,
    size: bytes.byteLength,
    read: (offset, length) => {
      checkRange(label, bytes.byteLength, offset, length);
      // Copied through Uint8Array so that a Buffer (whose slice shares memory) is copied as well.
      return Uint8Array.prototype.slice.call(bytes, offset, offset + length);
    },
    close: () => undefined,
  };
}

/** What the operating system said about a path that was to be read or written, in plain words. */
export function systemFault(cause: unknown, wanted: 'read' | 'written' = 'read'): string {
  const code = isError(cause) && 'code' in cause ? cause.code : undefined;
  if (code === 'ENOENT') return 'does not exist';
  if (code === 'EACCES' || code === 'EPERM') return `cannot be ${wanted}: permission denied`;
  return `cannot be ${wanted}: ${isError(cause) ? cause.message : String(cause)}`;
}

class FileBytes implements ByteSource {
  readonly label: string;
  readonly size: number;
  #descriptor: number | undefined;

  constructor(label: string, descriptor: number, size: number) {
    this.label = label;
    this.size = size;
    this.#descriptor = descriptor;
  }

  read(offset: number, length: number): Uint8Array {
    checkRange(this.label, this.size, offset, length);
    if (this.#descriptor === undefined) throw new CheckpointError(this.label, 'has been closed');
    const bytes = allocate(this.label, length);
    let done = 0;
    while (done < length) {
      const count = this.#readChunk(bytes, done, Math.min(length - done, MAX_CHUNK), offset + done);
      if (count === 0) throw new CheckpointError(this.label, 'became shorter while it was read');
      done += count;
    }
    return bytes;
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #readChunk(into: Uint8Array, at: number, length: number, position: number): number {
    try {
      return readSync(this.#descriptor ?? -1, into, at, length, position);
    } catch (cause) {
      throw new CheckpointError(this.label, systemFault(cause), { cause });
    }
  }
}

function allocate(label: string, length: number): Uint8Array {
  try {
    // Not zeroed (every byte is overwritten) and not from Node's pool, so that offset 0 is aligned.
    return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
  } catch (cause) {
    throw new CheckpointError(label, `needs ${length} bytes at once, which this machine cannot give`, {
      cause,
    });
  }
}

function checkRange(label: string, size: number, offset: number, length: number): void {
  const valid = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
  if (!valid || offset + length > size) {
    throw new CheckpointError(
      label,
      `is truncated: bytes ${offset} to ${offset + length} of ${size} are wanted`,
    );
  }
}

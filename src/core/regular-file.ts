// Regular files only: a pipe that nobody writes to would be waited for without end, and a device has no end.

import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';

import { CheckpointError } from './errors.js';

/** A file that is open for reading; whoever opened it closes the descriptor. */
export interface OpenFile {
  readonly descriptor: number;
  /** Bytes in all. */
  readonly size: number;
}

/**
 * Opens a regular file, or a link to one, without ever waiting. Throws a CheckpointError for anything of another kind, and
 * the operating system's error where there is nothing or nothing that may be read.
 */
export function openRegularFile(path: string): OpenFile {
  // Asked before it is opened, since opening alone can make a device act.
  checkKind(path, statSync(path));
  const descriptor = openSync(path, constants.O_RDONLY | nonBlocking);
  try {
    const stats = fstatSync(descriptor);
    checkKind(path, stats);
    return { descriptor, size: stats.size };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** Windows has no such flag, and no pipes among its files. */
const nonBlocking = (constants as { readonly O_NONBLOCK?: number }).O_NONBLOCK ?? 0;

/** The bytes of a regular file; a CheckpointError for one of more than `most` bytes, which is not read at all. */
export function readRegularFile(path: string, most: number): Buffer {
  const { descriptor, size } = openRegularFile(path);
  try {
    if (size > most) {
      throw new CheckpointError(
        path,
        `has ${size} bytes: such a file has at most ${most}, so it is another one`,
      );
    }
    const bytes = Buffer.allocUnsafeSlow(size);
    let done = 0;
    while (done < size) {
      const count = readSync(descriptor, bytes, done, size - done, done);
      if (count === 0) break;
      done += count;
    }
    return bytes.subarray(0, done);
  } finally {
    closeSync(descriptor);
  }
}

/** Throws a CheckpointError that says what a path is that is no regular file. */
export function checkRegularFile(path: string): void {
  checkKind(path, statSync(path));
}

function checkKind(path: string, stats: Stats): void {
  if (stats.isFile()) return;
  const kind = stats.isDirectory()
    ? 'a folder'
    : stats.isFIFO()
      ? 'a named pipe'
      : stats.isSocket()
        ? 'a socket'
        : 'a device';
  throw new CheckpointError(path, `is ${kind}, not a regular file`);
}

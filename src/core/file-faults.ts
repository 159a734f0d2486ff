// Why a file cannot be read or written, in words.

import { VarsearchError } from './errors.js';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  ENOTDIR: 'a part of the path is a file',
  EISDIR: 'it is a folder',
  EEXIST: 'it is a file',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  ELOOP: 'its links go round in circles',
  ENAMETOOLONG: 'the name is too long',
};

/** Why a file operation failed. */
export function fileFault(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return REASONS[code] ?? message;
}

/** The error for something that cannot be read. */
export function cannotRead(path: string, cause: unknown): VarsearchError {
  return new VarsearchError(`cannot read ${path}: ${fileFault(cause)}`, { cause });
}

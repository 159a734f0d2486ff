// File patterns, for when no shell has expanded them: *, ?, [a-z], [!a-z], {a,b} and **, which stands for any number of
// folders. As in a shell, hidden files have to be named, and ** follows links no deeper than one. The library is glob.

import { type Dirent, promises } from 'node:fs';
import { isAbsolute, sep } from 'node:path';
import { glob } from 'glob';

import { UsageError } from '../core/errors.js';

/** Where a pattern starts from, and how to stop looking. */
export interface GlobOptions {
  readonly cwd: string;
  readonly signal?: AbortSignal | undefined;
}

/** More alternatives than anybody writes: braces multiply. */
const MOST_ALTERNATIVES = 1000;

/** True when a path holds a character that patterns are made of. */
export function isPattern(path: string): boolean {
  return /[*?[{]/.test(path);
}

/**
 * The files and folders that a pattern stands for, as paths that begin like the pattern; in no particular order. A folder on
 * the way that cannot be read is an error, since pictures in it would be missed without a word.
 */
export async function expandPattern(pattern: string, { cwd, signal }: GlobOptions): Promise<string[]> {
  signal?.throwIfAborted();
  const alternatives = pattern.split('{').reduce((product, part) => product * part.split(',').length, 1);
  if (alternatives > MOST_ALTERNATIVES) {
    throw new UsageError(`the pattern ${pattern} has more than ${MOST_ALTERNATIVES} alternatives`);
  }
  const faults: NodeJS.ErrnoException[] = [];
  // The library passes over folders that it cannot read.
  const readdir = async (path: string, options: { readonly withFileTypes: true }): Promise<Dirent[]> => {
    try {
      return await promises.readdir(path, options);
    } catch (error) {
      const fault = error as NodeJS.ErrnoException;
      if (fault.code !== 'ENOENT' && fault.code !== 'ENOTDIR') faults.push(fault);
      throw error;
    }
  };
  const found = await glob(pattern, {
    cwd,
    absolute: isAbsolute(pattern),
    noext: true,
    // On Windows the backslash parts folders; elsewhere it takes a character's meaning as a pattern away.
    windowsPathsNoEscape: sep === '\\',
    fs: { promises: { readdir } },
    ...(signal ? { signal } : {}),
  });
  const [fault] = faults;
  if (fault) throw fault;
  return found;
}

// The folder that a command writes to: tried before anything is computed, and never with a half-written file in it.

import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import { VarsearchError } from '../core/errors.js';
import { fileFault } from '../core/file-faults.js';
import type { Files } from '../report/files.js';

/** A folder that is known to be writable. */
export interface OutputFolder {
  readonly path: string;
  /** Writes files, each in one step. */
  write(files: Files): void;
  /** Removes the folder again if it was made here and nothing was written to it. */
  discard(): void;
}

function cannotWrite(path: string, cause: unknown): VarsearchError {
  return new VarsearchError(
    `cannot write to the output folder ${path}: ${fileFault(cause)}; choose another with --out`,
    {
      cause,
    },
  );
}

/** A new file beside the old one takes its place at once: readers see the one or the other. */
function writeAtomically(path: string, content: Uint8Array | string): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, content);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    // A part of the path is a file, or closed to us: making the folder will say so.
    return false;
  }
}

/** Makes the folder if need be, and tries to write to it. */
export function openFolder(path: string): OutputFolder {
  const made: string[] = isFolder(path) ? [] : [path];
  for (let each = dirname(path); made.length > 0 && !existsSync(each); each = dirname(each)) made.push(each);
  try {
    // One by one: Node's recursive mkdir never returns below /proc and the like.
    for (const each of made.toReversed()) mkdirSync(each);
    const probe = join(path, `.varsearch-${process.pid}.tmp`);
    writeFileSync(probe, '');
    rmSync(probe);
  } catch (error) {
    throw cannotWrite(path, error);
  }
  return {
    path,
    write(files) {
      try {
        for (const [name, content] of Object.entries(files)) writeAtomically(join(path, name), content);
      } catch (error) {
        throw cannotWrite(path, error);
      }
    },
    discard() {
      for (const each of made) {
        if (isFolder(each) && readdirSync(each).length === 0) rmdirSync(each);
      }
    },
  };
}

/** A folder name that says what is in it, for example three-red-stars-beam-seed7. */
export function folderName(prompt: string, ...rest: readonly string[]): string {
  const words = prompt
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 60)
    .replace(/^-+|-+$/g, '');
  return [words === '' ? 'picture' : words, ...rest].join('-');
}

/** The first of name, name-2, name-3, ... that does not exist yet below a folder. */
function freePath(parent: string, name: string): string {
  for (let number = 1; ; number++) {
    const path = join(parent, number === 1 ? name : `${name}-${number}`);
    if (statSync(path, { throwIfNoEntry: false }) === undefined) return path;
  }
}

/** The folder that the user named, or a new one below ./out. */
export function chooseFolder(cwd: string, out: string | undefined, name: string): OutputFolder {
  return openFolder(out === undefined ? freePath(join(cwd, 'out'), name) : resolve(cwd, out));
}

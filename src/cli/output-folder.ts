// The folder that a command writes to: tried before anything is computed, and never with a half-written file in it.

import { randomBytes } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

import { VarsearchError } from '../core/errors.js';
import { fileFault } from '../core/file-faults.js';
import { HOST, lockFolder } from '../core/folder-lock.js';
import { isRunning } from '../core/is-running.js';
import { FILE_NAMES, type Files } from '../report/files.js';

/** A folder that is known to be writable, and that no other run writes to until it is closed. */
export interface OutputFolder {
  readonly path: string;
  /** Writes files, each in one step; result.json comes last and makes the others valid. */
  write(files: Files): void;
  /** Writes further files of the result that is there, each in one step. */
  add(files: Files): void;
  /** Takes the numbered pictures out of a folder below it, and that with them where nothing else is in it. */
  clear(below: string): void;
  /** Closes it, and removes the folder again if it was made here and nothing was written to it. */
  discard(): void;
  /** Lets other runs write to it. */
  close(): void;
}

function cannotWrite(path: string, cause: unknown): VarsearchError {
  return new VarsearchError(
    `cannot write to the output folder ${path}: ${fileFault(cause)}; choose another with --out`,
    {
      cause,
    },
  );
}

/** Names of temporary files begin so; the machine and the process tell whose they are, the rest cannot be foreseen. */
const TEMPORARY = new RegExp(`^\\.varsearch-${HOST}-(\\d+)-[0-9a-f]{32}\\.tmp$`);

/** Writes a new file, which nobody can have put a link in the place of, and gives its path. */
function writeTemporary(folder: string, content: Uint8Array | string): string {
  const name = `.varsearch-${HOST}-${process.pid}-${randomBytes(16).toString('hex')}.tmp`;
  const path = join(folder, name);
  try {
    writeFileSync(path, content, { flag: 'wx' });
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  }
  return path;
}

/** Takes away what processes of this machine that are no more were writing when they ended. */
function sweep(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = TEMPORARY.exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) {
      rmSync(join(folder, name), { recursive: true, force: true });
    }
  }
}

/** The folders that a file below an output folder lies in, from the outermost: '' and 'a' for a/b. */
function foldersOf(name: string): string[] {
  const parts = name.split('/').slice(0, -1);
  return ['', ...parts.map((_, i) => parts.slice(0, i + 1).join('/'))];
}

/**
 * Writes a set of files. A result.json makes the set in its folder valid: it goes away before anything else changes there, and
 * comes back last, so that a process that is killed in between leaves no result beside another one's picture.
 */
function writeSet(folder: string, files: Files, { isResult = true } = {}): void {
  const waiting = new Map<string, string>();
  try {
    for (const [name, content] of Object.entries(files)) {
      waiting.set(name, writeTemporary(folder, content));
    }
    const folders = new Set([...waiting.keys()].flatMap(foldersOf));
    for (const each of folders) {
      if (each !== '') makeOwn(join(folder, each));
      if (isResult) rmSync(join(folder, each, FILE_NAMES.result), { force: true });
    }
    const isSeal = (name: string): boolean => basename(name) === FILE_NAMES.result;
    const names = [...waiting.keys()];
    // Of seals the inner ones first: a comparison is whole when its parts are.
    const seals = names.filter(isSeal).sort((a, b) => b.split('/').length - a.split('/').length);
    for (const name of [...names.filter((each) => !isSeal(each)), ...seals]) {
      renameSync(waiting.get(name) ?? '', join(folder, name));
      waiting.delete(name);
    }
  } finally {
    for (const temporary of waiting.values()) rmSync(temporary, { force: true });
  }
}

const NUMBERED = /^\d+\.png$/;

function clearNumbered(folder: string): void {
  // A link leads elsewhere, and is not followed.
  if (lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  const names = readdirSync(folder);
  for (const name of names) if (NUMBERED.test(name)) rmSync(join(folder, name));
  if (names.every((name) => NUMBERED.test(name))) rmdirSync(folder);
}

/** Makes a folder below the output folder; a link that somebody has put there leads elsewhere, and is not followed. */
function makeOwn(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isSymbolicLink() === true) {
    throw new Error(`${path} is a link, which is not followed`);
  }
  if (!found) mkdirSync(path);
}

function isFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    // A part of the path is a file, or closed to us: making the folder will say so.
    return false;
  }
}

/** Makes a folder, and says whether it was not there before: of two who ask at once, one is told so. */
function makeFolder(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Makes the folders of a path that are not there, and gives them from the innermost. */
function makeFolders(path: string): string[] {
  const absent: string[] = [];
  // One by one: Node's recursive mkdir never returns below /proc and the like.
  for (let each = path; !existsSync(each); each = dirname(each)) {
    absent.push(each);
    if (each === dirname(each)) break;
  }
  const made = absent.toReversed().filter((each) => makeFolder(each));
  // What stands there and is no folder says so.
  if (!isFolder(path)) mkdirSync(path);
  return made.toReversed();
}

/** Makes the folder if need be, and tries to write to it. */
export function openFolder(path: string): OutputFolder {
  return open(path, () => makeFolders(path));
}

/** Does work in an output folder; a fault names it. */
function orSay(path: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

function open(path: string, make: () => readonly string[]): OutputFolder {
  let made: readonly string[];
  let unlock: () => void;
  try {
    made = make();
    unlock = lockFolder(path);
  } catch (error) {
    throw error instanceof VarsearchError ? error : cannotWrite(path, error);
  }
  sweep(path);
  return {
    path,
    write: (files) => {
      orSay(path, () => {
        writeSet(path, files);
      });
    },
    add: (files) => {
      orSay(path, () => {
        writeSet(path, files, { isResult: false });
      });
    },
    clear: (below) => {
      orSay(path, () => {
        clearNumbered(join(path, below));
      });
    },
    close: unlock,
    discard() {
      unlock();
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

/** The first of name, name-2, name-3, ... below a folder that is not there yet, made. */
function newFolder(parent: string, name: string): OutputFolder {
  for (let number = 1; ; number++) {
    const path = join(parent, number === 1 ? name : `${name}-${number}`);
    let made: readonly string[];
    try {
      const parents = makeFolders(parent);
      // Making it is the test: another run may begin at the same time.
      if (!makeFolder(path)) continue;
      made = [path, ...parents];
    } catch (error) {
      throw cannotWrite(path, error);
    }
    return open(path, () => made);
  }
}

/** The folder that the user named, or a new one below ./out. */
export function chooseFolder(cwd: string, out: string | undefined, name: string): OutputFolder {
  return out === undefined ? newFolder(join(cwd, 'out'), name) : openFolder(resolve(cwd, out));
}

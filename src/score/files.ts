// From what a user names (files, folders, patterns) to picture files, each once, and their bytes to pictures.

import { statSync } from 'node:fs';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';

import { isAbortError, UsageError, VarsearchError } from '../core/errors.js';
import { cannotRead } from '../core/file-faults.js';
import type { PngFile } from '../core/image.js';
import { decodePicture, isPictureName } from '../core/image-file.js';
import { expandPattern, isPattern } from './glob.js';

/** Files, folders or a pattern, with a prompt of their own where they have one. */
export interface NamedPictures {
  readonly image: string;
  readonly prompt?: string | undefined;
}

/** A file that is to be scored. */
export interface PictureFile {
  /** As the user would name it. */
  readonly path: string;
  /** Where it lies, links followed. */
  readonly file: string;
  readonly prompt: string | undefined;
}

/** How files are looked for and read. */
export interface FileContext {
  /** The folder that relative paths start from. */
  readonly cwd: string;
  /** Told of each thing that cannot be scored; when it throws, the work ends with that. */
  readonly onBad: (fault: VarsearchError) => void;
  readonly signal?: AbortSignal | undefined;
}

const collator = new Intl.Collator('en', { numeric: true });
/** picture 2 before picture 10; names that read the same by their characters, so that the order is always one. */
const byName = (a: string, b: string): number => collator.compare(a, b) || (a < b ? -1 : Number(a > b));

/**
 * The picture files behind names, in their order, those of a folder or pattern by name; the same file under the same
 * prompt counts once. Folders are read one level deep.
 */
export async function findPictures(
  named: readonly NamedPictures[],
  context: FileContext,
): Promise<PictureFile[]> {
  const found = new Map<string, PictureFile>();
  for (const { image, prompt } of named) {
    context.signal?.throwIfAborted();
    for (const path of (await orTell(context, () => pathsOf(image, context))) ?? []) {
      const file = await orTell(context, () => realFile(path, context.cwd));
      if (file === null) continue;
      const key = JSON.stringify([file, prompt]);
      if (!found.has(key)) found.set(key, { path, file, prompt });
    }
  }
  return [...found.values()];
}

/** Tells faults of pictures to the caller, who may go on without them (null); everything else ends the work. */
export async function orTell<T>({ onBad }: FileContext, work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof VarsearchError) || error instanceof UsageError) throw error;
    onBad(error);
    return null;
  }
}

/** Where a file really lies. Reading a pipe or a device might never end, so that only files will do. */
async function realFile(path: string, cwd: string): Promise<string> {
  const [file, kind] = await realpath(resolve(cwd, path))
    .then(async (real) => [real, await stat(real)] as const)
    .catch((error: unknown) => {
      throw cannotRead(path, error);
    });
  if (kind.isFile()) return file;
  throw new VarsearchError(`${path} is not a file`);
}

/** The files that one name stands for. What exists under the very name is meant, also when it looks like a pattern. */
async function pathsOf(named: string, context: FileContext): Promise<string[]> {
  const kind = await stat(resolve(context.cwd, named)).catch((error: unknown) => {
    if (isPattern(named)) return null;
    throw cannotRead(named, error);
  });
  if (kind === null) return patternPaths(named, context);
  return kind.isDirectory() ? folderPaths(named, context) : [named];
}

/** As if a shell had expanded the pattern: folders that match are read too. Other files that match are passed over. */
async function patternPaths(pattern: string, context: FileContext): Promise<string[]> {
  const matches = await expandPattern(pattern, context).catch((error: unknown) => {
    if (error instanceof UsageError || isAbortError(error) || context.signal?.aborted) throw error;
    throw cannotRead((error as NodeJS.ErrnoException).path ?? pattern, error);
  });
  if (matches.length === 0) throw new VarsearchError(`the pattern ${pattern} matches nothing`);
  const pictures: string[] = [];
  for (const path of matches) {
    if (isPictureName(path)) pictures.push(path);
    else if (statSync(resolve(context.cwd, path), { throwIfNoEntry: false })?.isDirectory()) {
      pictures.push(...(await picturesIn(path, context)));
    }
  }
  if (pictures.length > 0) return pictures.sort(byName);
  throw new VarsearchError(
    `the pattern ${pattern} matches no picture files, only others such as ${matches.sort(byName)[0] ?? ''}`,
  );
}

async function folderPaths(folder: string, context: FileContext): Promise<string[]> {
  const pictures = await picturesIn(folder, context);
  if (pictures.length > 0) return pictures.sort(byName);
  throw new VarsearchError(
    `the folder ${folder} holds no picture files: folders are read one level deep, ` +
      `the pattern '${join(folder, '**', '*.png')}' looks deeper`,
  );
}

/** The picture files of a folder, but for hidden ones. */
async function picturesIn(folder: string, { cwd }: FileContext): Promise<string[]> {
  const entries = await readdir(resolve(cwd, folder), { withFileTypes: true }).catch((error: unknown) => {
    throw cannotRead(folder, error);
  });
  return entries
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.') && isPictureName(entry.name))
    .map(({ name }) => join(folder, name));
}

/** Reads and decodes one file. Throws a VarsearchError that names it when that fails. */
export async function readPicture({ file, path }: PictureFile, signal?: AbortSignal): Promise<PngFile> {
  // Decoding holds the thread: let timers and cancellation in between pictures.
  await setImmediate();
  signal?.throwIfAborted();
  const bytes = await readFile(file).catch((error: unknown) => {
    throw cannotRead(path, error);
  });
  return decodePicture(bytes, path);
}

// From what a user names (files, folders, patterns) to picture files, each once, and their bytes to pictures.

import { statSync } from 'node:fs';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { isAbortError, UsageError, VarsearchError } from '../core/errors.js';
import { cannotRead } from '../core/file-faults.js';
import { type DecodedPicture, decodePicture, isPictureName } from '../core/image-file.js';
import { checkBytes } from '../core/image-limits.js';
import { expandPattern, isPattern } from './glob.js';

/** Files, folders or a pattern, with a prompt of their own where they have one. */
export interface NamedPictures {
  readonly image: string;
  readonly prompt?: string | undefined;
  /**
   * True for an entry of a list: a path, never a pattern, and left out with a word where it cannot be scored, as what is found in
   * folders is. @default false
   */
  readonly listed?: boolean | undefined;
}

/** A file that is to be scored. */
export interface PictureFile {
  /** As the user would name it. */
  readonly path: string;
  /** Where it lies, links followed. */
  readonly file: string;
  readonly prompt: string | undefined;
  /** True where nobody named it by itself: it is from a list, a folder or a pattern. */
  readonly found: boolean;
}

/** How files are looked for and read. */
export interface FileContext {
  /** The folder that relative paths start from. */
  readonly cwd: string;
  /**
   * Told of each thing that cannot be scored, and whether it was found rather than named; when it throws, the work ends with that.
   */
  readonly onBad: (fault: VarsearchError, found: boolean) => void;
  readonly signal?: AbortSignal | undefined;
}

const collator = new Intl.Collator('en', { numeric: true });
/** picture 2 before picture 10; names that read the same by their characters, so that the order is always one. */
const byName = (a: string, b: string): number => collator.compare(a, b) || (a < b ? -1 : Number(a > b));

/**
 * The picture files behind names, in their order, those of a folder or pattern by name; the same file under the same prompt
 * counts once. Folders are read one level deep.
 */
export async function findPictures(
  named: readonly NamedPictures[],
  context: FileContext,
): Promise<PictureFile[]> {
  const files = new Map<string, PictureFile>();
  for (const { image, prompt: given, listed = false } of named) {
    context.signal?.throwIfAborted();
    const prompt = given?.trim();
    const { paths, found } = (await orTell(context, listed, () => pathsOf(image, listed, context))) ?? NONE;
    for (const path of paths) {
      const file = await orTell(context, found, () => realFile(path, context.cwd));
      if (file === null) continue;
      const key = JSON.stringify([file, prompt]);
      if (!files.has(key)) files.set(key, { path, file, prompt, found });
    }
  }
  return [...files.values()];
}

/** Tells faults of pictures to the caller, who may go on without them (null); everything else ends the work. */
export async function orTell<T>(
  { onBad }: FileContext,
  found: boolean,
  work: () => Promise<T>,
): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof VarsearchError) || error instanceof UsageError) throw error;
    onBad(error, found);
    return null;
  }
}

/** Where a file really lies. Reading a pipe or a device might never end, so that only files will do. Throws a VarsearchError. */
export async function realFile(path: string, cwd: string): Promise<string> {
  const [file, kind] = await realpath(resolve(cwd, path))
    .then(async (real) => [real, await stat(real)] as const)
    .catch((error: unknown) => {
      // Node.js gives names as text; what is not UTF-8 in them is lost.
      const isLost = path.includes('\ufffd') && (error as NodeJS.ErrnoException).code === 'ENOENT';
      if (isLost) {
        throw new VarsearchError(`${path} has a name that is not UTF-8: rename it`, { cause: error });
      }
      throw cannotRead(path, error);
    });
  if (kind.isFile()) {
    checkBytes(path, kind.size);
    return file;
  }
  throw new VarsearchError(
    kind.isDirectory() ? `${path} is a folder, not a picture` : `${path} is not a file`,
  );
}

/** Paths that a name stands for; `found` where they are not the very name. */
interface Paths {
  readonly paths: readonly string[];
  readonly found: boolean;
}
const NONE: Paths = { paths: [], found: true };

/** The files that one name stands for. What exists under the very name is meant, also when it looks like a pattern. */
async function pathsOf(named: string, listed: boolean, context: FileContext): Promise<Paths> {
  const kind = await stat(resolve(context.cwd, named)).catch((error: unknown) => {
    if (!listed && isPattern(named)) return null;
    throw cannotRead(named, error);
  });
  if (kind === null) return { paths: await patternPaths(named, context), found: true };
  if (kind.isDirectory()) return { paths: await folderPaths(named, context), found: true };
  return { paths: [named], found: listed };
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
  const names = await readdir(resolve(cwd, folder)).catch((error: unknown) => {
    throw cannotRead(folder, error);
  });
  return names
    .filter((name) => !name.startsWith('.') && isPictureName(name))
    .map((name) => join(folder, name));
}

/** Reads and decodes one file. Throws a VarsearchError that names it when that fails. */
export async function readPicture(
  { file, path }: PictureFile,
  signal?: AbortSignal,
): Promise<DecodedPicture> {
  signal?.throwIfAborted();
  const bytes = await readFile(file).catch((error: unknown) => {
    throw cannotRead(path, error);
  });
  return await decodePicture(bytes, path);
}

// Looks at every picture once before anything is scored: whether it can be read, its size, and the prompt that goes with it.

import { UsageError, VarsearchError } from '../core/errors.js';
import type { Image } from '../core/image.js';
import type { DecodedPicture } from '../core/image-file.js';
import { otherTexts, parseRecipe, RECIPE_KEYWORD } from '../run/recipe.js';
import type { FileContext, PictureFile } from './files.js';
import { findPictures, orTell, readPicture } from './files.js';
import { namedPictures, type ScoreOptions } from './options.js';

/** A picture that can be read and has a prompt. */
export interface SeenPicture {
  /** Its place among all that can be scored, from 0. */
  readonly index: number;
  /** As the user would name it. */
  readonly path: string;
  readonly width: number;
  readonly height: number;
  readonly prompt: string;
  /** The picture, from memory or read again. */
  load(): Promise<Image>;
}

/** How pictures are looked at. */
export interface LookContext {
  /** Told of each thing that is left out. */
  readonly onSkip: (message: string) => void;
  /** Told after each file. */
  readonly onLook?: (done: number, total: number) => void;
  /** Bytes of pixels that are kept, so that a few pictures are not decoded twice. @default 64 MiB */
  readonly keep?: number;
}

/** Finds all pictures and sees that they can be scored. Throws VarsearchError for files and UsageError for prompts that cannot. */
export async function lookAtPictures(
  options: ScoreOptions,
  { onSkip, onLook, keep = 2 ** 26 }: LookContext,
): Promise<SeenPicture[]> {
  const { cwd = process.cwd(), skipBad = false, signal, prompt } = options;
  // What was named is meant; among what was found, one that is broken should not keep thousands from being scored.
  const onBad = ({ message, cause }: VarsearchError, found: boolean): void => {
    if (!skipBad && !found) {
      throw new VarsearchError(`${message} (option 'skipBad' goes on without it)`, { cause });
    }
    onSkip(message);
  };
  const context: FileContext = { cwd, onBad, signal };
  const seen: SeenPicture[] = [];
  const once = new Set<string>();
  let room = keep;
  const all = await findPictures(namedPictures(options), context);
  const files = prompt === undefined ? withoutBare(all) : all;
  for (const [i, file] of files.entries()) {
    const read = await orTell(context, file.found, () => readPicture(file, signal));
    onLook?.(i + 1, files.length);
    if (read === null) continue;
    const own = promptOf(file, prompt, read);
    // It may have been found without a prompt and be listed with the one that its recipe or all have.
    const key = JSON.stringify([file.file, own]);
    if (once.has(key)) continue;
    once.add(key);
    const { width, height, data } = read.image;
    const kept = data.length <= room ? read.image : null;
    if (kept) room -= data.length;
    const load = async (): Promise<Image> => kept ?? (await readPicture(file, signal)).image;
    seen.push({
      index: seen.length,
      path: file.path,
      width,
      height,
      prompt: own,
      load,
    });
  }
  if (seen.length === 0) throw new VarsearchError('no picture is left to score');
  return seen;
}

/** Without the files that have no prompt of their own where they have one elsewhere, as those that are named and in a list too. */
function withoutBare(files: readonly PictureFile[]): readonly PictureFile[] {
  const prompted = new Set(files.filter(({ prompt }) => prompt !== undefined).map(({ file }) => file));
  return files.filter(({ file, prompt }) => prompt !== undefined || !prompted.has(file));
}

/** A picture's own prompt, the one for all, or that of its recipe. */
function promptOf(file: PictureFile, forAll: string | undefined, { text }: DecodedPicture): string {
  const given = file.prompt ?? forAll;
  if (given !== undefined) return given.trim();
  const recipe = text[RECIPE_KEYWORD];
  if (recipe !== undefined) return parseRecipe(recipe, file.path).options.prompt.trim();
  throw new UsageError(
    `the prompt is missing: ${file.path} carries no recipe of varsearch${otherTexts(text)}, ` +
      "so say with option 'prompt' what the pictures should show",
  );
}

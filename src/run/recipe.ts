// The recipe that a picture carries in its PNG file: all that is needed to make the same picture again.

import { createHash } from 'node:crypto';

import { UsageError } from '../core/errors.js';
import type { FileHashes } from '../core/hash.js';
import type { Image } from '../core/image.js';
import { decodePng, encodePng } from '../core/image.js';
import type { ResolvedOptions } from '../engine/options.js';
import type { Versions } from '../engine/versions.js';

/** Keyword of the PNG text chunk. */
export const RECIPE_KEYWORD = 'varsearch';

/** How a picture was made. */
export interface Recipe {
  /** Version of this layout. */
  readonly format: 1;
  readonly options: ResolvedOptions;
  /** SHA-256 of the files of the model and of the verifier. */
  readonly hashes: { readonly model: FileHashes; readonly verifier: FileHashes };
  readonly versions: Versions;
  readonly score: number;
  /** The candidate of the search tree whose picture this is. */
  readonly node: number;
  /** False when the search was interrupted, and this the best picture until then. */
  readonly complete: boolean;
  /** SHA-256 of the picture's RGB bytes. */
  readonly pixels: string;
}

/** SHA-256 of a picture's RGB bytes. */
export function hashPixels(image: Image): string {
  return createHash('sha256').update(image.data).digest('hex');
}

/** JSON in ASCII only, since PNG text is Latin-1. */
function asciiJson(value: unknown): string {
  // eslint-disable-next-line no-control-regex -- everything but ASCII is meant
  return JSON.stringify(value).replace(/[^\x00-\x7e]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** The PNG file of a picture with its recipe. */
export function encodeWithRecipe(image: Image, recipe: Recipe): Uint8Array {
  return encodePng(image, { [RECIPE_KEYWORD]: asciiJson(recipe) });
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isHashes = (value: unknown): boolean =>
  isRecord(value) && Object.values(value).every((hash) => typeof hash === 'string');

function isRecipe(value: unknown): value is Recipe {
  if (!isRecord(value) || !isRecord(value['options']) || !isRecord(value['hashes'])) return false;
  const { options, hashes, versions, score, node, complete, pixels } = value;
  return (
    typeof options['prompt'] === 'string' &&
    typeof options['model'] === 'string' &&
    typeof options['verifier'] === 'string' &&
    isRecord(options['search']) &&
    isHashes(hashes['model']) &&
    isHashes(hashes['verifier']) &&
    isHashes(versions) &&
    typeof score === 'number' &&
    typeof node === 'number' &&
    typeof complete === 'boolean' &&
    typeof pixels === 'string'
  );
}

/** Reads a recipe from its JSON; the values of options are checked when they are used. */
export function parseRecipe(text: string, name = 'the picture'): Recipe {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`${name} carries a recipe that is not readable JSON`, { cause });
  }
  if (isRecord(value) && typeof value['format'] === 'number' && value['format'] > 1) {
    throw new UsageError(`${name} carries a recipe of a newer varsearch: update this one to replay it`);
  }
  if (!isRecord(value) || value['format'] !== 1 || !isRecipe(value)) {
    throw new UsageError(`${name} carries a damaged recipe`);
  }
  return value;
}

/** The picture and the recipe of a PNG file; a UsageError when it carries none. */
export function decodeWithRecipe(bytes: Uint8Array, name = 'the picture'): { image: Image; recipe: Recipe } {
  const { image, text } = decodePng(bytes, name);
  const recipe = text[RECIPE_KEYWORD];
  if (recipe === undefined) {
    throw new UsageError(`${name} carries no recipe: only pictures written by varsearch can be replayed`);
  }
  return { image, recipe: parseRecipe(recipe, name) };
}

/** The files whose hashes differ between two sides, or are on one side only, as readable lines. */
export function hashDifferences(wanted: FileHashes, found: FileHashes): string[] {
  const short = (hash: string | undefined): string => (hash === undefined ? 'absent' : hash.slice(0, 12));
  return [...new Set([...Object.keys(wanted), ...Object.keys(found)])]
    .filter((file) => wanted[file] !== found[file])
    .map((file) => `${file} (made with ${short(wanted[file])}, here ${short(found[file])})`);
}

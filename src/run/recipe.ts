// The recipe that a picture carries in its PNG file: all that is needed to make the same picture again.

import { createHash } from 'node:crypto';

import { UsageError } from '../core/errors.js';
import type { FileHashes } from '../core/hash.js';
import type { Image } from '../core/image.js';
import { encodePng } from '../core/image.js';
import { decodePicture } from '../core/image-file.js';
import type { PictureText } from '../core/image-png.js';
import type { EngineHashes } from '../engine/engine.js';
import type { Versions } from '../engine/versions.js';
import { type Jury, type Standing, standingOf } from '../verifiers/jury.js';
import type { ResolvedOptions } from './options.js';

/** Keyword of the PNG text chunk. */
export const RECIPE_KEYWORD = 'varsearch';

/** Characters of a recipe: what comes with somebody's picture is bounded before it is read. */
const MOST_CHARACTERS = 2 ** 20;
/** Values in a recipe, those in lists and objects counted. */
const MOST_VALUES = 10_000;
/** Lists and objects within each other. */
const MOST_DEPTH = 8;
/** Verifiers that a recipe may name. */
const MOST_JUDGES = 64;

/** How a picture was made. */
export interface Recipe {
  /** Version of this layout. */
  readonly format: 2;
  readonly options: ResolvedOptions;
  /** SHA-256 of the files of the model and of the judges. */
  readonly hashes: EngineHashes;
  readonly versions: Versions;
  /** The picture's, among all that it was chosen from. */
  readonly standing: Standing;
  /** The candidate of the search whose picture this is. */
  readonly candidate: number;
  /** False when the search was interrupted, and this the best picture until then. */
  readonly complete: boolean;
  /** Where that was a preview, which was completed: the picture is what became of the candidate. */
  readonly completed?: true;
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

/** What is written into a picture's file besides its pixels. */
export interface PictureFileOptions {
  /** False for pixels alone: the picture cannot be replayed then. @default true */
  readonly metadata?: boolean | undefined;
  /** Steps that the model takes for a picture, for the galleries that show them. */
  readonly steps?: number | undefined;
}

/** The PNG file of a picture with its recipe, and beside it the text that galleries read. */
export async function encodeWithRecipe(
  image: Image,
  recipe: Recipe,
  { metadata = true, steps }: PictureFileOptions = {},
): Promise<Uint8Array> {
  if (!metadata) return await encodePng(image);
  return await encodePng(image, {
    [RECIPE_KEYWORD]: asciiJson(recipe),
    [PARAMETERS_KEYWORD]: parametersOf(image, recipe, steps),
  });
}

/** Keyword of the text that Stable Diffusion's web UI began and galleries read. */
const PARAMETERS_KEYWORD = 'parameters';

/** The prompt, and in the last line at least three settings with commas between them, as the readers of this text expect. */
function parametersOf({ width, height }: Image, { options, versions }: Recipe, steps?: number): string {
  const { prompt, search, seed, model, modelOptions } = options;
  const { cfg, guidance } = modelOptions;
  const settings = {
    Steps: steps,
    Sampler: `varsearch ${search.strategy}`,
    'CFG scale': Array.isArray(cfg) ? cfg.join(', ') : cfg,
    // Forge's word for the guidance that was distilled into a FLUX.
    'Distilled CFG Scale': guidance,
    Seed: seed,
    Size: `${width}x${height}`,
    Model: model,
    Version: `varsearch ${versions['varsearch'] ?? ''}`.trim(),
  };
  const shown = Object.entries(settings).flatMap(([name, value]) =>
    typeof value === 'string' || typeof value === 'number' ? [`${name}: ${settingText(value)}`] : [],
  );
  // eslint-disable-next-line no-control-regex -- PNG's texts have lines, and no other control characters
  return `${prompt.replace(/[\0-\t\v-\x1f\x7f-\x9f]+/g, ' ')}\n${shown.join(', ')}`;
}

const settingText = (value: string | number): string =>
  /[,:"\n]/.test(String(value)) ? JSON.stringify(value) : String(value);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isHashes = (value: unknown): value is FileHashes =>
  isRecord(value) && Object.values(value).every((hash) => typeof hash === 'string');
const areNames = (value: unknown): value is string[] =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.length <= MOST_JUDGES &&
  value.every((name) => typeof name === 'string');
const areNumbers = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((each) => Number.isFinite(each));

function isJury(value: unknown): boolean {
  return (
    isRecord(value) &&
    areNames(value['judges']) &&
    areNumbers(value['weights']) &&
    typeof value['rule'] === 'string'
  );
}

function isRecipe(value: Record<string, unknown>): boolean {
  const { options, hashes, versions, standing, candidate, complete, completed, pixels } = value;
  return (
    isRecord(options) &&
    isRecord(hashes) &&
    typeof options['prompt'] === 'string' &&
    typeof options['model'] === 'string' &&
    isRecord(options['modelOptions']) &&
    isJury(options['jury']) &&
    typeof options['seed'] === 'number' &&
    isRecord(options['search']) &&
    typeof options['search']['strategy'] === 'string' &&
    isHashes(hashes['model']) &&
    isHashes(hashes['jury']) &&
    isHashes(versions) &&
    isRecord(standing) &&
    typeof candidate === 'number' &&
    typeof complete === 'boolean' &&
    (completed === undefined || completed === true) &&
    typeof pixels === 'string'
  );
}

/**
 * A recipe of format 1 (versions before the jury was data) in today's layout: verifiers were one text, an ensemble apart, and
 * the options of the model lay among those of the run.
 */
function upgrade(old: Record<string, unknown>): Record<string, unknown> {
  const { options, hashes, score, node, format: _, ...rest } = old;
  if (!isRecord(options) || !isRecord(hashes) || typeof options['verifier'] !== 'string') return old;
  const { prompt, model, verifier: _verifier, ensemble, seed, search, ...modelOptions } = options;
  const named = isRecord(ensemble) ? options['verifier'].split(',') : [options['verifier']];
  // The folder was a part of the name; now it is an option of its own, which whoever replays has to give.
  const judges = named.map((name) => name.replace(/^clip-score:.*$/s, 'clip-dir'));
  const given = Object.entries(modelOptions).filter(([, value]) => value !== null);
  const jury = isRecord(ensemble)
    ? { judges, observers: [], weights: ensemble['weights'], rule: ensemble['by'] }
    : { judges, observers: [], weights: [1], rule: 'score' };
  const files = isRecord(hashes['verifier']) ? Object.entries(hashes['verifier']) : [];
  const jurys = files.map(([file, hash]) => {
    const i = isRecord(ensemble) ? named.findIndex((name) => file.startsWith(`${name}/`)) : 0;
    const own = isRecord(ensemble) ? file.slice((named[i]?.length ?? 0) + 1) : file;
    return [`${judges[i]}/${own}`, hash];
  });
  return {
    ...rest,
    format: 2,
    options: { prompt, model, modelOptions: Object.fromEntries(given), jury, seed, search },
    hashes: { model: hashes['model'], jury: Object.fromEntries(jurys) as unknown },
    // It was not kept among how many.
    standing: typeof score === 'number' ? standingOf(score, { rule: jury.rule as Jury['rule'] }, 0) : score,
    candidate: node,
  };
}

/** What is too much about a value, found in time that grows with the values that are allowed; null for nothing. */
function excess(value: unknown): string | null {
  let level: unknown[] = [value];
  let values = 1;
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MOST_DEPTH) return `more than ${MOST_DEPTH} lists and objects within each other`;
    const next: unknown[] = [];
    for (const each of level) {
      if (typeof each !== 'object' || each === null) continue;
      const own = Object.values(each) as unknown[];
      values += own.length;
      if (values > MOST_VALUES) return `more than ${MOST_VALUES} values`;
      for (const one of own) next.push(one);
    }
    level = next;
  }
  return null;
}

/** Reads a recipe from its JSON; the values of options are checked when they are used. */
export function parseRecipe(text: string, name = 'the picture'): Recipe {
  if (text.length > MOST_CHARACTERS) {
    throw new UsageError(
      `${name} carries a recipe of ${text.length} characters: at most ${MOST_CHARACTERS} are read`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`${name} carries a recipe that is not readable JSON`, { cause });
  }
  const much = excess(value);
  if (much !== null) throw new UsageError(`${name} carries a recipe with ${much}, which is not read`);
  if (isRecord(value) && typeof value['format'] === 'number' && value['format'] > 2) {
    throw new UsageError(`${name} carries a recipe of a newer varsearch: update this one to replay it`);
  }
  const recipe = isRecord(value) && value['format'] === 1 ? upgrade(value) : value;
  if (!isRecord(recipe) || recipe['format'] !== 2 || !isRecipe(recipe)) {
    throw new UsageError(`${name} carries a damaged recipe`);
  }
  return recipe as unknown as Recipe;
}

/** The picture and the recipe of a PNG file, whoever saved it last; a UsageError when it carries none. */
export async function decodeWithRecipe(
  bytes: Uint8Array,
  name = 'the picture',
): Promise<{ readonly image: Image; readonly recipe: Recipe }> {
  const { image, text } = await decodePicture(bytes, name);
  const recipe = text[RECIPE_KEYWORD];
  if (recipe === undefined) {
    throw new UsageError(
      `${name} carries no recipe${otherTexts(text)}: only pictures written by varsearch can be replayed, from their own PNG files`,
    );
  }
  return { image, recipe: parseRecipe(recipe, name) };
}

/** The texts that a picture without a recipe does carry, for messages; empty where there are none. */
export function otherTexts(text: PictureText): string {
  const keywords = Object.keys(text);
  if (keywords.length === 0) return '';
  const more = keywords.length > 5 ? ` and ${keywords.length - 5} more` : '';
  return `, only ${keywords.length === 1 ? 'the text' : 'the texts'} ${keywords.slice(0, 5).join(', ')}${more}`;
}

/** Files whose hashes are compared with those of a recipe. */
export interface HashComparison {
  /** Those that differ, or are only in the recipe, as readable lines. */
  readonly differences: readonly string[];
  /** Those that the recipe says nothing of: it was written by a version that hashed fewer files. */
  readonly unknown: readonly string[];
}

/** Compares the hashes of a recipe with those found here. Names come from a file: any text is a name, and nothing else. */
export function compareHashes(wanted: FileHashes, found: FileHashes): HashComparison {
  const here = new Map(Object.entries(found));
  const short = (hash: string | undefined): string => (hash === undefined ? 'absent' : hash.slice(0, 12));
  const named = Object.entries(wanted);
  const names = new Set(named.map(([file]) => file));
  return {
    differences: named
      .filter(([file, hash]) => here.get(file) !== hash)
      .map(([file, hash]) => `${file} (made with ${short(hash)}, here ${short(here.get(file))})`),
    unknown: [...here.keys()].filter((file) => !names.has(file)),
  };
}

// What `score` may be told, and the checks that need no file and no verifier.

import { UsageError } from '../core/errors.js';
import {
  checkOptions,
  isObject,
  isText,
  type OptionsOf,
  SIGNAL,
  text,
  toggle,
  value,
} from '../core/options.js';
import { checkText, isPrompt, PROMPT_WORDS } from '../core/text.js';
import { checkJudges, DEFAULT_NAMES, JUDGE_OPTIONS, type JudgeOptions } from '../engine/options.js';
import type { NamedPictures } from './files.js';

/** What pictures in memory are scored by. */
export const SCORE_PICTURES_OPTIONS = {
  prompt: value<string>('what the pictures should show', isPrompt, PROMPT_WORDS, {
    kind: 'text',
    usual: 'the prompt in the recipe that varsearch writes into its pictures',
  }),
  ...JUDGE_OPTIONS,
  signal: SIGNAL,
};

const areImages = (given: unknown): boolean =>
  Array.isArray(given) &&
  given.length > 0 &&
  given.every((each) => typeof each === 'string' || isObject(each));

/** What picture files are scored by. */
export const SCORE_OPTIONS = {
  images: value<readonly (string | NamedPictures)[]>(
    'files, folders (read one level deep) and patterns with *, ?, **, [a-z] and {a,b}, each by itself or with a prompt of its own',
    areImages,
    'a list of files, folders or patterns',
  ),
  ...SCORE_PICTURES_OPTIONS,
  skipBad: toggle(
    'goes on without named files that cannot be read; otherwise one fails all, before any is scored. What a list, a folder or a pattern brings is left out with a word in any case',
  ),
  cwd: text('folder that relative paths start from', 'the path of a folder', { usual: 'the current one' }),
};

/** How pictures in memory are scored. */
export type ScorePicturesOptions = OptionsOf<typeof SCORE_PICTURES_OPTIONS> & { readonly prompt: string };

/** How picture files are scored. */
export type ScoreOptions = OptionsOf<typeof SCORE_OPTIONS> & {
  readonly images: readonly (string | NamedPictures)[];
};

/** Throws a UsageError for options that cannot be meant, before any verifier is looked up. */
export function checkScorePicturesOptions(options: ScorePicturesOptions): void {
  checkOptions(options, SCORE_PICTURES_OPTIONS, { required: ['prompt'] });
  checkWho(options);
}

/** Throws a UsageError for options that cannot be meant, before any file is looked for. */
export function checkScoreOptions(options: ScoreOptions): void {
  checkOptions(options, SCORE_OPTIONS, { required: ['images'] });
  const named = namedPictures(options);
  if (!named.every(({ image }) => isText(image))) {
    throw new UsageError('a picture has no name: each has to be a path, or an object with image and prompt');
  }
  const unsaid = named.find(({ prompt }) => prompt !== undefined && !isText(prompt));
  if (unsaid) throw new UsageError(`the prompt of ${unsaid.image} is empty: say what it should show`);
  for (const { image, prompt = '' } of named) checkText(`the prompt of ${image}`, prompt);
  checkWho(options);
}

/** There is no model here: where nobody is named, the usual verifier is loaded by its name. */
function checkWho(options: JudgeOptions): void {
  checkJudges(options, ...(options.verifier === undefined ? [DEFAULT_NAMES.verifier] : []));
}

/** The pictures with the prompts of their own. */
export function namedPictures({ images }: Pick<ScoreOptions, 'images'>): readonly NamedPictures[] {
  return images.map((image) => (typeof image === 'string' ? { image } : image));
}

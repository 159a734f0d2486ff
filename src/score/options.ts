// What `score` may be told, and the checks that need no file and no verifier.

import { UsageError } from '../core/errors.js';
import { checkOptions, isText, PROMPT_RULE, type Rules, SIGNAL_RULE } from '../core/option-rules.js';
import type { JudgeOptions } from '../engine/options.js';
import { checkJudges, JUDGE_RULES } from '../engine/options.js';
import type { NamedPictures } from './files.js';

/** How pictures in memory are scored. */
export interface ScorePicturesOptions extends JudgeOptions {
  /** What the pictures should show. */
  readonly prompt: string;
  /** Cancels the work, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** How picture files are scored. */
export interface ScoreOptions extends JudgeOptions {
  /**
   * Files, folders (read one level deep) and patterns with *, ?, **, [a-z] and {a,b}, each by itself or with a prompt of
   * its own.
   */
  readonly images: readonly (string | NamedPictures)[];
  /** What the pictures should show. @default the prompt in the recipe that varsearch writes into its pictures */
  readonly prompt?: string | undefined;
  /** Goes on without files that cannot be read. @default false: one such file fails all, before anything is scored */
  readonly skipBad?: boolean | undefined;
  /** The folder that relative paths start from. @default the current one */
  readonly cwd?: string | undefined;
  /** Cancels the work, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

const PICTURES_RULES = {
  ...JUDGE_RULES,
  prompt: PROMPT_RULE,
  signal: SIGNAL_RULE,
} satisfies Rules<ScorePicturesOptions>;

const SCORE_RULES = {
  ...PICTURES_RULES,
  images: [(value) => Array.isArray(value) && value.length > 0, 'a list of files, folders or patterns'],
  skipBad: [(value) => typeof value === 'boolean', 'true or false'],
  cwd: [isText, 'the path of a folder'],
} satisfies Rules<ScoreOptions>;

/** Throws a UsageError for options that cannot be meant, before any verifier is looked up. */
export function checkScorePicturesOptions(options: ScorePicturesOptions): void {
  checkOptions(options, PICTURES_RULES, ['prompt']);
  checkJudges(options);
}

/** Throws a UsageError for options that cannot be meant, before any file is looked for. */
export function checkScoreOptions(options: ScoreOptions): void {
  checkOptions(options, SCORE_RULES, ['images']);
  const named = namedPictures(options);
  if (!named.every(({ image }) => isText(image))) {
    throw new UsageError('a picture has no name: each has to be a path, or an object with image and prompt');
  }
  const unsaid = named.find(({ prompt }) => prompt !== undefined && !isText(prompt));
  if (unsaid) throw new UsageError(`the prompt of ${unsaid.image} is empty: say what it should show`);
  checkJudges(options);
}

/** The pictures with the prompts of their own. */
export function namedPictures({ images }: ScoreOptions): readonly NamedPictures[] {
  return images.map((image) => (typeof image === 'string' ? { image } : image));
}

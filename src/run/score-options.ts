// What `score` may be told, and the checks that need no file and no verifier.

import { UsageError } from '../core/errors.js';
import type { NamedPictures } from './score-files.js';
import type { JuryOptions } from './score-jury.js';
import { checkJuryOptions, refuseUnknown } from './score-jury.js';

/** How picture files are scored. */
export interface ScoreOptions extends JuryOptions {
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

const OPTIONS = {
  images: true,
  prompt: true,
  skipBad: true,
  cwd: true,
  signal: true,
} satisfies Record<Exclude<keyof ScoreOptions, keyof JuryOptions>, true>;

/** Throws a UsageError for options that cannot be meant, before any file is looked for. */
export function checkScoreOptions(options: ScoreOptions): void {
  refuseUnknown(options, Object.keys(OPTIONS));
  if (!Array.isArray(options.images) || options.images.length === 0) {
    throw new UsageError('there are no pictures: list files, folders or patterns');
  }
  const named = namedPictures(options);
  if (named.some(({ image }) => typeof image !== 'string' || image === '')) {
    throw new UsageError('a picture has no name: each has to be a path, or an object with image and prompt');
  }
  if ([options.prompt, ...named.map(({ prompt }) => prompt)].some((prompt) => prompt?.trim() === '')) {
    throw new UsageError('the prompt is empty: say what the pictures should show');
  }
  checkJuryOptions(options);
}

/** The pictures with the prompts of their own. */
export function namedPictures({ images }: ScoreOptions): readonly NamedPictures[] {
  return images.map((image) => (typeof image === 'string' ? { image } : image));
}

// Scores pictures of one prompt and puts them in order: the core of `score`, and by itself for programs that have their
// pictures in memory.

import { UsageError, VarsearchError } from '../core/errors.js';
import type { Image } from '../core/image.js';
import { Ledger } from '../core/ledger.js';
import type { Ensemble } from '../verifiers/ensemble.js';
import { combineScores } from '../verifiers/ensemble.js';
import type { Jury, JuryOptions } from './score-jury.js';
import { checkJuryOptions, chooseJury, refuseUnknown } from './score-jury.js';
import type { CatalogOption } from './varsearch.js';

/** How pictures in memory are scored. */
export interface ScorePicturesOptions extends JuryOptions {
  /** What the pictures should show. */
  readonly prompt: string;
  /** Cancels the work, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What a picture got. */
export interface PictureScore {
  /** Its place among the pictures as they were given, from 0. */
  readonly index: number;
  /** Its place by score: 1 for the best; equal scores share a place. */
  readonly rank: number;
  /** What decides; higher is better. With several verifiers it is relative to the pictures scored together. */
  readonly score: number;
  /** The scores of the verifiers, by name. */
  readonly scores: Readonly<Record<string, number>>;
}

/** Pictures that go through the verifiers together at most. */
const BATCH_PICTURES = 16;
/** Bytes of pixels that are in memory at the same time, unless a single picture has more. */
const BATCH_BYTES = 2 ** 26;

/**
 * Scores pictures of one prompt and gives them best first, ties in the order given. Verifiers named are loaded and closed
 * again: a service loads them once and hands them in.
 */
export async function scorePictures(
  pictures: readonly Image[],
  options: ScorePicturesOptions,
  { catalogs }: CatalogOption = {},
): Promise<PictureScore[]> {
  const { prompt, signal, ...juryOptions } = options;
  refuseUnknown(juryOptions, ['prompt', 'signal']);
  checkJuryOptions(juryOptions);
  if (typeof prompt !== 'string' || prompt.trim() === '') {
    throw new UsageError(
      "option 'prompt' must be a text that is not empty: say what the pictures should show",
    );
  }
  signal?.throwIfAborted();
  const jury = await chooseJury(juryOptions, catalogs);
  const { members, close } = await jury.open();
  try {
    const batches = batchesOf(pictures).map((batch) => () => Promise.resolve(batch));
    const scores = await scoreBatches(batches, { members, prompt, ledger: new Ledger(), signal });
    return rankScores(scores, jury);
  } finally {
    await close();
  }
}

/** Parts pictures (or what has their size) so that each part fits in memory. */
export function batchesOf<Sized extends { readonly width: number; readonly height: number }>(
  pictures: readonly Sized[],
): Sized[][] {
  const batches: Sized[][] = [];
  let room = 0;
  for (const picture of pictures) {
    const bytes = picture.width * picture.height * 3;
    const last = batches.at(-1);
    if (last && last.length < BATCH_PICTURES && bytes <= room) {
      last.push(picture);
      room -= bytes;
    } else {
      batches.push([picture]);
      room = BATCH_BYTES - bytes;
    }
  }
  return batches;
}

/** What scoring a prompt's pictures needs. */
export interface BatchContext {
  readonly members: Ensemble;
  readonly prompt: string;
  readonly ledger: Ledger;
  readonly signal?: AbortSignal | undefined;
  /** Told of the scores of a batch, [member][picture]. */
  readonly onBatch?: (scores: readonly (readonly number[])[]) => void;
}

/** Scores batch after batch, each fetched when its turn comes: [member][picture]. The prompt is read once. */
export async function scoreBatches(
  batches: readonly (() => Promise<readonly Image[]>)[],
  { members, prompt, ledger, signal, onBatch }: BatchContext,
): Promise<number[][]> {
  signal?.throwIfAborted();
  const scores: number[][] = members.members.map(() => []);
  const judge = await members.prepare(prompt, ledger);
  try {
    for (const fetchBatch of batches) {
      signal?.throwIfAborted();
      const batch = await judge.judgeMembers(await fetchBatch(), { signal });
      batch.forEach((ofMember, i) => scores[i]?.push(...checked(ofMember, members.members[i] ?? '?')));
      onBatch?.(batch);
    }
    return scores;
  } finally {
    judge.close();
  }
}

function checked(scores: readonly number[], verifier: string): readonly number[] {
  if (scores.every(Number.isFinite)) return scores;
  throw new VarsearchError(
    `verifier '${verifier}' gave a score that is no number: its weights must be damaged`,
  );
}

/** The scores of verifiers, [member][picture], as an order of the pictures: best first, ties as they came. */
export function rankScores(
  scores: readonly (readonly number[])[],
  { names, joined }: Pick<Jury, 'names' | 'joined'>,
): PictureScore[] {
  const deciding = joined ? combineScores(scores, joined) : (scores[0] ?? []);
  return deciding
    .map((score, index) => ({
      index,
      rank: 1 + deciding.filter((other) => other > score).length,
      score,
      scores: Object.fromEntries(names.map((name, member) => [name, scores[member]?.[index] ?? NaN])),
    }))
    .sort((a, b) => b.score - a.score || a.index - b.index);
}

// Scores pictures of one prompt and puts them in order: the core of `score`, and by itself for programs that have their
// pictures in memory.

import type { Image } from '../core/image.js';
import { Ledger } from '../core/ledger.js';
import { type CatalogOption, catalogsFor } from '../engine/catalogs.js';
import { chooseJury, type Cuts, type JuryRoom } from '../engine/jury.js';
import { combine, type Jury, type Scores, type Standing, standingOf } from '../verifiers/jury.js';
import { checkScorePicturesOptions, type ScorePicturesOptions } from './options.js';

/** What a picture got. */
export interface PictureScore {
  /** Where it was among the pictures as they were given, from 0. */
  readonly index: number;
  /** Its place: 1 for the best; equals share a place. */
  readonly place: number;
  /** What decides: a judge's own score, or what the jury's rule makes of all scores. */
  readonly standing: Standing;
  /** What every judge gave it, by name. */
  readonly scores: Scores;
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
  checkScorePicturesOptions(options);
  const { prompt, signal } = options;
  signal?.throwIfAborted();
  const room = await chooseJury(options, await catalogsFor([options.verifier], catalogs)).open(signal);
  try {
    return await scoreWith(room, pictures, { prompt, signal });
  } finally {
    await room.close();
  }
}

/** What pictures in memory are scored by, besides the jury. */
export interface ScoreContext {
  readonly prompt: string;
  readonly signal?: AbortSignal | undefined;
}

/** As `scorePictures`, by a jury that is open and stays open. */
export function scoreWith(
  room: Pick<JuryRoom, 'prepare'>,
  pictures: readonly Image[],
  context: ScoreContext,
): Promise<PictureScore[]> {
  const batches = batchesOf(pictures).map((batch) => () => Promise.resolve(batch));
  return scoreBatches(room, batches, { ...context, ledger: new Ledger() });
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

/** What scoring a prompt's pictures batch by batch needs, besides the jury. */
export interface BatchContext extends ScoreContext {
  readonly ledger: Ledger;
  /** Told after each batch how many pictures it had. */
  readonly onBatch?: (pictures: number) => void;
  /** Told before the first batch for which judges the prompt is too long. */
  readonly onCuts?: (cuts: Cuts) => void;
}

/** Scores batch after batch, each fetched when its turn comes, and compares all of them together. The prompt is read once. */
export async function scoreBatches(
  room: Pick<JuryRoom, 'prepare'>,
  batches: readonly (() => Promise<readonly Image[]>)[],
  { prompt, ledger, signal, onBatch, onCuts }: BatchContext,
): Promise<PictureScore[]> {
  signal?.throwIfAborted();
  const bench = await room.prepare(prompt, ledger);
  const scores: Scores[] = [];
  onCuts?.(bench.cuts);
  try {
    for (const fetchBatch of batches) {
      signal?.throwIfAborted();
      const images = await fetchBatch();
      scores.push(...(await bench.judge(images, { signal })));
      onBatch?.(images.length);
    }
    return placesOf(scores, bench.jury);
  } finally {
    bench.close();
  }
}

/** Pictures by what a jury makes of their scores: best first, ties as they came. */
export function placesOf(scores: readonly Scores[], jury: Jury): PictureScore[] {
  const sorted = combine(scores, jury)
    .map((number, index) => ({ number, index }))
    .sort((a, b) => b.number - a.number || a.index - b.index);
  let place = 0;
  return sorted.map(({ number, index }, i) => {
    if (number !== sorted[i - 1]?.number) place = i + 1;
    return { index, place, standing: standingOf(number, jury, scores.length), scores: scores[index] ?? {} };
  });
}

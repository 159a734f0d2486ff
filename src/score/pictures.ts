// Scores pictures of one prompt and puts them in order: the core of `score`, and by itself for programs that have their
// pictures in memory.

import type { Image } from '../core/image.js';
import { Ledger } from '../core/ledger.js';
import type { CatalogOption } from '../engine/engine.js';
import { catalogsFor } from '../engine/engine.js';
import { checkScores, type Panel, panelOf, type Verifier } from '../verifiers/contract.js';
import { chooseJury } from './jury.js';
import type { ScorePicturesOptions } from './options.js';
import { checkScorePicturesOptions } from './options.js';

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
  checkScorePicturesOptions(options);
  const { prompt, signal } = options;
  signal?.throwIfAborted();
  const jury = chooseJury(options, await catalogsFor([options.verifier], catalogs));
  const { verifier, close } = await jury.open(signal);
  try {
    const batches = batchesOf(pictures).map((batch) => () => Promise.resolve(batch));
    return await scoreBatches(batches, { verifier, prompt, ledger: new Ledger(), signal });
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
  readonly verifier: Verifier;
  readonly prompt: string;
  readonly ledger: Ledger;
  readonly signal?: AbortSignal | undefined;
  /** Told after each batch how many pictures it had. */
  readonly onBatch?: (pictures: number) => void;
}

/** Scores batch after batch, each fetched when its turn comes, and ranks all of them together. The prompt is read once. */
export async function scoreBatches(
  batches: readonly (() => Promise<readonly Image[]>)[],
  { verifier, prompt, ledger, signal, onBatch }: BatchContext,
): Promise<PictureScore[]> {
  signal?.throwIfAborted();
  const judge = await verifier.prepare(prompt, ledger);
  const panel = panelOf(judge, verifier.name);
  const scores: number[][] = panel.members.map(() => []);
  try {
    for (const fetchBatch of batches) {
      signal?.throwIfAborted();
      const images = await fetchBatch();
      const batch = await panel.judgeMembers(images, { signal });
      checkScores(panel, batch, images.length);
      batch.forEach((ofMember, i) => scores[i]?.push(...ofMember));
      onBatch?.(images.length);
    }
    return rankScores(scores, panel);
  } finally {
    judge.close();
  }
}

/** The scores of a panel's members, [member][picture], as an order of the pictures: best first, ties as they came. */
export function rankScores(
  scores: readonly (readonly number[])[],
  { members, combine }: Pick<Panel, 'members' | 'combine'>,
): PictureScore[] {
  const sorted = combine(scores)
    .map((score, index) => ({ score, index }))
    .sort((a, b) => b.score - a.score || a.index - b.index);
  let rank = 0;
  return sorted.map(({ score, index }, place) => {
    if (score !== sorted[place - 1]?.score) rank = place + 1;
    const own = members.map((name, member) => [name, scores[member]?.[index] ?? NaN] as const);
    return { index, rank, score, scores: Object.fromEntries(own) };
  });
}

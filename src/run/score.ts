// Scores picture files: finds and checks all of them, groups them by prompt, and scores batch after batch, so that neither
// their number nor their size fills the memory.

import { UsageError, VarsearchError } from '../core/errors.js';
import type { Image } from '../core/image.js';
import type { LedgerRecord } from '../core/ledger.js';
import { Ledger } from '../core/ledger.js';
import type { EnsembleRule } from '../verifiers/ensemble.js';
import { builtInCatalogs } from './engine.js';
import type { Run } from './live-run.js';
import { startRun } from './live-run.js';
import { parseRecipe, RECIPE_KEYWORD } from './recipe.js';
import type { PictureFile } from './score-files.js';
import { findPictures, readPicture, surveyPictures } from './score-files.js';
import type { Jury } from './score-jury.js';
import { chooseJury } from './score-jury.js';
import type { ScoreOptions } from './score-options.js';
import { checkScoreOptions, namedPictures } from './score-options.js';
import type { PictureScore } from './score-pictures.js';
import { batchesOf, rankScores, scoreBatches } from './score-pictures.js';
import { worldWarning } from './score-world.js';
import type { CatalogOption } from './varsearch.js';

/** A picture file and what it got. */
export interface ScoredFile extends PictureScore {
  /** As it was named, or found in the folder or by the pattern named. */
  readonly image: string;
  readonly prompt: string;
  /** True for one picture of every prompt. */
  readonly best: boolean;
}

/** What came out of scoring. */
export interface ScoreResult {
  readonly verifiers: readonly string[];
  /** How the verifiers' scores became one; null for a single one. */
  readonly ensemble: EnsembleRule | null;
  /** Prompt by prompt, as they came first; best first within each. */
  readonly pictures: readonly ScoredFile[];
  readonly ledger: LedgerRecord;
}

/** What happens while files are scored. */
export type ScoreEvent =
  /** A file that is left out, with `skipBad`; the message names it. */
  | { readonly type: 'skipped'; readonly message: string }
  /** Something the caller may want to know; the work goes on. */
  | { readonly type: 'warning'; readonly message: string }
  /** All files have been seen, and scoring begins. */
  | { readonly type: 'ready'; readonly pictures: number; readonly prompts: number }
  | { readonly type: 'scored'; readonly done: number; readonly total: number };

/** Scoring in progress. */
export type ScoreRun = Run<ScoreEvent, ScoreResult>;

/** What is kept of a file between looking at it and scoring it. */
interface Seen extends PictureFile {
  readonly width: number;
  readonly height: number;
  readonly prompt: string;
  /** null where there was no room to keep the pixels. */
  readonly image: Image | null;
}

/** Bytes of pixels that are kept from looking at the files, so that a few pictures are not decoded twice. */
const KEPT_BYTES = 2 ** 26;

/**
 * Scores picture files. Wrong options throw a UsageError at once; unknown verifiers, files that cannot be read and pictures
 * without a prompt reject before anything is scored.
 */
export function score(options: ScoreOptions, { catalogs }: CatalogOption = {}): ScoreRun {
  checkScoreOptions(options);
  const { signal } = options;
  return startRun<ScoreEvent, ScoreResult>(async (emit) => {
    signal?.throwIfAborted();
    const known = catalogs ?? (await builtInCatalogs());
    const jury = await chooseJury(options, known);
    const groups = byPrompt(await lookAtAll(options, emit));
    const pictures = [...groups.values()].flat();
    const warning = worldWarning(jury.entries, pictures, known.verifiers);
    if (warning !== null) emit({ type: 'warning', message: warning });
    emit({ type: 'ready', pictures: pictures.length, prompts: groups.size });
    return await scoreGroups(groups, { jury, emit, signal });
  });
}

async function lookAtAll(options: ScoreOptions, emit: (event: ScoreEvent) => void): Promise<Seen[]> {
  const { cwd = process.cwd(), skipBad = false, signal } = options;
  const onBad = ({ message, cause }: VarsearchError): void => {
    if (!skipBad) throw new VarsearchError(`${message} (--skip-bad goes on without it)`, { cause });
    emit({ type: 'skipped', message });
  };
  const context = { cwd, onBad, signal };
  let room = KEPT_BYTES;
  const seen = await surveyPictures(
    await findPictures(namedPictures(options), context),
    context,
    (file, picture) => {
      const { image, text } = picture;
      const keep = image.data.length <= room;
      if (keep) room -= image.data.length;
      const prompt = file.prompt ?? options.prompt ?? promptOf(text[RECIPE_KEYWORD], file.path);
      return { ...file, width: image.width, height: image.height, prompt, image: keep ? image : null };
    },
  );
  if (seen.length === 0) throw new VarsearchError('no picture is left to score');
  return seen;
}

/** The prompt of a picture's recipe. */
function promptOf(recipe: string | undefined, path: string): string {
  if (recipe !== undefined) return parseRecipe(recipe, path).options.prompt;
  throw new UsageError(
    `the prompt is missing: ${path} carries no recipe of varsearch, so say with --prompt what the pictures should show`,
  );
}

function byPrompt(pictures: readonly Seen[]): ReadonlyMap<string, readonly Seen[]> {
  const groups = new Map<string, Seen[]>();
  for (const picture of pictures) {
    const group = groups.get(picture.prompt);
    if (group) group.push(picture);
    else groups.set(picture.prompt, [picture]);
  }
  return groups;
}

interface ScoreContext {
  readonly jury: Jury;
  readonly emit: (event: ScoreEvent) => void;
  readonly signal: AbortSignal | undefined;
}

async function scoreGroups(
  groups: ReadonlyMap<string, readonly Seen[]>,
  { jury, emit, signal }: ScoreContext,
): Promise<ScoreResult> {
  const ledger = new Ledger();
  const { members, close } = await ledger.time('load', () => jury.open());
  const total = [...groups.values()].flat().length;
  let done = 0;
  const onBatch = (scores: readonly (readonly number[])[]): void => {
    done += scores[0]?.length ?? 0;
    emit({ type: 'scored', done, total });
  };
  try {
    const pictures: ScoredFile[] = [];
    for (const [prompt, seen] of groups) {
      const batches = batchesOf(seen).map((batch) => () => imagesOf(batch, signal));
      const scores = await scoreBatches(batches, { members, prompt, ledger, signal, onBatch });
      const ranked = rankScores(scores, jury);
      pictures.push(
        ...ranked.map((place, i) => ({
          ...place,
          image: seen[place.index]?.path ?? '',
          prompt,
          best: i === 0,
        })),
      );
    }
    const { names, joined } = jury;
    return { verifiers: names, ensemble: joined?.by ?? null, pictures, ledger: ledger.record() };
  } finally {
    await close();
  }
}

async function imagesOf(batch: readonly Seen[], signal: AbortSignal | undefined): Promise<Image[]> {
  const images: Image[] = [];
  for (const seen of batch) images.push(seen.image ?? (await readPicture(seen, signal)).image);
  return images;
}

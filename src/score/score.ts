// Scores picture files: finds and checks all of them, groups them by prompt, and scores batch after batch, so that neither
// their number nor their size fills the memory.

import type { Image } from '../core/image.js';
import { Ledger, type LedgerRecord } from '../core/ledger.js';
import { type CatalogOption, catalogsFor } from '../engine/catalogs.js';
import { chooseJury, type ChosenJury, type Cuts } from '../engine/jury.js';
import { type Run, startRun } from '../run/live-run.js';
import { cutWarning } from '../verifiers/contract.js';
import type { Jury } from '../verifiers/jury.js';
import { lookAtPictures, type SeenPicture } from './look.js';
import { checkScoreOptions, type ScoreOptions } from './options.js';
import { batchesOf, type PictureScore, scoreBatches } from './pictures.js';
import { worldWarning } from './world.js';

/** A picture file and what it got; `index` counts the files of all prompts, `place` those of its own. */
export interface ScoredFile extends PictureScore {
  /** As it was named, or found in the folder or by the pattern named. */
  readonly image: string;
  readonly prompt: string;
  /** True for one picture of every prompt. */
  readonly best: boolean;
}

/** What came out of scoring. */
export interface ScoreResult {
  /** Who judged, and how the judges' scores became one. */
  readonly jury: Jury;
  /** Prompt by prompt, as they came first; best first within each. */
  readonly pictures: readonly ScoredFile[];
  readonly ledger: LedgerRecord;
}

/** What happens while files are scored. */
export type ScoreEvent =
  /** Files are looked at before any is scored. */
  | { readonly type: 'looked'; readonly done: number; readonly total: number }
  /** A file that is left out, with `skipBad`; the message names it. */
  | { readonly type: 'skipped'; readonly message: string }
  /** Something the caller may want to know; the work goes on. */
  | { readonly type: 'warning'; readonly message: string }
  /** All files have been seen, and scoring begins. */
  | { readonly type: 'ready'; readonly pictures: number; readonly prompts: number }
  | { readonly type: 'scored'; readonly done: number; readonly total: number };

/** Scoring in progress. */
export type ScoreRun = Run<ScoreEvent, ScoreResult>;

/**
 * Scores picture files. Wrong options throw a UsageError at once; unknown verifiers, files that cannot be read and pictures
 * without a prompt reject before anything is scored.
 */
export function score(options: ScoreOptions, { catalogs }: CatalogOption = {}): ScoreRun {
  checkScoreOptions(options);
  const { signal } = options;
  return startRun<ScoreEvent, ScoreResult>(async (emit) => {
    signal?.throwIfAborted();
    const known = await catalogsFor([options.verifier], catalogs);
    const chosen = chooseJury(options, known);
    const onSkip = (message: string): void => {
      emit({ type: 'skipped', message });
    };
    const onLook = (done: number, total: number): void => {
      emit({ type: 'looked', done, total });
    };
    const groups = byPrompt(await lookAtPictures(options, { onSkip, onLook }));
    const pictures = [...groups.values()].flat();
    const warning = worldWarning(chosen.entries, pictures, known.verifiers);
    if (warning !== null) emit({ type: 'warning', message: warning });
    emit({ type: 'ready', pictures: pictures.length, prompts: groups.size });
    return await scoreGroups(groups, { chosen, emit, signal });
  });
}

function byPrompt(pictures: readonly SeenPicture[]): ReadonlyMap<string, readonly SeenPicture[]> {
  const groups = new Map<string, SeenPicture[]>();
  for (const picture of pictures) {
    const group = groups.get(picture.prompt);
    if (group) group.push(picture);
    else groups.set(picture.prompt, [picture]);
  }
  return groups;
}

interface GroupContext {
  readonly chosen: ChosenJury;
  readonly emit: (event: ScoreEvent) => void;
  readonly signal: AbortSignal | undefined;
}

async function scoreGroups(
  groups: ReadonlyMap<string, readonly SeenPicture[]>,
  { chosen, emit, signal }: GroupContext,
): Promise<ScoreResult> {
  const ledger = new Ledger();
  const room = await ledger.time('load', () => chosen.open(signal));
  const total = [...groups.values()].flat().length;
  let done = 0;
  const onBatch = (pictures: number): void => {
    done += pictures;
    emit({ type: 'scored', done, total });
  };
  const cuts: Cuts[] = [];
  const onCuts = (found: Cuts): void => void cuts.push(found);
  try {
    const pictures: ScoredFile[] = [];
    for (const [prompt, seen] of groups) {
      const batches = batchesOf(seen).map((batch) => () => loadAll(batch));
      for (const scored of await scoreBatches(room, batches, { prompt, ledger, signal, onBatch, onCuts })) {
        const picture = seen[scored.index]!;
        pictures.push({
          ...scored,
          index: picture.index,
          image: picture.path,
          prompt,
          best: pictures.at(-1)?.prompt !== prompt,
        });
      }
    }
    for (const message of cutWarnings(cuts)) emit({ type: 'warning', message });
    return { jury: room.jury, pictures, ledger: ledger.record() };
  } finally {
    await room.close();
  }
}

/** One for each verifier that did not see all of some prompt; `cuts` are those of each prompt. */
function cutWarnings(cuts: readonly Cuts[]): readonly string[] {
  const names = new Set(cuts.flatMap((each) => [...each.keys()]));
  return [...names].flatMap((name) => {
    const found = cuts.flatMap((each) => each.get(name) ?? []);
    const [first] = found;
    return first ? [cutWarning(name, first, { cut: found.length, of: cuts.length })] : [];
  });
}

async function loadAll(batch: readonly SeenPicture[]): Promise<Image[]> {
  const images: Image[] = [];
  for (const picture of batch) images.push(await picture.load());
  return images;
}

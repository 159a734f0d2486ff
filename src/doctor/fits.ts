// What a search needs before anything is loaded: memory of the weights and of what it works with, and its operations, all from the
// catalogue's schedule.

import { DEFAULT_MEMORY } from '../engine/memory.js';
import type { PreviewBytes } from '../models/catalog.js';
import type { Readout, Schedule } from '../models/contract.js';
import { decodedTogether } from '../models/vae/cost.js';
import { estimate, memoryNeed, type ResolvedSearch } from '../search/registry.js';
import { rolloutOf, untilOf } from '../search/rollout.js';
import { resolveJury } from '../verifiers/jury.js';

/** Bytes of a process with an engine and no model. */
const PROCESS_BYTES = 0.32e9;

/** What a search needs. */
export interface Need {
  /** Bytes of the weights as the engine holds them. */
  readonly weights: number;
  /** Bytes of prefixes, pictures and running steps: as many as the engine gives a search, and at least what it cannot do without. */
  readonly work: number;
  /** Bytes of the decoder while it makes a picture, and of that of previews. */
  readonly decoder: number;
  /** At the peak: what is drawn with and the decoder's need not be there together. */
  readonly total: number;
  /** Operations of the transformer. */
  readonly flops: number;
}

/** What is known of a model in bytes. */
interface ModelBytes {
  readonly weights: number;
  /** What its decoder takes for a pixel. */
  readonly decoderPixel: number;
  /** The decoder of unfinished pictures, where they have one of their own. */
  readonly previews?: PreviewBytes | undefined;
}

/** The largest unfinished picture that a search looks at; null where it looks at whole ones alone. */
function unfinished(search: ResolvedSearch, { steps }: Schedule): Readout | null {
  const until = untilOf(rolloutOf(search));
  if (until === 'none') return steps.at(-1)?.readout ?? null;
  const last = until ?? ('resampleAt' in search ? (search.resampleAt.at(-1) ?? 0) : 0);
  return steps[last - 1]?.readout ?? null;
}

/** Bytes of a second decoder, with as many pictures as are decoded together. */
function previewBytes(picture: Readout | null, previews: PreviewBytes | undefined, budget: number): number {
  if (!picture || !previews) return 0;
  const each = previews.pixel * picture.width * picture.height;
  return previews.weights + each * decodedTogether(each, budget / 2);
}

/** Works out what a search by one judge needs. */
export function needOf(
  search: ResolvedSearch,
  schedule: Schedule,
  { weights, decoderPixel, previews }: ModelBytes,
  budget = DEFAULT_MEMORY,
): Need {
  const need = memoryNeed(search, { schedule, jury: resolveJury(['a judge']) });
  // A strategy that does not say what it holds gets all that there is.
  const work = need ? Math.max(need.least, Math.min(need.most, budget)) : budget;
  const { flops } = estimate(search, schedule);
  const { width = 0, height = 0 } = schedule.steps.at(-1)?.readout ?? {};
  const whole = decoderPixel * width * height;
  const preview = previewBytes(unfinished(search, schedule), previews, budget);
  // Keys and values that nobody reads are gone while a picture is decoded; what the engine's steps ran in stays with the engine. Those
  // of a search are held while its previews are decoded, and what they are decoded in stays with the engine, too.
  const peak = Math.max(work, work - (need?.letGo ?? 0) + whole) + preview;
  return { weights, work, decoder: whole + preview, total: weights + peak + PROCESS_BYTES, flops };
}

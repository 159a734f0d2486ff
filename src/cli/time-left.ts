// How far a search is and how long it will still take, from what it costs and what its ledger says so far. Nothing here has a clock.

import type { LedgerRecord } from '../core/ledger.js';
import type { Estimate } from '../search/cost.js';

/** What is known of a search under way. */
export interface Underway {
  readonly cost: Pick<Estimate, 'flops' | 'images'>;
  readonly judges: number;
  /** Its ledger so far. */
  readonly ledger: LedgerRecord;
  /** Milliseconds since it began. */
  readonly elapsed: number;
}

/** How far it is. */
export interface Outlook {
  /** 0 to 1. */
  readonly share: number;
  /** Milliseconds; null until each part of the work was done once. */
  readonly left: number | null;
}

interface Part {
  readonly total: number;
  readonly done: number;
  readonly took: number;
}

/** The parts of a search: how much there is of each, how much is done, and how long that took. */
function partsOf({ cost, judges, ledger }: Underway): readonly Part[] {
  const { transformerFlops, imagesDecoded, imagesVerified, milliseconds } = ledger;
  return [
    { total: cost.flops, done: transformerFlops, took: milliseconds.transformer },
    { total: cost.images, done: imagesDecoded, took: milliseconds.decoder },
    { total: cost.images * judges, done: imagesVerified, took: milliseconds.verifier },
  ].filter(({ total }) => total > 0);
}

/** Each part goes on at the rate that it had; what is done besides (drawing, thumbnails) takes its share of the time as until now. */
export function outlook(search: Underway): Outlook {
  const parts = partsOf(search);
  const [first] = parts;
  const rough = first ? Math.min(1, first.done / first.total) : 0;
  if (parts.some(({ done }) => done <= 0)) return { share: rough, left: null };
  const took = parts.reduce((sum, part) => sum + part.took, 0);
  const still = parts.reduce(
    (sum, { total, done, took: own }) => sum + (Math.max(0, total - done) * own) / done,
    0,
  );
  if (took + still <= 0) return { share: rough, left: null };
  const besides = Math.max(1, search.elapsed / Math.max(took, 1));
  return { share: took / (took + still), left: still * besides };
}

/** A span of time on a clock that ticks: "12 s", "3 min 20 s", "2 h 5 min". */
export function clock(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

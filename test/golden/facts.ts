// What the golden table holds of a result. This file alone knows a result's shape: where that changes, it changes here,
// and the table stays.

import { createHash } from 'node:crypto';

import type { CompareResult, GenerateResult, Image, LedgerCounts, Standing } from '../../src/index.js';

/** A candidate. */
export interface NodeFacts {
  /** Number of the candidate that it was drawn from, 0 for none; candidates are counted from 1 as they were scored. */
  readonly parent: number;
  /** Steps that it fixes, the round's beam that it was drawn from, and which of the beam's candidates it is. */
  readonly scale: number;
  readonly beam: number;
  readonly candidate: number;
  /** Whether something was drawn from it, or it is the winner. */
  readonly kept: boolean;
  /** Every verifier's own score. */
  readonly scores: Readonly<Record<string, number>>;
  /** The beginning of the SHA-256 of its picture's RGB bytes. */
  readonly pixels: string;
  /** The mean colours of the picture's quarters as bytes in hexadecimal: what another processor may be held to. */
  readonly colours: string;
}

/** A search. */
export interface SearchFacts {
  /** SHA-256 of the final picture's RGB bytes. */
  readonly pixels: string;
  /** The winner's number, and its standing among those that it was chosen from as a number, higher is better. */
  readonly winner: number;
  readonly score: number;
  /** What it cost; the operations of judges follow from their sizes, and are tested there. */
  readonly ledger: Omit<LedgerCounts, 'verifierFlops'>;
  readonly nodes: readonly NodeFacts[];
}

/** A comparison: which of its searches won, their standings as compared, and the searches. */
export interface CompareFacts {
  readonly best: number;
  readonly scores: readonly number[];
  readonly searches: readonly SearchFacts[];
}

/** Draws candidates of a result again. */
export type Redraw = (result: GenerateResult, candidates: readonly number[]) => Promise<readonly Image[]>;

/** The facts of a search. */
export async function searchFacts(result: GenerateResult, redraw: Redraw): Promise<SearchFacts> {
  const { candidates, fates, winner, standing, image } = result;
  const { milliseconds: _, verifierFlops: __, ...ledger } = result.ledger;
  const images = await redraw(
    result,
    candidates.map(({ id }) => id),
  );
  const drawnFrom = new Set(fates.filter(({ copies }) => copies > 0).map(({ id }) => id));
  return {
    pixels: sha256(image),
    winner: winner.id,
    score: numberOf(standing),
    ledger,
    nodes: candidates.map(({ id, parent, step, path: [, beam = 0, candidate = 0], scores }, i) => ({
      parent,
      scale: step,
      beam,
      candidate,
      kept: drawnFrom.has(id) || id === winner.id,
      scores: { ...scores },
      pixels: sha256(images[i] as Image).slice(0, 16),
      colours: colours(images[i] as Image),
    })),
  };
}

/** The facts of a comparison. */
export async function compareFacts(
  { best, standings, results }: CompareResult,
  redraw: Redraw,
): Promise<CompareFacts> {
  const searches = [];
  for (const result of results) searches.push(await searchFacts(result, redraw));
  return { best: results.indexOf(best), scores: standings.map(numberOf), searches };
}

/** Higher is better: the table has mean ranks with a minus. */
function numberOf(standing: Standing): number {
  if ('rank' in standing) return -standing.rank;
  return 'zScore' in standing ? standing.zScore : standing.score;
}

function sha256({ data }: Image): string {
  return createHash('sha256').update(data).digest('hex');
}

function colours({ width, height, data }: Image): string {
  const sums = new Float64Array(12);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const quarter = (y * 2 < height ? 0 : 2) + (x * 2 < width ? 0 : 1);
      for (let c = 0; c < 3; c++) sums[quarter * 3 + c]! += data[(y * width + x) * 3 + c]!;
    }
  }
  const means = Array.from(sums, (sum) => Math.round((sum * 4) / (width * height)));
  return Buffer.from(means).toString('hex');
}

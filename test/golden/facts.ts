// What the golden table holds of a result. This file alone knows a result's shape: where that changes, it changes here,
// and the table stays.

import { createHash } from 'node:crypto';

import type { CompareResult, GenerateResult, Image, LedgerCounts } from '../../src/index.js';

/** A candidate. */
export interface NodeFacts {
  /** Number of the candidate that it was drawn from, 0 for none; candidates are counted from 1 as they were scored. */
  readonly parent: number;
  /** Scales that it fixes, the round's beam that it was drawn from, and which of the beam's candidates it is. */
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
  /** The winner's number, and its score among those that it was chosen from. */
  readonly winner: number;
  readonly score: number;
  readonly ledger: LedgerCounts;
  readonly nodes: readonly NodeFacts[];
}

/** A comparison: which of its searches won, their scores as compared, and the searches. */
export interface CompareFacts {
  readonly best: number;
  readonly scores: readonly number[];
  readonly searches: readonly SearchFacts[];
}

/** The facts of a search. */
export function searchFacts(result: GenerateResult): SearchFacts {
  const { milliseconds: _, ...ledger } = result.ledger;
  return {
    pixels: sha256(result.image),
    winner: result.winner.id,
    score: result.score,
    ledger,
    nodes: result.tree.nodes.map(({ parent, scale, beam, candidate, kept, scores, image }) => ({
      parent,
      scale,
      beam,
      candidate,
      kept,
      scores: { ...scores },
      pixels: sha256(image).slice(0, 16),
      colours: colours(image),
    })),
  };
}

/** The facts of a comparison. */
export function compareFacts({ best, scores, results }: CompareResult): CompareFacts {
  return { best: results.indexOf(best), scores, searches: results.map(searchFacts) };
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

// The hold-out report: what verifiers that did not guide a search say of its winner, measured against the pictures of the first
// round, which are independent samples: what one gets without a search. It tells verifier hacking from better pictures.

import { formatGain } from '../core/format.js';
import type { FileHashes } from '../core/hash.js';
import type { Image } from '../core/image.js';
import { Ledger, type LedgerRecord } from '../core/ledger.js';
import type { SearchResult } from '../search/contract.js';
import type { TreeNode } from '../search/tree.js';
import { checkScores, type Judge, type Verifier } from '../verifiers/contract.js';

/** One verifier's view of a search. */
export interface HoldOutRow {
  readonly verifier: string;
  /** Whether it guided the search. */
  readonly role: 'guiding' | 'held-out';
  /** Of the first round's pictures. */
  readonly mean: number;
  /** Standard deviation of the first round's pictures (of a sample, n - 1); null for a single picture. */
  readonly deviation: number | null;
  /** The very first picture. */
  readonly first: number;
  readonly winner: number;
  /** How far the winner is above the mean, in deviations; null where it differs from a first round that is all the same. */
  readonly gain: number | null;
}

/** What all verifiers say of a search, and what it cost to ask those that did not guide it. */
export interface HoldOutReport {
  /** Pictures of the first round. */
  readonly pictures: number;
  /** Those that guided the search first. */
  readonly rows: readonly HoldOutRow[];
  /** Mean gain of the guiding verifiers; null where none has one. */
  readonly guidingGain: number | null;
  /** Mean gain of the held-out verifiers; null where none has one. */
  readonly heldOutGain: number | null;
  /** Verifier hacking: the mean gain of the guiding verifiers is above 0, and that of the held-out ones below. */
  readonly hacking: boolean;
  /** The held-out verifiers whose gain is below 0. */
  readonly fell: readonly string[];
  /** The finding in one sentence. */
  readonly message: string;
  /** What the held-out verifiers cost, which is no part of the search's cost. */
  readonly ledger: LedgerRecord;
  /** SHA-256 of the held-out verifiers' files, as verifier/file. */
  readonly hashes: FileHashes;
}

/** The names of the held-out verifiers of several runs, of which some may have ended without a report. */
export function heldOutNames(reports: readonly (HoldOutReport | null)[]): readonly string[] {
  const rows = reports.flatMap((report) => report?.rows ?? []);
  return [...new Set(rows.flatMap(({ verifier, role }) => (role === 'held-out' ? verifier : [])))];
}

/** Pictures that a held-out verifier gets at once. */
const BATCH = 32;

/** What a report is about. */
export interface HoldOutOptions {
  readonly prompt: string;
  /** The names of the verifiers that guide the search. */
  readonly guides: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/** Held-out verifiers with the prompt made ready: a prompt that one of them cannot read fails before the search. */
export interface HoldOut {
  /** Scores the first round and the winner of a search. */
  report(result: SearchResult): Promise<HoldOutReport>;
  /** Frees what belongs to the prompt. */
  close(): void;
}

type Held = readonly (readonly [verifier: Verifier, judge: Judge])[];

/** Makes a prompt ready for those reporters that do not guide the search. */
export async function prepareHoldOut(
  reporters: readonly Verifier[],
  { prompt, guides, signal }: HoldOutOptions,
): Promise<HoldOut> {
  const ledger = new Ledger();
  const held: [Verifier, Judge][] = [];
  const close = (): void => {
    for (const [, judge] of held) judge.close();
  };
  try {
    for (const reporter of reporters) {
      if (!guides.includes(reporter.name)) held.push([reporter, await reporter.prepare(prompt, ledger)]);
    }
  } catch (error) {
    close();
    throw error;
  }
  return {
    report: async (result) => {
      const rows = await rowsOf(result, { guides, held, signal });
      const pictures = firstRound(result).length;
      const hashes = await hashesOf(held);
      return { pictures, rows, ...judgeRows(rows, pictures), ledger: ledger.record(), hashes };
    },
    close,
  };
}

/** The candidates of the first round: they come from the empty prefix, and each was completed by itself. */
function firstRound({ tree }: Pick<SearchResult, 'tree'>): readonly TreeNode[] {
  return tree.nodes.filter(({ parent }) => parent === 0);
}

interface Judges {
  readonly guides: readonly string[];
  readonly held: Held;
  readonly signal: AbortSignal | undefined;
}

async function rowsOf(result: SearchResult, { guides, held, signal }: Judges): Promise<HoldOutRow[]> {
  const first = firstRound(result);
  const rowBy = (verifier: string, role: HoldOutRow['role'], scoreOf: (node: TreeNode) => number): HoldOutRow =>
    ({ verifier, role, ...measureGain(first.map(scoreOf), scoreOf(result.winner)) }); // prettier-ignore
  const rows = guides.map((name) => rowBy(name, 'guiding', ({ scores }) => scores[name] ?? NaN));
  const images = [...new Set([...first, result.winner].map(({ image }) => image))];
  for (const [{ name }, judge] of held) {
    const scores = new Map<Image, number>();
    for (let start = 0; start < images.length; start += BATCH) {
      const batch = images.slice(start, start + BATCH);
      const some = await judge.score(batch, { signal });
      signal?.throwIfAborted();
      checkScores({ members: [name] }, [some], batch.length);
      batch.forEach((image, i) => scores.set(image, some[i] ?? NaN));
    }
    rows.push(rowBy(name, 'held-out', ({ image }) => scores.get(image) ?? NaN));
  }
  return rows;
}

/** Mean, deviation and first of independent samples, and how far a picture is above them. */
export function measureGain(
  samples: readonly number[],
  winner: number,
): Pick<HoldOutRow, 'mean' | 'deviation' | 'first' | 'winner' | 'gain'> {
  const [first = NaN] = samples;
  const mean = meanOf(samples) ?? NaN;
  const squares = samples.reduce((sum, score) => sum + (score - mean) ** 2, 0);
  const deviation = samples.length > 1 ? Math.sqrt(squares / (samples.length - 1)) : null;
  // Rounding must not make a spread of samples that are all the same.
  if (samples.every((score) => score === first)) {
    return {
      mean: first,
      deviation: deviation === null ? null : 0,
      first,
      winner,
      gain: winner === first ? 0 : null,
    };
  }
  return { mean, deviation, first, winner, gain: deviation ? (winner - mean) / deviation : null };
}

/** What follows from the rows: the mean gains, and whether those who guided were hacked. */
export function judgeRows(
  rows: readonly HoldOutRow[],
  pictures: number,
): Pick<HoldOutReport, 'guidingGain' | 'heldOutGain' | 'hacking' | 'fell' | 'message'> {
  const gainOf = (role: HoldOutRow['role']): number | null =>
    meanOf(rows.flatMap((row) => (row.role === role && row.gain !== null ? row.gain : [])));
  const [guidingGain, heldOutGain] = [gainOf('guiding'), gainOf('held-out')];
  const fell = rows.filter(({ role, gain }) => role === 'held-out' && gain !== null && gain < 0);
  const hacking = guidingGain !== null && heldOutGain !== null && guidingGain > 0 && heldOutGain < 0;
  const finding = { guidingGain, heldOutGain, hacking, fell: fell.map(({ verifier }) => verifier) };
  const falls = fell.map(({ verifier, gain }) => `${verifier} ${formatGain(gain)}`).join(', ');
  const heldOut = rows.some(({ role }) => role === 'held-out');
  const message = heldOut
    ? messageOf(finding, falls, pictures)
    : 'no verifier was held out: all of them guided the search';
  return { ...finding, message };
}

function messageOf(
  { guidingGain, heldOutGain, hacking }: Pick<HoldOutReport, 'guidingGain' | 'heldOutGain' | 'hacking'>,
  falls: string,
  pictures: number,
): string {
  if (guidingGain === null || heldOutGain === null) {
    return 'nothing can be said: the scores of the first round do not differ, so there is no deviation to measure by';
  }
  const gains =
    `mean gain of the guiding verifiers ${formatGain(guidingGain)}, of the held-out ones ${formatGain(heldOutGain)}, ` +
    `in deviations of the ${pictures} pictures of the first round`;
  if (hacking) {
    return `verifier hacking: what guided the search rose while what did not fell (${falls}): ${gains}`;
  }
  return `no sign of verifier hacking${falls === '' ? '' : `, although some fell (${falls})`}: ${gains}`;
}

function meanOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

async function hashesOf(held: Held): Promise<FileHashes> {
  const hashes = await Promise.all(
    held.map(async ([verifier]) =>
      Object.entries(await verifier.hashes()).map(([file, hash]) => [`${verifier.name}/${file}`, hash]),
    ),
  );
  return Object.fromEntries(hashes.flat()) as FileHashes;
}

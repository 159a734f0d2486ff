// The observers of a search: verifiers that do not guide it, and say of its winner what they say of the pictures of the first
// round, which are independent samples: what one gets without a search. It tells verifier hacking from better pictures. They
// look while pictures are drawn, since nobody keeps those for later.

import { formatGain } from '../core/format.js';
import type { FileHashes } from '../core/hash.js';
import type { Image } from '../core/image.js';
import { Ledger, type LedgerRecord } from '../core/ledger.js';
import { type Cuts, cutsOf, hashesOf, prepareAll } from '../engine/jury.js';
import type { Candidate, Shown } from '../search/contract.js';
import { checkScores, type Judge, type Verifier } from '../verifiers/contract.js';
import type { Scores } from '../verifiers/jury.js';
import { drawn } from './standings.js';

/** One verifier's view of a search. */
export interface ObserverRow {
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
export interface ObserverReport {
  /** Pictures of the first round. */
  readonly pictures: number;
  /** Those that guided the search first. */
  readonly rows: readonly ObserverRow[];
  /** Mean gain of the guiding verifiers; null where none has one. */
  readonly guidingGain: number | null;
  /** Mean gain of the held-out verifiers; null where none has one. */
  readonly heldOutGain: number | null;
  /**
   * Verifier hacking: the mean gain of the guiding verifiers is above 0, and that of the held-out ones further below than
   * chance takes it, see `bound`.
   */
  readonly hacking: boolean;
  /**
   * How far below 0 the mean held-out gain of a guide that knows nothing falls in one search of a hundred; null where there
   * are too few pictures to say.
   */
  readonly bound: number | null;
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
export function heldOutNames(reports: readonly (ObserverReport | null)[]): readonly string[] {
  const rows = reports.flatMap((report) => report?.rows ?? []);
  return [...new Set(rows.flatMap(({ verifier, role }) => (role === 'held-out' ? verifier : [])))];
}

/** Pictures that an observer gets at once. */
const BATCH = 32;

/** What observers are asked about. */
export interface WinnerOfSearch {
  readonly candidates: readonly Candidate[];
  readonly winner: Candidate;
  readonly image: Image;
}

/** What observers are told before a search. */
export interface ObserverOptions {
  readonly prompt: string;
  /** The names of the verifiers that guide the search. */
  readonly judges: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/** Observers with the prompt made ready: a prompt that one of them cannot read fails before the search. */
export class Observers {
  readonly #options: ObserverOptions;
  readonly #verifiers: readonly Verifier[];
  readonly #ready: readonly Judge[];
  readonly #ledger: Ledger;
  readonly #hashes: FileHashes;
  /** What they gave the pictures of the first round, by candidate. */
  readonly #seen = new Map<number, Scores>();

  private constructor(
    options: ObserverOptions,
    parts: {
      readonly verifiers: readonly Verifier[];
      readonly ready: readonly Judge[];
      readonly ledger: Ledger;
      readonly hashes: FileHashes;
    },
  ) {
    this.#options = options;
    this.#verifiers = parts.verifiers;
    this.#ready = parts.ready;
    this.#ledger = parts.ledger;
    this.#hashes = parts.hashes;
  }

  /** Makes a prompt ready for those observers that do not guide the search. */
  static async open(observers: readonly Verifier[], options: ObserverOptions): Promise<Observers> {
    const ledger = new Ledger();
    const verifiers = observers.filter(({ name }) => !options.judges.includes(name));
    // Before they are asked for anything: a report does not wait for what can fail.
    const hashes = await hashesOf(verifiers);
    return new Observers(options, {
      verifiers,
      hashes,
      ready: await prepareAll(verifiers, options.prompt, ledger),
      ledger,
    });
  }

  /** How the prompt was cut for those for which it is too long. */
  get cuts(): Cuts {
    return cutsOf(this.#verifiers, this.#ready);
  }

  /** Looks at pictures as they are drawn; only those of the first round are of interest. */
  async see(pictures: readonly Shown[]): Promise<void> {
    // They come from the empty prefix, and each was completed by itself.
    const first = pictures.filter(({ candidate }) => candidate.parent === 0);
    for (let start = 0; start < first.length; start += BATCH) {
      const batch = first.slice(start, start + BATCH);
      const scores = await this.#score(batch.map(({ image }) => image));
      batch.forEach(({ candidate }, i) => this.#seen.set(candidate.id, scores[i] ?? {}));
    }
  }

  /** Scores the winner, and says how it stands to the first round. */
  async report({ candidates, winner, image }: WinnerOfSearch): Promise<ObserverReport> {
    const first = drawn(candidates).filter(({ parent }) => parent === 0);
    const own = this.#seen.get(winner.sameAs ?? winner.id) ?? (await this.#score([image]))[0] ?? {};
    const rowBy = (
      name: string,
      role: ObserverRow['role'],
      samples: readonly Scores[],
      best: Scores,
    ): ObserverRow => {
      const scores = samples.map((each) => each[name] ?? NaN);
      const measured = measureGain(scores, best[name] ?? NaN);
      return { verifier: name, role, ...measured, ...(compares ? {} : { gain: null }) };
    };
    // Scores of pictures at different steps do not compare.
    const compares = first.every(({ judgedAt }) => judgedAt === winner.judgedAt);
    const judged = first.map(({ scores }) => scores);
    const seen = first.map(({ id }) => this.#seen.get(id) ?? {});
    const rows = [
      ...this.#options.judges.map((name) => rowBy(name, 'guiding', judged, winner.scores)),
      ...this.#verifiers.map(({ name }) => rowBy(name, 'held-out', seen, own)),
    ];
    return {
      pictures: first.length,
      rows,
      ...judgeRows(rows, first.length, spreadOf(rows, seen)),
      ...(compares ? {} : { message: NOT_COMPARED }),
      ledger: this.#ledger.record(),
      hashes: this.#hashes,
    };
  }

  /** Frees what belongs to the prompt. */
  close(): void {
    for (const judge of this.#ready) judge.close();
  }

  async #score(images: readonly Image[]): Promise<Scores[]> {
    const { signal } = this.#options;
    const found = images.map((): Record<string, number> => ({}));
    for (const [i, { name }] of this.#verifiers.entries()) {
      const scores = (await this.#ready[i]?.score(images, { signal })) ?? [];
      signal?.throwIfAborted();
      checkScores(name, scores, images.length);
      scores.forEach((score, image) => Object.assign(found[image] ?? {}, { [name]: score }));
    }
    return found;
  }
}

/** Mean, deviation and first of independent samples, and how far a picture is above them. */
export function measureGain(
  samples: readonly number[],
  winner: number,
): Pick<ObserverRow, 'mean' | 'deviation' | 'first' | 'winner' | 'gain'> {
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

const NOT_COMPARED =
  'nothing is said of verifier hacking: the pictures of the first round were not finished when they were judged, ' +
  'and scores at different steps do not compare';

/** Below so many pictures in the first round nothing is said of hacking: their deviation itself is hardly known. */
const LEAST_PICTURES = 5;

/** The normal distribution leaves 1% above it. */
const Z = 2.326348;

/**
 * How far below 0 the mean held-out gain falls by chance. To a held-out verifier, the winner of a guide that knows nothing is
 * one more independent picture. For normal scores, (winner - mean) / deviation of n pictures is then sqrt(1 + 1/n) times a t of
 * n - 1 degrees of freedom: one term for the picture, one for the standard error of the mean. Several verifiers look at the
 * same pictures, and agree more or less: `spread` is the deviation of their mean gain over the first round, 1 for a verifier
 * alone and less where they do not agree. The level is 1%, not 5%, since
 * scores are not normal: those with a long tail downwards (an exponential one) still stay below 5%; tests simulate both.
 */
export function chanceBound(pictures: number, spread = 1): number | null {
  if (pictures < LEAST_PICTURES) return null;
  const v = pictures - 1;
  // Cornish and Fisher's expansion of the quantile of t, within 1% from 4 degrees of freedom on.
  const t =
    Z +
    (Z ** 3 + Z) / (4 * v) +
    (5 * Z ** 5 + 16 * Z ** 3 + 3 * Z) / (96 * v ** 2) +
    (3 * Z ** 7 + 19 * Z ** 5 + 17 * Z ** 3 - 15 * Z) / (384 * v ** 3);
  return spread * t * Math.sqrt(1 + 1 / pictures);
}

/** The deviation of the mean gain of some verifiers over the pictures of the first round; their scores are by picture. */
export function spreadOf(rows: readonly ObserverRow[], seen: readonly Scores[]): number {
  const heldOut = rows.filter(
    ({ role, gain, deviation }) => role === 'held-out' && gain !== null && deviation,
  );
  if (heldOut.length < 2) return 1;
  const gains = seen.map(
    (scores) =>
      meanOf(
        heldOut.map(({ verifier, mean, deviation }) => ((scores[verifier] ?? NaN) - mean) / (deviation ?? 1)),
      ) ?? 0,
  );
  return Math.min(1, measureGain(gains, 0).deviation ?? 1);
}

type Finding = Pick<ObserverReport, 'guidingGain' | 'heldOutGain' | 'hacking' | 'bound'>;

/** What follows from the rows: the mean gains, and whether those who guided were hacked. */
export function judgeRows(
  rows: readonly ObserverRow[],
  pictures: number,
  spread = 1,
): Finding & Pick<ObserverReport, 'fell' | 'message'> {
  const gainOf = (role: ObserverRow['role']): number | null =>
    meanOf(rows.flatMap((row) => (row.role === role && row.gain !== null ? row.gain : [])));
  const [guidingGain, heldOutGain] = [gainOf('guiding'), gainOf('held-out')];
  const fell = rows.filter(({ role, gain }) => role === 'held-out' && gain !== null && gain < 0);
  const bound = chanceBound(pictures, spread);
  const known = guidingGain !== null && heldOutGain !== null && bound !== null;
  const hacking = known && guidingGain > 0 && heldOutGain < -bound;
  const finding = { guidingGain, heldOutGain, hacking, bound, fell: fell.map(({ verifier }) => verifier) };
  const falls = fell.map(({ verifier, gain }) => `${verifier} ${formatGain(gain)}`).join(', ');
  const heldOut = rows.some(({ role }) => role === 'held-out');
  const message = heldOut
    ? messageOf(finding, falls, pictures)
    : 'no verifier was held out: all of them guided the search';
  return { ...finding, message };
}

function messageOf(
  { guidingGain, heldOutGain, hacking, bound }: Finding,
  falls: string,
  pictures: number,
): string {
  if (bound === null) {
    return (
      `nothing can be said of verifier hacking: the first round has ${pictures === 1 ? 'one picture' : `${pictures} pictures`}, ` +
      `and at least ${LEAST_PICTURES} are needed to tell a fall from chance`
    );
  }
  if (guidingGain === null || heldOutGain === null) {
    return 'nothing can be said: the scores of the first round do not differ, so there is no deviation to measure by';
  }
  const gains =
    `mean gain of the guiding verifiers ${formatGain(guidingGain)}, of the held-out ones ${formatGain(heldOutGain)}, ` +
    `in deviations of the ${pictures} pictures of the first round`;
  if (hacking) {
    return `verifier hacking: what guided the search rose while what did not fell (${falls}): ${gains}`;
  }
  if (heldOutGain < 0) {
    return `the fall of what did not guide (${falls}) is within chance (${formatGain(-bound)}), so that it says neither yes nor no to verifier hacking: ${gains}`;
  }
  return `no sign of verifier hacking${falls === '' ? '' : `, although some fell (${falls})`}: ${gains}`;
}

function meanOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

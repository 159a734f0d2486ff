// What a run gives, and its form in result.json (format 2): plain data, without pictures.

import type { Image } from '../core/image.js';
import type { LedgerRecord } from '../core/ledger.js';
import type { EngineHashes } from '../engine/engine.js';
import type { Versions } from '../engine/versions.js';
import type { Schedule } from '../models/contract.js';
import type { Candidate, Fate } from '../search/contract.js';
import type { Standing } from '../verifiers/jury.js';
import type { ObserverReport } from './observers.js';
import type { ResolvedOptions } from './options.js';
import type { Recipe } from './recipe.js';
import type { TracePoint } from './standings.js';

/** The pictures that a run keeps: the winner's whole, the others' small, and what draws each again. */
export interface Pictures {
  /** The first picture that was drawn: what one gets without a search. */
  readonly first: Image;
  /** Of every candidate that was drawn, by its id, no side above 160 pixels; those taken over have the picture of `sameAs`. */
  readonly thumbnails: ReadonlyMap<number, Image>;
  /** Packed states by candidate: `redraw` of an open varsearch makes whole pictures of them. */
  readonly states: ReadonlyMap<number, Uint8Array>;
  /** The winner after each of its steps, where that was asked for (option `film`) and the model keeps its steps. */
  readonly film?: readonly Image[];
}

/**
 * What ended a search: all of it was done, the time was up, the score was reached, or the caller had enough. In any case the result
 * is what was asked for.
 */
export type EndedBy = 'search' | 'time' | 'score' | 'stop';

/** The end of a run, or what an interrupted one had reached. */
export interface GenerateResult {
  /** False when the search did not come to its end: the picture is the best until then. */
  readonly complete: boolean;
  /** What ended the search; null where it came to no end. */
  readonly endedBy: EndedBy | null;
  readonly image: Image;
  /** The candidate whose picture it is. */
  readonly winner: Candidate;
  /** The winner's, among all pictures that it was chosen from. */
  readonly standing: Standing;
  readonly candidates: readonly Candidate[];
  /** What became of the candidates of the rounds that came to their end. */
  readonly fates: readonly Fate[];
  readonly pictures: Pictures;
  readonly trace: readonly TracePoint[];
  readonly ledger: LedgerRecord;
  /** Wall-clock time of the whole run, loading of models included. */
  readonly milliseconds: number;
  readonly schedule: Schedule;
  readonly options: ResolvedOptions;
  readonly hashes: EngineHashes;
  readonly versions: Versions;
  /** What the PNG file of the picture carries. */
  readonly recipe: Recipe;
  /** What was said of the prompt and of the run on the way, in the order of the events. */
  readonly warnings: readonly string[];
  /** What the observers say; null where there were none, or the search came to no end. */
  readonly report: ObserverReport | null;
}

/** The layout of result.json. */
export interface ResultJson {
  readonly format: 2;
  readonly incomplete?: true;
  /** Where not all of the search was done, and the result is what was asked for all the same. */
  readonly endedBy?: EndedBy;
  /** Name of the picture's file, beside this one. */
  readonly picture: string;
  /** Id of the candidate whose picture it is. */
  readonly winner: number;
  readonly standing: Standing;
  readonly options: ResolvedOptions;
  readonly schedule: Schedule;
  readonly ledger: LedgerRecord;
  readonly milliseconds: number;
  readonly trace: readonly TracePoint[];
  readonly versions: Versions;
  readonly hashes: EngineHashes;
  /** SHA-256 of the picture's RGB bytes. */
  readonly pixels: string;
  /** What was said of the prompt and of the run; left out where there is nothing. */
  readonly warnings?: readonly string[];
  /** Where observers were asked for. */
  readonly report?: ObserverReport;
  readonly candidates: readonly Candidate[];
  readonly fates: readonly Fate[];
}

/** A result as plain data for result.json. */
export function resultJson(result: GenerateResult, picture: string): ResultJson {
  const { options, schedule, ledger, milliseconds, trace, versions, hashes, report, warnings } = result;
  return {
    format: 2,
    ...(result.complete ? {} : { incomplete: true as const }),
    ...(result.endedBy === null || result.endedBy === 'search' ? {} : { endedBy: result.endedBy }),
    picture,
    winner: result.winner.id,
    standing: result.standing,
    options,
    schedule,
    ledger,
    milliseconds,
    trace,
    versions,
    hashes,
    pixels: result.recipe.pixels,
    ...(warnings.length > 0 ? { warnings } : {}),
    ...(report ? { report } : {}),
    candidates: result.candidates,
    fates: result.fates,
  };
}

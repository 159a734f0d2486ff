// What every strategy takes and gives. A strategy is an async generator: it yields events and returns a result.
// No input or output, no clock, no printing, no model names. What it gives out is plain data and never changes later.

import type { Image } from '../core/image.js';
import type { OptionTable } from '../core/options.js';
import type { Draw } from '../core/random.js';
import type { Reservation } from '../core/reservation.js';
import type { CallOptions, Generator, Schedule, View } from '../models/contract.js';
import type { Jury, Scores, Standing } from '../verifiers/jury.js';
import type { Estimate } from './cost.js';
import type { RoundSize } from './memory.js';

/** The judges of a jury with the prompt made ready. */
export interface Bench {
  readonly jury: Jury;
  /** What every judge gives each picture. */
  judge(images: readonly Image[], call?: CallOptions): Promise<Scores[]>;
}

/** A candidate's picture as it is drawn: nobody keeps it but those who are shown it. */
export interface Shown {
  readonly candidate: Candidate;
  readonly image: Image;
  /** What draws the picture again, by one decode. */
  readonly state: Uint8Array;
}

/** What a strategy works with. */
export interface SearchContext {
  readonly generator: Generator;
  readonly bench: Bench;
  /** The root of all random numbers of the search. */
  readonly draw: Draw;
  /** What the search may hold, and what its prefixes and pictures are charged to. @default as much as the generator has room for */
  readonly reservation?: Reservation | undefined;
  /** Is shown every new picture once, after it was judged and before the event that tells of it. */
  readonly show?: ((pictures: readonly Shown[]) => Promise<void>) | undefined;
  /** Ends the search between two steps; it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** One candidate of a search, as data. */
export interface Candidate {
  /** 1, 2, 3, ... in the order in which candidates were judged. */
  readonly id: number;
  /** The candidate that it was drawn from; 0 for the empty prefix. */
  readonly parent: number;
  /** How many steps it fixes; all of them where nothing is drawn from it. */
  readonly step: number;
  /** How many steps the picture had by which it was judged: all of them, or fewer for a preview. */
  readonly judgedAt: number;
  /** How an unfinished picture was looked at: 'full' at the size of the last step. @default 'own', at its own size */
  readonly view?: Extract<View, 'full'>;
  /** Its place in the search: round (from 1), beam and number among the beam's candidates (from 0). */
  readonly path: readonly number[];
  /** The candidate whose picture stands for it too: it was taken over from the round before at no cost. */
  readonly sameAs?: number;
  /** What every judge gave its picture. */
  readonly scores: Scores;
}

/** What became of a candidate in its round. */
export interface Fate {
  readonly id: number;
  /** Among the candidates of its round. */
  readonly standing: Standing;
  /** How many prefixes of the next round are this one: 0 for a candidate that was dropped. */
  readonly copies: number;
  /** Its share of its round's weight, where copies are drawn by weight. */
  readonly weight?: number;
}

/** What happens during a search: per round 'round', then 'judged' once or more, then 'elected'. Plain JSON. */
export type SearchEvent =
  /** A round begins: `candidates` that fix `step` steps are drawn. Random search has one round. */
  | {
      readonly type: 'round';
      readonly round: number;
      readonly rounds: number;
      readonly step: number;
      readonly candidates: number;
      /** The candidate that is completed in it, where there is nothing else in the round: a preview that has won. */
      readonly completes?: number;
    }
  /**
   * Candidates were completed, decoded and judged; `best` is the best of the whole search so far, among those judged at the most
   * steps: scores of pictures at different steps do not compare.
   */
  | { readonly type: 'judged'; readonly candidates: readonly Candidate[]; readonly best: number }
  /** The round is over: the fates of its candidates, best first. */
  | { readonly type: 'elected'; readonly round: number; readonly fates: readonly Fate[] };

/** The end of a search. */
export interface SearchResult {
  /** The candidate whose picture it is. */
  readonly winner: number;
  /** The winner's, among all candidates that it was chosen from. */
  readonly standing: Standing;
  readonly candidates: readonly Candidate[];
  /** Of all candidates, round by round. */
  readonly fates: readonly Fate[];
}

/**
 * A running search. It frees what it holds when it ends, fails, is aborted, or is left early by `return()`
 * (which a `for await` calls when it is left by `break`).
 */
export type Search = AsyncGenerator<SearchEvent, SearchResult, void>;

/** Candidates that come from one prefix, and have to differ by what steps `from` to `until` (from 1) draw. */
export interface Fork {
  readonly from: number;
  readonly until: number;
  readonly candidates: number;
}

/** What a search asks of model, memory and jury, as data: needs.ts refuses where they have not got it. */
export interface Needs {
  /** Where it draws several candidates from one prefix. @default nowhere */
  readonly forks?: readonly Fork[];
  /** How many prefixes have to live together after each step. @default 1: it works in groups of any size */
  readonly alive?: readonly number[];
  /** Whether scores have to mean the same in every round, which ranks and z-scores do not. @default false */
  readonly absolute?: boolean;
}

/** A strategy: one value in one file, listed in registry.ts. `Given` is what a caller may say, `Sizes` what follows from it. */
export interface Strategy<Name extends string = string, Given = never, Sizes extends object = object> {
  readonly name: Name;
  readonly title: string;
  readonly description: string;
  /** The options that it takes. */
  readonly options: OptionTable;
  /** The sizes of a search over a schedule, all defaults filled in; resolving them again gives the same. Throws UsageError. */
  resolve(given: Given, schedule: Schedule): Sizes;
  /** What it asks of model, memory and jury. @default nothing */
  needs?(sizes: Sizes, schedule: Schedule): Needs;
  cost(sizes: Sizes, schedule: Schedule): Estimate;
  /** Its rounds, as far as what it holds goes. @default not known: the search gets all of the engine's memory, and runs alone */
  rounds?(sizes: Sizes, schedule: Schedule): readonly RoundSize[];
  /** The sizes in words, for example "width 3, 5 candidates". */
  words(sizes: Sizes): string;
  /** Begins the search; nothing happens until its first event is asked for. */
  run(context: SearchContext, sizes: Sizes): Search;
}

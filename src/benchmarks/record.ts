// What a benchmark run writes: a manifest, and one line of JSON for each finished picture. A line holds nothing that differs
// between two machines or two moments (no time, no path), so that runs by one process and by many are the same byte for byte;
// times are measured in runs of their own, see SpeedRecord.

import type { LedgerCounts, LedgerRecord } from '../core/ledger.js';
import type { OptionValues } from '../core/options.js';
import type { BudgetUnit } from '../run/options.js';
import type { Estimate } from '../search/cost.js';
import type { AnySearch } from '../search/registry.js';

/** A prompt of a benchmark. */
export interface BenchmarkPrompt {
  /** Its place in the benchmark, from 0. */
  readonly index: number;
  readonly text: string;
  /** The benchmark's own category; '' where it has none. */
  readonly kind: string;
}

/** What a search may spend. */
export interface RecordBudget {
  readonly most: number;
  readonly unit: BudgetUnit;
}

/** Whatever varies between the cells of a run: one of these for each row of its tables. */
export interface Cell {
  readonly model: string;
  /** A strategy's name, or a variant of one as it was asked for, which the manifest explains: 'single', 'random', 'beam:width=2', ... */
  readonly strategy: string;
  /**
   * The verifiers that guide, joined by '+' in the order of their names; 'coin' is the control, 'oracle' the upper bound, and 'none'
   * stands where a single picture is drawn, which is the same whoever judges it.
   */
  readonly jury: string;
  readonly budget: RecordBudget;
}

/** What verifiers and the detector say of one picture. */
export interface Verdict {
  /** The detector's: null where the prompt is not one of the embedded world. */
  readonly right: boolean | null;
  /** Of every judge and every held-out verifier, by name. */
  readonly scores: Readonly<Record<string, number>>;
}

/** What had been spent each time that the best picture until then was another one, and that picture's verdict by the detector. */
export interface CurvePoint {
  readonly pictures: number;
  readonly nfe: number;
  readonly forwards: number;
  readonly tokens: number;
  /** Of transformer, decoder and verifiers. */
  readonly flops: number;
  /** The number that the jury makes of it among all pictures of the search: higher is better. */
  readonly best: number;
  readonly right: boolean | null;
}

/** A finished search: one line of pictures.jsonl. */
export interface PictureRecord extends Cell {
  /** Names the unit of work: a hash of benchmark, prompt, seed and cell. */
  readonly id: string;
  readonly benchmark: string;
  readonly prompt: BenchmarkPrompt;
  readonly seed: number;
  /** The sizes that the budget bought. */
  readonly search: AnySearch;
  /** SHA-256 of the picture's RGB bytes. */
  readonly pixels: string;
  readonly winner: Verdict;
  /** The picture that was drawn first: what one gets without a search. */
  readonly first: Verdict;
  /** Every complete picture of the search in the order in which they were judged. */
  readonly pool: {
    /** The jury's number for each, all compared with all: higher is better. */
    readonly scores: readonly number[];
    /** One character for each: '1' right, '0' wrong, '?' not known. */
    readonly right: string;
  };
  /** Where the winner was found: its round of all rounds (from 1), the steps that it fixes, and how many pictures share its score. */
  readonly found: {
    readonly round: number;
    readonly rounds: number;
    readonly step: number;
    readonly steps: number;
    readonly tied: number;
  };
  readonly spent: LedgerCounts;
  readonly curve: readonly CurvePoint[];
}

/** A search that was timed: one line of speed.jsonl, of a run that measures nothing else. */
export interface SpeedRecord extends Cell {
  readonly id: string;
  readonly benchmark: string;
  readonly prompt: BenchmarkPrompt;
  readonly seed: number;
  /** Wall-clock time of the search, loading of models not counted. */
  readonly milliseconds: number;
  readonly ledger: LedgerRecord;
}

/** What a cell's budget buys: the same for every prompt. */
export interface Plan {
  readonly search: AnySearch;
  /** All options that the model runs with; searches that need steps that draw have their own. */
  readonly modelOptions: OptionValues;
  /** Of one search. */
  readonly cost: Estimate;
  /** The share of the budget that no search of this kind can spend, 0 to 1, or less than 0 where its cost is only estimated. */
  readonly unused: number;
}

/** A cell that is left out: the strategy does not suit the model, or the budget is too small for it. */
export interface SkippedCell extends Cell {
  readonly why: string;
}

/** What names a run: its hash is its identity, and the same command goes on with it. */
export interface Manifest {
  readonly format: 1;
  /** SHA-256 of all below that decides about the pictures: not of `plans`, `skipped` and `environment`, which follow from it. */
  readonly hash: string;
  readonly measures: 'quality' | 'speed';
  readonly benchmark: { readonly name: string; readonly source: string; readonly sha256: string };
  readonly prompts: readonly BenchmarkPrompt[];
  readonly seeds: readonly number[];
  readonly cells: readonly Cell[];
  /** One for each cell. */
  readonly plans: readonly Plan[];
  readonly skipped: readonly SkippedCell[];
  /** Options of strategies that a cell's name stands for, by name. */
  readonly variants: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Verifiers that score every winner and first picture, and guide nothing but where a cell names them. */
  readonly heldOut: readonly string[];
  /** Layout in which the winners' pictures are kept. @default they are not */
  readonly exports?: string;
  /** Options of the models that the benchmark or the command says: cfg, temperature, size, precision, ... */
  readonly modelOptions: OptionValues;
  /** What was asked for, as it was asked, with what the benchmark says where nothing was. */
  readonly options: OptionValues;
  /** SHA-256 of every file of weights, as model/file or verifier/file. */
  readonly weights: Readonly<Record<string, string>>;
  readonly versions: Readonly<Record<string, string>>;
  readonly environment: {
    readonly processor: string;
    readonly cores: number;
    readonly node: string;
    readonly platform: string;
    readonly engine: string;
  };
}

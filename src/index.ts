// The public names of varsearch.

import './core/check-node.js';

import { choice, number, numbers, text, toggle, value, whole, wholes } from './core/options.js';

/** What the lines of a table of options are made by, for strategies and models of one's own. */
export const option = { choice, number, numbers, text, toggle, value, whole, wholes } as const;

export type { BenchmarkReport, ReportOptions } from './benchmarks/analysis/index.js';
export { reportBenchmarks } from './benchmarks/analysis/index.js';
export type {
  BenchContext,
  BenchEvent,
  BenchOptions,
  BenchResult,
  BenchRun,
  CurvePoint,
  Manifest,
  PictureRecord,
  SpeedRecord,
  Verdict,
} from './benchmarks/index.js';
export { BENCHMARKS, runBenchmark } from './benchmarks/index.js';
export type { ErrorCode } from './core/errors.js';
export {
  CheckpointError,
  isAbortError,
  NotInstalledError,
  OtherFilesError,
  RuntimeError,
  UsageError,
  VarsearchError,
} from './core/errors.js';
export type { Image } from './core/image.js';
export { createImage, encodePng } from './core/image.js';
export type { DecodedPicture } from './core/image-file.js';
export { decodePicture } from './core/image-file.js';
export type { LedgerCounts, LedgerRecord, Phase } from './core/ledger.js';
export { Ledger } from './core/ledger.js';
export type { Option, OptionsOf, OptionTable, OptionValues } from './core/options.js';
export type { Draw } from './core/random.js';
export { RandomKey } from './core/random.js';
export type { CatalogOption, Catalogs } from './engine/catalogs.js';
export { builtInCatalogs } from './engine/catalogs.js';
export type { EngineHashes } from './engine/engine.js';
export type { JudgeOptions, OpenOptions, VerifierOption } from './engine/options.js';
export type { Versions } from './engine/versions.js';
export { VERSION } from './engine/versions.js';
export type { ModelEntry } from './models/catalog.js';
export type {
  CallOptions,
  Extension,
  Generator,
  ImageModel,
  Prefix,
  Readout,
  Schedule,
  Step,
  View,
} from './models/contract.js';
export { benchmarkReportFiles } from './report/benchmark/files.js';
export type { CompareJson, Files } from './report/files.js';
export { compareFiles, compareJson, resultFiles, strategyFiles } from './report/files.js';
export { describeScores, describeSearch, describeStanding } from './report/words.js';
export type { CompareEvent, CompareResult, CompareRun, SearchNote } from './run/compare.js';
export type { GenerateEvent, GenerateRun } from './run/generate.js';
export type { Run } from './run/live-run.js';
export type { ObserverReport, ObserverRow } from './run/observers.js';
export type {
  BudgetUnit,
  CompareOptions,
  ComparePictureOptions,
  GenerateOptions,
  OwnGenerateOptions,
  OwnPictureOptions,
  PictureOptions,
  ResolvedOptions,
} from './run/options.js';
export type { Recipe } from './run/recipe.js';
export { decodeWithRecipe, encodeWithRecipe } from './run/recipe.js';
export type { ReplayEvent, ReplayOptions, ReplayPlan, ReplayResult, ReplayRun } from './run/replay.js';
export { REPLAY_LIMITS } from './run/replay.js';
export type { EndedBy, GenerateResult, Pictures, ResultJson } from './run/result.js';
export { resultJson } from './run/result.js';
export type { Spent, TracePoint } from './run/standings.js';
export type { NamedPictures } from './score/files.js';
export type { ScoreOptions, ScorePicturesOptions } from './score/options.js';
export type { PictureScore } from './score/pictures.js';
export { scorePictures } from './score/pictures.js';
export type { ScoredFile, ScoreEvent, ScoreResult, ScoreRun } from './score/score.js';
export { score } from './score/score.js';
export type {
  Bench,
  Candidate,
  Fate,
  Fork,
  Needs,
  Search,
  SearchContext,
  SearchEvent,
  SearchResult,
  Shown,
  Strategy,
} from './search/contract.js';
export type { DrawnAt, Estimate } from './search/cost.js';
export { costOf } from './search/cost.js';
export type {
  AnySearch,
  AnyStrategy,
  OwnSearchOptions,
  ResolvedSearch,
  SearchOptions,
  StrategyName,
} from './search/registry.js';
export { defineStrategy, estimate, resolveSearch, STRATEGIES } from './search/registry.js';
export type { Rollout } from './search/rollout.js';
export type { Beam, Elected, RolloutOptions, Round } from './search/rollouts.js';
export { Rollouts } from './search/rollouts.js';
export type { OpenScoreOptions, Varsearch } from './varsearch.js';
export { compare, generate, openVarsearch, replay } from './varsearch.js';
export type { VerifierEntry } from './verifiers/catalog.js';
export type { Judge, Verifier } from './verifiers/contract.js';
export type { Jury, JuryOptions, JuryRule, Scores, Standing } from './verifiers/jury.js';
export { combine, JURY_RULES, resolveJury, standingOf } from './verifiers/jury.js';

// The public names of varsearch.

export { isAbortError, UsageError, VarsearchError } from './core/errors.js';
export type { Image } from './core/image.js';
export { createImage, decodePng, encodePng } from './core/image.js';
export { decodePicture } from './core/image-file.js';
export type { LedgerCounts, LedgerRecord, Phase } from './core/ledger.js';
export { Ledger } from './core/ledger.js';
export { RandomKey } from './core/random.js';
export type { CatalogOption, Catalogs, EngineHashes } from './engine/engine.js';
export { builtInCatalogs } from './engine/engine.js';
export type {
  CompareOptions,
  ComparePictureOptions,
  GenerateOptions,
  JudgeOptions,
  OpenOptions,
  PictureOptions,
  ResolvedOptions,
} from './engine/options.js';
export type { VerifierOption } from './engine/verifier-options.js';
export { VERSION } from './engine/versions.js';
export type { ModelEntry } from './models/catalog.js';
export type {
  Extension,
  GenerationOptions,
  Generator,
  ImageModel,
  Prefix,
  Scale,
} from './models/contract.js';
export type { CompareJson, Files } from './report/files.js';
export { compareFiles, compareJson, resultFiles, strategyFiles } from './report/files.js';
export type { CompareEvent, CompareResult, CompareRun } from './run/compare.js';
export type { GenerateEvent, GenerateRun } from './run/generate.js';
export type { HoldOutReport, HoldOutRow } from './run/hold-out.js';
export type { Run } from './run/live-run.js';
export type { Recipe } from './run/recipe.js';
export { decodeWithRecipe, encodeWithRecipe } from './run/recipe.js';
export type { ReplayOptions, ReplayResult, ReplayRun } from './run/replay.js';
export type { GenerateResult, NodeJson, ResultJson, Spent, TracePoint } from './run/result.js';
export { resultJson } from './run/result.js';
export type { NamedPictures } from './score/files.js';
export type { ScoreOptions, ScorePicturesOptions } from './score/options.js';
export type { PictureScore } from './score/pictures.js';
export { scorePictures } from './score/pictures.js';
export type { ScoredFile, ScoreEvent, ScoreResult, ScoreRun } from './score/score.js';
export { score } from './score/score.js';
export type { Search, SearchContext, SearchEvent, SearchResult } from './search/contract.js';
export type { Estimate, ResolvedSearch, SearchOptions, StrategyName } from './search/registry.js';
export { estimate, resolveSearch, STRATEGIES } from './search/registry.js';
export type { SearchTree, TreeNode } from './search/tree.js';
export type { Varsearch } from './varsearch.js';
export { compare, generate, openVarsearch, replay } from './varsearch.js';
export type { VerifierEntry } from './verifiers/catalog.js';
export type { Judge, Panel, Verifier } from './verifiers/contract.js';
export type {
  Ensemble,
  EnsembleJudge,
  EnsembleOptions,
  EnsembleRule,
  ResolvedEnsemble,
} from './verifiers/ensemble.js';
export { combineScores, ensemble, ENSEMBLE_RULES } from './verifiers/ensemble.js';

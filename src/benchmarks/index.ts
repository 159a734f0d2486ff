// The door of the room: benchmarks as runs.

import { type BenchOptions, checkBenchOptions } from './options.js';
import { type BenchContext, type BenchRun, startBenchmark } from './run.js';

export type { BenchOptions } from './options.js';
export type { BenchContext, BenchEvent, BenchResult, BenchRun } from './run.js';

/**
 * Runs a benchmark into a folder, or goes on with the run that is there. Wrong options throw a UsageError at once; what fails
 * later rejects `result` and the iteration, and leaves what was finished.
 */
export function runBenchmark(options: BenchOptions, context: BenchContext = {}): BenchRun {
  return startBenchmark(checkBenchOptions(options), context);
}

export { BENCHMARKS } from './lists/catalog.js';
export type {
  BenchmarkPrompt,
  Cell,
  CurvePoint,
  Manifest,
  PictureRecord,
  Plan,
  RecordBudget,
  SkippedCell,
  SpeedRecord,
  Verdict,
} from './record.js';

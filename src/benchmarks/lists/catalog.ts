// The benchmarks by name, as a list: a new one is a file and a line here.

import type { Benchmark } from './benchmark.js';
import { TOYBENCH, TOYBENCH_HARD } from './toybench.js';

/** Every benchmark that has a name. */
export const BENCHMARKS: readonly Benchmark[] = [TOYBENCH, TOYBENCH_HARD];

/** The benchmark of a name. */
export function findBenchmark(name: string): Benchmark | undefined {
  return BENCHMARKS.find((each) => each.name === name);
}

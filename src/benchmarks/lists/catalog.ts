// The benchmarks by name, as a list: a new one is a file and a line here.

import { UsageError } from '../../core/errors.js';
import { didYouMean } from '../../core/nearest.js';
import type { Benchmark } from './benchmark.js';
import { DRAWBENCH } from './drawbench.js';
import { GENEVAL } from './geneval.js';
import { PROMPT_ENDINGS, promptFile } from './prompt-file.js';
import { COMPBENCH } from './t2i-compbench.js';
import { TOYBENCH, TOYBENCH_HARD } from './toybench.js';

/** Every benchmark that has a name. */
export const BENCHMARKS: readonly Benchmark[] = [TOYBENCH, TOYBENCH_HARD, GENEVAL, COMPBENCH, DRAWBENCH];

/** The benchmark of a name, or of a file of prompts; a UsageError that lists the names where there is none. */
export function findBenchmark(name: string): Benchmark {
  const found = BENCHMARKS.find((each) => each.name === name) ?? promptFile(name);
  if (found) return found;
  const names = BENCHMARKS.map((each) => each.name);
  throw new UsageError(
    `there is no benchmark '${name}'${didYouMean(name, names) || ':'} there are ${names.join(', ')}, ` +
      `and files of prompts that end in ${PROMPT_ENDINGS.join(', ')}`,
  );
}

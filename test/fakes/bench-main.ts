// A run of a benchmark with fake models in a process of its own, for tests that kill it. Prints a letter for everything that happens.

import { runBenchmark } from '../../src/benchmarks/index.js';
import type { BenchOptions } from '../../src/benchmarks/options.js';
import { fakeCatalogs } from './catalogs.js';

const run = runBenchmark(JSON.parse(process.argv[2] ?? '') as BenchOptions, { catalogs: fakeCatalogs() });
for await (const event of run) process.stdout.write(event.type.charAt(0));

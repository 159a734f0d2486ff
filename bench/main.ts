// `npm run bench`: prints every benchmark's medians, floors and ratios. Nothing here fails on a slow machine.

import { generateBenchmark } from './generate.js';
import { matMulBenchmark } from './matmul.js';
import { type BenchLine, type Benchmark, machine } from './measure.js';
import { searchBenchmark } from './search.js';

const BENCHMARKS: readonly Benchmark[] = [matMulBenchmark, searchBenchmark, generateBenchmark];

function describe({ what, value, unit, floor, goal }: BenchLine): string {
  const digits = unit === 's' ? 2 : 1;
  const ratio = floor === undefined ? undefined : value / floor;
  const parts = [what.padEnd(44), `${value.toFixed(digits).padStart(9)} ${unit.padEnd(7)}`];
  if (floor !== undefined && ratio !== undefined) {
    parts.push(`floor ${floor.toFixed(digits)} ${unit}, ${ratio.toFixed(2)} times`);
  }
  if (goal !== undefined) {
    parts.push(
      `goal ${goal}${ratio === undefined ? ` ${unit}` : ' times'}: ${(ratio ?? value) <= goal ? 'met' : 'missed'}`,
    );
  }
  return `  ${parts.join('  ')}`;
}

console.log(machine());
for (const benchmark of BENCHMARKS) {
  console.log(benchmark.name);
  for (const line of await benchmark.run()) console.log(describe(line));
}

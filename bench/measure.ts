// What all benchmarks share: medians, and the machine they ran on.

import { availableParallelism, cpus } from 'node:os';

/** A benchmark: prints nothing, gives lines for the table. */
export interface Benchmark {
  readonly name: string;
  run(): Promise<readonly BenchLine[]>;
}

/** One measured figure, and the floor that it could come down to where one is known. */
export interface BenchLine {
  readonly what: string;
  readonly value: number;
  readonly unit: 'ms' | 's' | 'GFLOP/s' | '%' | 'GFLOP';
  /** The least that the arithmetic allows on this machine, in the same unit. */
  readonly floor?: number;
  /** The ratio to the floor, or the value, that we want to stay below. */
  readonly goal?: number;
}

/** The middle value; the mean of the middle two of an even number. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** Runs `work` until it is warm, then `repeats` times; gives every result. */
export async function repeat<T>(repeats: number, work: () => Promise<T>): Promise<T[]> {
  await work();
  const results: T[] = [];
  for (let i = 0; i < repeats; i++) results.push(await work());
  return results;
}

/** The machine in a line. */
export function machine(): string {
  return `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${availableParallelism()} cores, Node.js ${process.version}`;
}

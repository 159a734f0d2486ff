// The machine's rate of fp32 matrix products through the engine: the yardstick of every floor.

import { createRuntime, measureMatMulRate } from '../src/runtime/index.js';
import type { BenchLine } from './measure.js';

/** Floating-point operations a second of large fp32 matrix products, in a runtime of its own. */
export async function matMulRate(): Promise<number> {
  const runtime = await createRuntime();
  try {
    return await measureMatMulRate(runtime);
  } finally {
    await runtime.close();
  }
}

/** The yardstick as a benchmark of its own. */
export const matMulBenchmark = {
  name: 'fp32 matrix products of 1024 x 1024 x 1024',
  run: async (): Promise<readonly BenchLine[]> => [
    { what: 'rate', value: (await matMulRate()) / 1e9, unit: 'GFLOP/s' },
  ],
};

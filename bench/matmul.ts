// The machine's rate of fp32 matrix products through the engine: the yardstick of every floor.

import { GraphBuilder } from '../src/runtime/graph/builder.js';
import { matMul } from '../src/runtime/graph/ops-linear.js';
import { createRuntime, float32Tensor } from '../src/runtime/index.js';
import { type BenchLine, median, repeat } from './measure.js';

const SIZE = 1024;

/** Floating-point operations a second of a product of two matrices of 1024 x 1024. */
export async function matMulRate(repeats = 15): Promise<number> {
  const g = new GraphBuilder('matmul');
  const data = Float32Array.from({ length: SIZE * SIZE }, (_, i) => ((i * 7919) % 1000) / 1000);
  const x = g.input('x', 'float32', [SIZE, SIZE]);
  g.output('y', matMul(x, g.weight('w', data, [SIZE, SIZE])));
  const runtime = await createRuntime();
  try {
    const session = await runtime.load(g.build());
    const input = runtime.upload(float32Tensor(data, [SIZE, SIZE]));
    const times = await repeat(repeats, async () => {
      const result = await session.run({ x: input }, { keep: ['y'] });
      result.kept('y').dispose();
      return result.milliseconds;
    });
    return (2 * SIZE ** 3) / (median(times) / 1000);
  } finally {
    await runtime.close();
  }
}

/** The yardstick as a benchmark of its own. */
export const matMulBenchmark = {
  name: 'fp32 matrix product, 1024 x 1024 x 1024',
  run: async (): Promise<readonly BenchLine[]> => [
    { what: 'rate', value: (await matMulRate()) / 1e9, unit: 'GFLOP/s' },
  ],
};

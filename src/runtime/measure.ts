// What the engine can do on this machine: the floor that benchmarks compare with.

import { GraphBuilder, identity, LINEAR, matMul, type MatrixSource, type Precision } from './graph/index.js';
import type { Runtime } from './runtime.js';
import { float32Tensor } from './tensors.js';

/** How often something is measured; the best result counts, since everything else only adds to it. */
const REPETITIONS = 7;

/** Options of the measured matrix product. */
interface MatMulRateOptions {
  /** Side of the square matrices. @default 1024 */
  readonly size?: number;
  /** Products in one run. @default 8 */
  readonly products?: number;
  /** @default float32 */
  readonly precision?: Precision;
}

/** Operations per second that the engine reaches in large matrix products with constant weights. */
export async function measureMatMulRate(runtime: Runtime, options: MatMulRateOptions = {}): Promise<number> {
  const { size = 1024, products = 8, precision = 'float32' } = options;
  const g = new GraphBuilder('matmul-rate');
  let x = g.input('x', 'float32', [size, size]);
  const weight = g.weight('weight', new Float32Array(size * size).fill(1 / size), [size, size]);
  for (let i = 0; i < products; i++) {
    const matrix: MatrixSource = {
      name: `w${i}`,
      shape: [size, size],
      read: () => new Float32Array(size ** 2).fill(1 / size),
    };
    x = precision === 'float32' ? matMul(x, weight) : LINEAR[precision](x, matrix);
  }
  g.output('y', x);
  const session = await runtime.load(g.build());
  try {
    const input = float32Tensor(new Float32Array(size * size).fill(1), [size, size]);
    let best = Infinity;
    for (let i = 0; i < REPETITIONS; i++) {
      best = Math.min(best, (await session.run({ x: input })).milliseconds);
    }
    return (2 * size ** 3 * products) / (best / 1000);
  } finally {
    session.dispose();
  }
}

/** Milliseconds from asking for a run that computes nothing to its result: what messages and the engine's call cost. */
export async function measureRoundTrip(runtime: Runtime): Promise<number> {
  const g = new GraphBuilder('round-trip');
  g.output('y', identity(g.input('x', 'float32', [1])));
  const session = await runtime.load(g.build());
  try {
    const x = float32Tensor(new Float32Array(1), [1]);
    let best = Infinity;
    for (let i = 0; i < 100 * REPETITIONS; i++) {
      const start = performance.now();
      await session.run({ x });
      best = Math.min(best, performance.now() - start);
    }
    return best;
  } finally {
    session.dispose();
  }
}

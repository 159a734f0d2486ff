// Runs a few operators of the graph builder on random inputs, for tests that compare them with plain arithmetic.

import { expect } from 'vitest';

import { RandomKey } from '../../src/core/random.js';
import { GraphBuilder, type Value } from '../../src/runtime/graph/index.js';
import { float32Tensor, type HostTensor, type Runtime } from '../../src/runtime/index.js';

let draws = 0;
/** A tensor of numbers from -2 to 2, other ones with every call. */
export function random(...dims: number[]): HostTensor {
  const count = dims.reduce((product, dim) => product * dim, 1);
  const uniform = RandomKey.fromSeed(3).fold(draws++).uniform(count);
  return float32Tensor(
    Float32Array.from(uniform, (u) => 4 * u - 2),
    dims,
  );
}

/** Runs what `build` makes of the inputs, most of whose dimensions are symbolic, and gives its outputs. */
export async function evaluate(
  runtime: Runtime,
  inputs: readonly HostTensor[],
  build: (...values: Value[]) => Value | readonly Value[],
): Promise<HostTensor[]> {
  const g = new GraphBuilder('test');
  const values = inputs.map(({ type, dims }, i) => {
    // The last dimension is known, as it is in models; pictures know their channels too.
    const shape = dims.map((dim, axis) => (axis === dims.length - 1 || axis === 1 ? dim : `d${i}_${axis}`));
    return g.input(`x${i}`, type, shape);
  });
  const results = [build(...values)].flat();
  results.forEach((value, i) => {
    g.output(
      `y${i}`,
      value,
      value.shape.map(() => '?'),
    );
  });
  const session = await runtime.load(g.build());
  try {
    const run = await session.run(Object.fromEntries(inputs.map((input, i) => [`x${i}`, input])));
    return results.map((value, i) => {
      const { dims, type, data } = run.tensor(`y${i}`);
      value.shape.forEach((dim, axis) => {
        if (typeof dim === 'number') expect(dims[axis]).toBe(dim); // what the graph says of the shape has to be true
      });
      return { type, dims, data };
    });
  } finally {
    session.dispose();
  }
}

/** Expects elements within an absolute tolerance of the reference's. */
export function expectClose(
  found: HostTensor | undefined,
  expected: ArrayLike<number>,
  tolerance = 2e-6,
): void {
  expect(found?.data).toHaveLength(expected.length);
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    worst = Math.max(worst, Math.abs(Number(found?.data[i]) - expected[i]!));
  }
  expect(worst).toBeLessThanOrEqual(tolerance);
}

/** The elements of a tensor as plain numbers. */
export const numbers = ({ data }: HostTensor): number[] => Array.from(data, Number);

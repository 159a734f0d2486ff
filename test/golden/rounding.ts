// How this machine rounds: a hash of the bits that the engine gives for fixed sums, apart from anything that makes pictures.
// Machines of the same hash are held to every bit of the golden table.

import { createHash } from 'node:crypto';
import { join } from 'node:path';

import { packageRoot } from '../../src/core/assets.js';
import {
  conv2d,
  geluTanh,
  GraphBuilder,
  groupNorm,
  layerNorm,
  matMul,
  silu,
  softmax,
  type Value,
} from '../../src/runtime/graph/index.js';
import { createRuntime, float32Tensor } from '../../src/runtime/index.js';

/** Where the hash of the table's machine is kept. */
export const ROUNDING_PATH = join(packageRoot(), 'test', 'golden', 'rounding.json');

/** Numbers from -1 to 1 of a generator of its own. */
function numbers(count: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** The hash of this machine. */
export async function roundingOfMachine(): Promise<string> {
  const g = new GraphBuilder('rounding');
  let seed = 1;
  const weight = (...shape: number[]): Value =>
    g.weight(
      'w',
      numbers(
        shape.reduce((product, dim) => product * dim, 1),
        seed++,
      ),
      shape,
    );
  const x = g.input('x', 'float32', ['N', 256]);
  const hidden = geluTanh(matMul(layerNorm(x, { eps: 1e-6 }), weight(256, 1024)));
  g.output('linear', softmax(matMul(hidden, weight(1024, 96))));
  const p = g.input('p', 'float32', ['N', 32, 8, 8]);
  const normed = groupNorm(p, { groups: 32, eps: 1e-6, weight: weight(32), bias: weight(32) });
  g.output('convolved', conv2d(silu(normed), weight(48, 32, 3, 3), weight(48), { padding: 1 }));
  const runtime = await createRuntime({ threads: 1 });
  try {
    const session = await runtime.load(g.build());
    const hash = createHash('sha256');
    for (const rows of [1, 7, 24]) {
      const run = await session.run({
        x: float32Tensor(numbers(rows * 256, 91), [rows, 256]),
        p: float32Tensor(numbers(rows * 32 * 64, 92), [rows, 32, 8, 8]),
      });
      for (const name of ['linear', 'convolved']) hash.update(run.float32(name));
    }
    session.dispose();
    return hash.digest('hex').slice(0, 16);
  } finally {
    await runtime.close();
  }
}

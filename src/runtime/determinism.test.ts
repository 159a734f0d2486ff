// The same seed has to give the same picture whatever the batch size and the number of threads, so the engine has to give
// the same bits for a row whatever rows come with it. This holds operator by operator; a new operator or engine is checked here.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { RandomKey } from '../core/random.js';
import {
  add,
  conv2d,
  gelu,
  geluTanh,
  GraphBuilder,
  groupNorm,
  layerNorm,
  linearInt8,
  matMul,
  multiHeadAttention,
  reduceMean,
  rmsNorm,
  silu,
  softmax,
  type Value,
} from './graph/index.js';
import { createRuntime, float32Tensor, type Runtime } from './index.js';

const BATCH = 13;
const BATCHES = [1, 2, 3, 4, 7, 8];
const WIDTH = 96;

let runtimes: Runtime[];
beforeAll(async () => {
  runtimes = [
    await createRuntime({ threads: 1 }),
    await createRuntime({ threads: 2 }),
    // Data that comes from another process lies at other places.
    await createRuntime({ threads: 2, carrier: 'process' }),
  ];
});
afterAll(async () => {
  for (const runtime of runtimes) await runtime.close();
});

function int8(x: Value, out: number, g: GraphBuilder): Value {
  const inner = x.shape.at(-1) as number;
  const matrix = random(out * inner);
  return linearInt8(x, { name: 'm', shape: [out, inner], read: () => matrix }, weight(g, out));
}

let draws = 0;
function random(count: number): Float32Array {
  return Float32Array.from(RandomKey.fromSeed(5).fold(draws++).uniform(count), (u) => 2 * u - 1);
}

function weight(g: GraphBuilder, ...shape: number[]): Value {
  return g.weight('w', random(shape.reduce((product, dim) => product * dim, 1)), shape);
}

interface Case {
  /** Shapes of the inputs of one row. */
  readonly inputs: readonly (readonly number[])[];
  build(g: GraphBuilder, inputs: readonly Value[]): Value;
}

const one = (shape: readonly number[], build: (x: Value, g: GraphBuilder) => Value): Case => ({
  inputs: [shape],
  build: (g, [x]) => build(x!, g),
});
const attention = (queries: number, keys: number): Case => ({
  inputs: [
    [queries, WIDTH],
    [keys, WIDTH],
    [keys, WIDTH],
  ],
  build: (_, [query, key, value]) =>
    multiHeadAttention({ heads: 3, query: query!, key: key!, value: value! }).output,
});
const normed = (channels: number, side: number, moments: 'summed' | 'centred' = 'summed'): Case =>
  one([channels, side, side], (x, g) =>
    groupNorm(x, { groups: 32, eps: 1e-6, weight: weight(g, channels), bias: weight(g, channels), moments }),
  );

const CASES: Record<string, Case> = {
  'matrix product': one([WIDTH], (x, g) => matMul(x, weight(g, WIDTH, 300))),
  'matrix product, long sums': one([1500], (x, g) => matMul(x, weight(g, 1500, 64))),
  'linear layer of several places': one([9, WIDTH], (x, g) =>
    add(matMul(x, weight(g, WIDTH, 32)), weight(g, 32)),
  ),
  'Gemm with a transposed weight': one([WIDTH], (x, g) =>
    g.op1('Gemm', {
      inputs: [x, weight(g, 300, WIDTH), weight(g, 300)],
      attributes: { transB: 1 },
      type: 'float32',
      shape: ['B', 300],
    }),
  ),
  'linear layer in 8 bits': one([WIDTH], (x, g) => int8(x, 300, g)),
  'linear layer in 8 bits, several places, long sums': one([9, 1500], (x, g) => int8(x, 64, g)),
  'attention of one place': attention(1, 1),
  'attention of few places': attention(9, 39),
  'attention of many keys': attention(40, 500),
  'layer norm': one([9, WIDTH], (x) => layerNorm(x, { eps: 1e-6 })),
  'RMS norm': one([9, 3, 32], (x) => rmsNorm(x, { eps: 1e-6 })),
  'activations, odd width': one([7], (x) => silu(gelu(geluTanh(x)))),
  'softmax, odd width': one([37], (x) => softmax(x)),
  mean: one([9, WIDTH], (x) => reduceMean(x, [-1])),
  'convolution 3 x 3': one([32, 12, 12], (x, g) =>
    conv2d(x, weight(g, 32, 32, 3, 3), weight(g, 32), { padding: 1 }),
  ),
  'convolution 1 x 1': one([64, 5, 5], (x, g) => conv2d(x, weight(g, 16, 64, 1, 1))),
  'group norm, one channel a group': normed(32, 20),
  'group norm, four channels a group': normed(128, 3),
  'group norm, centred': normed(64, 20, 'centred'),
  'rotary embedding': one([9, WIDTH], (x, g) =>
    g.op1('RotaryEmbedding', {
      inputs: [x, g.constant([0]), weight(g, 9, 16), weight(g, 9, 16)],
      domain: 'com.microsoft',
      attributes: { interleaved: 1, num_heads: 3, rotary_embedding_dim: 0 },
      type: 'float32',
      shape: x.shape,
    }),
  ),
};

describe('a row is the same, bit by bit, whatever the batch size and the threads', () => {
  it.each(Object.entries(CASES))('%s', async (name, { inputs, build }) => {
    const g = new GraphBuilder(name);
    const values = inputs.map((shape, i) => g.input(`x${i}`, 'float32', ['B', ...shape]));
    const y = build(g, values);
    g.output('y', y, ['B', ...y.shape.slice(1)]);
    const model = g.build();
    const sizes = inputs.map((shape) => shape.reduce((product, dim) => product * dim, 1));
    const data = sizes.map((size) => random(size * BATCH));
    let whole: Float32Array | undefined;
    for (const runtime of runtimes) {
      const session = await runtime.load(model);
      for (const batch of [BATCH, ...BATCHES]) {
        // The last rows of the whole batch, so that they are at other places than before.
        const first = BATCH - batch;
        const rows = inputs.map((shape, i) => {
          const part = data[i]!.subarray(first * sizes[i]!);
          return [`x${i}`, float32Tensor(part, [batch, ...shape])] as const;
        });
        const found = (await session.run(Object.fromEntries(rows))).float32('y');
        whole ??= found;
        const size = whole.length / BATCH;
        const same = Buffer.compare(bytes(found), bytes(whole.subarray(first * size))) === 0;
        expect(same, `${batch} rows with ${runtime.threads} threads`).toBe(true);
      }
      session.dispose();
    }
  });
});

function bytes(data: Float32Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

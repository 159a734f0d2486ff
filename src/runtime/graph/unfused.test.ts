import { afterAll, beforeAll, expect, it } from 'vitest';

import { RandomKey } from '../../core/random.js';
import { createRuntime, float32Tensor, type HostTensor, int32Tensor, type Runtime } from '../index.js';
import { GraphBuilder, mul, multiHeadAttention } from './index.js';

const [BATCH, HEADS, QUERIES, KEYS, WIDTH] = [2, 2, 5, 3, 8] as const;
let runtime: Runtime;

beforeAll(async () => {
  runtime = await createRuntime({ threads: 1, cache: null });
});
afterAll(() => runtime.close());

function random(seed: number, ...dims: number[]): HostTensor {
  const count = dims.reduce((product, size) => product * size, 1);
  return float32Tensor(Float32Array.from(RandomKey.fromSeed(seed).normal(count)), dims);
}

it('attention gives the same in parts, with all that may be asked of it', async () => {
  const g = new GraphBuilder('attentions');
  const query = g.input('query', 'float32', ['B', 'L', WIDTH]);
  const key = g.input('key', 'float32', ['B', 'T', WIDTH]);
  const value = g.input('value', 'float32', ['B', 'T', WIDTH]);
  const bias = g.input('bias', 'float32', [1, HEADS, 'L', 'T']);
  const keyMask = g.input('mask', 'int32', ['B', 'T']);
  const all = { heads: HEADS, query, key, value };
  g.output('plain', multiHeadAttention(all).output);
  g.output('scaled', mul(multiHeadAttention({ ...all, scale: 0.7, bias }).output, 2));
  g.output('masked', multiHeadAttention({ ...all, bias, keyMask }).output);
  g.output('causal', multiHeadAttention({ ...all, key: query, value: query, causal: true }).output);
  const fused = g.build();
  const unfused = fused.unfused?.();
  if (!unfused) throw new Error('the builder makes no model of parts');
  expect(unfused.proto.length).toBeGreaterThan(fused.proto.length);
  expect(unfused.outputs).toEqual(fused.outputs);

  const inputs = {
    query: random(1, BATCH, QUERIES, WIDTH),
    key: random(2, BATCH, KEYS, WIDTH),
    value: random(3, BATCH, KEYS, WIDTH),
    bias: random(4, 1, HEADS, QUERIES, KEYS),
    mask: int32Tensor([1, 1, 0, 1, 0, 1], [BATCH, KEYS]),
  };
  const [a, b] = await Promise.all(
    [fused, unfused].map(async (model) => (await runtime.load(model)).run(inputs)),
  );
  for (const { name } of fused.outputs) {
    expect(b?.tensor(name).dims).toEqual([BATCH, QUERIES, WIDTH]);
    const expected = a?.float32(name) ?? [];
    expected.forEach((x, i) => expect(b?.float32(name)[i]).toBeCloseTo(x, 5));
  }
  expect(a?.float32('masked')).not.toEqual(a?.float32('plain'));
});

// The T5 encoder against its definition in float64, on random weights.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { RandomKey } from '../../core/random.js';
import { createRuntime, type Runtime } from '../../runtime/index.js';
import { type TensorToWrite, writeSafetensors } from '../../runtime/weights/index.js';
import { type T5Config, t5Config } from './config.js';
import { biasByDistance, relativeBucket } from './relative-bias.js';
import { openT5Weights } from './text-encoder.js';

const CONFIG = {
  model_type: 't5',
  vocab_size: 20,
  d_model: 16,
  d_kv: 6, // not d_model / num_heads, on purpose
  d_ff: 24,
  num_layers: 2,
  num_heads: 2,
  relative_attention_num_buckets: 8,
  relative_attention_max_distance: 6,
  layer_norm_epsilon: 1e-6,
  feed_forward_proj: 'gated-gelu',
};

type Weights = Map<string, TensorToWrite & { data: Float32Array }>;

/** Random weights in Hugging Face's layout. */
function randomWeights({
  vocabulary,
  width,
  heads,
  headWidth,
  hidden,
  layers,
  buckets,
  gated,
}: T5Config): Weights {
  const weights: Weights = new Map();
  const add = (name: string, shape: number[], spread: number, mean = 0): void => {
    const key = RandomKey.fromSeed(9).fold(weights.size);
    const uniform = key.uniform(shape.reduce((product, dim) => product * dim, 1));
    const data = Float32Array.from(uniform, (u) => mean + spread * (2 * u - 1));
    weights.set(name, { dtype: 'F32', shape, data });
  };
  const inner = heads * headWidth;
  add('shared.weight', [vocabulary, width], 2);
  for (let i = 0; i < layers; i++) {
    const block = `encoder.block.${i}.layer`;
    for (const part of ['q', 'k', 'v']) add(`${block}.0.SelfAttention.${part}.weight`, [inner, width], 0.4);
    add(`${block}.0.SelfAttention.o.weight`, [width, inner], 0.4);
    if (i === 0) add(`${block}.0.SelfAttention.relative_attention_bias.weight`, [buckets, heads], 2);
    add(`${block}.0.layer_norm.weight`, [width], 0.3, 1);
    for (const part of gated ? ['wi_0', 'wi_1'] : ['wi']) {
      add(`${block}.1.DenseReluDense.${part}.weight`, [hidden, width], 0.4);
    }
    add(`${block}.1.DenseReluDense.wo.weight`, [width, hidden], 0.4);
    add(`${block}.1.layer_norm.weight`, [width], 0.3, 1);
  }
  add('encoder.final_layer_norm.weight', [width], 0.3, 1);
  return weights;
}

/** The encoder by its definition, one text at a time. */
function reference(
  config: T5Config,
  weights: Weights,
  ids: readonly number[],
  mask: readonly number[],
): number[] {
  const { width, heads, headWidth, layers, activation, eps } = config;
  const get = (name: string): Float32Array => weights.get(name)!.data;
  const linear = (x: number[][], name: string): number[][] => {
    const w = get(`${name}.weight`);
    return x.map((row) =>
      Array.from({ length: w.length / row.length }, (_, o) =>
        row.reduce((sum, value, i) => sum + value * w[o * row.length + i]!, 0),
      ),
    );
  };
  const norm = (x: number[][], name: string): number[][] =>
    x.map((row) => {
      const root = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0) / width + eps);
      return row.map((value, i) => (value / root) * get(`${name}.weight`)[i]!);
    });
  const plus = (x: number[][], y: number[][]): number[][] =>
    x.map((row, l) => row.map((value, i) => value + y[l]![i]!));
  const activate = (x: number): number =>
    activation === 'relu'
      ? Math.max(x, 0)
      : 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
  const bias = get('encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight');

  let x = ids.map((id) => Array.from(get('shared.weight').subarray(id * width, (id + 1) * width)));
  for (let layer = 0; layer < layers; layer++) {
    const block = `encoder.block.${layer}.layer`;
    const normed = norm(x, `${block}.0.layer_norm`);
    const [q, k, v] = ['q', 'k', 'v'].map((part) => linear(normed, `${block}.0.SelfAttention.${part}`)) as [
      number[][],
      number[][],
      number[][],
    ];
    const attended = q.map((query, l) =>
      query.map((_, channel) => {
        const head = Math.floor(channel / headWidth);
        const scores = k.map((key, t) => {
          let score = bias[relativeBucket(t - l, config) * heads + head]!;
          for (let d = head * headWidth; d < (head + 1) * headWidth; d++) score += query[d]! * key[d]!;
          return mask[t] === 0 ? 0 : Math.exp(score);
        });
        const sum = scores.reduce((a, b) => a + b, 0);
        return scores.reduce((total, score, t) => total + (score / sum) * v[t]![channel]!, 0);
      }),
    );
    x = plus(x, linear(attended, `${block}.0.SelfAttention.o`));
    const input = norm(x, `${block}.1.layer_norm`);
    const feed = `${block}.1.DenseReluDense`;
    const gate = linear(input, `${feed}.${config.gated ? 'wi_0' : 'wi'}`).map((row) => row.map(activate));
    const other = config.gated ? linear(input, `${feed}.wi_1`) : undefined;
    const hidden = gate.map((row, l) => row.map((value, i) => value * (other?.[l]![i] ?? 1)));
    x = plus(x, linear(hidden, `${feed}.wo`));
  }
  return norm(x, 'encoder.final_layer_norm').flat();
}

let folder: string;
let runtime: Runtime;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'varsearch-t5-'));
  runtime = await createRuntime({ threads: 1 });
});
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true });
});

function write(json: object, weights: Weights): void {
  writeFileSync(join(folder, 'config.json'), JSON.stringify(json));
  writeSafetensors(join(folder, 'model.safetensors'), weights);
}

describe('the encoder', () => {
  it.each([
    ['T5 v1.1, beyond the farthest bucket', CONFIG],
    ['T5 v1.0 with one input layer', { ...CONFIG, feed_forward_proj: 'relu' }],
  ])('of %s', async (_, json) => {
    const config = t5Config('config.json', json);
    const weights = randomWeights(config);
    write(json, weights);
    const encoder = await openT5Weights(runtime, folder);
    const length = 11;
    const ids = Int32Array.from({ length: 2 * length }, (_, i) => (i * 7) % config.vocabulary);
    const mask = Int32Array.from({ length: 2 * length }, (_, i) => (i < length + 5 ? 1 : 0)); // the second text is short
    for (const given of [mask, undefined]) {
      const found = await encoder.states({ ids, length, ...(given ? { mask: given } : {}) });
      const seen = given ?? new Int32Array(2 * length).fill(1);
      const expected = [0, length].flatMap((start) =>
        reference(
          config,
          weights,
          [...ids.slice(start, start + length)],
          [...seen.slice(start, start + length)],
        ),
      );
      expect(found).toHaveLength(expected.length);
      const worst = Math.max(...expected.map((value, i) => Math.abs(value - found[i]!)));
      expect(worst).toBeLessThan(1e-5);
    }
    encoder.close();
  });

  it('gives a text the same states with padding behind it as without', async () => {
    write(CONFIG, randomWeights(t5Config('config.json', CONFIG)));
    const encoder = await openT5Weights(runtime, folder);
    const short = await encoder.states({ ids: Int32Array.of(3, 4, 5), length: 3 });
    const ids = Int32Array.of(3, 4, 5, 0, 0);
    const padded = await encoder.states({ ids, mask: Int32Array.of(1, 1, 1, 0, 0), length: 5 });
    const unmasked = await encoder.states({ ids, length: 5 });
    expect(Math.max(...short.map((value, i) => Math.abs(value - padded[i]!)))).toBeLessThan(1e-6);
    expect(Math.max(...short.map((value, i) => Math.abs(value - unmasked[i]!)))).toBeGreaterThan(1e-2);
    await expect(encoder.states({ ids: Int32Array.of(3, 20), length: 2 })).rejects.toThrow(
      /Token id 20 .* vocabulary of 20/,
    );
    encoder.close();
  });

  it('names the weight that does not belong to the configuration', async () => {
    const weights = randomWeights(t5Config('config.json', CONFIG));
    write({ ...CONFIG, d_ff: 32 }, weights);
    await expect(openT5Weights(runtime, folder)).rejects.toThrow(
      /model\.safetensors: weight encoder\.block\.0\.layer\.1\.DenseReluDense\.wi_0\.weight should have the shape \[32, 16\], but has \[24, 16\]/,
    );
    weights.delete('encoder.final_layer_norm.weight');
    write(CONFIG, weights);
    await expect(openT5Weights(runtime, folder)).rejects.toThrow(/encoder\.final_layer_norm\.weight/);
  });
});

describe('relative positions', () => {
  const options = { buckets: 32, maxDistance: 128 };

  it('fall into the buckets of the official code', () => {
    // From transformers' T5Attention._relative_position_bucket(..., bidirectional=True, num_buckets=32, max_distance=128).
    const known: Record<number, number> = {
      [-200]: 15, [-128]: 15, [-64]: 14, [-63]: 13, [-32]: 12, [-31]: 11, [-16]: 10, [-15]: 9, [-8]: 8, [-7]: 7, [-1]: 1,
      0: 0, 1: 17, 7: 23, 8: 24, 15: 25, 16: 26, 31: 27, 32: 28, 63: 29, 64: 30, 127: 31, 128: 31, 5000: 31,
    }; // prettier-ignore
    for (const [distance, bucket] of Object.entries(known)) {
      expect(relativeBucket(Number(distance), options), distance).toBe(bucket);
    }
  });

  it('become one table by distance', () => {
    const weights = Float32Array.from({ length: 64 }, (_, i) => i);
    const table = biasByDistance(weights, 2, options);
    expect(table).toHaveLength(257 * 2);
    expect([...table.subarray(0, 2)]).toEqual([30, 31]); // bucket 15
    expect([...table.subarray(256, 258)]).toEqual([0, 1]);
    expect([...table.subarray(512)]).toEqual([62, 63]); // bucket 31
  });
});

describe('config.json', () => {
  it('has the defaults of transformers', () => {
    const {
      relative_attention_num_buckets: _,
      relative_attention_max_distance: __,
      feed_forward_proj: ___,
      ...old
    } = CONFIG;
    expect(t5Config('config.json', old)).toMatchObject({
      buckets: 32,
      maxDistance: 128,
      activation: 'relu',
      gated: false,
    });
    expect(t5Config('config.json', CONFIG)).toMatchObject({
      activation: 'gelu_new',
      gated: true,
      headWidth: 6,
    });
    expect(t5Config('c', { ...CONFIG, feed_forward_proj: 'gated-silu' })).toMatchObject({
      activation: 'silu',
      gated: true,
    });
  });

  it('is refused with the entry at fault', () => {
    expect(() => t5Config('c.json', { ...CONFIG, d_kv: 0.5 })).toThrow(
      "c.json: 'd_kv' should be a whole number from 1 to 4096, not 0.5",
    );
    expect(() => t5Config('c.json', { ...CONFIG, d_ff: undefined })).toThrow(/'d_ff'/);
    expect(() => t5Config('c.json', { ...CONFIG, layer_norm_epsilon: '1' })).toThrow(/layer_norm_epsilon/);
    expect(() => t5Config('c.json', { ...CONFIG, feed_forward_proj: 'swiglu' })).toThrow(
      /"swiglu", which is not supported/,
    );
  });
});

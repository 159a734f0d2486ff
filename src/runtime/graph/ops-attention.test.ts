// Fused attention against its definition.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { evaluate, expectClose, numbers, random } from '../../../test/fakes/evaluate-graph.js';
import { createRuntime, type HostTensor, int32Tensor, type Runtime } from '../index.js';
import { multiHeadAttention } from './index.js';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(async () => {
  await runtime.close();
});

describe('multiHeadAttention', () => {
  const [batch, heads, length, past, width] = [2, 2, 3, 4, 8] as const;
  interface Setup {
    readonly scale?: number;
    readonly bias?: HostTensor;
    readonly lengths?: readonly number[];
    readonly past?: readonly [key: HostTensor, value: HostTensor];
    readonly causal?: boolean;
  }

  /** Attention by its definition; keys and values are read at [row, key] of the joined past and present. */
  function reference(q: HostTensor, k: HostTensor, v: HostTensor, setup: Setup): number[] {
    const head = width / heads;
    const before = setup.past ? past : 0;
    const total = before + length;
    const read = (
      x: HostTensor,
      old: HostTensor | undefined,
      b: number,
      t: number,
      h: number,
      d: number,
    ): number =>
      t < before
        ? numbers(old!)[((b * heads + h) * past + t) * head + d]!
        : numbers(x)[(b * length + t - before) * width + h * head + d]!;
    const result: number[] = [];
    for (let b = 0; b < batch; b++) {
      for (let l = 0; l < length; l++) {
        for (let h = 0; h < heads; h++) {
          const weights = Array.from({ length: total }, (_, t) => {
            if (setup.lengths && t >= setup.lengths[b]!) return 0;
            if (setup.causal && t > before + l) return 0;
            let score = 0;
            for (let d = 0; d < head; d++) {
              score +=
                numbers(q)[(b * length + l) * width + h * head + d]! * read(k, setup.past?.[0], b, t, h, d);
            }
            const bias = setup.bias ? numbers(setup.bias)[(h * length + l) * total + t]! : 0;
            return Math.exp(score * (setup.scale ?? 1 / Math.sqrt(head)) + bias);
          });
          const sum = weights.reduce((a, x) => a + x, 0);
          for (let d = 0; d < head; d++) {
            result.push(weights.reduce((a, x, t) => a + (x / sum) * read(v, setup.past?.[1], b, t, h, d), 0));
          }
        }
      }
    }
    return result;
  }

  const qkv = [
    random(batch, length, width),
    random(batch, length, width),
    random(batch, length, width),
  ] as const;
  const old = [random(batch, heads, past, width / heads), random(batch, heads, past, width / heads)] as const;
  const setups: Record<string, Setup> = {
    plain: {},
    'with a scale': { scale: 0.9 },
    'with a bias for all rows': { bias: random(1, heads, length, length), scale: 1 },
    'with lengths of the keys': { lengths: [2, 3] },
    'with past keys': { past: old },
    'with past keys, causal': { past: old, causal: true },
  };
  it.each(Object.entries(setups))('%s', async (_, setup) => {
    const extra = [setup.bias, ...(setup.past ?? [])].filter((x) => x !== undefined);
    const mask = setup.lengths?.flatMap((count) => Array.from({ length }, (_, t) => (t < count ? 1 : 0)));
    const inputs = mask ? [...qkv, int32Tensor(mask, [batch, length])] : [...qkv, ...extra];
    const results = await evaluate(runtime, inputs, (query, key, value, ...more) => {
      const options = {
        heads,
        query,
        key,
        value,
        ...(setup.scale === undefined ? {} : { scale: setup.scale }),
      };
      const { output, present } = multiHeadAttention({
        ...options,
        ...(setup.bias ? { bias: more[0]! } : {}),
        ...(setup.lengths ? { keyMask: more[0]! } : {}),
        ...(setup.past ? { past: { key: more[0]!, value: more[1]! } } : {}),
        ...(setup.causal ? { causal: true } : {}),
      });
      return present ? [output, present.key] : output;
    });
    expectClose(results[0], reference(...qkv, setup), 5e-6);
    if (setup.past) expect(results[1]?.dims).toEqual([batch, heads, past + length, width / heads]);
  });
});

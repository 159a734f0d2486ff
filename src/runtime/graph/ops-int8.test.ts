// Linear layers in 8 bits: near the exact product, bias and rows of zeros included; what a row gets does not depend on others.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { RandomKey } from '../../core/random.js';
import { createRuntime, float32Tensor, type Runtime } from '../index.js';
import { GraphBuilder, linearFrom, linearInt8 } from './index.js';
import { quantizeChannels } from './ops-int8.js';

const INNER = 80;
const OUT = 33;
let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 2 });
});
afterAll(async () => {
  await runtime.close();
});

const random = (index: number, count: number): Float32Array =>
  Float32Array.from(RandomKey.fromSeed(7).fold(index).uniform(count), (u) => 2 * u - 1);
const matrix = random(0, OUT * INNER);
const bias = random(1, OUT);

async function run(x: Float32Array, withBias = true): Promise<Float32Array> {
  const g = new GraphBuilder('int8');
  const rows = g.input('x', 'float32', ['N', INNER]);
  const y = linearInt8(
    rows,
    { name: 'w', shape: [OUT, INNER], read: () => matrix },
    withBias ? g.weight('b', bias, [OUT]) : undefined,
  );
  g.output('y', y);
  const session = await runtime.load(g.build());
  const input = float32Tensor(x, [x.length / INNER, INNER]);
  const found = (await session.run({ x: input })).float32('y');
  session.dispose();
  return found;
}

/** The product in full precision, and without bias where none is given. */
function exact(x: Float32Array, b?: Float32Array): number[] {
  return Array.from({ length: (x.length / INNER) * OUT }, (_, at) => {
    const [row, channel] = [Math.floor(at / OUT), at % OUT];
    let sum = b?.[channel] ?? 0;
    for (let i = 0; i < INNER; i++) sum += (x[row * INNER + i] ?? 0) * (matrix[channel * INNER + i] ?? 0);
    return sum;
  });
}

/** Euclidean distance over the length of what is expected. */
function relativeError(found: Float32Array, expected: readonly number[]): number {
  let [error, length] = [0, 0];
  expected.forEach((value, i) => {
    error += (value - (found[i] ?? NaN)) ** 2;
    length += value ** 2;
  });
  return Math.sqrt(error / length);
}

describe('a layer in 8 bits', () => {
  it('is within a hundredth or so of the exact product', async () => {
    const x = random(2, 5 * INNER);
    expect(relativeError(await run(x, false), exact(x))).toBeLessThan(0.015);
  });

  it('adds the bias as it is, however small or large the rows are', async () => {
    for (const size of [1e-6, 1, 1e6]) {
      const x = random(3, 2 * INNER).map((value) => value * size);
      expect(relativeError(await run(x), exact(x, bias))).toBeLessThan(0.015);
    }
    const tiny = await run(random(4, INNER).map((value) => value * 1e-12));
    tiny.forEach((value, i) => {
      expect(value).toBeCloseTo(bias[i] ?? NaN, 6);
    });
  });

  it('gives the bias for a row of zeros, beside any other', async () => {
    const x = new Float32Array(3 * INNER);
    x.set(random(5, INNER), INNER);
    const y = await run(x);
    expect(y.subarray(0, OUT)).toEqual(bias);
    expect(y.subarray(2 * OUT)).toEqual(bias);
    expect(await run(new Float32Array(INNER), false)).toEqual(new Float32Array(OUT));
  });

  it('keeps rows apart: one that is a thousand times as large changes nothing', async () => {
    const x = random(6, 4 * INNER);
    const alone = await run(x.slice(0, INNER));
    x.subarray(INNER, 2 * INNER).forEach((value, i) => (x[INNER + i] = value * 1000));
    expect((await run(x)).subarray(0, OUT)).toEqual(alone);
  });

  it('reads a matrix once for weight and scales, again for another load', async () => {
    let reads = 0;
    const source = {
      label: 'test',
      info: () => ({ shape: [OUT, INNER] }),
      read: () => {
        reads++;
        return matrix;
      },
    };
    const g = new GraphBuilder('once');
    const x = g.input('x', 'float32', ['N', 2, INNER]);
    g.output('y', linearFrom(x, source, 'layer', { out: OUT, bias: false, precision: 'int8' }));
    const model = g.build();
    expect(model.weightBytes).toBe(OUT * INNER + 4 * OUT);
    for (const loads of [1, 2]) {
      const session = await runtime.load(model);
      expect(session.outputs[0]?.shape).toEqual(['N', 2, OUT]);
      session.dispose();
      expect(reads).toBe(loads);
    }
  });
});

describe('a matrix in 8 bits', () => {
  it('has a scale of every output channel, and is turned round', () => {
    const { values, scales } = quantizeChannels(Float32Array.of(1, -2, 0.5, 0, 0, 0), 2, 3);
    expect([...scales]).toEqual([Math.fround(2 / 127), 1]);
    expect([...values]).toEqual([64, 0, -127, 0, 32, 0]);
  });

  it('has no number beyond 127, and is the same in tiles', () => {
    const [out, inner] = [130, 70];
    const data = random(8, out * inner);
    const { values, scales } = quantizeChannels(data, out, inner);
    let worst = 0;
    for (let row = 0; row < out; row++) {
      for (let column = 0; column < inner; column++) {
        const value = (values[column * out + row] ?? NaN) * (scales[row] ?? NaN);
        worst = Math.max(worst, Math.abs(value - (data[row * inner + column] ?? NaN)) / (scales[row] ?? NaN));
      }
    }
    expect(worst).toBeLessThanOrEqual(0.501);
    expect(Math.min(...values)).toBe(-127);
  });
});

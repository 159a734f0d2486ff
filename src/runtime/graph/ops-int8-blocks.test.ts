// Tensors in 8 bits by blocks: near what they were, blocks of zeros included; what a block gets does not depend on others.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { RandomKey } from '../../core/random.js';
import { createRuntime, float32Tensor, type Runtime, type Session } from '../index.js';
import { dequantizeBlocks, GraphBuilder, quantizeBlocks } from './index.js';

const WIDTH = 24;
const BLOCK = 8;
let runtime: Runtime;
let session: Session;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 2 });
  const g = new GraphBuilder('blocks');
  const kept = quantizeBlocks(g.input('x', 'float32', ['R', 'L', WIDTH]), BLOCK);
  g.output('values', kept.values);
  g.output('scales', kept.scales);
  g.output('read', dequantizeBlocks(kept));
  session = await runtime.load(g.build());
});
afterAll(async () => {
  session.dispose();
  await runtime.close();
});

async function run(x: Float32Array, dims: readonly number[]) {
  const found = await session.run({ x: float32Tensor(x, dims) });
  const { type, data: values } = found.tensor('values');
  return { type, values, scales: found.float32('scales'), read: found.float32('read') };
}

const random = (index: number, count: number): Float32Array =>
  Float32Array.from(RandomKey.fromSeed(11).fold(index).normal(count));

describe('a tensor in 8 bits', () => {
  it('is off by half a step of its block at most, whatever that is like', async () => {
    const x = random(0, 2 * 5 * WIDTH).map((value, i) => value * 10 ** ((Math.floor(i / BLOCK) % 9) - 4));
    const { type, values, scales, read } = await run(x, [2, 5, WIDTH]);
    expect(type).toBe('int8');
    expect(scales).toHaveLength(x.length / BLOCK);
    for (let block = 0; block < scales.length; block++) {
      const each = [...x.subarray(block * BLOCK, (block + 1) * BLOCK)];
      const scale = scales[block] ?? NaN;
      expect((scale * 127) / Math.max(...each.map(Math.abs))).toBeCloseTo(1, 6);
      const levels = Array.from({ length: BLOCK }, (_, i) => Number(values[block * BLOCK + i]));
      expect(Math.max(...levels.map(Math.abs))).toBe(127);
      each.forEach((value, i) => {
        const found = read[block * BLOCK + i] ?? NaN;
        expect(found).toBe(Math.fround((levels[i] ?? NaN) * scale));
        expect(Math.abs(found - value)).toBeLessThanOrEqual(scale * 0.5001);
      });
    }
  });

  it('keeps a block of zeros, beside any other', async () => {
    const x = new Float32Array(WIDTH);
    x.set(random(1, BLOCK), BLOCK);
    const { read } = await run(x, [1, 1, WIDTH]);
    expect(read.subarray(0, BLOCK)).toEqual(new Float32Array(BLOCK));
    expect(read.subarray(2 * BLOCK)).toEqual(new Float32Array(BLOCK));
    expect(read.subarray(BLOCK, 2 * BLOCK).every(Number.isFinite)).toBe(true);
  });

  it('is the same to the bit alone and in any batch', async () => {
    const x = random(2, 3 * 7 * WIDTH);
    const all = await run(x, [3, 7, WIDTH]);
    for (const row of [0, 9, 20]) {
      const [from, to] = [row * WIDTH, (row + 1) * WIDTH];
      const one = await run(x.slice(from, to), [1, 1, WIDTH]);
      expect(one.values).toEqual(all.values.slice(from, to));
      expect(one.scales).toEqual(all.scales.slice(from / BLOCK, to / BLOCK));
    }
  });

  it('has blocks that fill its width', () => {
    const x = new GraphBuilder('odd').input('x', 'float32', ['R', 10]);
    expect(() => quantizeBlocks(x, 4)).toThrow(/Blocks of 4 do not fill x's width of 10/);
  });
});

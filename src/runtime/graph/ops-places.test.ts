// Convolutions in 8 bits and norms on places against those of maps in float32, and what a picture gets beside others.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { RandomKey } from '../../core/random.js';
import { createRuntime, float32Tensor, type Runtime } from '../index.js';
import {
  add,
  conv2d,
  convInt8,
  doubled,
  GraphBuilder,
  groupNorm,
  groupNormPlaces,
  mul,
  silu,
  siluFast,
  toMap,
  toPlaces,
  upsampleNearest2x,
  type Value,
} from './index.js';

const CHANNELS = 8;
const OUT = 5;
const [HEIGHT, WIDTH] = [3, 4];
const SIZE = CHANNELS * HEIGHT * WIDTH;
let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 2, cache: null });
});
afterAll(async () => {
  await runtime.close();
});

const random = (index: number, count: number, spread = 1): Float32Array =>
  Float32Array.from(RandomKey.fromSeed(5).fold(index).uniform(count), (u) => spread * (2 * u - 1));
const kernel = { name: 'w', shape: [OUT, CHANNELS, 3, 3], read: () => random(0, OUT * CHANNELS * 9) };
const pictures = random(1, 3 * SIZE);

/** What a graph makes of maps [B, C, 3, 4]. */
async function run(build: (map: Value) => Value, maps: Float32Array): Promise<Float32Array> {
  const g = new GraphBuilder('places');
  const y = build(g.input('x', 'float32', ['B', CHANNELS, 'H', 'W']));
  g.output('y', y);
  const session = await runtime.load(g.build());
  const input = float32Tensor(maps, [maps.length / SIZE, CHANNELS, HEIGHT, WIDTH]);
  const found = (await session.run({ x: input })).float32('y');
  session.dispose();
  return found;
}

type Kind = 'any' | 'silu';

const coarse =
  (kind: Kind, upsampled = false) =>
  (map: Value): Value => {
    const { places, grid } = toPlaces(map);
    const x = kind === 'silu' ? siluFast(places) : places;
    const larger = upsampled ? doubled(grid) : grid;
    const { product, factor } = convInt8(x, kernel, {
      grid: larger,
      source: upsampled ? grid : undefined,
      activation: kind,
    });
    return toMap(mul(product, factor), larger);
  };

const exact =
  (kind: Kind, upsampled = false) =>
  (map: Value): Value => {
    const x = kind === 'silu' ? silu(map) : map;
    const weight = map.graph.weight('w', kernel.read(), kernel.shape);
    return conv2d(upsampled ? upsampleNearest2x(x) : x, weight, undefined, { padding: 1 });
  };

function relativeError(found: Float32Array, expected: Float32Array): number {
  expect(found).toHaveLength(expected.length);
  let [error, length] = [0, 0];
  expected.forEach((value, i) => {
    error += (value - (found[i] ?? NaN)) ** 2;
    length += value ** 2;
  });
  return Math.sqrt(error / length);
}

describe('a convolution in 8 bits', () => {
  it.each([
    ['any', 1, false],
    ['any', 1e-6, true],
    ['silu', 1, false],
    ['silu', 6, true],
  ] as const)('of numbers of kind %s up to %d is near the exact one', async (kind, size, upsampled) => {
    const maps = pictures.map((value) => value * size);
    const found = await run(coarse(kind, upsampled), maps);
    expect(relativeError(found, await run(exact(kind, upsampled), maps))).toBeLessThan(0.015);
  });

  it('gives a picture the same, to the bit, whatever is beside it', async () => {
    const build = coarse('silu');
    const maps = pictures.map((value, i) => value * [1, 100, 0][Math.floor(i / SIZE)]!);
    const together = await run(build, maps);
    for (const i of [0, 1, 2]) {
      const alone = await run(build, maps.slice(i * SIZE, (i + 1) * SIZE));
      expect(together.slice(i * alone.length, (i + 1) * alone.length)).toEqual(alone);
    }
    expect(together.slice(2 * (together.length / 3))).toEqual(new Float32Array(together.length / 3));
  });

  it('refuses kernels of other channels', () => {
    const g = new GraphBuilder('wrong');
    const { places, grid } = toPlaces(g.input('x', 'float32', ['B', CHANNELS + 1, 'H', 'W']));
    expect(() => convInt8(places, kernel, { grid })).toThrow(/channels do not fit/);
  });
});

describe('the group norm on places', () => {
  const options = (g: GraphBuilder): Parameters<typeof groupNorm>[1] => ({
    groups: 2,
    eps: 1e-6,
    weight: g.weight('weight', random(2, CHANNELS), [CHANNELS]),
    bias: g.weight('bias', random(3, CHANNELS), [CHANNELS]),
  });
  const summand = random(4, CHANNELS);
  const each = (g: GraphBuilder, shape: readonly number[]): Value => g.weight('summand', summand, shape);
  const factors = (map: Value): Value => map.graph.weight('factor', Float32Array.of(0.5), [1, 1, 1]);

  it.each([false, true])('is that of maps, with something pending: %s', async (isPending) => {
    const found = await run((map) => {
      const { places, grid } = toPlaces(map);
      const pending = { factor: factors(map), summand: each(map.graph, [CHANNELS]) };
      return toMap(
        groupNormPlaces(places, { ...options(map.graph), ...(isPending ? { pending } : {}) }),
        grid,
      );
    }, pictures);
    const expected = await run(
      (map) =>
        groupNorm(
          isPending ? add(mul(map, 0.5), each(map.graph, [1, CHANNELS, 1, 1])) : map,
          options(map.graph),
        ),
      pictures,
    );
    expect(relativeError(found, expected)).toBeLessThan(1e-5);
  });
});

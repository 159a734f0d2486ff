// Every operator but attention against plain arithmetic in float64.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { evaluate, expectClose, numbers, random } from '../../../test/fakes/evaluate-graph.js';
import { createRuntime, type HostTensor, int32Tensor, type Runtime } from '../index.js';
import {
  add,
  cast,
  clip,
  concat,
  conv2d,
  cos,
  div,
  equal,
  exp,
  expandTo,
  gather,
  gelu,
  geluTanh,
  groupNorm,
  groupNormOf,
  inBands,
  l2Normalize,
  layerNorm,
  less,
  matMul,
  maximum,
  minimum,
  mul,
  padZeros,
  pixelShuffle,
  pow,
  quickGelu,
  range,
  reduceMax,
  reduceMean,
  reduceProduct,
  relu,
  rmsNorm,
  sigmoid,
  silu,
  sin,
  sizeOf,
  skipLayerNorm,
  skipRmsNorm,
  slice,
  sliceBetween,
  softmax,
  split,
  sqrt,
  squeeze,
  sub,
  tanh,
  upsampleNearest2x,
  type Value,
  where,
} from './index.js';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(async () => {
  await runtime.close();
});

describe('element-wise operators', () => {
  const erf = (x: number): number => {
    let sum = 0;
    let term = x;
    for (let n = 0; n < 80; n++) {
      sum += term / (2 * n + 1);
      term *= (-x * x) / (n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * sum;
  };
  const logistic = (x: number): number => 1 / (1 + Math.exp(-x));
  const cases: Record<string, [build: (x: Value) => Value, reference: (x: number) => number]> = {
    sin: [sin, Math.sin],
    cos: [cos, Math.cos],
    exp: [exp, Math.exp],
    tanh: [tanh, Math.tanh],
    relu: [relu, (x) => Math.max(x, 0)],
    sigmoid: [sigmoid, logistic],
    silu: [silu, (x) => x * logistic(x)],
    quickGelu: [quickGelu, (x) => x * logistic(1.702 * x)],
    gelu: [gelu, (x) => 0.5 * x * (1 + erf(x / Math.SQRT2))],
    geluTanh: [geluTanh, (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))],
    'sqrt of the square': [(x) => sqrt(mul(x, x)), Math.abs],
    'pow 3': [(x) => pow(x, 3), (x) => x ** 3],
    clip: [(x) => clip(x, -0.5, 1), (x) => Math.min(Math.max(x, -0.5), 1)],
    '1 - x': [(x) => sub(1, x), (x) => 1 - x],
    'x / 3': [(x) => div(x, 3), (x) => x / 3],
    maximum: [(x) => maximum(x, 0.25), (x) => Math.max(x, 0.25)],
    minimum: [(x) => minimum(x, 0.25), (x) => Math.min(x, 0.25)],
    'less, as numbers': [(x) => cast(less(x, 0), 'float32'), (x) => (x < 0 ? 1 : 0)],
    where: [(x) => where(less(x, 0), 7, x), (x) => (x < 0 ? 7 : x)],
  };
  it.each(Object.entries(cases))('%s', async (_, [build, reference]) => {
    const x = random(3, 37);
    const [y] = await evaluate(runtime, [x], build);
    expectClose(y, numbers(x).map(reference));
  });

  it('broadcast', async () => {
    const [a, b] = [random(4, 1, 3), random(2, 1)];
    const [y] = await evaluate(runtime, [a, b], (x0, x1) => add(x0, x1));
    expect(y?.dims).toEqual([4, 2, 3]);
    expectClose(
      y,
      Array.from(
        { length: 24 },
        (_, i) => numbers(a)[Math.floor(i / 6) * 3 + (i % 3)]! + numbers(b)[Math.floor(i / 3) % 2]!,
      ),
    );
  });

  it('on whole numbers', async () => {
    const x = int32Tensor([1, 2, 3, 4], [4]);
    const [y, z] = await evaluate(runtime, [x], (v) => [add(mul(v, 2), 1), cast(equal(v, 3), 'int32')]);
    expect(numbers(y!)).toEqual([3, 5, 7, 9]);
    expect(numbers(z!)).toEqual([0, 0, 1, 0]);
  });
});

describe('operators along an axis', () => {
  const rows = (x: HostTensor, width: number): number[][] =>
    Array.from({ length: x.data.length / width }, (_, i) => numbers(x).slice(i * width, (i + 1) * width));
  const mean = (row: readonly number[]): number => row.reduce((sum, x) => sum + x, 0) / row.length;

  it('reduce', async () => {
    const x = random(2, 3, 5);
    const [average, largest, product] = await evaluate(runtime, [x], (v) => [
      reduceMean(v, [-1]),
      reduceMax(v, [-1], true),
      reduceProduct(v),
    ]);
    expectClose(average, rows(x, 5).map(mean));
    expect(largest?.dims).toEqual([2, 3, 1]);
    expectClose(
      largest,
      rows(x, 5).map((row) => Math.max(...row)),
    );
    expectClose(product, [numbers(x).reduce((a, b) => a * b, 1)], 1e-4);
  });

  it('softmax and l2Normalize', async () => {
    const x = random(4, 7);
    const [soft, unit] = await evaluate(runtime, [x], (v) => [softmax(v), l2Normalize(v)]);
    const sums = rows(x, 7).map((row) => row.reduce((sum, value) => sum + Math.exp(value), 0));
    expectClose(
      soft,
      rows(x, 7).flatMap((row, i) => row.map((value) => Math.exp(value) / sums[i]!)),
    );
    expectClose(
      unit,
      rows(x, 7).flatMap((row) => row.map((value) => value / Math.hypot(...row))),
    );
  });

  it('norms with and without weights, alone and with a residual', async () => {
    const [x, residual, w, b] = [random(2, 3, 8), random(2, 3, 8), random(8), random(8)];
    const eps = 1e-3; // large, so that a wrong one shows
    const [plain, full, rms, layerSum, layerNormed, rmsSum, rmsNormed] = await evaluate(
      runtime,
      [x, residual, w, b],
      (v, r, weight, bias) => {
        const layer = skipLayerNorm(v, r, { eps, weight, bias });
        const root = skipRmsNorm(v, r, { eps, weight });
        return [
          layerNorm(v, { eps }),
          layerNorm(v, { eps, weight, bias }),
          rmsNorm(v, { eps, weight }),
          layer.sum,
          layer.normed,
          root.sum,
          root.normed,
        ];
      },
    );
    const [weight, bias] = [numbers(w), numbers(b)];
    const layer = (row: readonly number[], affine = true): number[] => {
      const centred = row.map((value) => value - mean(row));
      const deviation = Math.sqrt(mean(centred.map((value) => value * value)) + eps);
      return centred.map((value, i) =>
        affine ? (value / deviation) * weight[i]! + bias[i]! : value / deviation,
      );
    };
    const root = (row: readonly number[]): number[] =>
      row.map((value, i) => (value / Math.sqrt(mean(row.map((v) => v * v)) + eps)) * weight[i]!);
    const sum = numbers(x).map((value, i) => value + numbers(residual)[i]!);
    const sumRows = rows({ ...x, data: Float32Array.from(sum) }, 8);
    expectClose(
      plain,
      rows(x, 8).flatMap((row) => layer(row, false)),
    );
    expectClose(
      full,
      rows(x, 8).flatMap((row) => layer(row)),
    );
    expectClose(rms, rows(x, 8).flatMap(root));
    expectClose(layerSum, sum);
    expectClose(
      layerNormed,
      sumRows.flatMap((row) => layer(row)),
    );
    expectClose(rmsSum, sum);
    expectClose(rmsNormed, sumRows.flatMap(root));
  });
});

describe('operators that move elements', () => {
  it('slice, split, concat, squeeze and pad', async () => {
    const x = random(1, 4, 3);
    const [part, tail, joined, padded] = await evaluate(runtime, [x], (v) => {
      const [first, second] = split(v, [1, 3], 1);
      return [
        squeeze(slice(v, 1, 1, 3), [0]),
        slice(v, 1, -1),
        concat([second!, first!], 1),
        padZeros(squeeze(v, [0]), [1, 0], [0, 1]),
      ];
    });
    const all = numbers(x);
    expect(part?.dims).toEqual([2, 3]);
    expectClose(part, all.slice(3, 9));
    expectClose(tail, all.slice(9));
    expectClose(joined, [...all.slice(3), ...all.slice(0, 3)]);
    expect(padded?.dims).toEqual([5, 4]);
    expectClose(padded, [
      0,
      0,
      0,
      0,
      ...[0, 1, 2, 3].flatMap((row) => [...all.slice(row * 3, row * 3 + 3), 0]),
    ]);
  });

  it('gather, range, expand and slice by values', async () => {
    const [table, ids] = [random(5, 2), int32Tensor([4, 0, 4], [3])];
    const [rows, places, wide, cut] = await evaluate(runtime, [table, ids], (t, i) => [
      gather(t, i),
      range(sizeOf(t, 0), '?'),
      expandTo(slice(t, 0, 0, 1), concat([sizeOf(i, 0), sizeOf(t, 1)], 0), ['?', 2]),
      sliceBetween(t, 0, sizeOf(i, 0), sizeOf(t, 0), '?'),
    ]);
    const all = numbers(table);
    expectClose(rows, [...all.slice(8, 10), ...all.slice(0, 2), ...all.slice(8, 10)]);
    expect(numbers(places!)).toEqual([0, 1, 2, 3, 4]);
    expectClose(
      wide,
      [0, 1, 2].flatMap(() => all.slice(0, 2)),
    );
    expectClose(cut, all.slice(6));
  });

  it('pixelShuffle and upsampleNearest2x', async () => {
    const x = random(1, 4, 2, 3);
    const [shuffled, grown] = await evaluate(runtime, [x], (v) => [pixelShuffle(v), upsampleNearest2x(v)]);
    expect(shuffled?.dims).toEqual([1, 1, 4, 6]);
    const at = (c: number, y: number, place: number): number => numbers(x)[(c * 2 + y) * 3 + place]!;
    const spread = Array.from({ length: 24 }, (_, i) => [Math.floor(i / 6), i % 6] as const);
    // Row within the block first, then column: channel 2 * (y % 2) + x % 2.
    expectClose(
      shuffled,
      spread.map(([y, place]) => at(2 * (y % 2) + (place % 2), y >> 1, place >> 1)),
    );
    const planes = [0, 1, 2, 3].flatMap((c) => spread.map(([y, place]) => at(c, y >> 1, place >> 1)));
    expectClose(grown, planes);
  });
});

describe('operators with weights', () => {
  it('matMul over batches', async () => {
    const [a, b] = [random(2, 3, 4), random(4, 5)];
    const [y] = await evaluate(runtime, [a, b], (x, w) => matMul(x, w));
    const [left, right] = [numbers(a), numbers(b)];
    expectClose(
      y,
      Array.from({ length: 30 }, (_, i) =>
        [0, 1, 2, 3].reduce((sum, k) => sum + left[Math.floor(i / 5) * 4 + k]! * right[k * 5 + (i % 5)]!, 0),
      ),
      1e-5,
    );
  });

  it('conv2d with padding on some sides and a stride', async () => {
    const [x, w, b] = [random(2, 3, 5, 4), random(2, 3, 3, 3), random(2)];
    const [y] = await evaluate(runtime, [x], (v) => {
      const g = v.graph;
      const weight = g.weight('w', w.data, w.dims);
      return conv2d(v, weight, g.weight('b', b.data, b.dims), { stride: 2, padding: [0, 0, 1, 1] });
    });
    expect(y?.dims).toEqual([2, 2, 2, 2]);
    const expected: number[] = [];
    for (let i = 0; i < 16; i++) {
      const [n, o, row, column] = [i >> 3, (i >> 2) & 1, (i >> 1) & 1, i & 1];
      let sum = numbers(b)[o]!;
      for (let c = 0; c < 3; c++) {
        for (let k = 0; k < 9; k++) {
          const [py, px] = [2 * row + Math.floor(k / 3), 2 * column + (k % 3)];
          if (py < 5 && px < 4) {
            sum += numbers(w)[(o * 3 + c) * 9 + k]! * numbers(x)[((n * 3 + c) * 5 + py) * 4 + px]!;
          }
        }
      }
      expected.push(sum);
    }
    expectClose(y, expected, 1e-5);
  });

  it.each(['summed', 'centred'] as const)('groupNorm, moments %s', async (moments) => {
    const [x, w, b] = [random(2, 6, 3, 4), random(6), random(6)];
    const eps = 1e-3;
    const [y] = await evaluate(runtime, [x, w, b], (v, weight, bias) =>
      groupNorm(v, { groups: 3, eps, weight, bias, moments }),
    );
    const all = numbers(x);
    const expected = all.map((value, i) => {
      const group = Math.floor(i / 24) * 24; // two channels of twelve places
      const members = all.slice(group, group + 24);
      const mean = members.reduce((sum, v) => sum + v, 0) / 24;
      const variance = members.reduce((sum, v) => sum + (v - mean) ** 2, 0) / 24;
      const channel = Math.floor(i / 12) % 6;
      return ((value - mean) / Math.sqrt(variance + eps)) * numbers(w)[channel]! + numbers(b)[channel]!;
    });
    expectClose(y, expected, 5e-6);
  });

  it.each(['summed', 'centred'] as const)(
    'groupNormOf, moments %s, in parts and by rows',
    async (moments) => {
      // Eight rows: the engine's vectorised sums depend on where a row begins (src/runtime/worker.ts, aligned).
      const [x, w, b] = [random(2, 12, 8, 8), random(12), random(12)];
      const [whole, parted, cut] = await evaluate(runtime, [x, w, b], (v, weight, bias) => {
        const options = { groups: 6, eps: 1e-3, weight, bias, moments };
        const normed = groupNormOf(v, options, 2);
        return [groupNorm(v, options), normed(v), inBands(v, 3, ({ rows }) => normed(rows(v)))];
      });
      expect(numbers(parted!)).toEqual(numbers(whole!));
      expect(numbers(cut!)).toEqual(numbers(whole!));
    },
  );

  it.each([1, 2, 3, 7])('a convolution in %i bands of seven rows', async (count) => {
    const [x, w, b] = [random(2, 3, 7, 4), random(5, 3, 3, 3), random(5)];
    const [whole, cut] = await evaluate(runtime, [x], (v) => {
      const weight = v.graph.weight('w', w.data, w.dims);
      const bias = v.graph.weight('b', b.data, b.dims);
      const cut = inBands(v, count, ({ rows, padding }) => conv2d(rows(v, 1), weight, bias, { padding }));
      return [conv2d(v, weight, bias, { padding: 1 }), cut];
    });
    expect(numbers(cut!)).toEqual(numbers(whole!));
  });
});

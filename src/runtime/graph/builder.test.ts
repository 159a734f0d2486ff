// The graph builder by itself: what it emits, and what it refuses.

import { describe, expect, it } from 'vitest';

import { GraphBuilder, type WeightSource } from './builder.js';
import { decodeModel } from './onnx-schema.js';
import { multiHeadAttention } from './ops-attention.js';
import { conv2d } from './ops-image.js';
import { linearFrom, matMul } from './ops-linear.js';
import { add, mul, reduceSum } from './ops-math.js';
import { layerNorm } from './ops-norm.js';
import {
  concat,
  reshape,
  reshapeTo,
  shapeOf,
  sizeOf,
  slice,
  split,
  transpose,
  unsqueeze,
} from './ops-shape.js';
import { type float } from './values.js';

function source(tensors: Record<string, readonly number[]>): WeightSource & { reads: string[] } {
  const reads: string[] = [];
  return {
    label: 'weights.pth',
    reads,
    info: (name) => ({ shape: tensors[name] ?? [] }),
    read: (name) => {
      reads.push(name);
      return Float32Array.from({ length: (tensors[name] ?? []).reduce((a, b) => a * b, 1) }, (_, i) => i);
    },
  };
}

describe('an emitted model', () => {
  it('holds the graph and refers to weights outside', async () => {
    const g = new GraphBuilder('small');
    const x = g.input('x', 'float32', ['B', 3]);
    const w = g.weightFrom(source({ 'fc.weight': [2, 3] }), 'fc.weight', {
      expected: [2, 3],
      transpose: true,
    });
    g.output('y', add(matMul(x, w), 1), ['B', 2]);
    const model = g.build();
    const { graph, opset_import: opsets } = decodeModel(model.proto);
    expect(graph.node.map((node) => node.op_type)).toEqual(['MatMul', 'Add', 'Identity']);
    expect(opsets).toEqual([
      { domain: '', version: 21 },
      { domain: 'com.microsoft', version: 1 },
    ]);
    expect(graph.input[0]?.type.tensor_type.shape.dim).toMatchObject([{ dim_param: 'B' }, { dim_value: 3 }]);
    expect(model.inputs).toEqual([{ name: 'x', type: 'float32', shape: ['B', 3] }]);
    expect(model.outputs).toEqual([{ name: 'y', type: 'float32', shape: ['B', 2] }]);
    expect(model.weightBytes).toBe(24);
    expect(model.weights).toMatchObject([
      { name: 'fc.weight', file: 'weights-0.bin', offset: 0, byteLength: 24 },
    ]);
    expect(await model.weights[0]?.read()).toEqual(Float32Array.of(0, 3, 1, 4, 2, 5));
  });

  it('leaves out what no output needs, and reads no weight before it is asked for', () => {
    const weights = source({ used: [2], idle: [2] });
    const g = new GraphBuilder('lazy');
    const x = g.input('x', 'float32', [2]);
    mul(x, g.weightFrom(weights, 'idle'));
    g.output('y', mul(x, g.weightFrom(weights, 'used')));
    const model = g.build();
    expect(model.weights.map((weight) => weight.name)).toEqual(['used']);
    expect(decodeModel(model.proto).graph.node).toHaveLength(2);
    expect(weights.reads).toEqual([]);
  });

  it('shares a weight that is asked for twice, but not its other forms', () => {
    const weights = source({ w: [2, 2] });
    const g = new GraphBuilder('shared');
    const w = g.weightFrom(weights, 'w');
    expect(g.weightFrom(weights, 'w')).toBe(w);
    expect(g.weightFrom(weights, 'w', { transpose: true })).not.toBe(w);
    expect(g.weightFrom(source({ w: [2, 2] }), 'w')).not.toBe(w);
  });

  it('starts weights at multiples of 64 bytes', () => {
    const g = new GraphBuilder('aligned');
    let x = g.input('x', 'float32', [3]);
    for (let i = 0; i < 3; i++) x = add(x, g.weight(`w${i}`, new Float32Array(3), [3]));
    g.output('y', x);
    expect(g.build().weights.map((weight) => weight.offset)).toEqual([0, 64, 128]);
  });

  it('tells of the sizes in between where it is asked to, but of none that it does not know or that has three axes', () => {
    const g = new GraphBuilder('told');
    const x = g.input('x', 'float32', ['B', 'L', 4]);
    const rows = mul(reshape(x, [-1, 4]), 2); // Reshape, Mul
    const heads = reshape(rows, [-1, 2, 2]); // Reshape.1: three axes
    const unknown = reshapeTo(rows, shapeOf(rows), ['?', 4]); // Shape, Reshape.2
    const idle = add(rows, 1); // Add, which no output needs
    expect(idle.name).toBe('Add');
    g.output('y', rows);
    g.output('heads', heads);
    g.output('unknown', unknown);
    const told = decodeModel(g.build({ tellSizes: true }).proto).graph.value_info;
    expect(told.map(({ name }) => name)).toEqual(['Reshape', 'Mul', 'Shape']);
    expect(told[1]?.type.tensor_type).toMatchObject({
      elem_type: 1,
      shape: { dim: [{ dim_param: 'B*L' }, { dim_value: 4 }] },
    });
    expect(decodeModel(g.build().proto).graph.value_info).toEqual([]);
  });

  it('names nodes after the part of the model that they belong to', () => {
    const g = new GraphBuilder('named');
    const x = g.input('x', 'float32', [3]);
    const y = g.scoped('block.0', () => g.scoped('mlp', () => add(x, 1)));
    expect(y.name).toBe('block.0/mlp/Add');
    expect(add(x, 1).name).toBe('Add');
  });
});

describe('shapes', () => {
  const g = new GraphBuilder('shapes');
  const x = g.input('x', 'float32', ['B', 'L', 12]);

  it('follow from those of the inputs', () => {
    expect(reshape(x, ['B', 'L', 3, 4]).shape).toEqual(['B', 'L', 3, 4]);
    expect(reshape(x, ['M', 12]).shape).toEqual(['M', 12]);
    expect(reshape(x, [-1, 12]).shape).toEqual(['B*L', 12]);
    expect(reshape(x, [-1, 4]).shape).toEqual(['3*B*L', 4]);
    expect(reshape(x, [-1, 'L', 24]).shape).toEqual(['?', 'L', 24]);
    expect(reshape(x, ['B', 'L', -1, 6]).shape).toEqual(['B', 'L', 2, 6]);
    expect(reshape(reshape(x, [-1, 24]), [-1, 12]).shape).toEqual(['?', 12]);
    expect(transpose(x, [2, 0, 1]).shape).toEqual([12, 'B', 'L']);
    expect(concat([x, x], 1).shape).toEqual(['B', 'L+L', 12]);
    expect(slice(x, 2, 1, -1).shape).toEqual(['B', 'L', 10]);
    expect(split(x, [4, 8], -1).map((part) => part.shape)).toEqual([
      ['B', 'L', 4],
      ['B', 'L', 8],
    ]);
    expect(unsqueeze(x, [0, -1]).shape).toEqual([1, 'B', 'L', 12, 1]);
    expect(reduceSum(x, [-1]).shape).toEqual(['B', 'L']);
    expect(sizeOf(x, 2).name).toMatch(/^constant/);
    expect(matMul(x, g.weight('w', new Float32Array(60), [12, 5])).shape).toEqual(['B', 'L', 5]);
    const picture = g.input('picture', 'float32', ['B', 3, 'H', 9]);
    const kernel = g.weight('k', new Float32Array(8 * 3 * 9), [8, 3, 3, 3]);
    expect(conv2d(picture, kernel, undefined, { padding: 1 }).shape).toEqual(['B', 8, 'H', 9]);
    expect(conv2d(picture, kernel, undefined, { stride: 2, padding: [0, 0, 1, 1] }).shape).toEqual([
      'B',
      8,
      '?',
      4,
    ]);
  });

  it('that do not fit are refused where they are known', () => {
    const y = g.input('y', 'float32', ['B', 'L', 7]);
    expect(() => add(x, y)).toThrow(/Add of x and y: shapes \[B, L, 12\] and \[B, L, 7\]/);
    expect(() => matMul(x, x)).not.toThrow(); // L may be 12
    expect(() => matMul(x, y)).not.toThrow();
    expect(() => matMul(x, g.weight('w', new Float32Array(35), [7, 5]))).toThrow(/inner dimensions differ/);
    expect(() => reshape(x, ['M', 'N', 12])).toThrow(/more than one dimension open/);
    expect(() => reshape(g.weight('w', new Float32Array(6), [6]), [4, -1])).toThrow(
      /cannot become \[4, -1\]/,
    );
    expect(() => concat([x, y], 0)).toThrow(/do not fit/);
    expect(() => split(x, [4, 4], 2)).toThrow(/do not fill axis 2/);
    expect(() => transpose(x, [0, 1])).toThrow(/no order of axes/);
    expect(() => layerNorm(x, { eps: 1e-6, weight: g.weight('n', new Float32Array(7), [7]) })).toThrow(
      /not \[12\]/,
    );
    expect(() => multiHeadAttention({ heads: 5, query: x, key: x, value: x })).toThrow(/multiple of 5 heads/);
    expect(() => g.output('z', x, ['B', 'L', 13])).toThrow(
      /output z has shape \[B, L, 12\], not \[B, L, 13\]/,
    );
  });
});

describe('wrong use', () => {
  it('of a weight names the checkpoint, the weight and both shapes', () => {
    const g = new GraphBuilder('wrong');
    const weights = source({ 'fc.weight': [2, 3], 'fc.bias': [3] });
    const x = g.input('x', 'float32', ['B', 3]);
    expect(() => linearFrom(x, weights, 'fc', { out: 4, bias: false })).toThrow(
      'weights.pth: weight fc.weight should have the shape [4, 3], but has [2, 3]',
    );
    expect(() => linearFrom(x, weights, 'fc', { out: 2 })).toThrow(
      /fc\.bias should have the shape \[2\], but has \[3\]/,
    );
    expect(() => g.weight('w', new Float32Array(5), [2, 3])).toThrow(
      /5 elements do not make the shape \[2, 3\]/,
    );
    expect(() => g.weightFrom(weights, 'fc.bias', { transpose: true })).toThrow(/only a matrix/);
    expect(() => g.weightFrom(weights, 'fc.bias', { shape: [2] })).toThrow(/cannot become/);
  });

  it('of values, names and attributes is refused', () => {
    const g = new GraphBuilder('one');
    const x = g.input('x', 'float32', [2]);
    const other = new GraphBuilder('two').input('x', 'float32', [2]);
    expect(() => add(x, other)).toThrow(/Graph one: Add uses x of the graph two/);
    expect(() => g.input('x', 'float32', [2])).toThrow(/name x is taken/);
    expect(() => add(x, g.input('n', 'int64', [2]))).toThrow(/x is float32, n is int64/);
    expect(() => g.build()).toThrow(/no output/);
    const scaled = (alpha: number | ReturnType<typeof float>): void => {
      g.output('y', g.op1('LeakyRelu', { inputs: [x], attributes: { alpha }, type: 'float32', shape: [2] }));
    };
    scaled(0.5);
    expect(() => g.build()).toThrow(/Attribute alpha: mark 0.5 as a real number by float\(\)/);
  });
});

import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { add, GraphBuilder, type GraphModel, mul } from './graph/index.js';
import { createRuntime, float32Tensor, saveModel } from './index.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'varsearch-test-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** y = a x + b, where reading b may fail. */
function model(readB: () => Float32Array = () => Float32Array.of(10, 20, 30)): GraphModel {
  const g = new GraphBuilder('files');
  const x = g.input('x', 'float32', [3]);
  const a = g.weight('a', Float32Array.of(1, 2, 3), [3]);
  g.output('y', add(mul(x, a), g.lazyWeight('b', { shape: [3], read: readB })));
  return g.build();
}

const input = { x: float32Tensor(Float32Array.of(1, 1, 1), [3]) };

describe('a saved model', () => {
  it('is an .onnx file with its weights beside it, which anybody can load', async () => {
    const path = await saveModel(model(), folder);
    expect(path).toBe(join(folder, 'model.onnx'));
    expect((await readdir(folder)).sort()).toEqual(['model.onnx', 'weights-0.bin']);
    const bytes = await readFile(join(folder, 'weights-0.bin'));
    expect(bytes.readFloatLE(8)).toBe(3);
    expect(bytes.readFloatLE(64)).toBe(10);
    const runtime = await createRuntime({ threads: 1 });
    const session = await runtime.load({ name: 'saved', path });
    expect(session.inputs).toEqual([{ name: 'x', type: 'float32', shape: [3] }]);
    expect([...(await session.run(input)).float32('y')]).toEqual([11, 22, 33]);
    await runtime.close();
  });

  it('leaves nothing behind when a weight cannot be read', async () => {
    const broken = model(() => {
      throw new Error('disk on fire');
    });
    await expect(saveModel(broken, folder)).rejects.toThrow('disk on fire');
    expect(await readdir(folder)).toEqual([]);
    const short = model(() => new Float32Array(2));
    await expect(saveModel(short, folder)).rejects.toThrow('Weight b: 8 bytes were read, not 12');
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('weights beyond the memory limit', () => {
  it('go through a temporary folder that is gone after loading', async () => {
    let seen: string[] = [];
    const spilled = model(() => Float32Array.of(1, 2, 3));
    const watched: GraphModel = {
      ...spilled,
      weights: spilled.weights.map((weight) => ({
        ...weight,
        read: async () => {
          seen = await readdir(folder);
          return weight.read();
        },
      })),
    };
    const runtime = await createRuntime({ threads: 1 });
    const session = await runtime.load(watched, { memoryLimit: 16, temporaryFolder: folder });
    expect(seen).toHaveLength(1);
    expect(await readdir(folder)).toEqual([]);
    expect([...(await session.run(input)).float32('y')]).toEqual([2, 4, 6]);
    session.dispose();
    await runtime.load(watched, { temporaryFolder: folder });
    await runtime.close();
    expect((await stat(folder)).isDirectory()).toBe(true);
  });
});

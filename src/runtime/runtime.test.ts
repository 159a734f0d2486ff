// The runtime end to end: sessions and tensors in the worker, checks, errors, accounting, and a free event loop.

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { add, concat, GraphBuilder, type GraphModel, matMul, mul, slice } from './graph/index.js';
import {
  type Assembly,
  createRuntime,
  float32Tensor,
  int32Tensor,
  type Runtime,
  type Session,
} from './index.js';
import { CARRIERS } from './rpc/index.js';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(async () => {
  await runtime.close();
});

/** y = 2 x + w, with w = [1, 2, 3]. */
function affine(): GraphModel {
  const g = new GraphBuilder('affine');
  const x = g.input('x', 'float32', ['B', 3]);
  const w = g.weight('w', Float32Array.of(1, 2, 3), [3]);
  g.output('y', add(mul(x, 2), w));
  g.output('twice', mul(x, 2));
  return g.build();
}

/** A product that takes a few hundred milliseconds of one core. */
function heavy(rounds: number): GraphModel {
  const g = new GraphBuilder('heavy');
  const size = 768;
  let x = g.input('x', 'float32', [size, size]);
  const w = g.weight('w', new Float32Array(size * size).fill(1 / size), [size, size]);
  for (let i = 0; i < rounds; i++) x = matMul(x, w);
  g.output('y', x);
  return g.build();
}

async function withSession<T>(model: GraphModel, body: (session: Session) => Promise<T>): Promise<T> {
  const session = await runtime.load(model);
  try {
    return await body(session);
  } finally {
    session.dispose();
  }
}

describe('a session', () => {
  it('runs with any batch size', async () => {
    await withSession(affine(), async (session) => {
      const one = await session.run({ x: float32Tensor(Float32Array.of(1, 1, 1), [1, 3]) });
      expect([...one.float32('y')]).toEqual([3, 4, 5]);
      const x = Float32Array.of(9, 9, 1, 2, 3, 4, 5, 6).subarray(2); // a part of a larger buffer
      const two = await session.run({ x: float32Tensor(x, [2, 3]) });
      expect([...two.float32('y')]).toEqual([3, 6, 9, 9, 12, 15]);
      expect(two.tensor('twice').dims).toEqual([2, 3]);
      expect(two.milliseconds).toBeGreaterThan(0);
    });
  });

  it.each([1, 4000])('copies its inputs at once (%i rows)', async (rows) => {
    await withSession(affine(), async (session) => {
      const data = new Float32Array(3 * rows).fill(1);
      const run = session.run({ x: float32Tensor(data, [rows, 3]) });
      data.fill(9);
      const twice = (await run).float32('twice');
      expect([twice[0], twice.at(-1), data.length]).toEqual([2, 2, 3 * rows]);
    });
  });

  it('runs without a place along an axis', async () => {
    const g = new GraphBuilder('empty');
    const past = g.input('past', 'float32', ['P', 2]);
    const now = g.input('now', 'float32', ['L', 2]);
    g.output('all', concat([past, now], 0));
    await withSession(g.build(), async (session) => {
      const now = float32Tensor(Float32Array.of(1, 2), [1, 2]);
      const none: Assembly = { type: 'float32', dims: [0, 2], parts: [] };
      for (const past of [none, float32Tensor(new Float32Array(0), [0, 2])]) {
        expect([...(await session.run({ past, now })).float32('all')]).toEqual([1, 2]);
      }
    });
  });

  it('tells everything that is wrong with the inputs in one error', async () => {
    const g = new GraphBuilder('three');
    const a = g.input('a', 'float32', ['B', 2]);
    const b = g.input('b', 'float32', ['B', 2]);
    const c = g.input('c', 'int32', ['B']);
    const d = g.input('d', 'float32', [1, 1]);
    g.output('y', add(add(a, b), d));
    g.output('z', mul(c, 2));
    await withSession(g.build(), async (session) => {
      const wrong = session.run({
        b: float32Tensor(new Float32Array(6), [2, 3]),
        c: float32Tensor(new Float32Array(3), [3]),
        e: int32Tensor([1], [1]),
      });
      await expect(wrong).rejects.toThrow(/missing: a float32 \[B, 2\], d float32 \[1, 1\]/);
      await expect(wrong).rejects.toThrow(/unknown: e/);
      await expect(wrong).rejects.toThrow(/b should have the size 2 along axis 1, not 3/);
      await expect(wrong).rejects.toThrow(/c should be int32, not float32/);
      await expect(wrong).rejects.toThrow(/B is 2 in b, but 3 in c/);
      await expect(wrong).rejects.toThrow(/Given: b float32 \[2, 3\], c float32 \[3\], e int32 \[1\]/);
    });
  });

  it('reports failures of the engine with the types and shapes of the inputs', async () => {
    const g = new GraphBuilder('mismatch');
    const a = g.input('a', 'float32', ['N']);
    const b = g.input('b', 'float32', ['M']);
    g.output('y', add(a, b), ['?']);
    await withSession(g.build(), async (session) => {
      const inputs = {
        a: float32Tensor(new Float32Array(2), [2]),
        b: float32Tensor(new Float32Array(3), [3]),
      };
      await expect(session.run(inputs)).rejects.toThrow(
        /Session mismatch failed: .*a float32 \[2\], b float32 \[3\]/s,
      );
      const fine = await session.run({ ...inputs, b: float32Tensor(new Float32Array(2), [2]) });
      expect(fine.tensor('y').dims).toEqual([2]);
    });
  });

  it('names a model that does not load', async () => {
    const g = new GraphBuilder('nonsense');
    const x = g.input('x', 'float32', [1]);
    g.output('y', g.op1('NoSuchOperator', { inputs: [x], type: 'float32', shape: [1] }));
    await expect(runtime.load(g.build())).rejects.toThrow(
      /Model nonsense cannot be loaded: .*NoSuchOperator/s,
    );
    await expect(runtime.load({ name: 'absent', path: '/nowhere/x.onnx' })).rejects.toThrow(/Model absent/);
  });

  it('leaves the event loop free during a run', async () => {
    await withSession(heavy(60), async (session) => {
      let ticks = 0;
      const timer = setInterval(() => ticks++, 5);
      const result = await session.run({ x: float32Tensor(new Float32Array(768 * 768).fill(1), [768, 768]) });
      clearInterval(timer);
      expect(result.float32('y')[0]).toBeCloseTo(1, 3);
      expect(result.milliseconds).toBeGreaterThan(60);
      expect(ticks).toBeGreaterThan(5);
    });
  });
});

describe('tensors in the worker', () => {
  it('are kept, fed back, read and freed', async () => {
    const before = await runtime.stats();
    await withSession(affine(), async (session) => {
      const first = await session.run(
        { x: float32Tensor(Float32Array.of(1, 2, 3), [1, 3]) },
        { keep: ['twice'] },
      );
      const twice = first.kept('twice');
      expect(() => first.tensor('twice')).toThrow(/kept in the worker/);
      expect(() => first.kept('y')).toThrow(/not kept/);
      const held = await runtime.stats();
      expect(held).toMatchObject({
        sessions: before.sessions + 1,
        tensors: before.tensors + 1,
        bytes: before.bytes + 12,
      });
      const second = await session.run({ x: twice }, { outputs: ['y'] });
      expect([...second.float32('y')]).toEqual([5, 10, 15]);
      expect(() => second.tensor('twice')).toThrow(/gave no output twice/);
      expect((await runtime.read(twice)).data).toEqual(Float32Array.of(2, 4, 6));
      const late = session.run({ x: twice }); // asked for before the tensor is disposed of
      twice.dispose();
      twice.dispose();
      expect([...(await late).float32('y')]).toEqual([5, 10, 15]);
      await expect(session.run({ x: twice })).rejects.toThrow(/x has been disposed of/);
      await expect(runtime.read(twice)).rejects.toThrow(/disposed/);
    });
    const after = await runtime.stats();
    expect(after).toMatchObject({ sessions: before.sessions, tensors: before.tensors, bytes: before.bytes });
    expect(after.runs).toBe(before.runs + 3);
  });

  it('are assembled in memory that goes with the session', async () => {
    const none = (await runtime.stats()).scratchBytes;
    const source = runtime.upload(float32Tensor(Float32Array.of(1, 2, 3), [3]));
    const rows = (count: number): Assembly => ({
      type: 'float32',
      dims: [count, 3],
      parts: [{ from: source, offset: 0, stride: 0, toOffset: 0, toStride: 3, length: 3, count }],
    });
    await withSession(affine(), async (staying) => {
      await staying.run({ x: rows(2) });
      await withSession(affine(), async (leaving) => {
        await leaving.run({ x: rows(5) });
        await leaving.run({ x: rows(4) }); // in the same memory
        expect((await runtime.stats()).scratchBytes - none).toBe((2 + 5) * 12);
      });
      expect((await runtime.stats()).scratchBytes - none).toBe(2 * 12);
    });
    expect((await runtime.stats()).scratchBytes).toBe(none);
    source.dispose();
  });

  it('are written into one, from several outputs of a run', async () => {
    const g = new GraphBuilder('pair');
    const a = g.input('a', 'float32', ['N', 2]);
    const [twice, sum] = [mul(a, 2), add(a, 1)];
    for (const [name, value] of Object.entries({ twice, sum, left: slice(a, 1, 0, 1) })) {
      g.output(name, value);
    }
    const { tensors, bytes } = await runtime.stats();
    await withSession(g.build(), async (session) => {
      const inputs = { a: float32Tensor(Float32Array.of(1, 2, 3, 4), [2, 2]) };
      const joined = { name: 'both', type: 'float32', dims: [2, 2], outputs: ['sum', 'twice'] } as const;
      const result = await session.run(inputs, { outputs: ['left'], joined: [joined] });
      const both = result.kept('both');
      expect(both.dims).toEqual([2, 2, 2]);
      expect([...(await runtime.read(both)).data]).toEqual([2, 3, 4, 5, 2, 4, 6, 8]);
      expect([...result.float32('left')]).toEqual([1, 3]);
      expect((await runtime.stats()).bytes - bytes).toBe(32);
      // A later run writes into another.
      const again = await session.run(
        { a: float32Tensor(new Float32Array(4), [2, 2]) },
        { outputs: [], joined: [joined] },
      );
      expect([...(await runtime.read(both)).data]).toEqual([2, 3, 4, 5, 2, 4, 6, 8]);
      for (const tensor of [both, again.kept('both')]) tensor.dispose();
      const wrong = { ...joined, dims: [3, 2] };
      await expect(session.run(inputs, { outputs: [], joined: [wrong] })).rejects.toThrow(/pair failed/);
      for (const fault of [{ outputs: ['none'] }, { type: 'int8' }] as const) {
        await expect(session.run(inputs, { joined: [{ ...joined, ...fault }] })).rejects.toThrow(
          /pair has no output \w+ of type (float32|int8)/,
        );
      }
    });
    expect((await runtime.stats()).tensors).toBe(tensors);
  });

  it('are fed where they lie when an assembly is one piece of one tensor', async () => {
    const none = (await runtime.stats()).scratchBytes;
    const numbers = Float32Array.from({ length: 12 }, (_, i) => i);
    const source = runtime.upload(float32Tensor(numbers, [12]));
    const piece = (offset: number, stride = 3, toStride = 3): Assembly => ({
      type: 'float32',
      dims: [2, 3],
      parts: [{ from: source, offset, stride, toOffset: 0, toStride, length: 3, count: 2 }],
    });
    await withSession(affine(), async (session) => {
      const scratch = async (x: Assembly): Promise<[number[], number]> => {
        const found = [...(await session.run({ x })).float32('twice')].map((twice) => twice / 2);
        return [found, (await runtime.stats()).scratchBytes - none];
      };
      expect(await scratch(piece(4))).toEqual([[4, 5, 6, 7, 8, 9], 0]);
      // Not at a border of 16 bytes, where sums could come out otherwise; not in one piece; not the whole.
      expect(await scratch(piece(5))).toEqual([[5, 6, 7, 8, 9, 10], 24]);
      expect(await scratch(piece(0, 4))).toEqual([[0, 1, 2, 4, 5, 6], 24]);
      const { parts } = piece(0);
      const part = { ...piece(0), parts: parts.map((each) => ({ ...each, count: 1 })) };
      expect(await scratch(part)).toEqual([[0, 1, 2, 0, 0, 0], 24]);
    });
    // What it was fed from is as it was.
    expect([...(await runtime.read(source)).data]).toEqual([...numbers]);
    source.dispose();
  });

  it('are assembled from strided pieces, as an input or for later', async () => {
    const source = runtime.upload(
      float32Tensor(
        Float32Array.from({ length: 12 }, (_, i) => i),
        [2, 2, 3],
      ),
    );
    const other = runtime.upload(float32Tensor(Float32Array.of(100, 200, 300), [3]));
    const parts = [
      { from: source, offset: 3, stride: 6, toOffset: 0, toStride: 6, length: 3, count: 2 },
      { from: other, offset: 0, stride: 1, toOffset: 3, toStride: 2, length: 1, count: 2 },
    ];
    const assembly = { type: 'float32' as const, dims: [3, 3], parts };
    const handle = runtime.assemble(assembly);
    const expected = [3, 4, 5, 100, 0, 200, 9, 10, 11];
    expect([...(await runtime.read(handle)).data]).toEqual(expected);
    await withSession(affine(), async (session) => {
      // Twice, since the memory of assembled inputs is used again: gaps have to be zero each time.
      for (const scale of [1, 1]) {
        const result = await session.run({ x: assembly }, { outputs: ['twice'] });
        expect([...result.float32('twice')]).toEqual(expected.map((x) => x * 2 * scale));
        const full = {
          ...assembly,
          parts: [{ from: source, offset: 0, stride: 0, toOffset: 0, toStride: 0, length: 9, count: 1 }],
        };
        expect([...(await session.run({ x: full })).float32('twice')]).toEqual([
          0, 2, 4, 6, 8, 10, 12, 14, 16,
        ]);
      }
    });
    // Of signed bytes alike, and never of two types.
    const bytes = runtime.upload({ type: 'int8', dims: [4], data: Int8Array.of(0, -1, -2, -3) });
    const piece = { from: bytes, offset: 3, stride: 1, toOffset: 0, toStride: 1, length: 1, count: 1 };
    const small: Assembly = { type: 'int8', dims: [2, 2], parts: [piece] };
    const joined = runtime.assemble(small);
    expect(joined.type).toBe('int8');
    expect((await runtime.read(joined)).data).toEqual(Int8Array.of(-3, 0, 0, 0));
    expect(() => runtime.assemble({ ...small, type: 'float32' })).toThrow(/is int8, not float32/);
    for (const tensor of [bytes, joined]) tensor.dispose();
    const outside = {
      ...assembly,
      parts: [{ from: other, offset: 1, stride: 1, toOffset: 0, toStride: 1, length: 2, count: 2 }],
    };
    expect(() => runtime.assemble(outside)).toThrow(/outside/);
    for (const tensor of [source, other, handle]) tensor.dispose();
    expect(() => runtime.assemble(assembly)).toThrow(/disposed/);
    expect((await runtime.stats()).tensors).toBe(0);
  });
});

describe('fake timers of a test runner', () => {
  it.each(CARRIERS)('do not reach an engine in a %s', async (carrier) => {
    vi.useFakeTimers();
    try {
      const own = await createRuntime({ threads: 1, carrier });
      const session = await own.load(affine());
      const x = float32Tensor(Float32Array.of(1, 1, 1), [1, 3]);
      expect([...(await session.run({ x })).float32('y')]).toEqual([3, 4, 5]);
      await own.close();
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('the end of a runtime', () => {
  it('finishes the calls under way, frees everything, and refuses later calls', async () => {
    const own = await createRuntime({ threads: 1 });
    const session = await own.load(affine());
    const pending = session.run({ x: float32Tensor(Float32Array.of(1, 1, 1), [1, 3]) }, { keep: ['twice'] });
    const closed = own.close();
    expect([...(await pending).float32('y')]).toEqual([3, 4, 5]);
    await closed;
    (await pending).kept('twice').dispose();
    session.dispose();
    await own.close();
    await expect(own.load(affine())).rejects.toThrow(/has been closed/);
    await expect(session.run({})).rejects.toThrow(/disposed/);
    await expect(own.stats()).rejects.toThrow(/closed/);
  });

  it('rejects everybody who waits when the worker dies', async () => {
    const own = await createRuntime({ threads: 1 });
    const session = await own.load(affine());
    // A request that no runtime makes, through its private line: the worker does not survive it.
    const { line } = own as unknown as { line: { tell(method: string, request: unknown): void } };
    line.tell('drop', { ids: null });
    const x = float32Tensor(new Float32Array(3), [1, 3]);
    const runs = [session.run({ x }), session.run({ x })];
    for (const run of runs) {
      await expect(run).rejects.toThrow(/^The engine failed/);
    }
    await expect(own.stats()).rejects.toThrow(/Create a new runtime/);
    session.dispose();
    await own.close();
  });

  it('refuses a senseless number of threads', async () => {
    await expect(createRuntime({ threads: 0 })).rejects.toThrow(RangeError);
  });
});

// The cache of ready graphs: made once, found again, never half, and made anew when anything about it is not as it was.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { add, GraphBuilder, type GraphModel, mul } from '../graph/index.js';
import { createRuntime, float32Tensor, GraphCache } from '../index.js';
import { withLock } from './lock.js';

let folder: string;
let checkpoint: string;
let cache: GraphCache;
let reads: number;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'varsearch-test-'));
  checkpoint = join(folder, 'model.bin');
  await writeFile(checkpoint, 'weights');
  cache = new GraphCache(join(folder, 'graphs'), { from: 0 });
  reads = 0;
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** y = factor (a x + b): another factor is another graph. */
function model(factor = 1, readB: () => Float32Array = () => Float32Array.of(10, 20, 30)): GraphModel {
  const g = new GraphBuilder('tiny');
  const x = g.input('x', 'float32', [3]);
  const a = g.weight('a', Float32Array.of(1, 2, 3), [3]);
  const read = (): Float32Array => {
    reads++;
    return readB();
  };
  g.output('y', mul(add(mul(x, a), g.lazyWeight('b', { shape: [3], read })), factor));
  return g.build();
}

const entries = async (): Promise<string[]> => (await readdir(cache.folder)).sort();
const states = async (): Promise<string[]> => (await cache.list()).map(({ state }) => state);

describe('a ready graph', () => {
  it('is made once and opened by its path ever after, with the same results', async () => {
    const results: number[][] = [];
    for (let start = 0; start < 2; start++) {
      const runtime = await createRuntime({ threads: 1, cache });
      const session = await runtime.load(model(), { checkpoint });
      const input = { x: float32Tensor(Float32Array.of(1, 1, 1), [3]) };
      results.push([...(await session.run(input)).float32('y')]);
      await runtime.close();
    }
    expect(results).toEqual([
      [11, 22, 33],
      [11, 22, 33],
    ]);
    expect(reads).toBe(1);
    const [entry] = await cache.list();
    expect(entry).toMatchObject({ graph: 'tiny', sources: [checkpoint], state: 'ready' });
    expect(await entries()).toHaveLength(1);
  });

  it('is not kept where the model is small, and only for weights of a checkpoint', async () => {
    const runtime = await createRuntime({ threads: 1, cache: new GraphCache(cache.folder) });
    await runtime.load(model(), { checkpoint });
    await runtime.close();
    const other = await createRuntime({ threads: 1, cache });
    await other.load(model());
    await other.close();
    expect(existsSync(cache.folder)).toBe(false);
  });

  it('belongs to its graph: another graph of the same checkpoint is another entry', async () => {
    expect(await cache.ready(model(1), checkpoint)).not.toBe(await cache.ready(model(2), checkpoint));
    expect(await states()).toEqual(['ready', 'ready']);
  });

  it.each([
    ['content', () => writeFile(checkpoint, 'WEIGHTS')],
    ['size', () => writeFile(checkpoint, 'more weights')],
    ['time', () => utimes(checkpoint, new Date(), new Date(0))],
  ])('is made anew when the %s of the checkpoint changes, and the old one is removed', async (_, change) => {
    const old = await cache.ready(model(), checkpoint);
    await change();
    expect(await states()).toEqual([`stale: ${checkpoint} has changed`]);
    const path = await cache.ready(model(), checkpoint);
    expect(path).not.toBe(old);
    expect(reads).toBe(2);
    expect(await entries()).toHaveLength(1);
  });

  it('notices other content of the same size and time', async () => {
    const time = new Date(1e12);
    await utimes(checkpoint, time, time);
    const old = await cache.ready(model(), checkpoint);
    await writeFile(checkpoint, 'WEIGHTS');
    await utimes(checkpoint, time, time);
    expect(await cache.ready(model(), checkpoint)).not.toBe(old);
  });

  it('made from an index depends on every shard', async () => {
    const index = join(folder, 'model.safetensors.index.json');
    await writeFile(index, JSON.stringify({ weight_map: { a: 'one.bin', b: 'two.bin' } }));
    await writeFile(join(folder, 'one.bin'), 'one');
    await writeFile(join(folder, 'two.bin'), 'two');
    const old = await cache.ready(model(), index);
    await writeFile(join(folder, 'two.bin'), 'TWO');
    expect(await cache.ready(model(), index)).not.toBe(old);
  });

  it.each([
    [
      'a short file',
      (entry: string) => truncate(join(entry, 'weights-0.bin'), 10),
      /weights-0.bin has 10 bytes/,
    ],
    [
      'zeros in it',
      (entry: string) => writeFile(join(entry, 'weights-0.bin'), new Uint8Array(76)),
      /content/,
    ],
    ['a missing file', (entry: string) => rm(join(entry, 'weights-0.bin')), /weights-0.bin is missing/],
    ['another graph', (entry: string) => writeFile(join(entry, 'model.onnx'), ''), /model.onnx has 0 bytes/],
    ['no words about it', (entry: string) => writeFile(join(entry, 'entry.json'), '{'), /entry.json/],
  ])('that is damaged (%s) is made anew', async (_, damage, words) => {
    const path = await cache.ready(model(), checkpoint);
    const whole = await readFile(join(dirname(path), 'weights-0.bin'));
    await damage(dirname(path));
    expect(await states()).toEqual([expect.stringMatching(words)]);
    expect(await cache.ready(model(), checkpoint)).toBe(path);
    expect(await readFile(join(dirname(path), 'weights-0.bin'))).toEqual(whole);
    expect(await states()).toEqual(['ready']);
    expect(reads).toBe(2);
  });

  it('is whole or not there: a weight that cannot be read leaves nothing', async () => {
    const broken = model(1, () => {
      throw new Error('disk on fire');
    });
    await expect(cache.ready(broken, checkpoint)).rejects.toThrow('disk on fire');
    expect(await entries()).toEqual([]);
  });

  it('says where it cannot be kept, and the remedy', async () => {
    const file = new GraphCache(join(checkpoint, 'graphs'), { from: 0 });
    await expect(file.ready(model(), checkpoint)).rejects.toThrow(
      /ready graph tiny cannot be kept in .*: a part of the path is a file; set VARSEARCH_CACHE/,
    );
    const huge: GraphModel = { ...model(), weightBytes: 1e18 };
    await expect(cache.ready(huge, checkpoint)).rejects.toThrow(/needs 1000000000.0 GB in .*free; set/);
    expect(await entries()).toEqual([]);
  });
});

describe('what broken conversions left', () => {
  it('is removed by the next conversion, what others are making is not', async () => {
    const gone = processThatEnded();
    await mkdir(join(cache.folder, `.making-${hostname()}-${gone}-x`), { recursive: true });
    await mkdir(join(cache.folder, `.making-${hostname()}-${process.pid}-x`));
    await mkdir(join(cache.folder, '.making-elsewhere-1-x'));
    await cache.ready(model(), checkpoint);
    expect((await entries()).filter((name) => name.startsWith('.making')).sort()).toEqual(
      ['.making-elsewhere-1-x', `.making-${hostname()}-${process.pid}-x`].sort(),
    );
  });

  it('is no obstacle: the lock of a process that is gone is taken over', async () => {
    const path = await cache.ready(model(), checkpoint);
    await rm(dirname(path), { recursive: true });
    await writeFile(`${dirname(path)}.lock`, JSON.stringify({ host: hostname(), pid: processThatEnded() }));
    expect(await cache.ready(model(), checkpoint)).toBe(path);
    expect(await entries()).toHaveLength(1);
  });
});

describe('a lock', () => {
  it('lets one work at a time', async () => {
    const path = join(folder, 'lock');
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      await new Promise((done) => setTimeout(done, 20));
      inside--;
    };
    await Promise.all([withLock(path, work), withLock(path, work), withLock(path, work)]);
    expect(most).toBe(1);
    expect(existsSync(path)).toBe(false);
  });
});

it('is cleared with all that lies in it, and says how much that was', async () => {
  await cache.ready(model(1), checkpoint);
  await cache.ready(model(2), checkpoint);
  const bytes = (await cache.list()).reduce((sum, entry) => sum + entry.bytes, 0);
  expect(bytes).toBeGreaterThan(300);
  expect(await cache.clear()).toBe(bytes);
  expect(await cache.list()).toEqual([]);
});

it('is empty where there is none', async () => {
  expect(await cache.list()).toEqual([]);
  expect(await cache.clear()).toBe(0);
});

/** The number of a process that was and is no more. */
function processThatEnded(): number {
  return Number(execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }));
}

// An Infinity in each precision, from its checkpoint and from the cache of ready graphs: what must be the same to the bit is.

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

import { tinyStates, writeTinyInfinity } from '../../../test/fakes/tiny-infinity.js';
import { UsageError } from '../../core/errors.js';
import { Ledger } from '../../core/ledger.js';
import { RandomKey } from '../../core/random.js';
import type { Precision } from '../../runtime/graph/index.js';
import { createRuntime, GraphCache } from '../../runtime/index.js';
import { openInfinity } from './model.js';
import type { InfinityPrefix } from './prefix.js';

const scales = [1, 2, 3].map((side) => ({ height: side, width: side }));
const folder = mkdtempSync(join(tmpdir(), 'varsearch-test-'));
const files = writeTinyInfinity(folder);
afterAll(() => {
  rmSync(folder, { recursive: true });
});

interface Setting {
  readonly precision?: Precision;
  readonly cfg?: number;
  readonly memory?: number;
  readonly cache?: GraphCache;
  readonly prepackedUpTo?: number;
  /** Every picture begins from an empty prefix of its own. */
  readonly apart?: boolean;
}

/** Logits of all scales of `count` pictures, drawn side by side; a picture draws the same numbers in every call. */
async function logitsOf(count: number, setting: Setting): Promise<Float32Array[][]> {
  const { cache = null, precision, memory, cfg = 3, prepackedUpTo = Infinity, apart = false } = setting;
  const runtime = await createRuntime({ threads: 2, cache, prepackedUpTo });
  const defaults = { cfg, temperature: 1 };
  const run = { name: 'tiny', ...files, schedule: { scales, rotary: scales }, defaults };
  const model = await openInfinity(runtime, {
    ...run,
    ...(precision ? { precision } : {}),
    ...(memory === undefined ? {} : { memory }),
  });
  const generator = await model.prepareStates(tinyStates(5), new Ledger());
  const root = generator.begin();
  let prefixes: InfinityPrefix[] = Array.from({ length: count }, () =>
    apart ? generator.begin() : root.retain(),
  );
  root.release();
  const logits: Float32Array[][] = prefixes.map(() => []);
  for (let scale = 0; scale < scales.length; scale++) {
    await generator.computeForwards(prefixes);
    prefixes.forEach((prefix, i) => logits[i]?.push(prefix.forward?.logits ?? new Float32Array()));
    const draws = prefixes.map((prefix, i) => ({ prefix, draw: RandomKey.fromSeed(i).fold(scale) }));
    const next = await generator.extend(draws);
    for (const prefix of prefixes) prefix.release();
    prefixes = next;
  }
  for (const prefix of prefixes) prefix.release();
  generator.close();
  await model.close();
  await runtime.close();
  return logits;
}

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array): number =>
    x.reduce((sum, v, i) => sum + v * (y[i] ?? NaN), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

describe('8 bits', () => {
  it('give a picture the same logits, to the bit, whatever is computed beside it', async () => {
    for (const cfg of [3, 1]) {
      const together = await logitsOf(5, { precision: 'int8', cfg });
      expect(await logitsOf(5, { precision: 'int8', cfg, memory: 1 })).toEqual(together);
      expect((await logitsOf(3, { precision: 'int8', cfg }))[2]).toEqual(together[2]);
      expect((await logitsOf(1, { precision: 'int8', cfg }))[0]).toEqual(together[0]);
    }
  });

  it('are near float32, and not the same', async () => {
    const [exact] = await logitsOf(1, {});
    const [found] = await logitsOf(1, { precision: 'int8' });
    // Bits drawn from other logits may differ after the first scale.
    const [first, other] = [exact?.[0], found?.[0]] as [Float32Array, Float32Array];
    expect(cosine(first, other)).toBeGreaterThan(0.999);
    expect(other).not.toEqual(first);
  });
});

describe('a ready graph', () => {
  it.each(['float32', 'int8'] as const)(
    'in %s gives the logits of the checkpoint, to the bit',
    async (precision) => {
      for (const prepackedUpTo of [0, Infinity]) {
        const cache = new GraphCache(join(folder, `graphs-${precision}`), { from: 0 });
        for (const cfg of [3, 1]) {
          const setting = { precision, cfg, prepackedUpTo };
          const expected = await logitsOf(3, setting);
          expect(await logitsOf(3, { ...setting, cache })).toEqual(expected);
          expect(await logitsOf(3, { ...setting, cache, apart: true })).toEqual(expected);
          expect((await logitsOf(1, { ...setting, cache }))[0]).toEqual(expected[0]);
        }
        const graphs = (await cache.list()).map(({ graph }) => graph).sort();
        expect(graphs).toEqual(['infinity-step', 'infinity-text', 'vae-decoder']);
      }
    },
  );

  it('of one precision is none of the other', async () => {
    const cache = new GraphCache(join(folder, 'both'), { from: 0 });
    for (const precision of ['float32', 'int8'] as const) await logitsOf(1, { precision, cache });
    const graphs = (await cache.list()).map(({ graph }) => graph);
    // The decoder is the same for both.
    expect(graphs.filter((graph) => graph === 'infinity-step')).toHaveLength(2);
    expect(graphs.filter((graph) => graph === 'vae-decoder')).toHaveLength(1);
    expect(existsSync(join(folder, 'both'))).toBe(true);
  });
});

it('is among the options of a model opened so, and no other can be asked of it', async () => {
  const runtime = await createRuntime({ threads: 1, cache: null });
  const run = {
    name: 'tiny',
    ...files,
    schedule: { scales, rotary: scales },
    defaults: { cfg: 3, temperature: 1 },
  };
  const exact = await openInfinity(runtime, run);
  const coarse = await openInfinity(runtime, { ...run, precision: 'int8' });
  expect(exact.resolve({})).not.toHaveProperty('precision');
  expect(exact.resolve({ precision: 'float32' })).toEqual(exact.resolve({}));
  expect(coarse.resolve({})).toMatchObject({ precision: 'int8' });
  expect(coarse.resolve(coarse.resolve({}))).toEqual(coarse.resolve({}));
  expect(() => exact.resolve({ precision: 'int8' })).toThrow(UsageError);
  expect(() => exact.resolve({ precision: 'int8' })).toThrow(
    /tiny was opened in float32, and int8 is asked for/,
  );
  expect(() => coarse.resolve({ precision: 'float32' })).toThrow(/opened in int8/);
  await runtime.close();
});

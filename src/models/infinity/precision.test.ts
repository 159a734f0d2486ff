// An Infinity in each precision, from its checkpoint and from the cache of ready graphs: what must be the same to the bit is.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

import { tinyStates, writeTinyInfinity } from '../../../test/fakes/tiny-infinity.js';
import { UsageError } from '../../core/errors.js';
import type { Image } from '../../core/image.js';
import { Ledger } from '../../core/ledger.js';
import { RandomKey } from '../../core/random.js';
import { Reservation } from '../../core/reservation.js';
import type { Precision } from '../../runtime/graph/index.js';
import { createRuntime, GraphCache } from '../../runtime/index.js';
import { type InfinityModel, openInfinity } from './model.js';
import type { InfinityPrefix } from './prefix.js';

const scales = [1, 2, 3].map((side) => ({ height: side, width: side }));
const folder = mkdtempSync(join(tmpdir(), 'varsearch-test-'));
const files = writeTinyInfinity(folder);
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const run = {
  name: 'tiny',
  ...files,
  schedule: { scales, rotary: scales },
  defaults: { cfg: 3, temperature: 1 },
};

interface Setting {
  readonly precision?: Precision;
  readonly memory?: number;
  readonly piecesFrom?: number;
  readonly cache?: GraphCache;
  readonly prepackedUpTo?: number;
}

interface Pictures {
  readonly count: number;
  /** @default 3 */
  readonly cfg?: number;
  /** Every picture begins from an empty prefix of its own. @default false */
  readonly apart?: boolean;
}

/** Logits of all scales of some pictures drawn side by side, for each of `wanted`; a picture draws the same numbers in all. */
async function logitsOf(setting: Setting, wanted: readonly Pictures[]): Promise<Float32Array[][][]> {
  const { cache = null, precision, memory, piecesFrom, prepackedUpTo = Infinity } = setting;
  const runtime = await createRuntime({ threads: 2, cache, prepackedUpTo });
  const model = await openInfinity(runtime, {
    ...run,
    ...(precision ? { precision } : {}),
    ...(memory === undefined ? {} : { memory }),
    ...(piecesFrom === undefined ? {} : { piecesFrom }),
  });
  const found: Float32Array[][][] = [];
  for (const pictures of wanted) found.push(await draw(model, pictures));
  await model.close();
  await runtime.close();
  return found;
}

async function draw(
  model: InfinityModel,
  { count, cfg = 3, apart = false }: Pictures,
): Promise<Float32Array[][]> {
  const generator = await model.prepareStates(tinyStates(5), new Ledger(), { cfg });
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
  return logits;
}

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array): number =>
    x.reduce((sum, v, i) => sum + v * (y[i] ?? NaN), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

describe.each(['int8', 'float16'] as const)('%s', (precision) => {
  it('gives a picture the same logits, to the bit, whatever is computed beside it', async () => {
    for (const cfg of [3, 1]) {
      const [together, three, one] = await logitsOf(
        { precision },
        [5, 3, 1].map((count) => ({ count, cfg })),
      );
      // Keys and values of before in one piece and as they lie, of passes of their own and copied out of others.
      for (const setting of [{ memory: 1 }, { piecesFrom: 0 }, { piecesFrom: 0, memory: 1 }]) {
        const [same] = await logitsOf({ precision, ...setting }, [{ count: 5, cfg }]);
        expect(same).toEqual(together);
      }
      expect(three).toEqual(together?.slice(0, 3));
      expect(one).toEqual(together?.slice(0, 1));
    }
  });

  it('is near float32, and not the same', async () => {
    const [[exact]] = (await logitsOf({}, [{ count: 1 }])) as [Float32Array[][]];
    const [[found]] = (await logitsOf({ precision }, [{ count: 1 }])) as [Float32Array[][]];
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
      const cache = new GraphCache(join(folder, `graphs-${precision}`), { from: 0 });
      const guided = [1, 3].map((cfg) => ({ count: 3, cfg }));
      for (const prepackedUpTo of [0, Infinity]) {
        const expected = await logitsOf({ precision, prepackedUpTo }, guided);
        const variants = [
          ...guided,
          ...guided.map((each) => ({ ...each, apart: true })),
          ...guided.map((each) => ({ ...each, count: 1 })),
        ];
        const found = await logitsOf({ precision, prepackedUpTo, cache }, variants);
        const first = expected.map((pictures) => pictures.slice(0, 1));
        expect(found).toEqual([...expected, ...expected, ...first]);
      }
      const graphs = (await cache.list()).map(({ graph }) => graph).sort();
      expect(graphs).toEqual(['infinity-step', 'infinity-text', 'vae-decoder']);
    },
  );

  it('of one precision is none of the other', async () => {
    const cache = new GraphCache(join(folder, 'both'), { from: 0 });
    for (const precision of ['float32', 'int8'] as const) await logitsOf({ precision, cache }, []);
    const graphs = (await cache.list()).map(({ graph }) => graph);
    // The decoder is the same for both.
    expect(graphs.filter((graph) => graph === 'infinity-step')).toHaveLength(2);
    expect(graphs.filter((graph) => graph === 'vae-decoder')).toHaveLength(1);
  });

  it('has all graphs that it will ever need once everything is loaded', async () => {
    const cache = new GraphCache(join(folder, 'all'), { from: 0 });
    const runtime = await createRuntime({ threads: 1, cache });
    const made = async (precision: Precision): Promise<string[]> => {
      const model = await openInfinity(runtime, { ...run, precision });
      await model.loadAll();
      await model.close();
      expect((await runtime.stats()).sessions).toBe(0);
      return (await cache.list()).map(({ graph }) => graph);
    };
    expect(await made('float32')).not.toContain('vae-preview-decoder');
    expect(await made('int8')).toContain('vae-preview-decoder');
    await runtime.close();
  });
});

describe.each(['float32', 'int8'] as const)('a forward pass in %s', (precision) => {
  it('is charged with what the schedule foresees, which is what the engine holds', async () => {
    const runtime = await createRuntime({ threads: 1, cache: null });
    const model = await openInfinity(runtime, { ...run, precision });
    const reservation = new Reservation();
    const generator = await model.prepareStates(tinyStates(5), new Ledger(), {}, { reservation });
    const empty = generator.begin();
    const { bytes } = await runtime.stats();
    const held = reservation.held;
    const [first] = await generator.extend([{ prefix: empty, draw: RandomKey.fromSeed(0) }]);
    const { bits } = model.core.config;
    const { heldBytes } = generator.schedule.steps[0] ?? {};
    // Beside it the drawn prefix has its bits, a byte each; the logits, two float32 a bit, are not in the engine.
    expect(reservation.held - held).toBe((heldBytes ?? NaN) + bits);
    expect((await runtime.stats()).bytes - bytes).toBe((heldBytes ?? NaN) - 2 * bits * 4);
    first?.release();
    empty.release();
    generator.close();
    await model.close();
    await runtime.close();
  });
});

/** Pictures of all scales, of two, and of two at the last size, of some prefixes whose bits are the same in every model. */
async function decoded(precision: Precision, previews?: 'float32' | 'int8'): Promise<Image[][]> {
  const runtime = await createRuntime({ threads: 1, cache: null });
  const model = await openInfinity(runtime, { ...run, precision, ...(previews ? { previews } : {}) });
  const generator = await model.prepareStates(tinyStates(5), new Ledger());
  const bitsOf = (step: number, i: number): Uint8Array =>
    Uint8Array.from(
      RandomKey.fromSeed(i)
        .fold(step)
        .uniform((step + 1) ** 2 * model.core.config.bits),
      (u) => Number(u < 0.5),
    );
  const prefixes = [0, 1, 2].map((i) => {
    const first = generator.force(generator.begin(), bitsOf(0, i));
    const second = generator.force(first, bitsOf(1, i));
    return [generator.force(second, bitsOf(2, i)), second] as const;
  });
  const [complete, unfinished] = [0, 1].map((at) => prefixes.map((pair) => pair[at] as InfinityPrefix));
  // In one call, and mixed: what is decoded together must not matter.
  const mixed = await generator.decode(prefixes.flat(), 'full');
  const found = [
    await generator.decode(complete ?? [], 'own'),
    await generator.decode(unfinished ?? [], 'own'),
    mixed.filter((_, i) => i % 2 === 1),
  ];
  expect(mixed.filter((_, i) => i % 2 === 0)).toEqual(found[0]);
  await model.close();
  await runtime.close();
  return found;
}

it('int8 decodes unfinished pictures in 8 bits, and complete ones as float32 does', async () => {
  const [exact, coarse, other] = [
    await decoded('float32'),
    await decoded('int8'),
    await decoded('int8', 'float32'),
  ];
  expect(other).toEqual(exact);
  const [complete, ...unfinished] = coarse;
  expect(complete).toEqual(exact[0]);
  for (const [kind, images] of unfinished.entries()) {
    for (const [i, { data }] of images.entries()) {
      const expected = exact[kind + 1]?.[i]?.data ?? new Uint8Array();
      expect(data).not.toEqual(expected);
      const distance = data.reduce((sum, value, at) => sum + Math.abs(value - (expected[at] ?? NaN)), 0);
      expect(distance / data.length).toBeLessThan(6);
    }
  }
});

it('is among the options of a model opened so, and no other can be asked of it', async () => {
  const runtime = await createRuntime({ threads: 1, cache: null });
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

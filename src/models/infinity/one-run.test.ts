// Rollouts as one run against step by step, on the processor: the same pictures, counts and faults.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type TinyOptions, tinyStates, writeTinyInfinity } from '../../../test/fakes/tiny-infinity.js';
import { damagedCopy } from '../../../test/fixtures/damaged-copy.js';
import { Ledger } from '../../core/ledger.js';
import type { OptionValues } from '../../core/options.js';
import { type Draw, RandomKey } from '../../core/random.js';
import type { Precision } from '../../runtime/graph/index.js';
import { createRuntime, type Runtime } from '../../runtime/index.js';
import type { Generator, Prefix } from '../contract.js';
import { type InfinityOptions, openInfinity } from './model.js';
import { sampleBits, type SamplingOptions, thresholds } from './sampling.js';

// Wider than high, and no side a multiple of the one before.
const scales = [
  [1, 1],
  [2, 3],
  [3, 5],
].map(([height = 0, width = 0]) => ({ height, width }));
const folder = mkdtempSync(join(tmpdir(), 'varsearch-test-'));
const files = writeTinyInfinity(folder);
let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 2, cache: null });
});
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true });
});

const draws = (count: number): Draw[] =>
  Array.from({ length: count }, (_, i) => RandomKey.fromSeed(7).fold(i));

/** Pictures drawn step by step. */
async function stepByStep(generator: Generator, wanted: readonly Draw[], until: number): Promise<Prefix[]> {
  const root = generator.begin();
  let prefixes: Prefix[] = wanted.map(() => root.retain());
  root.release();
  for (let step = 1; step <= until; step++) {
    const next = await generator.extend(
      wanted.map((draw, i) => ({ prefix: prefixes[i] as Prefix, draw: draw.fold(step) })),
    );
    for (const prefix of prefixes) prefix.release();
    prefixes = next;
  }
  return prefixes;
}

async function inOneRun(generator: Generator, wanted: readonly Draw[], until: number): Promise<Prefix[]> {
  if (!generator.rollOut) throw new Error('there are no rollouts in one run');
  return generator.rollOut(wanted, until);
}

/** Uses a generator of a model that has rollouts, and closes both. */
async function withGenerator<T>(
  use: (generator: Generator) => Promise<T>,
  { values = {}, ...options }: Partial<InfinityOptions> & { readonly values?: OptionValues } = {},
): Promise<T> {
  const model = await openInfinity(runtime, {
    name: 'tiny',
    ...files,
    schedule: { scales, rotary: scales },
    defaults: { cfg: 3, temperature: 1 },
    oneRun: true,
    ...options,
  });
  const generator = await model.prepareStates(tinyStates(5), new Ledger(), values);
  try {
    return await use(generator);
  } finally {
    generator.close();
    await model.close();
  }
}

/** The states of prefixes, which are released. */
function states(generator: Generator, prefixes: readonly Prefix[]): Uint8Array[] {
  return prefixes.map((prefix) => {
    const state = generator.pack(prefix);
    prefix.release();
    return state;
  });
}

async function compared(
  count: number,
  {
    until = scales.length,
    ...options
  }: Parameters<typeof withGenerator>[1] & { readonly until?: number } = {},
): Promise<Uint8Array[]> {
  return withGenerator(async (generator) => {
    const expected = states(generator, await stepByStep(generator, draws(count), until));
    const found = states(generator, await inOneRun(generator, draws(count), until));
    expect(found).toEqual(expected);
    expect(new Set(expected.map(String)).size).toBe(count);
    return found;
  }, options);
}

describe('a rollout as one run', () => {
  it.each<[string, TinyOptions, Parameters<typeof withGenerator>[1]]>([
    ['with guidance', {}, {}],
    ['without', {}, { values: { cfg: 1 } }],
    [
      'with guidance and temperature of each scale',
      {},
      { values: { cfg: [1, 3, 5], temperature: [2, 1, 0.7] } },
    ],
    ['with guidance between blocks', {}, { cfgInsertionLayer: [-1] }],
    ['with nucleus sampling', {}, { values: { topP: 0.8 } }],
    ['with patches', { patch: 2 }, {}],
  ])('draws the bits of step by step, %s', async (name, tiny, options) => {
    const made = Object.keys(tiny).length > 0 ? writeTinyInfinity(join(folder, name), tiny) : {};
    await compared(4, { ...made, ...options });
  });

  it.each<Precision>(['int8', 'float16'])('draws them in %s', async (precision) => {
    await compared(4, { precision });
  });

  it('draws a picture the same, whatever is drawn beside it and in how many runs', async () => {
    const four = await compared(4);
    expect(await compared(1)).toEqual(four.slice(0, 1));
    expect(await compared(4, { memory: 1 })).toEqual(four);
  });

  it('stops at a preview, which can be completed', async () => {
    await compared(3, { until: 2 });
    await withGenerator(async (generator) => {
      const [draw] = draws(1) as [Draw];
      const [preview] = await inOneRun(generator, [draw], 2);
      const [complete] = await generator.extend([{ prefix: preview as Prefix, draw: draw.fold(3) }]);
      preview?.release();
      const whole = await inOneRun(generator, [draw], 3);
      expect(states(generator, [complete as Prefix])).toEqual(states(generator, whole));
    });
  });

  it('counts what it has run', async () => {
    const counts = async (memory: number) =>
      withGenerator(
        async (generator) => {
          states(generator, await inOneRun(generator, draws(3), scales.length));
          const { milliseconds, ...counted } = generator.ledger.record();
          expect(milliseconds.load).toBeGreaterThan(0);
          return counted;
        },
        { memory },
      );
    // 1, 6 and 15 tokens; the first scale once a run.
    expect(await counts(1e9)).toMatchObject({ nfe: 9, forwardCalls: 1, forwards: 7, tokens: 64 });
    expect(await counts(1)).toMatchObject({ nfe: 9, forwardCalls: 3, forwards: 9, tokens: 66 });
  });

  it('stops between runs when it is cancelled, and leaves nothing behind', async () => {
    await withGenerator(
      async (generator) => {
        const controller = new AbortController();
        const cancelling: Draw = {
          ...(draws(1)[0] as Draw),
          fold: (step) => {
            controller.abort();
            return RandomKey.fromSeed(1).fold(step);
          },
        };
        const { signal } = controller;
        const drawn = generator.rollOut?.([...draws(1), cancelling, ...draws(1)], 3, { signal });
        await expect(drawn).rejects.toThrow('aborted');
        expect(generator.ledger.record()).toMatchObject({ forwardCalls: 2, nfe: 0 });
      },
      { memory: 1 },
    );
  });

  it.each([
    [NaN, 'not finite numbers'],
    [0, 'all the same'],
  ])('tells of logits that are %d', async (value, fault) => {
    const weight = damagedCopy(files.transformer, join(folder, 'w.safetensors'), 'head.weight', value);
    const transformer = damagedCopy(weight, join(folder, 'wb.safetensors'), 'head.bias', 0);
    const drawing = withGenerator((generator) => inOneRun(generator, draws(2), 3), { transformer });
    await expect(drawing).rejects.toThrow(`wb.safetensors: the logits of scale 1 are ${fault}`);
  });

  it('is left out where it was not asked for on the processor', async () => {
    const { oneRun: _, ...usual } = { oneRun: undefined };
    await withGenerator(
      (generator) => {
        expect(generator.rollOut).toBeUndefined();
        return Promise.resolve();
      },
      { ...usual, oneRun: false },
    );
  });
});

describe('thresholds', () => {
  it.each<Partial<SamplingOptions>>([
    {},
    { temperature: 0.3 },
    { topK: 1 },
    { topP: 0.4 },
    { topP: 0.9 },
    { topP: 1 },
  ])('decide as sampling does: %o', (given) => {
    const options = { temperature: 1, topK: 0, topP: 0, ...given };
    const draw = RandomKey.fromSeed(3);
    const count = 20_000;
    const logits = Float32Array.from(draw.fold(1).normal(2 * count), (z) => 2 * z);
    const bits = Array.from(thresholds(draw.uniform(count), options), (threshold, i) =>
      threshold < Math.fround((logits[2 * i + 1] ?? 0) - (logits[2 * i] ?? 0)) ? 1 : 0,
    );
    expect(bits).toEqual(Array.from(sampleBits(logits, draw, options)));
  });
});

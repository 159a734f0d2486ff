import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { tinyStates, writeTinyInfinity } from '../../../test/fakes/tiny-infinity.js';
import { damagedCopy } from '../../../test/fixtures/damaged-copy.js';
import { Ledger } from '../../core/ledger.js';
import type { OptionValues } from '../../core/options.js';
import { RandomKey } from '../../core/random.js';
import { createRuntime, type Runtime } from '../../runtime/index.js';
import { openWeights, type TensorToWrite, writeSafetensors } from '../../runtime/weights/index.js';
import { infinityConfig } from './config.js';
import type { InfinityGenerator } from './generator.js';
import { type InfinityModel, type InfinityOptions, openInfinity } from './model.js';
import type { InfinityPrefix } from './prefix.js';

const sides = [1, 2, 3, 5];
const scales = sides.map((side) => ({ height: side, width: side }));
const folder = mkdtempSync(join(tmpdir(), 'varsearch-test-'));
const files = writeTinyInfinity(folder);
const draw = RandomKey.fromSeed(5);
let runtime: Runtime;

beforeAll(async () => {
  runtime = await createRuntime({ threads: 2 });
});
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true });
});

function open(
  rest: Partial<Pick<InfinityOptions, 'memory' | 'cfgInsertionLayer' | 'piecesFrom' | 'precision'>> = {},
): Promise<InfinityModel> {
  const defaults = { cfg: 3, temperature: 1 };
  return openInfinity(runtime, {
    name: 'tiny',
    ...files,
    schedule: { scales, rotary: scales },
    defaults,
    ...rest,
  });
}

/** Runs `work` with a generator and checks that nothing is left behind. */
async function withGenerator<T>(
  work: (generator: InfinityGenerator, ledger: Ledger) => Promise<T>,
  options: OptionValues = {},
  rest: Parameters<typeof open>[0] = {},
): Promise<T> {
  const model = await open(rest);
  const ledger = new Ledger();
  const before = await runtime.stats();
  const generator = await model.prepareStates(tinyStates(5), ledger, options);
  const result = await work(generator, ledger);
  generator.close();
  const after = await runtime.stats();
  expect({ tensors: after.tensors, bytes: after.bytes }).toEqual({
    tensors: before.tensors,
    bytes: before.bytes,
  });
  await model.close();
  return result;
}

/** Draws `count` whole rollouts from the empty prefix; the caller releases them. */
async function rollouts(generator: InfinityGenerator, count: number): Promise<InfinityPrefix[]> {
  const root = generator.begin();
  let prefixes = Array.from({ length: count }, () => root.retain());
  root.release();
  for (let scale = 1; scale <= scales.length; scale++) {
    const next = await generator.extend(
      prefixes.map((prefix, i) => ({ prefix, draw: draw.fold(i).fold(scale) })),
    );
    for (const prefix of prefixes) prefix.release();
    prefixes = next;
  }
  return prefixes;
}

const bitsOf = (prefix: InfinityPrefix): number[][] => prefix.chain().map(({ bits }) => [...bits]);

async function drawBits(count: number, options: OptionValues = {}, rest: Parameters<typeof open>[0] = {}) {
  return withGenerator(
    async (generator) => {
      const complete = await rollouts(generator, count);
      const bits = complete.map(bitsOf);
      for (const prefix of complete) prefix.release();
      return bits;
    },
    options,
    rest,
  );
}

describe('the Infinity generator', () => {
  it('draws the same bits whatever the micro-batch', async () => {
    const together = await drawBits(7);
    expect(new Set(together.map((bits) => JSON.stringify(bits))).size).toBeGreaterThan(1);
    // A budget of nothing runs every prefix by itself.
    expect(await drawBits(7, {}, { memory: 1 })).toEqual(together);
    expect((await drawBits(3))[2]).toEqual(together[2]);
  });

  it('draws the same bits where keys and values are fed as they lie', async () => {
    const together = await drawBits(7);
    expect(await drawBits(7, {}, { piecesFrom: 0 })).toEqual(together);
    const { scratchBytes: before } = await runtime.stats();
    // One by one, so that nothing is put together: the engine has no memory for that.
    expect(await drawBits(7, {}, { piecesFrom: 0, memory: 1 })).toEqual(together);
    expect((await runtime.stats()).scratchBytes).toBe(before);
    // Two go together for the second scale and alone from there: pieces of a copy, and outputs.
    await withGenerator(
      async (generator) => {
        const root = generator.begin();
        const at = (i: number, scale: number) => draw.fold(i).fold(scale);
        let pair = await generator.extend([0, 1].map((i) => ({ prefix: root, draw: at(i, 1) })));
        root.release();
        for (let scale = 2; scale <= scales.length; scale++) {
          const requests = pair.map((prefix, i) => ({ prefix, draw: at(i, scale) }));
          const next =
            scale === 2
              ? await generator.extend(requests)
              : [
                  ...(await generator.extend(requests.slice(0, 1))),
                  ...(await generator.extend(requests.slice(1))),
                ];
          for (const prefix of pair) prefix.release();
          pair = next;
        }
        expect(pair.map(bitsOf)).toEqual(together.slice(0, 2));
        for (const prefix of pair) prefix.release();
      },
      {},
      { piecesFrom: 0 },
    );
  });

  it('keeps no keys and values that nobody can read any more', async () => {
    await withGenerator(async (generator, ledger) => {
      const { bytes: empty } = await runtime.stats();
      const [complete] = await rollouts(generator, 1);
      expect((await runtime.stats()).bytes).toBe(empty);
      // Whoever goes on from a stage of it all the same gets what it was before, for the same passes again.
      const stages = generator.stages(complete as InfinityPrefix);
      const { forwards } = ledger.record();
      const [again] = await generator.extend([
        { prefix: stages[2] as InfinityPrefix, draw: draw.fold(0).fold(4) },
      ]);
      expect(bitsOf(again as InfinityPrefix)).toEqual(bitsOf(complete as InfinityPrefix));
      expect(ledger.record().forwards - forwards).toBe(3);
      const { bytes: held } = await runtime.stats();
      expect(held).toBeGreaterThan(empty);
      for (const each of stages) each.release();
      expect((await runtime.stats()).bytes).toBe(empty);
      complete?.release();
      again?.release();
    });
  });

  it.each(['float32', 'int8'] as const)('keeps what the schedule says, in %s', async (precision) => {
    for (const count of [1, 2]) {
      await withGenerator(
        async (generator) => {
          const root = generator.begin();
          const each = await generator.extend(
            Array.from({ length: count }, (_, i) => ({ prefix: root, draw: draw.fold(i) })),
          );
          const { bytes: first } = await runtime.stats();
          await generator.computeForwards(each);
          const { bytes } = await runtime.stats();
          const { heldBytes = NaN, tokens = NaN } = generator.schedule.steps[1] ?? {};
          // Logits are in this thread: two of each of 4 bits a token.
          expect(bytes - first).toBe(count * (heldBytes - tokens * 2 * 4 * 4));
          for (const prefix of [root, ...each]) prefix.release();
        },
        {},
        { precision },
      );
    }
  });

  it('keeps those of a prefix that somebody owns, or that an unfinished one goes on from', async () => {
    await withGenerator(async (generator, ledger) => {
      const root = generator.begin();
      const [one] = await generator.extend([{ prefix: root, draw }]);
      root.release();
      const [two] = await generator.extend([{ prefix: one as InfinityPrefix, draw }]);
      const [three] = await generator.extend([{ prefix: two as InfinityPrefix, draw }]);
      two?.release();
      const [four] = await generator.extend([{ prefix: three as InfinityPrefix, draw }]);
      const { forwards } = ledger.record();
      expect(forwards).toBe(4);
      // The third is still owned: another of its children needs nothing anew. Then only the first is.
      const more = await generator.extend([{ prefix: three as InfinityPrefix, draw: draw.fold(1) }]);
      three?.release();
      more.push(...(await generator.extend([{ prefix: one as InfinityPrefix, draw: draw.fold(2) }])));
      expect(ledger.record().forwards).toBe(4);
      for (const each of [one, four, ...more]) each?.release();
    });
  });

  it('draws a scale by the guidance and the temperature of that scale', async () => {
    const usual = await drawBits(3);
    const changedAt = async (options: OptionValues): Promise<number> => {
      const bits = await drawBits(3, options);
      return (
        bits
          .flatMap((chain, i) => chain.findIndex((own, k) => String(own) !== String(usual[i]?.[k])))
          .find((k) => k > 0) ?? 0
      );
    };
    for (const option of ['cfg', 'temperature']) {
      const value = option === 'cfg' ? 3 : 1;
      expect(await changedAt({ [option]: [value, value, value, value] })).toBe(0);
      expect(await changedAt({ [option]: [value, value, 9, 9] })).toBe(3);
    }
  });

  it('packs a prefix into its bits, and computes what is missing when the unpacked one is extended', async () => {
    await withGenerator(async (generator, ledger) => {
      const [complete] = await rollouts(generator, 1);
      if (!complete?.parent) throw new Error('no rollout');
      const state = generator.pack(complete.parent);
      // Two bytes say what it is; 1 + 4 + 9 tokens of 4 bits follow.
      expect(state).toHaveLength(2 + 7);
      const before = ledger.record();
      const unpacked = generator.unpack(state);
      expect(bitsOf(unpacked)).toEqual(bitsOf(complete.parent));
      expect(ledger.record()).toEqual(before);
      const [again] = await generator.extend([{ prefix: unpacked, draw: draw.fold(0).fold(4) }]);
      expect(bitsOf(again as InfinityPrefix)).toEqual(bitsOf(complete));
      const { forwards, forwardCalls, tokens } = ledger.record();
      expect(forwards - before.forwards).toBe(4);
      expect(forwardCalls - before.forwardCalls).toBe(4);
      expect(tokens - before.tokens).toBe(1 + 4 + 9 + 25);
      for (const prefix of [complete, unpacked, again]) prefix?.release();
      for (const wrong of [[], [2, 0], [1, 5], [1, 1], [1, 1, 0, 0], [1, 0, 0]]) {
        expect(() => generator.unpack(Uint8Array.from(wrong))).toThrow(/packed prefix/);
      }
    });
  });

  it('has room for as many rollouts as half of the memory holds the keys, values and logits of', async () => {
    // Keys and values of 1 + 4 + 9 tokens, 32 wide, in two blocks and two branches, in bytes of float32; and the logits of
    // 4 bits of those and of 25 tokens more.
    const rollout = 14 * 32 * 2 * 2 * 2 * 4 + 39 * 2 * 4 * 4;
    const rooms = (memory: number) =>
      withGenerator(
        (generator) =>
          Promise.resolve([
            generator.room(0, 4),
            generator.room(0, 2),
            generator.room(2, 4),
            generator.room(3, 4),
          ]),
        {},
        { memory },
      );
    expect(await rooms(2 * 5 * rollout)).toEqual([5, 14, 7, 64]);
    expect(await rooms(1)).toEqual([1, 1, 1, 1]);
    expect(await rooms(1e9)).toEqual([64, 64, 64, 64]);
  });

  it('computes a forward pass once for all that extend a prefix, now or later', async () => {
    await withGenerator(async (generator, ledger) => {
      const root = generator.begin();
      const children = await generator.extend([0, 1, 2].map((i) => ({ prefix: root, draw: draw.fold(i) })));
      expect(ledger.record()).toMatchObject({ nfe: 3, forwards: 1, forwardCalls: 1, tokens: 1 });
      const again = await generator.extend([{ prefix: root, draw: draw.fold(9) }]);
      expect(ledger.record()).toMatchObject({ nfe: 4, forwards: 1 });
      const grandchildren = await generator.extend(children.map((prefix) => ({ prefix, draw })));
      expect(ledger.record()).toMatchObject({ nfe: 7, forwards: 4, forwardCalls: 2, tokens: 1 + 3 * 4 });
      for (const prefix of [root, ...children, ...again, ...grandchildren]) prefix.release();
    });
  });

  it('gives the logits of a whole recomputation when the keys and values are reused', async () => {
    const reused = await withGenerator(async (generator) => {
      const [first, second] = await rollouts(generator, 2);
      const logits = [first, second].map((p) => p?.parent?.forward?.logits);
      const bits = [first, second].map((p) => bitsOf(p as InfinityPrefix));
      first?.release();
      second?.release();
      return { logits, bits };
    });
    await withGenerator(async (generator) => {
      for (const [i, chain] of reused.bits.entries()) {
        let prefix = generator.begin();
        for (const bits of chain.slice(1)) {
          await generator.computeForwards([prefix]);
          const next = generator.force(prefix, Uint8Array.from(bits));
          prefix.release();
          prefix = next;
        }
        const alone = prefix.parent?.forward?.logits;
        expect(alone).toHaveLength(reused.logits[i]?.length ?? -1);
        alone?.forEach((x, j) => {
          expect(Math.abs(x - (reused.logits[i]?.[j] ?? 0))).toBeLessThan(1e-4);
        });
        prefix.release();
      }
    });
  });

  it('decodes complete prefixes and smaller previews', async () => {
    await withGenerator(async (generator, ledger) => {
      const [complete] = await rollouts(generator, 1);
      if (!complete?.parent) throw new Error('no rollout');
      const [picture, preview] = await generator.decode([complete, complete.parent], 'own');
      expect([picture?.width, picture?.height, preview?.width]).toEqual([10, 10, 6]);
      expect(picture?.data).toHaveLength(300);
      const [full] = await generator.decode([complete.parent], 'full');
      expect([full?.width, full?.height]).toEqual([10, 10]);
      expect(full).not.toEqual(picture);
      expect(ledger.record()).toMatchObject({ imagesDecoded: 3 });
      complete.release();
    });
  });

  it('runs one branch without guidance, and the same as guidance of strength one', async () => {
    const alone = await drawBits(2, { cfg: 1 });
    // One scale with guidance asks for both branches; greedy bits of the others do not see it.
    const greedy = { cfg: [1, 1, 1, 1.5], topK: 1 };
    const both = await drawBits(1, greedy);
    const single = await drawBits(1, { cfg: 1, topK: 1 });
    expect(both[0]?.slice(0, 4)).toEqual(single[0]?.slice(0, 4));
    expect(alone).not.toEqual(await drawBits(2, { cfg: 3 }));
  });

  it('applies guidance after a block where asked to', async () => {
    const onLogits = await drawBits(2, { topK: 1 });
    const afterBlock = await drawBits(2, { topK: 1 }, { cfgInsertionLayer: [-1] });
    expect(afterBlock).not.toEqual(onLogits);
    await expect(open({ cfgInsertionLayer: [-2] })).rejects.toThrow('cfg_insertion_layer -2 is not valid');
  });

  it('refuses what does not belong together', async () => {
    await withGenerator(async (generator) => {
      const root = generator.begin();
      expect(() => generator.force(root, new Uint8Array(3))).toThrow('scale 1 has 4 bits, got 3');
      expect(() => {
        generator.close();
      }).toThrow('1 prefixes were not released');
      root.release();
      expect(() => {
        root.release();
      }).toThrow('used after its release');
      const other = await withGenerator((stranger) => {
        const prefix = stranger.begin();
        prefix.release();
        return Promise.resolve(prefix);
      });
      await expect(generator.extend([{ prefix: other, draw }])).rejects.toThrow(
        'belongs to another generator',
      );
    });
  });

  it('stops between micro-batches when it is cancelled', async () => {
    await withGenerator(async (generator) => {
      const root = generator.begin();
      const signal = AbortSignal.abort();
      await expect(generator.extend([{ prefix: root, draw }], { signal })).rejects.toThrow('aborted');
      root.release();
    });
  });

  it('takes any size and ratio of the official table', async () => {
    const model = await openInfinity(runtime, {
      name: 'tiny',
      ...files,
      schedule: 'official',
      defaults: { cfg: 1, temperature: 1 },
    });
    const last = async (options: OptionValues) => {
      const generator = await model.prepareStates(tinyStates(3), new Ledger(), options);
      generator.close();
      return [generator.scales.length, generator.scales.at(-1)];
    };
    expect(await last({})).toEqual([13, { height: 64, width: 64 }]);
    expect(await last({ size: '0.06M', aspectRatio: 0.75 })).toEqual([7, { height: 15, width: 20 }]);
    await expect(last({ size: 'big' })).rejects.toThrow("unknown picture size 'big'");
    await model.close();
  });

  it('says what is wrong with options', async () => {
    const model = await open();
    const prepare = (options: OptionValues) => model.prepareStates(tinyStates(3), new Ledger(), options);
    await expect(prepare({ temperature: 0 })).rejects.toThrow(
      "option 'temperature' must be a number above 0",
    );
    await expect(prepare({ cfg: [1, 2] })).rejects.toThrow(
      "option 'cfg' lists 2 numbers, but the model has 4 scales",
    );
    await expect(prepare({ temperature: [1, 2, 3, 4, 5] })).rejects.toThrow(
      "option 'temperature' lists 5 numbers, but the model has 4 scales",
    );
    await expect(prepare({ steps: 3 })).rejects.toThrow("tiny does not take the option 'steps'");
    await expect(prepare({ size: '1M' })).rejects.toThrow('pictures of one size and ratio');
    await expect(model.prepareStates(tinyStates(17), new Ledger())).rejects.toThrow('takes at most 16');
    await model.close();
  });
});

describe('damaged weights', () => {
  const inFolder = (name: string): string => join(folder, name);
  const drawOne = async (changed: Partial<typeof files>, view: 'own' | 'full'): Promise<void> => {
    const model = await openInfinity(runtime, {
      name: 'tiny',
      ...files,
      ...changed,
      schedule: { scales, rotary: scales },
      defaults: { cfg: 3, temperature: 1 },
    });
    const before = await runtime.stats();
    const generator = await model.prepareStates(tinyStates(5), new Ledger());
    const empty = generator.begin();
    try {
      const [prefix] = await generator.extend([{ prefix: empty, draw }]);
      try {
        await generator.decode([prefix as InfinityPrefix], view);
      } finally {
        prefix?.release();
      }
    } finally {
      empty.release();
      generator.close();
      expect((await runtime.stats()).tensors).toBe(before.tensors);
      await model.close();
    }
  };

  it.each([
    [NaN, 'not finite numbers'],
    [Infinity, 'not finite numbers'],
    [0, 'all the same'],
  ])(
    'of %d in the transformer are an error that names its logits, and nothing is left behind',
    async (value, fault) => {
      const transformer = damagedCopy(files.transformer, inFolder('t.safetensors'), 'head.weight', value);
      const bias = damagedCopy(transformer, inFolder('t0.safetensors'), 'head.bias', 0);
      await expect(drawOne({ transformer: bias }, 'full')).rejects.toThrow(
        `t0.safetensors: the logits of scale 1 are ${fault}`,
      );
    },
  );

  it.each([
    [NaN, 'not finite numbers'],
    [0, 'all the same'],
  ])('of %d in the VAE are an error that names its pictures', async (value, fault) => {
    const vae = damagedCopy(files.vae, inFolder('v.safetensors'), 'decoder.conv_out.conv.weight', value);
    for (const view of ['own', 'full'] as const) {
      await expect(drawOne({ vae }, view)).rejects.toThrow(
        `v.safetensors: the autoencoder's pictures are ${fault}`,
      );
    }
  });
});

describe('a training checkpoint', () => {
  const under = (prefix: string): string => {
    const source = openWeights(files.transformer);
    const to = join(folder, `under-${prefix}safetensors`);
    const tensors = source.names.map((name): [string, TensorToWrite] => [
      prefix + name,
      { dtype: 'F32', shape: source.info(name).shape, data: source.read(name) },
    ]);
    source.close();
    writeSafetensors(to, new Map(tensors));
    return to;
  };

  it('is read under the prefix that the official code takes out, and others that are plain', async () => {
    const first = async (transformer: string): Promise<Uint8Array> => {
      const source = openWeights(transformer);
      expect(infinityConfig(source).depth).toBeGreaterThan(0);
      source.close();
      const model = await openInfinity(runtime, {
        name: 'tiny',
        ...files,
        transformer,
        schedule: { scales, rotary: scales },
        defaults: { cfg: 3, temperature: 1 },
      });
      const generator = await model.prepareStates(tinyStates(5), new Ledger());
      const empty = generator.begin();
      const [prefix] = await generator.extend([{ prefix: empty, draw }]);
      const state = generator.pack(prefix as InfinityPrefix);
      for (const each of [empty, prefix]) each?.release();
      generator.close();
      await model.close();
      return state;
    };
    const plain = await first(files.transformer);
    for (const prefix of ['trainer.gpt_fsdp.', 'module.']) expect(await first(under(prefix))).toEqual(plain);
    await expect(first(under('my.thing.'))).rejects.toThrow(
      "has the tensors of this model under 'my.thing.'",
    );
  });
});

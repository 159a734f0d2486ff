// The transformer against its definition in float64, in both layouts and in float8, and what is said of wrong files.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  diffusersTransformer,
  type FloatTensor,
  TINY_FLUX,
  tinyAutoencoderTensors,
  tinyFluxTensors,
  writeDiffusersFlux,
} from '../../../test/fixtures/tiny-flux.js';
import { RandomKey } from '../../core/random.js';
import { type Precision, PRECISIONS } from '../../runtime/graph/index.js';
import { createRuntime, GraphCache, type Runtime } from '../../runtime/index.js';
import { openWeights, type TensorToWrite, writeSafetensors } from '../../runtime/weights/index.js';
import { FLUX_DEV, fluxConfig } from './config.js';
import { fluxMemory, fluxParameters, fluxStepFlops, fluxWeightBytes } from './cost.js';
import { fluxTensors } from './names.js';
import { fluxByDefinition } from './reference.suite.js';
import { pictureIds } from './rotary.js';
import { type FluxRow, openFluxTransformer } from './transformer.js';
import { buildFluxGraph } from './transformer-graph.js';

const HINTS = { axes: TINY_FLUX.axes };
const TEXT_TOKENS = 5;

let folder: string;
let runtimes: Runtime[];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'varsearch-flux-'));
  runtimes = [await createRuntime({ threads: 1 }), await createRuntime({ threads: 2 })];
});
afterAll(async () => {
  for (const runtime of runtimes) await runtime.close();
  rmSync(folder, { recursive: true });
});

let files = 0;
function write(tensors: ReadonlyMap<string, TensorToWrite>): string {
  const path = join(folder, `${files++}.safetensors`);
  writeSafetensors(path, tensors);
  return path;
}

let draws = 0;
function random(count: number): Float32Array {
  return Float32Array.from(RandomKey.fromSeed(8).fold(draws++).uniform(count), (u) => 3 * u - 1.5);
}

function drawRows(count: number, tokens: number, guided: boolean): FluxRow[] {
  return Array.from({ length: count }, (_, i) => ({
    latent: random(tokens * TINY_FLUX.channels),
    text: {
      states: random(TEXT_TOKENS * TINY_FLUX.contextWidth),
      tokens: TEXT_TOKENS,
      pooled: random(TINY_FLUX.vectorWidth),
    },
    time: (i + 1) / (count + 1),
    ...(guided ? { guidance: 1 + i } : {}),
  }));
}

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array): number =>
    x.reduce((sum, value, i) => sum + value * (y[i] ?? 0), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

const worst = (found: ArrayLike<number>, expected: readonly number[]): number => {
  expect(found).toHaveLength(expected.length);
  return expected.reduce((most, value, i) => Math.max(most, Math.abs(value - found[i]!)), 0);
};

describe('a prediction', () => {
  it.each([
    ['of a dev', { guidance: true, qkvBias: true }],
    ['of a schnell without biases in its projections', { guidance: false, qkvBias: false }],
  ])('%s is what the definition gives', async (_, kind) => {
    const tensors = tinyFluxTensors(kind);
    const transformer = await openFluxTransformer(runtimes[0]!, write(tensors), { hints: HINTS });
    const ids = pictureIds({ height: 3, width: 2 });
    ids[0] = 1; // a token of a second picture
    const rows = drawRows(2, 6, kind.guidance);
    const found = await transformer.predict(rows, ids);
    rows.forEach((row, i) => {
      const expected = fluxByDefinition(transformer.config, tensors, row, ids);
      // Sinusoids have arguments of some thousands: float32's last bit of a frequency shows.
      expect(worst(found[i]!, expected)).toBeLessThan(2e-4);
      expect(worst(found[i]!, found[1 - i] as unknown as number[])).toBeGreaterThan(0.1);
    });
    transformer.close();
  });

  it('is the same, bit by bit, in both layouts, and in shards', async () => {
    const tensors = tinyFluxTensors();
    writeDiffusersFlux(join(folder, 'diffusers'));
    const ids = pictureIds({ height: 2, width: 2 });
    const rows = drawRows(1, 4, true);
    const paths = [
      write(tensors),
      write(diffusersTransformer(tensors)),
      join(folder, 'diffusers/transformer'),
    ];
    const comfy = new Map([...tensors].map(([name, tensor]) => [`model.diffusion_model.${name}`, tensor]));
    const found: Float32Array[] = [];
    for (const path of [...paths, write(comfy)]) {
      const transformer = await openFluxTransformer(runtimes[0]!, path, { hints: HINTS });
      found.push(...(await transformer.predict(rows, ids)));
      transformer.close();
    }
    for (const other of found) expect(other).toEqual(found[0]);
  });

  it.each(PRECISIONS)(
    'does not depend on the rows beside it, nor on the threads, in %s',
    async (precision) => {
      const path = write(tinyFluxTensors());
      const ids = pictureIds({ height: 3, width: 3 });
      const rows = drawRows(7, 9, true);
      let whole: Float32Array[] | undefined;
      for (const runtime of runtimes) {
        const transformer = await openFluxTransformer(runtime, path, { hints: HINTS, precision });
        for (const count of [7, 1, 2, 3, 5]) {
          const found = await transformer.predict(rows.slice(-count), ids);
          whole ??= found;
          expect(found).toEqual(whole.slice(-count));
        }
        transformer.close();
      }
    },
  );

  it('in int8 is near that in float32, and the same from the cache of ready graphs', async () => {
    const path = write(tinyFluxTensors());
    const ids = pictureIds({ height: 3, width: 2 });
    const rows = drawRows(3, 6, true);
    const cached = await createRuntime({
      threads: 1,
      cache: new GraphCache(join(folder, 'cache'), { from: 0 }),
    });
    const predict = async (runtime: Runtime, precision: Precision): Promise<Float32Array[]> => {
      const transformer = await openFluxTransformer(runtime, path, { hints: HINTS, precision });
      const found = await transformer.predict(rows, ids);
      transformer.close();
      return found;
    };
    const [float, int] = [await predict(runtimes[0]!, 'float32'), await predict(runtimes[0]!, 'int8')];
    expect(int).not.toEqual(float);
    float.forEach((each, i) => {
      expect(cosine(each, int[i] as Float32Array)).toBeGreaterThan(0.999);
    });
    for (const [precision, wanted] of [
      ['float32', float],
      ['int8', int],
    ] as const) {
      for (let opening = 0; opening < 2; opening++) expect(await predict(cached, precision)).toEqual(wanted);
    }
    expect(await new GraphCache(join(folder, 'cache')).list()).toHaveLength(2);
    await cached.close();
  });

  it('of float8 weights is that of the same weights in float32', async () => {
    // Numbers that float8 holds: a sign, an exponent, a fraction of three bits.
    const bytes = new Map(
      [...tinyFluxTensors()].map(([name, { shape, data }]) => {
        const bits = Uint8Array.from(
          data,
          (x) => (x < 0 ? 0x80 : 0) | Math.min(0x77, Math.round(0x30 + 8 * Math.abs(x))),
        );
        return [name, { dtype: 'F8_E4M3' as const, shape, data: bits }];
      }),
    );
    const path = write(bytes);
    const source = openWeights(path);
    const wide = new Map(
      source.names.map((name): [string, FloatTensor] => {
        return [name, { dtype: 'F32', shape: source.info(name).shape, data: source.read(name) }];
      }),
    );
    source.close();
    const ids = pictureIds({ height: 2, width: 2 });
    const rows = drawRows(1, 4, true);
    const found = [];
    for (const file of [path, write(wide)]) {
      const transformer = await openFluxTransformer(runtimes[0]!, file, { hints: HINTS });
      found.push(...(await transformer.predict(rows, ids)));
      transformer.close();
    }
    expect(found[0]!.some((value) => value !== 0 && Number.isFinite(value))).toBe(true);
    expect(found[0]).toEqual(found[1]);
  });
});

describe('what it costs', () => {
  it.each([{ guidance: true }, { guidance: false }])('is what its graph has ($guidance)', (kind) => {
    const source = openWeights(write(tinyFluxTensors(kind)));
    const weights = fluxTensors(source);
    const config = fluxConfig(weights, HINTS);
    const { model, costs } = buildFluxGraph(config, weights);
    const size = { imageTokens: 12, textTokens: 7 };
    const counts = { row: 1, text: 7, image: 12, tokens: 19, pairs: 19 ** 2 };
    const flops = costs.reduce(
      (sum, { over, multiplications }) => sum + 2 * multiplications * counts[over],
      0,
    );
    expect(fluxStepFlops(config, size)).toBe(flops);
    // Every matrix of the graph is counted once; what is left of its weights are biases, norms and ones for norms.
    const matrices = source.names.filter((name) => source.info(name).shape.length === 2);
    const elements = (name: string): number => source.info(name).byteLength / 4;
    const linear = costs.filter(({ over }) => over !== 'pairs');
    expect(linear.reduce((sum, { multiplications }) => sum + multiplications, 0)).toBe(
      matrices.reduce((sum, name) => sum + elements(name), 0),
    );
    expect(fluxParameters(config)).toBe(source.names.reduce((sum, name) => sum + elements(name), 0));
    expect(model.weightBytes).toBe(4 * (fluxParameters(config) + config.width));
    source.close();
  });

  it.each([{}, { guidance: false }, { qkvBias: false }])(
    'in bytes is what its files and its graph have (%o)',
    (kind) => {
      const tensors = tinyFluxTensors(kind);
      const source = openWeights(write(tensors));
      const weights = fluxTensors(source);
      const config = fluxConfig(weights, HINTS);
      const bytes = (of: (shape: readonly number[], elements: number) => number): number =>
        [...tensors.values()].reduce((sum, { shape, data }) => sum + of(shape, data.length), 0);
      // A file in float8 has a byte for each parameter.
      expect(fluxParameters(config)).toBe(bytes((_, elements) => elements));
      // In int8 a matrix of a block has a byte for each weight and a float32 factor for each row; all else stays float32.
      const { model } = buildFluxGraph(config, weights);
      const int8 = buildFluxGraph(config, weights, 'int8').model;
      expect(int8.weightBytes).toBe(fluxWeightBytes(config, 'int8') + 4 * config.width);
      expect(fluxWeightBytes(config, 'int8')).toBeLessThan(fluxWeightBytes(config, 'float32') / 2);
      // The graph's norms without weights have ones and nothing else.
      expect(model.weightBytes).toBe(fluxWeightBytes(config, 'float32') + 4 * config.width);
      expect(fluxWeightBytes(config, 'float16')).toBe(fluxWeightBytes(config, 'float32') / 2);
      source.close();
    },
  );

  it('in memory is that of weights, of a forward, and of the prefixes that live', () => {
    const size = { imageTokens: 4096, textTokens: 512 };
    const one = fluxMemory(FLUX_DEV, { ...size, precision: 'int8', sequences: 1, prefixes: 1 });
    // 12 GB of a file in float8 stay 12 GB in an int8 graph, and become 48 in float32.
    expect(one.weights / 1e9).toBeCloseTo(12.12, 2);
    expect(fluxWeightBytes(FLUX_DEV, 'float32') / 1e9).toBeCloseTo(47.61, 2);
    expect(one.latents).toBe(2 * 4096 * 64 * 4);
    const more = fluxMemory(FLUX_DEV, { ...size, precision: 'int8', sequences: 2, prefixes: 3 });
    expect(more).toEqual({
      weights: one.weights,
      activations: 2 * one.activations,
      latents: 3 * one.latents,
      total: one.weights + 2 * one.activations + 3 * one.latents,
    });
  });

  it('is known of the official model without its weights', () => {
    expect(fluxParameters(FLUX_DEV)).toBe(11_901_408_320);
    // 4096 tokens of a picture of 1024 x 1024 pixels, 512 of text.
    const flops = fluxStepFlops(FLUX_DEV, { imageTokens: 4096, textTokens: 512 });
    expect(flops / 1e12).toBeCloseTo(74.385, 3);
  });
});

describe('wrong files and wrong inputs', () => {
  const open = (tensors: ReadonlyMap<string, TensorToWrite>, hints = HINTS): Promise<unknown> =>
    openFluxTransformer(runtimes[0]!, write(tensors), { hints });
  const scalar = { dtype: 'F32' as const, shape: [1], data: new Float32Array(1) };
  const without = (name: string, tensors = tinyFluxTensors()): typeof tensors => {
    tensors.delete(name);
    return tensors;
  };

  it.each([
    ['an Infinity', new Map([['word_embed.weight', scalar]]), /is an Infinity transformer, not a FLUX/],
    ['its autoencoder', tinyAutoencoderTensors(), /is an autoencoder, not a FLUX transformer/],
    [
      'a text encoder',
      new Map([['encoder.block.0.layer.0.SelfAttention.q.weight', scalar]]),
      /is a text encoder/,
    ],
    ['a LoRA', new Map([['double_blocks.0.img_attn.qkv.lora_A.weight', scalar]]), /is a LoRA/],
    ['something else', new Map([['x', scalar]]), /is no FLUX transformer/],
    [
      'scaled float8',
      new Map([...tinyFluxTensors(), ['img_in.scale_weight', scalar]]),
      /holds scaled float8 weights/,
    ],
    [
      'a missing tensor',
      without('single_blocks.1.linear2.weight'),
      /has no tensor 'single_blocks\.1\.linear2\.weight'/,
    ],
    ['a missing embedding', without('vector_in.in_layer.weight'), /no tensor 'vector_in\.in_layer\.weight'/],
    [
      'a missing part of a projection',
      without('transformer_blocks.1.attn.to_k.weight', diffusersTransformer(tinyFluxTensors())),
      /has only a part of 'double_blocks\.1\.img_attn\.qkv\.weight'/,
    ],
    [
      'a tensor that nobody knows',
      new Map([...diffusersTransformer(tinyFluxTensors()), ['extra.weight', scalar]]),
      /'extra\.weight' that Diffusers' FLUX does not have/,
    ],
  ])('%s', async (_, tensors, message) => {
    await expect(open(tensors)).rejects.toThrow(message);
  });

  it('heads that the rotary axes do not fill', async () => {
    await expect(open(tinyFluxTensors(), { axes: [4, 4, 4] as never })).rejects.toThrow(/do not fill/);
    await expect(open(tinyFluxTensors(), {} as never)).rejects.toThrow(/'axes_dim'/);
  });

  it('guidance where there is none, none where there is, and texts of another size', async () => {
    const ids = pictureIds({ height: 1, width: 1 });
    const dev = await openFluxTransformer(runtimes[0]!, write(tinyFluxTensors()), { hints: HINTS });
    await expect(dev.predict(drawRows(1, 1, false), ids)).rejects.toThrow(/takes guidance as an input/);
    const [row] = drawRows(1, 1, true);
    const long = { ...row!, text: { ...row!.text, pooled: random(7) } };
    await expect(dev.predict([long], ids)).rejects.toThrow(/the pooled text of row 0 has 7 numbers/);
    expect(await dev.predict([], ids)).toEqual([]);
    dev.close();
    const schnell = await openFluxTransformer(runtimes[0]!, write(tinyFluxTensors({ guidance: false })), {
      hints: HINTS,
    });
    await expect(schnell.predict(drawRows(1, 1, true), ids)).rejects.toThrow(/takes no guidance/);
    schnell.close();
  });
});

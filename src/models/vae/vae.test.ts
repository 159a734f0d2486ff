// The VAE's halves and its quantiser against their definitions in float64, on random weights and both spellings of the keys;
// the decoder also with an attention in its middle, as FLUX's has it.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { RandomKey } from '../../core/random.js';
import { createRuntime, type Runtime } from '../../runtime/index.js';
import { openWeights, writeSafetensors } from '../../runtime/weights/index.js';
import { openVaeDecoder, VaeDecoder } from './decoder.js';
import { openVaeEncoder } from './encoder.js';
import { buildDecoder } from './graph.js';
import { interpolate } from './interpolate.js';
import { tokenise } from './quantiser.js';

const CHANNELS = 5;
const WIDTHS = { fine: 32, coarse: 64 };

/** Planes [channels, height, width] in float64. */
interface Planes {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly data: Float64Array;
}

type Tensors = Map<string, { dtype: 'F32'; shape: number[]; data: Float32Array }>;

function draw(seed: number, shape: readonly number[], spread: number, mean = 0): Float32Array {
  const uniform = RandomKey.fromSeed(17)
    .fold(seed)
    .uniform(shape.reduce((product, dim) => product * dim, 1));
  return Float32Array.from(uniform, (u) => mean + spread * (2 * u - 1));
}

/** A VAE of two levels and a patch of 2 (where it is deep, its decoder has a third and a patch of 4), under the names without the inner `conv` and `norm`. */
function randomVae({
  attention = false,
  fine = WIDTHS.fine,
  coarse = WIDTHS.coarse,
  isDeep = false,
} = {}): Tensors {
  const tensors: Tensors = new Map();
  const add = (name: string, shape: number[], spread: number, mean = 0): void => {
    tensors.set(name, { dtype: 'F32', shape, data: draw(tensors.size, shape, spread, mean) });
  };
  const conv = (name: string, out: number, inner: number, kernel = 3): void => {
    add(`${name}.weight`, [out, inner, kernel, kernel], 1.7 / Math.sqrt(inner * kernel * kernel));
    add(`${name}.bias`, [out], 0.1);
  };
  const norm = (name: string, channels: number): void => {
    add(`${name}.weight`, [channels], 0.3, 1);
    add(`${name}.bias`, [channels], 0.3);
  };
  const block = (name: string, inner: number, out: number): void => {
    norm(`${name}.norm1`, inner);
    conv(`${name}.conv1`, out, inner);
    norm(`${name}.norm2`, out);
    conv(`${name}.conv2`, out, out);
    if (inner !== out) conv(`${name}.nin_shortcut`, out, inner, 1);
  };
  conv('encoder.conv_in', fine, 3);
  block('encoder.down.0.block.0', fine, fine);
  conv('encoder.down.0.downsample.conv', fine, fine);
  block('encoder.down.1.block.0', fine, coarse);
  conv('decoder.conv_in', coarse, CHANNELS);
  for (const half of ['encoder', 'decoder']) {
    block(`${half}.mid.block_1`, coarse, coarse);
    block(`${half}.mid.block_2`, coarse, coarse);
    if (!attention) continue;
    norm(`${half}.mid.attn_1.norm`, coarse);
    for (const part of ['q', 'k', 'v', 'proj_out']) conv(`${half}.mid.attn_1.${part}`, coarse, coarse, 1);
  }
  norm('encoder.norm_out', coarse);
  conv('encoder.conv_out', CHANNELS, coarse);
  if (isDeep) {
    block('decoder.up.2.block.0', coarse, coarse);
    conv('decoder.up.2.upsample.conv', coarse, coarse);
  }
  block('decoder.up.1.block.0', coarse, coarse);
  block('decoder.up.1.block.1', coarse, coarse);
  conv('decoder.up.1.upsample.conv', coarse, coarse);
  block('decoder.up.0.block.0', coarse, fine);
  block('decoder.up.0.block.1', fine, fine);
  norm('decoder.norm_out', fine);
  conv('decoder.conv_out', 3, fine);
  return tensors;
}

/** The same VAE under the names of the official classes: `x.conv.weight`, `x.norm.weight`, all behind `vae.`. */
function officialNames(tensors: Tensors): Tensors {
  const rename = (name: string): string =>
    `vae.${name.replace(/\.(weight|bias)$/, `.${/norm[^.]*\.\w+$/.test(name) ? 'norm' : 'conv'}.$1`)}`;
  return new Map([...tensors].map(([name, tensor]) => [rename(name), tensor]));
}

/** The layers by their definitions. */
class Reference {
  readonly tensors: Tensors;

  constructor(tensors: Tensors) {
    this.tensors = tensors;
  }

  conv(x: Planes, name: string, stride = 1): Planes {
    const { shape, data: w } = this.tensors.get(`${name}.weight`)!;
    const bias = this.tensors.get(`${name}.bias`)!.data;
    const [out, inner, kernel] = shape as [number, number, number, number];
    const before = stride === 2 ? 0 : (kernel - 1) / 2;
    const [height, width] = [x.height / stride, x.width / stride];
    const data = new Float64Array(out * height * width);
    for (let i = 0; i < data.length; i++) {
      const [o, row, column] = [Math.floor(i / (height * width)), Math.floor(i / width) % height, i % width];
      let sum = bias[o]!;
      for (let k = 0; k < inner * kernel * kernel; k++) {
        const c = Math.floor(k / (kernel * kernel));
        const y = row * stride - before + (Math.floor(k / kernel) % kernel);
        const z = column * stride - before + (k % kernel);
        if (y < 0 || z < 0 || y >= x.height || z >= x.width) continue;
        sum += w[o * inner * kernel * kernel + k]! * x.data[(c * x.height + y) * x.width + z]!;
      }
      data[i] = sum;
    }
    return { channels: out, height, width, data };
  }

  /** GroupNorm with 32 groups, then SiLU. */
  activate(x: Planes, name: string): Planes {
    const normed = this.norm(x, name);
    return { ...normed, data: normed.data.map((y) => y / (1 + Math.exp(-y))) };
  }

  norm(x: Planes, name: string): Planes {
    const [weight, bias] = [this.tensors.get(`${name}.weight`)!.data, this.tensors.get(`${name}.bias`)!.data];
    const size = x.data.length / 32;
    const data = new Float64Array(x.data.length);
    for (let group = 0; group < 32; group++) {
      const members = x.data.subarray(group * size, (group + 1) * size);
      const mean = members.reduce((a, b) => a + b, 0) / size;
      const variance = members.reduce((a, b) => a + (b - mean) ** 2, 0) / size;
      for (let i = group * size; i < (group + 1) * size; i++) {
        const channel = Math.floor(i / (x.height * x.width));
        data[i] = ((x.data[i]! - mean) / Math.sqrt(variance + 1e-6)) * weight[channel]! + bias[channel]!;
      }
    }
    return { ...x, data };
  }

  block(x: Planes, name: string): Planes {
    const h = this.conv(this.activate(x, `${name}.norm1`), `${name}.conv1`);
    const y = this.conv(this.activate(h, `${name}.norm2`), `${name}.conv2`);
    const kept = this.tensors.has(`${name}.nin_shortcut.weight`) ? this.conv(x, `${name}.nin_shortcut`) : x;
    return { ...y, data: y.data.map((value, i) => value + kept.data[i]!) };
  }

  /** Two blocks, and between them, where there is one, a single head of attention over all places. */
  middle(x: Planes, name: string): Planes {
    const h = this.block(x, `${name}.block_1`);
    const attended = this.tensors.has(`${name}.attn_1.q.weight`) ? this.attend(h, `${name}.attn_1`) : h;
    return this.block(attended, `${name}.block_2`);
  }

  attend(x: Planes, name: string): Planes {
    const normed = this.norm(x, `${name}.norm`);
    const [q, k, v] = ['q', 'k', 'v'].map((part) => this.conv(normed, `${name}.${part}`)) as [
      Planes,
      Planes,
      Planes,
    ];
    const places = x.height * x.width;
    const at = (map: Planes, channel: number, place: number): number => map.data[channel * places + place]!;
    const data = new Float64Array(x.data.length);
    for (let place = 0; place < places; place++) {
      const scores = Array.from({ length: places }, (_, other) => {
        let score = 0;
        for (let c = 0; c < x.channels; c++) score += at(q, c, place) * at(k, c, other);
        return Math.exp(score / Math.sqrt(x.channels));
      });
      const sum = scores.reduce((a, b) => a + b, 0);
      for (let c = 0; c < x.channels; c++) {
        data[c * places + place] = scores.reduce(
          (total, score, other) => total + (score / sum) * at(v, c, other),
          0,
        );
      }
    }
    const out = this.conv({ ...x, data }, `${name}.proj_out`);
    return { ...x, data: x.data.map((value, i) => value + out.data[i]!) };
  }

  encode(picture: Planes): Planes {
    let h = this.block(this.conv(picture, 'encoder.conv_in'), 'encoder.down.0.block.0');
    h = this.block(this.conv(h, 'encoder.down.0.downsample.conv', 2), 'encoder.down.1.block.0');
    h = this.middle(h, 'encoder.mid');
    return this.conv(this.activate(h, 'encoder.norm_out'), 'encoder.conv_out');
  }

  decode(latent: Planes): Planes {
    let h = this.middle(this.conv(latent, 'decoder.conv_in'), 'decoder.mid');
    for (const name of ['up.1.block.0', 'up.1.block.1']) h = this.block(h, `decoder.${name}`);
    h = this.conv(grown(h), 'decoder.up.1.upsample.conv');
    for (const name of ['up.0.block.0', 'up.0.block.1']) h = this.block(h, `decoder.${name}`);
    return this.conv(this.activate(h, 'decoder.norm_out'), 'decoder.conv_out');
  }
}

function grown({ channels, height, width, data }: Planes): Planes {
  const large = Float64Array.from({ length: 4 * data.length }, (_, i) => {
    const [c, y, x] = [
      Math.floor(i / (4 * height * width)),
      Math.floor(i / (2 * width)) % (2 * height),
      i % (2 * width),
    ];
    return data[(c * height + (y >> 1)) * width + (x >> 1)]!;
  });
  return { channels, height: 2 * height, width: 2 * width, data: large };
}

function planes(channels: number, height: number, width: number, data: Float32Array): Planes {
  return { channels, height, width, data: Float64Array.from(data) };
}

function worst(found: Float32Array, expected: Float64Array): number {
  expect(found).toHaveLength(expected.length);
  return expected.reduce((most, value, i) => Math.max(most, Math.abs(value - found[i]!)), 0);
}

let folder: string;
let runtime: Runtime;
const tensors = randomVae();
const attentive = randomVae({ attention: true });
const paths: Record<string, string> = {};
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'varsearch-vae-'));
  paths['x.weight'] = join(folder, 'plain.safetensors');
  paths['x.conv.weight, behind vae.'] = join(folder, 'official.safetensors');
  writeSafetensors(join(folder, 'plain.safetensors'), tensors);
  writeSafetensors(join(folder, 'official.safetensors'), officialNames(tensors));
  writeSafetensors(join(folder, 'attentive.safetensors'), attentive);
  runtime = await createRuntime({ threads: 1 });
});
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true });
});

describe('the VAE, its keys spelt', () => {
  const reference = new Reference(tensors);

  it.each(['x.weight', 'x.conv.weight, behind vae.'])('%s, decodes and encodes', async (spelling) => {
    const decoder = await openVaeDecoder(runtime, paths[spelling]!);
    const [height, width] = [4, 3];
    const latents = [1, 2].map((seed) => draw(seed, [CHANNELS, height, width], 1));
    const pictures = await decoder.decode(latents.map((data) => ({ height, width, data })));
    expect(decoder.pictureSize({ height, width })).toEqual({ height: 8, width: 6 });
    latents.forEach((latent, i) => {
      const expected = reference.decode(planes(CHANNELS, height, width, latent));
      expect(worst(pictures[i]!, expected.data)).toBeLessThan(2e-5);
    });
    decoder.close();

    const encoder = await openVaeEncoder(runtime, paths[spelling]!);
    const picture = draw(3, [3, 6, 8], 1);
    const [latent] = await encoder.encode([{ height: 6, width: 8, data: picture }]);
    expect([latent?.height, latent?.width]).toEqual([3, 4]);
    expect(worst(latent!.data, reference.encode(planes(3, 6, 8, picture)).data)).toBeLessThan(2e-5);
    await expect(encoder.encode([{ height: 6, width: 7, data: new Float32Array(126) }])).rejects.toThrow(
      /patch of 2/,
    );
    encoder.close();
  });

  it('x.weight, without an encoder, decodes and says that it cannot encode', async () => {
    const path = join(folder, 'decoder.safetensors');
    writeSafetensors(path, new Map([...tensors].filter(([name]) => name.startsWith('decoder.'))));
    const decoder = await openVaeDecoder(runtime, path);
    expect(decoder.channels).toBe(CHANNELS);
    decoder.close();
    await expect(openVaeEncoder(runtime, path)).rejects.toThrow(/decoder\.safetensors: .*encoder/);
  });

  it('with a layer missing, is refused by name', async () => {
    const path = join(folder, 'broken.safetensors');
    const broken = new Map(tensors);
    broken.delete('decoder.up.1.block.0.conv2.weight');
    writeSafetensors(path, broken);
    await expect(openVaeDecoder(runtime, path)).rejects.toThrow(/decoder\.up\.1\.block\.0\.conv2/);
  });
});

describe('the decoder', () => {
  it.each(['summed', 'centred'] as const)('with an attention in its middle, moments %s', async (moments) => {
    const path = join(folder, 'attentive.safetensors');
    const source = openWeights(path);
    const graph = buildDecoder(source, { moments });
    const decoder = new VaeDecoder({ file: source.label, graph, session: await runtime.load(graph.model) });
    source.close();
    const [height, width] = [4, 3];
    const latent = draw(1, [CHANNELS, height, width], 1);
    const [picture] = await decoder.decode([{ height, width, data: latent }]);
    const expected = new Reference(attentive).decode(planes(CHANNELS, height, width, latent));
    expect(worst(picture!, expected.data)).toBeLessThan(2e-5);
    decoder.close();
    // An Infinity is not drawn with it, though the channels may fit.
    await expect(openVaeDecoder(runtime, path)).rejects.toThrow(
      /is FLUX's autoencoder: an Infinity needs its own/,
    );
  });

  // A map of 128 channels is large enough; the bits have to be those of one band.
  it.each([
    ['summed', 128, 160],
    ['centred', 160, 128],
  ] as const)('computes large maps in bands, moments %s', async (moments, fine, coarse) => {
    const path = join(folder, `wide-${moments}.safetensors`);
    writeSafetensors(path, randomVae({ fine, coarse, isDeep: true }));
    const source = openWeights(path);
    const [whole, banded] = await Promise.all(
      [false, true].map(async (each) => {
        const graph = buildDecoder(source, { moments, banded: each });
        const session = await runtime.load(graph.model);
        return { graph, decoder: new VaeDecoder({ file: source.label, graph, session }) };
      }),
    );
    if (!whole || !banded) throw new Error('no decoders');
    for (const [height, width] of [
      [1, 2],
      [5, 4],
    ] as const) {
      const latents = [1, 2].map((seed) => ({
        height,
        width,
        data: draw(seed, [CHANNELS, height, width], 1),
      }));
      expect(await banded.decoder.decode(latents)).toEqual(await whole.decoder.decode(latents));
    }
    // It is cut there, and costs what it did.
    const cuts = ({ graph }: typeof whole): number =>
      Buffer.from(graph.model.proto).toString('latin1').split('Slice').length;
    expect(cuts(banded)).toBeGreaterThan(cuts(whole));
    expect(banded.graph.flopsPerPlace).toBe(whole.graph.flopsPerPlace);
    // Most lives around a convolution of the widest maps, 16 pixels a place: what goes in and, twice, what comes out.
    const widest = Math.max(fine, coarse);
    expect(whole.graph.floatsPerPlace).toBe(16 * 4 * widest);
    expect(banded.graph.floatsPerPlace).toBe(16 * 3 * widest);
    for (const { decoder } of [whole, banded]) decoder.close();
    source.close();
  });

  it('counts its operations and refuses latents of several sizes', async () => {
    const decoder = await openVaeDecoder(runtime, paths['x.weight']!);
    const coarse = 2 * 9 * (CHANNELS * 64 + 4 * 2 * 64 * 64); // conv_in and four blocks of 64 channels
    const upsampled =
      2 * 9 * 64 * 64 + 2 * 9 * (64 * 32 + 32 * 32) + 2 * 64 * 32 + 2 * 9 * 2 * 32 * 32 + 2 * 9 * 32 * 3;
    expect(decoder.flops({ height: 2, width: 3 })).toBe(6 * (coarse + 4 * upsampled));
    const latent = { height: 2, width: 2, data: new Float32Array(4 * CHANNELS) };
    await expect(decoder.decode([latent, { ...latent, height: 1, width: 4 }])).rejects.toThrow(/latent 1/);
    expect(await decoder.decode([])).toEqual([]);
    decoder.close();
  });
});

describe('the quantiser', () => {
  const size = { height: 4, width: 6 };
  const scales = [{ height: 1, width: 1 }, { height: 2, width: 3 }, size];
  const latent = { ...size, data: draw(4, [CHANNELS, 4, 6], 1) };
  const { bits, sum } = tokenise(latent, CHANNELS, scales);

  it('gives bits by place, then channel', () => {
    expect(bits.map((grid) => grid.length)).toEqual([CHANNELS, 6 * CHANNELS, 24 * CHANNELS]);
    const means = Array.from({ length: CHANNELS }, (_, c) =>
      latent.data.subarray(c * 24, (c + 1) * 24).reduce((a, b) => a + b, 0),
    );
    expect([...bits[0]!]).toEqual(means.map((mean) => (mean > 0 ? 1 : 0)));
  });

  it('sums the codes that its bits stand for', () => {
    const expected = new Float64Array(24 * CHANNELS);
    bits.forEach((grid, k) => {
      const scale = scales[k]!;
      const places = scale.height * scale.width;
      const codes = Float32Array.from({ length: grid.length }, (_, i) => {
        const bit = grid[(i % places) * CHANNELS + Math.floor(i / places)]!;
        return (2 * bit - 1) / Math.sqrt(CHANNELS);
      });
      interpolate(codes, CHANNELS, scale, size, 'linear').forEach((value, i) => {
        expected[i]! += value;
      });
    });
    expect(worst(sum.data, expected)).toBeLessThan(1e-6);
  });

  it('takes each scale from what the ones before have left, and 0 as bit 0', () => {
    const zero = tokenise({ ...size, data: new Float32Array(24 * CHANNELS) }, CHANNELS, [scales[0]!, size]);
    expect([...zero.bits[0]!]).toEqual(Array.from({ length: CHANNELS }, () => 0));
    expect(zero.bits[1]!.every((bit) => bit === 1)).toBe(true); // -1 / sqrt(d) was too much
    expect(Math.max(...zero.sum.data.map(Math.abs))).toBe(0);
  });
});

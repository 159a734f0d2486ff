// The autoencoder's decoder, whose attention and layouts are what it has beyond the BSQ-VAE's (held to its definition in
// vae/vae.test.ts), and folders in both layouts.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  diffusersAutoencoder,
  TINY_FLUX,
  tinyAutoencoderTensors,
  tinyFluxTensors,
  writeDiffusersFlux,
  writeOfficialFlux,
} from '../../../test/fixtures/tiny-flux.js';
import { RandomKey } from '../../core/random.js';
import { createRuntime, type Runtime } from '../../runtime/index.js';
import { type TensorToWrite, writeSafetensors } from '../../runtime/weights/index.js';
import { openFluxAutoencoder } from './autoencoder.js';
import { fluxFolder } from './folder.js';

let folder: string;
let runtime: Runtime;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'varsearch-flux-ae-'));
  runtime = await createRuntime({ threads: 1 });
});
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true });
});

const GRID = { height: 2, width: 3 };
const latent = (seed: number): Float32Array =>
  Float32Array.from(
    RandomKey.fromSeed(seed).uniform(GRID.height * GRID.width * TINY_FLUX.channels),
    (u) => 2 * u - 1,
  );

let files = 0;
function write(tensors: ReadonlyMap<string, TensorToWrite>): string {
  const path = join(folder, `${files++}.safetensors`);
  writeSafetensors(path, tensors);
  return path;
}

describe('the decoder', () => {
  it('gives the same pictures from both layouts, whatever lies beside a latent', async () => {
    const found: Float32Array[][] = [];
    for (const tensors of [tinyAutoencoderTensors(), diffusersAutoencoder(tinyAutoencoderTensors())]) {
      const autoencoder = await openFluxAutoencoder(runtime, write(tensors), { scale: 0.5, shift: 0.25 });
      expect(autoencoder.channels).toBe(TINY_FLUX.channels);
      expect(autoencoder.tokenPixels).toBe(4);
      const [picture] = await autoencoder.decode([latent(1)], GRID);
      expect([picture!.width, picture!.height]).toEqual([12, 8]);
      found.push(await autoencoder.decodePlanes([latent(1), latent(2)], GRID));
      found.push([
        ...(await autoencoder.decodePlanes([latent(1)], GRID)),
        ...(await autoencoder.decodePlanes([latent(2)], GRID)),
      ]);
      autoencoder.close();
    }
    for (const other of found) expect(other).toEqual(found[0]);
  });

  it('undoes the scaling of latents', async () => {
    const path = write(tinyAutoencoderTensors());
    const plain = await openFluxAutoencoder(runtime, path, { scale: 1, shift: 0 });
    const scaled = await openFluxAutoencoder(runtime, path, { scale: 0.5, shift: 0.25 });
    const wanted = latent(3);
    const given = wanted.map((value) => (value - 0.25) * 0.5);
    const [a, b] = [await plain.decodePlanes([wanted], GRID), await scaled.decodePlanes([given], GRID)];
    expect(Math.max(...a[0]!.map((value, i) => Math.abs(value - b[0]![i]!)))).toBeLessThan(1e-4);
    plain.close();
    scaled.close();
  });

  it('counts the operations of its attention', async () => {
    const tensors = tinyAutoencoderTensors();
    const autoencoder = await openFluxAutoencoder(runtime, write(tensors));
    const cost = (height: number): number => autoencoder.flops({ height, width: 2 });
    // Convolutions grow with the places, of which there are 8 and 16 here; attention with their square: 4 times 64 channels a pair.
    expect(cost(2) * 2 - cost(4)).toBe(4 * 64 * (2 * 16 ** 2 - 32 ** 2));
    autoencoder.close();
  });
});

describe('wrong autoencoders', () => {
  const scalar = { dtype: 'F32' as const, shape: [1], data: new Float32Array(1) };
  const without = (name: string): ReturnType<typeof tinyAutoencoderTensors> => {
    const tensors = tinyAutoencoderTensors();
    tensors.delete(name);
    return tensors;
  };
  it.each([
    [
      "Infinity's",
      new Map([['vae.decoder.conv_in.conv.weight', scalar]]),
      /is a BSQ autoencoder, Infinity's/,
    ],
    ['the transformer', tinyFluxTensors(), /is a transformer, not an autoencoder/],
    [
      "a Stable Diffusion's",
      new Map([...diffusersAutoencoder(tinyAutoencoderTensors()), ['post_quant_conv.weight', scalar]]),
      /is the VAE of a Stable Diffusion/,
    ],
    ['something else', new Map([['x', scalar]]), /is no autoencoder of FLUX's kind/],
    ['a missing tensor', without('decoder.up.1.upsample.conv.weight'), /decoder\.up\.1\.upsample\.conv/],
  ])('%s', async (_, tensors, message) => {
    await expect(openFluxAutoencoder(runtime, write(tensors))).rejects.toThrow(message);
  });
});

describe('a folder', () => {
  it('in either layout says where its files are and how it is run', () => {
    writeOfficialFlux(join(folder, 'official'));
    writeDiffusersFlux(join(folder, 'diffusers'));
    const [official, diffusers] = ['official', 'diffusers'].map((name) =>
      fluxFolder(join(folder, name), name),
    );
    expect(official).toMatchObject({
      transformer: join(folder, 'official/flux.safetensors'),
      autoencoder: join(folder, 'official/ae.safetensors'),
      hints: { axes: [4, 6, 6], theta: 10000 },
      scaling: { scale: 0.5, shift: 0.25 },
      shift: { base: 0.5, max: 1.15 },
      textLength: 7,
      defaults: { steps: 5, guidance: 3.5, height: 16, width: 24 },
    });
    expect(official?.text).toBeUndefined();
    expect(diffusers).toMatchObject({
      transformer: join(folder, 'diffusers/transformer'),
      autoencoder: join(folder, 'diffusers/vae'),
      hints: { axes: [4, 6, 6] },
      scaling: { scale: 0.5, shift: 0.25 },
      shift: { base: 0.5, max: 1.15 },
      textLength: 512,
      defaults: { steps: 28, guidance: 3.5 },
    });
  });

  it('of a schnell has neither guidance nor shift', () => {
    const at = join(folder, 'schnell');
    mkdirSync(at);
    writeFileSync(join(at, 'flux1-schnell.safetensors'), '');
    expect(fluxFolder(at, 'schnell')).toMatchObject({
      shift: null,
      textLength: 256,
      defaults: { steps: 4, guidance: null },
      scaling: { scale: 0.3611, shift: 0.1159 },
    });
  });

  it('without a FLUX, or with wrong entries, is refused', () => {
    const at = join(folder, 'empty');
    mkdirSync(at);
    expect(() => fluxFolder(at, 'x')).toThrow(/holds no FLUX: neither a folder transformer\//);
    writeFileSync(join(at, 'flux1-dev.safetensors'), '');
    writeFileSync(join(at, 'config.json'), JSON.stringify({ num_steps: 'many' }));
    expect(() => fluxFolder(at, 'x')).toThrow(
      /config\.json: 'num_steps' should be a whole number from 1 to 1000, not "many"/,
    );
    writeFileSync(join(at, 'config.json'), JSON.stringify({ params: { axes_dim: 3 } }));
    expect(() => fluxFolder(at, 'x')).toThrow(
      /'params\.axes_dim' should be a list of 3 numbers from 2 to 4096, not 3/,
    );
    writeFileSync(join(at, 'config.json'), JSON.stringify({ shift: 1 }));
    expect(() => fluxFolder(at, 'x')).toThrow(/'shift' should be true or false, not 1/);
  });
});

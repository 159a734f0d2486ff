// The decoder in 8 bits: near the one in float32 on trained weights, a picture's own whatever is beside it, and loaded when it is
// asked for.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { assetPath } from '../../core/assets.js';
import { Ledger } from '../../core/ledger.js';
import { RandomKey } from '../../core/random.js';
import { createRuntime, type Runtime } from '../../runtime/index.js';
import { type LatentPlanes, openVaeDecoder, type VaeDecoder } from './decoder.js';
import { PreviewDecoder } from './preview-decoder.js';

const path = assetPath('toybox', 'vae.pth');
let runtime: Runtime;
let exact: VaeDecoder;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 2, cache: null });
  exact = await openVaeDecoder(runtime, path);
});
afterAll(async () => {
  await runtime.close();
});

function latents(count: number, height: number, width: number): LatentPlanes[] {
  return Array.from({ length: count }, (_, i) => ({
    height,
    width,
    data: Float32Array.from(
      RandomKey.fromSeed(i)
        .fold(width)
        .uniform(exact.channels * height * width),
      (u) => (u < 0.5 ? -1 : 1) / Math.sqrt(exact.channels),
    ),
  }));
}

/** In dB, of pictures between -1 and 1. */
function psnr(a: Float32Array, b: Float32Array): number {
  const cut = (value = NaN): number => Math.min(Math.max(value, -1), 1);
  const square = a.reduce((sum, value, i) => sum + (cut(value) - cut(b[i])) ** 2, 0);
  return 10 * Math.log10((4 * a.length) / square);
}

describe('the decoder of previews', () => {
  it('is loaded once, when it is asked for, and told of to the ledger', async () => {
    const before = await runtime.stats();
    const previews = new PreviewDecoder(runtime, path);
    await previews.close();
    expect((await runtime.stats()).sessions).toBe(before.sessions);
    const ledger = new Ledger();
    const [first, second] = await Promise.all([previews.open(ledger), previews.open(ledger)]);
    expect(second).toBe(first);
    expect((await runtime.stats()).sessions).toBe(before.sessions + 1);
    expect(ledger.record().milliseconds.load).toBeGreaterThan(0);
    await previews.close();
    expect((await runtime.stats()).sessions).toBe(before.sessions);
  });

  it('gives pictures that are near those of float32, at the same cost, and to the bit the same in every batch', async () => {
    const decoder = await openVaeDecoder(runtime, path, { precision: 'int8' });
    for (const [height, width] of [
      [4, 4],
      [3, 5],
    ] as const) {
      const given = latents(5, height, width);
      const expected = await exact.decode(given);
      const found = await decoder.decode(given);
      for (const [i, latent] of given.entries()) {
        expect(psnr(found[i] as Float32Array, expected[i] as Float32Array)).toBeGreaterThan(42);
        expect(found[i]).not.toEqual(expected[i]);
        expect(await decoder.decode([latent])).toEqual([found[i]]);
      }
      expect(decoder.flops({ height, width })).toBe(exact.flops({ height, width }));
      expect(decoder.pictureSize({ height, width })).toEqual(exact.pictureSize({ height, width }));
    }
    decoder.close();
  });

  it('shows no picture of what is no number', async () => {
    const decoder = await openVaeDecoder(runtime, path, { precision: 'int8' });
    const given = latents(2, 4, 4);
    (given[1] as LatentPlanes).data[5] = NaN;
    await expect(decoder.decode(given)).rejects.toThrow(/vae\.pth/);
    decoder.close();
  });
});

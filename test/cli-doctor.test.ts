import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { runCli } from '../src/cli/program.js';
import { assetPath } from '../src/core/assets.js';
import { RandomKey } from '../src/core/random.js';
import { type Need, needOf } from '../src/doctor/fits.js';
import { builtInCatalogs } from '../src/engine/catalogs.js';
import { findModel } from '../src/models/catalog.js';
import type { Precision } from '../src/runtime/graph/index.js';
import { openWeights } from '../src/runtime/weights/index.js';
import { resolveSearch, type SearchOptions } from '../src/search/registry.js';
import { temporaryFolder } from './fakes/cli.js';
import { writeTorchFile } from './fixtures/torch-file.js';

async function cli(...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const written = { stdout: '', stderr: '' };
  const code = await runCli(words, {
    stdout: { write: (text) => (written.stdout += text) },
    stderr: { write: (text) => (written.stderr += text) },
    env: process.env,
    cwd: temporaryFolder(),
    catalogs: builtInCatalogs,
    onInterrupt: () => () => undefined,
  });
  return { code, ...written };
}

describe('varsearch doctor', { timeout: 300_000 }, () => {
  it('says what is here and what fits', async () => {
    const { code, stdout } = await cli('doctor', '--strategy', 'random', '--images', '1');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^versions +varsearch \d.*, node \d.*, onnxruntime-node 1\.\d+/m);
    expect(stdout).toMatch(/^processor .* cores, [\d.]+ GFLOP\/s in matrix products \(measured\)$/m);
    expect(stdout).toMatch(/^memory +[\d.]+ GB, [\d.]+ [MG]B free$/m);
    expect(stdout).toMatch(/^models +toybox/m);
    expect(stdout).toMatch(/^toybox +64 x 64 +Random search, 1 image .* fits/m);
    expect(stdout).toMatch(/^infinity-125m +256 x 256 /m);
    expect(stdout).toMatch(/^infinity-2b +1024 x 1024 /m);
    const asked = await cli('doctor', '--model', 'infinity-8b', '--size', '1M', '--strategy', 'beam');
    expect(asked.stdout).toMatch(/^infinity-8b +1024 x 1024 .* [\d.]+ [GT]B +does not fit +[\d,]+ h$/m);
    expect(asked.stdout).not.toMatch(/^toybox +64/m);
    const flux = await cli('doctor', '--model', 'flux1-dev');
    expect(flux.stdout).toMatch(
      /^flux1-dev +1024 x 1024 .* 67\.8 GB +6\.\d+ GB +[\d.]+ GB +(fits|does not fit) +/m, // 4.1 GB are its decoder's
    );
    const flow = await cli('doctor', '--model', 'toybox-flow');
    expect(flow.stdout).toMatch(/^toybox-flow +64 x 64 .* [\d.]+ MB +[\d.]+ MB +fits +/m);
    expect((await cli('doctor', '--model', 'infinity')).stderr).toMatch(/unknown model 'infinity'/);
  });

  it('counts the decoder of previews where a search looks at unfinished pictures', () => {
    const { schedule: of, previewBytes } = findModel('infinity-2b');
    const schedule = of({ size: '1M' });
    expect(previewBytes?.('float32')).toBeUndefined();
    const decoder = (search: SearchOptions, precision: Precision): number =>
      needOf(resolveSearch(search, schedule), schedule, {
        weights: 0,
        decoderPixel: 0,
        previews: previewBytes?.(precision),
      }).decoder;
    const previews = { strategy: 'beam', rollout: 'preview:7' } as const;
    // Two pictures of 128 pixels are decoded together, larger ones by themselves.
    expect(decoder({ ...previews, rollout: 'preview:5' }, 'int8')).toBeCloseTo(
      0.07e9 + 2 * 6400 * 128 ** 2,
      0,
    );
    expect(decoder(previews, 'int8')).toBeCloseTo(0.07e9 + 6400 * 256 ** 2, 0);
    expect(decoder({ ...previews, rollout: 'none' }, 'int8')).toBeCloseTo(0.07e9 + 6400 * 1024 ** 2, 0);
    const particles = { strategy: 'particles', particles: 4, resampleAt: [3, 7] } as const;
    expect(decoder(particles, 'int8')).toBe(decoder(previews, 'int8'));
    expect(decoder(previews, 'float32')).toBe(0);
    expect(decoder({ strategy: 'beam' }, 'int8')).toBe(0);
  });

  it('is near what was measured of Infinity-2B', () => {
    const entry = findModel('infinity-2b');
    const need = (
      images: number,
      budget?: number,
      precision: Precision = 'float32',
      size = '0.06M',
    ): Need => {
      const schedule = entry.schedule({ size, precision });
      return needOf(
        resolveSearch({ strategy: 'random', images }, schedule),
        schedule,
        {
          weights: entry.weightBytes?.(precision) ?? NaN,
          decoderPixel: entry.decoderPixelBytes ?? NaN,
        },
        budget,
      );
    };
    // 14.9 GB at the peak with random weights in the official layout: one picture of 256 x 256 with guidance.
    expect(Math.abs(need(1).total / 14.9e9 - 1)).toBeLessThan(0.05);
    // In int8, with what is mapped (docs/large-models.md).
    for (const [size, measured] of Object.entries({ '0.06M': 4.46e9, '0.25M': 5.78e9, '1M': 11.29e9 })) {
      expect(Math.abs(need(1, undefined, 'int8', size).total / measured - 1)).toBeLessThan(0.15);
    }
    // All scales' keys and values but the last's: 265 tokens of 2 x 32 layers x 2048 x 2 branches x 4 bytes, and the last step.
    expect(need(1).work).toBeGreaterThan(265 * 2 * 32 * 2048 * 2 * 4);
    expect(need(9).work).toBe(2 ** 31);
    expect(need(9, 1e12).work).toBeGreaterThan(8 * need(1).work);
    expect(need(9, 1).work).toBe(need(1).work);
  });

  it('checks a model, and gives a report and an exit code', async () => {
    const { code, stdout } = await cli('doctor', '--check', 'toybox');
    expect(code).toBe(0);
    for (const what of [
      'VAE',
      'trained weights, right VAE',
      'text encoder',
      'guidance',
      'logits',
      'pictures',
    ]) {
      expect(stdout).toMatch(new RegExp(`^ok +${what}: `, 'm'));
    }
    expect(stdout).toMatch(
      /^time: load .*, transformer .*, decoder .*, verifier .*; memory: [\d.]+ [MG]B at most$/m,
    );
    expect(stdout).toMatch(/^sha256 [0-9a-f]{64} {2}transformer$/m);
    expect(stdout).toMatch(/\ntoybox: nothing failed\n$/);
  });

  it('finds a folder whose weights are untrained, and one that lacks a tensor', async () => {
    const folder = join(temporaryFolder(), 'untrained');
    cpSync(assetPath('toybox'), folder, { recursive: true });
    const weights = openWeights(join(folder, 'transformer.pth'));
    const tensors = new Map(
      weights.names.map((name, i) => {
        const data = weights.read(name);
        const spread = Math.sqrt(data.reduce((sum, x) => sum + x * x, 0) / data.length);
        const random = RandomKey.fromSeed(i).normal(data.length);
        return [
          name,
          { shape: weights.info(name).shape, data: Float32Array.from(random, (z) => z * spread) },
        ];
      }),
    );
    weights.close();
    rmSync(join(folder, 'transformer.pth'));
    writeTorchFile(join(folder, 'transformer.pth'), tensors);
    const { code, stdout } = await cli(
      'doctor',
      '--check',
      '--model-dir',
      folder,
      '--verifier',
      'clip-score',
    );
    expect(code).toBe(1);
    expect(stdout).toMatch(/^FAULT +trained weights, right VAE: /m);
    expect(stdout).toMatch(/^FAULT +pictures: clip-score finds/m);
    expect(stdout).toMatch(/^untrained: \d failed$/m);
    tensors.delete('word_embed.weight');
    writeTorchFile(join(folder, 'transformer.pth'), tensors);
    const lacking = await cli('doctor', '--check', '--model-dir', folder);
    expect(lacking.code).toBe(1);
    expect(lacking.stderr).toMatch(/^varsearch: .*transformer\.pth: .*word_embed\.weight[^\n]*\n$/);
    const absent = await cli('doctor', '--check', 'infinity-2b');
    expect(absent).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('varsearch pull infinity-2b') as string,
    });
    expect((await cli('doctor', '--check')).stderr).toMatch(/--check needs a model: name one/);
  });
});

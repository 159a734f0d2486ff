import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { fakeModel } from '../../test/fakes/fake-model.js';
import { assetPath } from '../core/assets.js';
import { UsageError } from '../core/errors.js';
import { Ledger } from '../core/ledger.js';
import { RandomKey } from '../core/random.js';
import { infinityFolder } from '../models/infinity/folder.js';
import { type InfinityOptions, openInfinity } from '../models/infinity/model.js';
import type { InfinityValues } from '../models/infinity/options.js';
import { createRuntime, type Runtime } from '../runtime/index.js';
import { openWeights, writeSafetensors } from '../runtime/weights/index.js';
import { findVerifier } from '../verifiers/catalog.js';
import type { Verifier } from '../verifiers/contract.js';
import { checkModel, type Finding } from './check.js';

const toybox = assetPath('toybox');
const folder = mkdtempSync(join(tmpdir(), 'varsearch-test-'));
let runtime: Runtime;
let clip: Verifier;

beforeAll(async () => {
  runtime = await createRuntime({ threads: 2 });
  clip = await findVerifier('clip-score').load({ runtime });
});
afterAll(async () => {
  await clip.close();
  await runtime.close();
  rmSync(folder, { recursive: true });
});

type Change = (name: string, data: Float32Array, shape: readonly number[]) => Float32Array;

/** A checkpoint with other weights under the same names. */
function changed(from: string, to: string, change: Change): string {
  const source = openWeights(from);
  // A mask of integers is part of a VAE's file, and of no graph.
  const names = source.names.filter((name) => source.info(name).dtype !== 'I64');
  const tensors = names.map((name) => {
    const shape = [...source.info(name).shape];
    return [name, { dtype: 'F32' as const, shape, data: change(name, source.read(name), shape) }] as const;
  });
  source.close();
  const path = join(folder, to);
  writeSafetensors(path, new Map(tensors));
  return path;
}

let seed = 0;

/** Numbers of the same mean and spread: what an untrained model of the same shapes has. */
const untrained: Change = (_, data) => {
  const mean = data.reduce((sum, x) => sum + x, 0) / data.length;
  const spread = Math.sqrt(data.reduce((sum, x) => sum + (x - mean) ** 2, 0) / data.length);
  return Float32Array.from(RandomKey.fromSeed(seed++).normal(data.length), (z) => mean + spread * z);
};

/** Another VAE that is as good: its channels are in another order, on both sides of the latent. */
const reordered: Change = (name, data, shape) => {
  const [out = 1, inner = 1] = shape;
  const kernel = data.length / (out * inner);
  if (name.includes('encoder.conv_out')) {
    const row = data.length / out;
    return Float32Array.from(data, (_, i) => data[((Math.floor(i / row) + 5) % out) * row + (i % row)] ?? 0);
  }
  if (!/decoder\.conv_in.*weight/.test(name)) return data;
  return Float32Array.from(data, (_, i) => {
    const channel = (Math.floor(i / kernel) + 5) % inner;
    return data[Math.floor(i / (inner * kernel)) * inner * kernel + channel * kernel + (i % kernel)] ?? 0;
  });
};

/** What is found, up to the finding that is waited for. */
async function findings(
  last: string,
  parts: Partial<InfinityOptions> = {},
  change: (values: InfinityValues) => InfinityValues = (values) => values,
): Promise<Readonly<Record<string, Finding>>> {
  const model = await openInfinity(runtime, { ...infinityFolder(toybox, 'toybox'), ...parts });
  const resolve = model.resolve.bind(model);
  // What was changed comes back to be resolved once more.
  model.resolve = (given) => (Number(given['cfg']) < 0 ? (given as InfinityValues) : change(resolve(given)));
  const found: Record<string, Finding> = {};
  const options = { model, world: 'toybox' as const, clip, ledger: new Ledger() };
  for await (const finding of checkModel(options)) {
    found[finding.what] = finding;
    if (finding.what === last) break;
  }
  await model.close();
  return found;
}

const failed = (found: Readonly<Record<string, Finding>>): string[] =>
  Object.values(found).flatMap(({ what, passed }) => (passed === false ? [what] : []));

// That it passes the embedded model, and what it says of pictures, is held by test/cli-doctor.test.ts.
describe('the check of a model', { timeout: 300_000 }, () => {
  it('fails untrained weights', async () => {
    const transformer = changed(join(toybox, 'transformer.pth'), 'transformer.safetensors', untrained);
    const found = await findings('trained weights, right VAE', { transformer });
    expect(failed(found)).toEqual(['trained weights, right VAE']);
  });

  it('fails a VAE that is untrained, and one that belongs to another model', async () => {
    const random = changed(join(toybox, 'vae.pth'), 'vae.safetensors', untrained);
    expect(failed(await findings('VAE', { vae: random }))).toEqual(['VAE']);
    const vae = changed(join(toybox, 'vae.pth'), 'other.safetensors', reordered);
    const other = await findings('trained weights, right VAE', { vae });
    expect(other['VAE']?.passed).toBe(true);
    expect(failed(other)).toEqual(['trained weights, right VAE']);
  });

  it('fails a text encoder that is none', async () => {
    const textEncoder = join(folder, 'text-encoder');
    mkdirSync(textEncoder);
    cpSync(join(toybox, 'text-encoder'), textEncoder, { recursive: true });
    changed(join(toybox, 'text-encoder', 'model.safetensors'), 'text-encoder/model.safetensors', untrained);
    const found = await findings('text encoder', { textEncoder });
    expect(found['VAE']?.passed).toBe(true);
    expect(failed(found)).toContain('text encoder');
  });

  it('fails guidance the wrong way round', async () => {
    // u + c (t - u) with the branches swapped is t + c (u - t) = u + (1 - c) (t - u); c = 1, none, is the one without words.
    const found = await findings('guidance', {}, (values) =>
      values.cfg === 1 ? values : { ...values, cfg: 1 - 3 },
    );
    expect(found['text encoder']?.passed).toBe(true);
    expect(failed(found)).toEqual(['guidance']);
  });

  it('is for Infinity', async () => {
    const options = { model: fakeModel(), world: 'any' as const, clip: null, ledger: new Ledger() };
    await expect(checkModel(options).next()).rejects.toThrow(UsageError);
  });
});

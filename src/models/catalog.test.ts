import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { assetPath } from '../core/assets.js';
import { UsageError } from '../core/errors.js';
import { fileHash } from '../core/hash.js';
import { Ledger } from '../core/ledger.js';
import type { OptionValues } from '../core/options.js';
import { createRuntime, type Runtime } from '../runtime/index.js';
import { findModel, modelIn, MODELS } from './catalog.js';
import { infinityFacts } from './infinity/folder.js';
import { InfinityModel } from './infinity/model.js';
import { scheduleFromFacts } from './infinity/steps.js';

const toybox = assetPath('toybox');
const folder = mkdtempSync(join(tmpdir(), 'varsearch-test-'));
let runtime: Runtime;

beforeAll(async () => {
  runtime = await createRuntime({ threads: 2 });
});
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true });
});

/** A folder with nothing but a config.json. */
function folderWith(config: object): string {
  const path = mkdtempSync(join(folder, 'model-'));
  writeFileSync(join(path, 'config.json'), JSON.stringify(config));
  return path;
}

const toyboxConfig = JSON.parse(readFileSync(join(toybox, 'config.json'), 'utf8')) as object;

describe('the catalogue of models', () => {
  it('knows names only, and says how a folder is given', () => {
    expect(findModel('toybox')).toBe(MODELS[0]);
    for (const name of ['toybux', toybox, './assets/toybox', '']) {
      expect(() => findModel(name)).toThrow(UsageError);
      expect(() => findModel(name)).toThrow(
        /toybox, infinity-125m, infinity-2b, infinity-8b, infinity-8b-512.*'modelDir'$/,
      );
    }
  });

  it('takes a folder laid out as the embedded one, and reads its weights when it is loaded', async () => {
    const path = folderWith(toyboxConfig);
    const entry = modelIn(`${path}/`);
    expect(entry).toMatchObject({ name: path.split('/').at(-1), world: 'unknown' });
    expect(entry.installed()).toBe(true);
    expect(entry.verifier).toBeNull();
    const perScale = { cfg: [1, 2, 3, 4, 5, 6], tau: [6, 5, 4, 3, 2, 1] };
    expect(modelIn(folderWith({ ...toyboxConfig, ...perScale })).resolve({})).toMatchObject({
      cfg: perScale.cfg,
      temperature: perScale.tau,
    });
    expect(entry.schedule()).toEqual(findModel('toybox').schedule());
    await expect(entry.load({ runtime })).rejects.toThrow('transformer.pth');
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    for (const wrong of [empty, join(folder, 'absent')]) expect(() => modelIn(wrong)).toThrow(UsageError);
  });

  it.each([
    ['depth', 0, 'should be a whole number from 1 to 256, not 0'],
    ['embed_dim', undefined, 'is missing: it should be a whole number from 1 to 65536'],
    ['mlp_ratio', 2.5, 'should be a whole number from 1 to 64, not 2.5'],
    ['vae_patch_size', '8', 'should be a whole number from 1 to 256, not "8"'],
  ])('says which entry of a config.json is at fault: %s', (name, value, fault) => {
    const entry = modelIn(folderWith({ ...toyboxConfig, [name]: value }));
    expect(() => entry.schedule()).toThrow(`config.json: '${name}' ${fault}`);
  });

  it('resolves options to plain data, and again to the same', () => {
    for (const entry of ['toybox', 'infinity-2b', 'infinity-8b'].map(findModel)) {
      const resolved = entry.resolve({ topP: 0.9, cfg: undefined });
      expect(resolved).toEqual({ cfg: 3, temperature: 1, topK: 0, topP: 0.9 });
      expect(entry.resolve({})['topP']).toBe(entry.name === 'toybox' ? 0 : 0.97);
      expect(JSON.parse(JSON.stringify(resolved))).toEqual(resolved);
      expect(entry.resolve(resolved)).toEqual(resolved);
      for (const name of Object.keys(resolved)) expect(Object.keys(entry.options)).toContain(name);
    }
    const wide = { size: '0.25M', aspectRatio: 0.5, cfg: [4, 4, 4, 3, 3, 3, 3, 3, 3, 3] };
    const resolved = findModel('infinity-2b').resolve(wide);
    expect(resolved).toMatchObject(wide);
    expect(findModel('infinity-2b').resolve(resolved)).toEqual(resolved);
  });

  it.each([
    ['infinity-2b', { size: '2M' }, "unknown picture size '2M': choose one of 0.06M"],
    [
      'infinity-2b',
      { size: '0.06M', temperature: [1, 2] },
      "option 'temperature' lists 2 numbers, but the model has 7 scales",
    ],
    ['infinity-8b', { aspectRatio: -1 }, "option 'aspectRatio' must be width to height such as '16:9'"],
    ['infinity-8b', { aspectRatio: '16' }, "option 'aspectRatio' must be width to height such as '16:9'"],
    ['infinity-2b', { size: '1000x1000' }, 'draw no picture of 1000x1000: near it are 1024x1024'],
    ['infinity-2b', { size: '1024x1024', aspectRatio: '1:1' }, 'not both: pixels say both'],
    ['toybox', { size: '1M' }, 'toybox draws pictures of one size and ratio'],
    ['toybox', { topP: 2 }, "option 'topP' must be a number from 0 to 1, got 2"],
    ['toybox', { topK: 0.5 }, "option 'topK' must be a whole number from 0 to 2"],
    ['toybox', { cfg: [] }, "option 'cfg' must be a number from 0 to 1000, or one per step"],
    ['toybox', { guidance: 3 }, "toybox does not take the option 'guidance'"],
  ])('refuses for %s %o', (name, options, message) => {
    const entry = findModel(name);
    expect(() => entry.resolve(options)).toThrow(UsageError);
    expect(() => entry.resolve(options)).toThrow(message);
    expect(() => entry.schedule(options)).toThrow(message);
  });

  it('knows the schedules of official models without their weights', () => {
    for (const name of ['infinity-2b', 'infinity-8b']) {
      const { unit, steps } = findModel(name).schedule();
      expect(unit).toBe('scale');
      expect(steps).toHaveLength(13);
      expect(steps.reduce((sum, { tokens }) => sum + tokens, 0)).toBe(10521);
      expect(steps[2]).toMatchObject({ label: '4 \u00d7 4', draws: true, nfe: 1, tokens: 16 });
      expect(steps.at(-1)).toMatchObject({ readout: { width: 1024, height: 1024, nfe: 0 } });
      // Of the last scale the logits alone are held.
      expect(steps.at(-1)?.heldBytes).toBeLessThan(4 * 4096 * 2 * 64 + 1);
      expect(steps[6]?.readout).toMatchObject({ width: 256, height: 256 });
      const wide = findModel(name).schedule({ size: '0.06M', aspectRatio: 0.5 });
      expect(wide.steps.at(-1)?.readout).toEqual({ width: 352, height: 176, nfe: 0 });
      // A number is height over width, as recipes have it; people write width to height, or pixels.
      for (const same of [{ size: '0.06M', aspectRatio: '2:1' }, { size: '352x176' }]) {
        expect(findModel(name).schedule(same)).toEqual(wide);
        expect(findModel(name).resolve(same)).toMatchObject(same);
      }
    }
  });

  it.each([
    ['infinity-125m', 7, 256],
    ['infinity-2b', 13, 1024],
    ['infinity-8b', 13, 1024],
    ['infinity-8b-512', 10, 512],
  ])('draws as large as %s was trained where nothing is said', (name, scales, side) => {
    const { steps } = findModel(name).schedule();
    expect(steps).toHaveLength(scales);
    expect(steps.at(-1)?.readout).toMatchObject({ width: side, height: side });
    expect(findModel(name).schedule({ size: '0.06M' }).steps).toHaveLength(7);
  });

  it('agrees with the sizes that DESIGN.md gives for Infinity-2B', () => {
    const held = (options: OptionValues): number =>
      findModel('infinity-2b')
        .schedule(options)
        // Without the logits: two of each of 32 bits a token.
        .steps.reduce((sum, { heldBytes, tokens }) => sum + heldBytes - 4 * 2 * 32 * tokens, 0);
    // 1.68 GB of 16 bits a number without guidance, here 32 bits.
    expect(held({ cfg: 1 }) / 2).toBeCloseTo(1.684e9, -7);
    expect(held({ cfg: 3 })).toBe(2 * held({ cfg: 1 }));
    // One of many scales with guidance is enough for both branches.
    expect(held({ cfg: [...Array.from({ length: 12 }, () => 1), 2] })).toBe(held({ cfg: 3 }));
    // Two operations for each of two billion weights, but for text and its keys and values, and twice with guidance.
    const { tokens = 0, flops = 0 } = findModel('infinity-2b').schedule({ cfg: 1 }).steps[0] ?? {};
    expect(flops / tokens / 2).toBeGreaterThan(1.6e9);
    expect(flops / tokens / 2).toBeLessThan(2.2e9);
    const large = findModel('infinity-8b').schedule({ cfg: 1 }).steps[0]?.flops ?? 0;
    expect(large / 2).toBeGreaterThan(6.5e9);
    expect(large / 2).toBeLessThan(8.7e9);
  });
});

describe('the embedded model', () => {
  it('has the schedule that the catalogue gives without it, and the hashes of all of its files', async () => {
    const entry = findModel('toybox');
    const model = await entry.load({ runtime });
    if (!(model instanceof InfinityModel)) throw new Error('toybox is not an Infinity');
    expect(model.options).toBe(entry.options);
    const prompt = 'two red squares and a blue star';
    for (const options of [{}, { cfg: 1 }]) {
      expect(model.resolve(options)).toEqual(entry.resolve(options));
      const generator = await model.prepare(prompt, new Ledger(), options);
      const assumed = entry.schedule(options);
      const withoutFlops = { unit: 'scale', steps: assumed.steps.map(({ flops: _, ...rest }) => rest) };
      expect(generator.schedule).toMatchObject(withoutFlops);
      // With the tokens of this very prompt, operations are the same too.
      const exact = Array.from({ length: 30 }, (_, tokens) =>
        scheduleFromFacts(infinityFacts(toybox, 'toybox'), options, tokens + 1),
      );
      expect(exact).toContainEqual(generator.schedule);
      assumed.steps.forEach(({ flops }, i) => {
        expect(Math.abs(flops / (generator.schedule.steps[i]?.flops ?? 0) - 1)).toBeLessThan(0.02);
      });
      generator.close();
    }
    expect(await model.hashes()).toEqual({
      transformer: await fileHash(join(toybox, 'transformer.pth')),
      vae: await fileHash(join(toybox, 'vae.pth')),
      config: await fileHash(join(toybox, 'config.json')),
      textEncoder: await fileHash(join(toybox, 'text-encoder', 'model.safetensors')),
      'textEncoder/config': await fileHash(join(toybox, 'text-encoder', 'config.json')),
      'textEncoder/tokenizer': await fileHash(join(toybox, 'text-encoder', 'tokenizer.json')),
      'textEncoder/tokenizerConfig': await fileHash(join(toybox, 'text-encoder', 'tokenizer_config.json')),
    });
    await expect(model.prepare(' ', new Ledger())).rejects.toThrow('the prompt is empty');
    const signal = AbortSignal.abort();
    await expect(model.prepare(prompt, new Ledger(), {}, { signal })).rejects.toThrow('aborted');
    await model.close();
  });
});

// FLUX in the catalogue: folders in either layout, the embedded model, the official ones, and what is refused.

import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  OFFICIAL_NAMES,
  OWN_NAMES,
  tinyFluxConfig,
  tinyFluxTensors,
  WITH_TEXT,
  writeDiffusersFlux,
  writeFluxText,
  writeOfficialFlux,
} from '../../test/fixtures/tiny-flux.js';
import { assetPath } from '../core/assets.js';
import { fileHash } from '../core/hash.js';
import type { Image } from '../core/image.js';
import { Ledger } from '../core/ledger.js';
import { RandomKey } from '../core/random.js';
import { createRuntime, type Runtime } from '../runtime/index.js';
import { writeSafetensors } from '../runtime/weights/index.js';
import { findModel, type ModelEntry, modelIn, MODELS } from './catalog.js';
import type { ImageModel } from './contract.js';
import { describeGenerator, type OpenedGenerator } from './generator.suite.js';
import { MODEL_OPTIONS } from './options.js';

const folder = mkdtempSync(join(tmpdir(), 'varsearch-flux-catalog-'));
const at = (...parts: string[]): string => join(folder, ...parts);
const TENSORS = tinyFluxTensors({ texts: WITH_TEXT });
let runtime: Runtime;

beforeAll(async () => {
  writeOfficialFlux(at('official'), TENSORS);
  writeFluxText(at('official'), OWN_NAMES);
  writeDiffusersFlux(at('diffusers'), TENSORS);
  writeFluxText(at('diffusers'), OFFICIAL_NAMES);
  runtime = await createRuntime({ threads: 2 });
});
afterAll(async () => {
  await shared?.close();
  await runtime.close();
  rmSync(folder, { recursive: true });
});

/** A copy of the folder in the official layout, for what is changed. */
function copy(name: string): string {
  cpSync(at('official'), at(name), { recursive: true });
  return at(name);
}

/** One picture of a prompt. */
async function draw(model: ImageModel, options: Record<string, unknown>): Promise<Image> {
  const generator = await model.prepare('a red star', new Ledger(), model.resolve(options));
  let prefix = generator.begin();
  for (const _ of generator.schedule.steps) {
    const [next] = await generator.extend([{ prefix, draw: RandomKey.fromSeed(3).fold(prefix.step) }]);
    prefix.release();
    prefix = next!;
  }
  const [image] = await generator.decode([prefix], 'full');
  prefix.release();
  generator.close();
  return image!;
}

async function withModel<T>(entry: ModelEntry, work: (model: ImageModel) => Promise<T>): Promise<T> {
  const model = await entry.load({ runtime });
  try {
    return await work(model);
  } finally {
    await model.close();
  }
}

// Loaded once: reading text encoders at every test would take a minute.
let shared: ImageModel | undefined;
const opener = (options: Record<string, unknown>) => async (): Promise<OpenedGenerator> => {
  shared ??= await modelIn(at('official')).load({ runtime });
  const generator = await shared.prepare('a red star', new Ledger(), { steps: 3, ...options });
  return { generator, close: () => Promise.resolve() };
};

describeGenerator('a FLUX of a folder', opener({}));
describeGenerator(
  'a FLUX of a folder whose solver draws',
  opener({ solver: 'stochastic', cfg: 2, shift: 2 }),
);

describe('a folder with a FLUX', () => {
  it.each(['official', 'diffusers'])(
    'has the schedule that is known without its weights: %s',
    async (name) => {
      const entry = modelIn(at(name));
      expect(entry).toMatchObject({ name, world: 'unknown', verifier: null });
      expect(entry.installed()).toBe(true);
      await withModel(entry, async (model) => {
        for (const options of [
          {},
          { cfg: 2, steps: 3 },
          { solver: 'stochastic', guidance: 1 },
          { size: '16x8', shift: 3 },
        ]) {
          expect(model.resolve(options)).toEqual(entry.resolve(options));
          expect(entry.resolve(entry.resolve(options))).toEqual(entry.resolve(options));
          const generator = await model.prepare('a red star', new Ledger(), { size: '16x16', ...options });
          expect(generator.schedule).toEqual(entry.schedule({ size: '16x16', ...options }));
          generator.close();
        }
      });
    },
  );

  it('draws the same picture from either layout, and its options act', async () => {
    const options = { steps: 2, size: '8x8', guidance: 2 };
    // The layouts pad the text to lengths of their own.
    const config = { ...tinyFluxConfig(TENSORS), text_length: 512 };
    writeFileSync(join(copy('padded'), 'config.json'), JSON.stringify(config));
    const [one, other] = await Promise.all(
      ['padded', 'diffusers'].map((name) => withModel(modelIn(at(name)), (model) => draw(model, options))),
    );
    expect(one).toMatchObject({ width: 8, height: 8 });
    expect(one!.data).toEqual(other!.data);
    await withModel(modelIn(at('padded')), async (model) => {
      for (const change of [
        { guidance: 9 },
        { cfg: 4 },
        { shift: 1 },
        { solver: 'stochastic' },
        { steps: 3 },
      ]) {
        expect((await draw(model, { ...options, ...change })).data, JSON.stringify(change)).not.toEqual(
          one!.data,
        );
      }
    });
  });

  it('has the hashes of all files that a picture depends on', async () => {
    const hash = (...parts: string[]): Promise<string> => fileHash(at(...parts));
    const hashes = await withModel(modelIn(at('official')), (model) => model.hashes());
    expect(hashes).toEqual({
      transformer: await hash('official', 'flux.safetensors'),
      autoencoder: await hash('official', 'ae.safetensors'),
      config: await hash('official', 'config.json'),
      t5: await hash('official', 'text-encoder', 'model.safetensors'),
      't5/config': await hash('official', 'text-encoder', 'config.json'),
      't5/tokenizer': await hash('official', 'text-encoder', 'tokenizer.json'),
      't5/tokenizerConfig': await hash('official', 'text-encoder', 'tokenizer_config.json'),
      clipText: await hash('official', 'clip-text', 'model.safetensors'),
      'clipText/config': await hash('official', 'clip-text', 'config.json'),
      'clipText/tokenizer': await hash('official', 'clip-text', 'tokenizer.json'),
      'clipText/tokenizerConfig': await hash('official', 'clip-text', 'tokenizer_config.json'),
    });
    const diffusers = await withModel(modelIn(at('diffusers')), (model) => model.hashes());
    expect(Object.keys(diffusers).filter((name) => !/^(t5|clipText)/.test(name))).toEqual([
      'transformer',
      'transformer/diffusion_pytorch_model-00001-of-00002.safetensors',
      'transformer/diffusion_pytorch_model-00002-of-00002.safetensors',
      'autoencoder',
      'transformer/config',
      'autoencoder/config',
      'scheduler/config',
    ]);
  });

  it('may have its text encoders under the names of the official repositories', async () => {
    const path = copy('repository');
    for (const name of ['text-encoder', 'clip-text']) rmSync(join(path, name), { recursive: true });
    writeFluxText(path, OFFICIAL_NAMES);
    const model = modelIn(path);
    expect(model.installed()).toBe(true);
    await withModel(model, async (loaded) => {
      expect(Object.keys(await loaded.hashes())).toContain('t5/tokenizer');
    });
  });
});

describe('what cannot be is refused in one line', () => {
  const infinity = new Map([
    ['word_embed.weight', { dtype: 'F32' as const, shape: [1], data: new Float32Array(1) }],
  ]);
  const missing = (name: string, file: string): ModelEntry => {
    rmSync(join(copy(name), file), { recursive: true });
    return modelIn(at(name));
  };

  it.each([
    [
      'a text encoder',
      'clip-text',
      /a text encoder is missing: put T5 v1\.1 XXL beside the weights as text-encoder\//,
    ],
    ['the other one', 'text-encoder', /and CLIP ViT-L\/14 as clip-text\//],
    ['the autoencoder', 'ae.safetensors', /ae\.safetensors is missing/],
    ['the transformer', 'flux.safetensors', /flux\.safetensors is missing/],
  ])('%s is missing', (_, file, message) => {
    const installed = missing(`without-${file}`, file).installed();
    expect(installed).toMatch(message);
    expect(installed).not.toContain('\n');
  });

  it('an Infinity in the place of a FLUX, and the other way round', async () => {
    writeSafetensors(join(copy('infinity-as-flux'), 'flux.safetensors'), infinity);
    const entry = modelIn(at('infinity-as-flux'));
    const message = /flux\.safetensors: is an Infinity transformer, not a FLUX: .*transformer\.pth/;
    expect(() => entry.schedule()).toThrow(message);
    await expect(entry.load({ runtime })).rejects.toThrow(message);
    const toybox = at('flux-as-infinity');
    cpSync(assetPath('toybox'), toybox, { recursive: true });
    cpSync(at('official', 'flux.safetensors'), join(toybox, 'transformer.pth'));
    await expect(modelIn(toybox).load({ runtime })).rejects.toThrow(
      /transformer\.pth: is a FLUX, not an Infinity transformer: .*flux1-dev\.safetensors/,
    );
    cpSync(
      at('diffusers', 'transformer', 'diffusion_pytorch_model-00001-of-00002.safetensors'),
      join(toybox, 'transformer.pth'),
    );
    await expect(modelIn(toybox).load({ runtime })).rejects.toThrow(
      /transformer\.pth: is a FLUX, not an Infinity/,
    );
  });

  it('a VAE of another kind, either way', async () => {
    cpSync(assetPath('toybox', 'vae.pth'), join(copy('bsq'), 'ae.safetensors'));
    const message = /ae\.safetensors: is a BSQ autoencoder, Infinity's: FLUX needs its own/;
    expect(() => modelIn(at('bsq')).schedule()).toThrow(message);
    await expect(modelIn(at('bsq')).load({ runtime })).rejects.toThrow(message);
    const toybox = at('flux-vae');
    cpSync(assetPath('toybox'), toybox, { recursive: true });
    cpSync(at('official', 'ae.safetensors'), join(toybox, 'vae.pth'));
    await expect(modelIn(toybox).load({ runtime })).rejects.toThrow(
      /vae\.pth: is FLUX's autoencoder: an Infinity needs its own/,
    );
  });

  it("a schnell with dev's settings, and a dev with schnell's, before any weight is read", async () => {
    const schnell = tinyFluxTensors({ texts: WITH_TEXT, guidance: false });
    writeSafetensors(join(copy('schnell-as-dev'), 'flux.safetensors'), schnell);
    const noGuidance =
      /has no guidance embedding \(it is a FLUX\.1-schnell\) and is to run with dev's settings: .*flux1-schnell/;
    writeFileSync(
      join(copy('dev-as-schnell'), 'config.json'),
      JSON.stringify({ ...tinyFluxConfig(TENSORS), guidance: null }),
    );
    const guidance =
      /has a guidance embedding \(it is a FLUX\.1-dev\) and is to run with schnell's settings: .*flux1-dev/;
    writeDiffusersFlux(at('diffusers-schnell'), schnell);
    const config = at('diffusers-schnell', 'transformer', 'config.json');
    const settings = JSON.parse(readFileSync(config, 'utf8')) as object;
    writeFileSync(config, JSON.stringify({ ...settings, guidance_embeds: true }));
    renameSync(
      join(copy('named-schnell'), 'flux.safetensors'),
      at('named-schnell', 'flux1-schnell.safetensors'),
    );
    for (const [name, message] of [
      ['schnell-as-dev', noGuidance],
      ['diffusers-schnell', noGuidance],
      ['dev-as-schnell', guidance],
    ] as const) {
      expect(() => modelIn(at(name)).schedule(), name).toThrow(message);
      await expect(modelIn(at(name)).load({ runtime }), name).rejects.toThrow(message);
    }
    // What config.json says goes before the file's name, which counts where it says nothing.
    expect(modelIn(at('named-schnell')).resolve({})).toMatchObject({ guidance: 3.5 });
    expect(modelIn(at('named-schnell')).schedule()).toEqual(modelIn(at('official')).schedule());
    const { guidance: _, ...unsaid } = tinyFluxConfig(TENSORS);
    writeFileSync(at('named-schnell', 'config.json'), JSON.stringify(unsaid));
    expect(() => modelIn(at('named-schnell')).schedule()).toThrow(guidance);
    writeFileSync(at('schnell-as-dev', 'config.json'), JSON.stringify(tinyFluxConfig(schnell)));
    expect(() => modelIn(at('schnell-as-dev')).schedule({ guidance: 2 })).toThrow(/takes no guidance/);
    expect(modelIn(at('schnell-as-dev')).schedule().steps).toHaveLength(6);
  });

  it('two transformers in one folder; other names than the official ones will do', () => {
    renameSync(join(copy('float8'), 'flux.safetensors'), at('float8', 'flux1-dev-fp8.safetensors'));
    expect(modelIn(at('float8')).installed()).toBe(true);
    expect(modelIn(at('float8')).schedule()).toEqual(modelIn(at('official')).schedule());
    writeFileSync(at('float8', 'flux1-schnell.safetensors'), '');
    expect(() => modelIn(at('float8')).schedule()).toThrow(
      /float8: holds several transformers \(flux1-dev-fp8\.safetensors, flux1-schnell\.safetensors\): give each a folder/,
    );
  });

  it('a file in the place of its folder', () => {
    expect(() => modelIn(at('official', 'flux.safetensors'))).toThrow(
      /there is no model in the folder '.*flux\.safetensors': give the folder, not a file; .* a FLUX is flux1-dev\.safetensors/,
    );
  });

  it('options of the other kind of model', () => {
    expect(() => modelIn(at('official')).resolve({ topK: 1 })).toThrow(
      /does not take the option 'topK': it takes steps/,
    );
    expect(() => findModel('toybox').resolve({ solver: 'plain' })).toThrow(
      /toybox does not take the option 'solver'/,
    );
    expect(() => modelIn(at('official')).resolve({ cfg: [1, 2] })).toThrow(
      /'cfg' must be a number from 1 to 1000/,
    );
    for (const steps of [0, 1001, 2.5]) {
      expect(() => modelIn(at('official')).resolve({ steps })).toThrow(
        /'steps' must be a whole number from 1 to 1000/,
      );
    }
    for (const shift of [0, -1, 1e9]) {
      expect(() => modelIn(at('official')).resolve({ shift })).toThrow(
        /'shift' must be a number from 0\.001 to 1000/,
      );
    }
  });
});

describe('the official models', () => {
  it('are known without their files: sizes, steps, operations, licences', () => {
    const dev = findModel('flux1-dev');
    expect(dev).toMatchObject({ licence: 'FLUX.1 [dev] Non-Commercial (gated)', world: 'any' });
    expect(dev.resolve({})).toEqual({ steps: 28, guidance: 3.5, cfg: 1, solver: 'plain', size: '1024x1024' });
    const { unit, steps } = dev.schedule({ steps: 30 });
    expect(unit).toBe('step');
    expect(96 * steps.reduce((sum, { nfe }) => sum + nfe, 0)).toBe(2880);
    expect(steps.at(-1)).toMatchObject({ tokens: 4096, readout: { width: 1024, height: 1024, nfe: 0 } });
    expect((steps[1]?.flops ?? 0) / 1e12).toBeCloseTo(74.385, 3);
    const schnell = findModel('flux1-schnell');
    expect(schnell.resolve({})).toEqual({ steps: 4, cfg: 1, solver: 'plain', size: '1024x1024' });
    expect(
      schnell
        .schedule({})
        .steps.slice(1)
        .map(({ label }) => label),
    ).toEqual(['1.00', '0.75', '0.50', '0.25'].map((time) => `t = ${time}`));
    expect(() => schnell.resolve({ guidance: 3 })).toThrow(/flux1-schnell takes no guidance/);
    expect(() => dev.schedule({ size: '1000x1000' })).toThrow(/multiples of 16 pixels, not 1000x1000/);
  });

  it('say what is missing where, and which kind a folder holds', async () => {
    const before = process.env['VARSEARCH_MODELS'];
    process.env['VARSEARCH_MODELS'] = at('models');
    try {
      const dev = findModel('flux1-dev');
      expect(dev.installed()).toMatch(
        /models\/flux1-dev is missing: 'varsearch pull flux1-dev' fetches it, or put flux1-dev\.safetensors and ae\.safetensors of black-forest-labs\/FLUX\.1-dev there/,
      );
      cpSync(copy('there'), at('models', 'flux1-dev'), { recursive: true });
      expect(dev.installed()).toBe(true);
      rmSync(at('models', 'flux1-dev', 'clip-text'), { recursive: true });
      expect(dev.installed()).toMatch(/a text encoder is missing/);
      cpSync(at('there'), at('models', 'flux1-schnell'), { recursive: true });
      await expect(findModel('flux1-schnell').load({ runtime })).rejects.toThrow(
        /is a FLUX\.1-dev, not a FLUX\.1-schnell: keep it as .*flux1-dev/,
      );
    } finally {
      if (before === undefined) delete process.env['VARSEARCH_MODELS'];
      else process.env['VARSEARCH_MODELS'] = before;
    }
  });
});

describe('the options of all models', () => {
  it('are in one table', () => {
    for (const { options } of MODELS) {
      for (const name of Object.keys(options)) expect(Object.keys(MODEL_OPTIONS)).toContain(name);
    }
  });
});

const flow = findModel('toybox-flow');
const installed = flow.installed();

describe('the embedded FLUX', () => {
  it('has a schedule without its weights, and says when they are missing', () => {
    expect(flow.resolve({})).toEqual({ steps: 16, guidance: 1, cfg: 5, solver: 'plain', size: '64x64' });
    const { unit, steps } = flow.schedule();
    expect(unit).toBe('step');
    expect(steps).toHaveLength(17);
    expect(steps.at(-1)).toMatchObject({ tokens: 64, readout: { width: 64, height: 64, nfe: 0 } });
    expect(flow.schedule({ cfg: 1 }).steps[1]?.flops).toBe((steps[1]?.flops ?? 0) / 2);
    expect(() => flow.resolve({ size: '128x128' })).toThrow(
      /toybox-flow draws pictures of 64x64 pixels only/,
    );
    expect(flow.checkPrompt?.('a red unicorn')).toContain('unicorn');
    if (installed === true) return;
    expect(installed).toMatch(/toybox-flow\/\S+ is missing: this copy of varsearch came without its weights/);
  });

  it.skipIf(installed !== true)('has in its weights what its config.json says', async () => {
    await withModel(flow, async (model) => {
      const generator = await model.prepare('a red star', new Ledger());
      expect(generator.schedule).toEqual(flow.schedule());
      generator.close();
      const hashes = await model.hashes();
      expect(hashes['t5']).toBe(await fileHash(assetPath('toybox', 'text-encoder', 'model.safetensors')));
      expect(hashes['config']).toBe(await fileHash(assetPath('toybox-flow', 'config.json')));
    });
    expect(existsSync(assetPath('toybox-flow', 'text-encoder'))).toBe(false);
    // Without its weights, sizes come from config.json: in a folder that has nothing else they are the same.
    cpSync(assetPath('toybox-flow', 'config.json'), at('toybox-flow', 'config.json'), { recursive: true });
    expect(modelIn(at('toybox-flow')).schedule()).toEqual(flow.schedule());
  });
});

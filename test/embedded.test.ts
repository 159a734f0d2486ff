// The embedded model through the public API: options that are given per scale, the memory budget, hashes, and what a run
// leaves behind.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { assetPath } from '../src/core/assets.js';
import type { Reservation } from '../src/core/reservation.js';
import {
  builtInCatalogs,
  type Catalogs,
  openVarsearch,
  type PictureOptions,
  type Varsearch,
} from '../src/index.js';
import { createRuntime, type Runtime } from '../src/runtime/index.js';

const PROMPT = 'three red stars left of a blue circle';
const SCALES = 6;

async function picture(varsearch: Varsearch, options: Partial<PictureOptions>): Promise<string> {
  const run = varsearch.generate({ prompt: PROMPT, seed: 3, strategy: 'random', images: 1, ...options });
  return (await run.result).recipe.pixels;
}

/** A list of one number per scale: `usual`, but `other` at one of them. */
const except = (at: number, usual: number, other: number): number[] =>
  Array.from({ length: SCALES }, (_, scale) => (scale === at ? other : usual));

describe('options per scale', () => {
  let varsearch: Varsearch;
  beforeAll(async () => {
    varsearch = await openVarsearch();
  });
  afterAll(() => varsearch.close());

  it.each([
    ['cfg', 3, 30],
    ['temperature', 1, 8],
  ] as const)('%s acts at its own scale, at every one', async (name, usual, other) => {
    const same = await picture(varsearch, { [name]: usual });
    expect(await picture(varsearch, { [name]: except(-1, usual, other) })).toBe(same);
    const found = [same];
    for (let scale = 0; scale < SCALES; scale++) {
      found.push(await picture(varsearch, { [name]: except(scale, usual, other) }));
    }
    // One for all scales, and another for each scale that has a value of its own.
    expect(new Set(found).size).toBe(SCALES + 1);
  });
});

/** How many pictures went through the model at once. */
interface Batches {
  /** The most in a step of the last scale. */
  readonly step: number;
  /** The most in a run of the decoder. */
  readonly decoder: number;
}

/** The built-in catalogues with a runtime that is looked over its shoulder. */
async function watched(): Promise<{
  readonly catalogs: Catalogs;
  readonly batches: () => Batches;
  readonly runtime: () => Runtime;
  /** What was set aside for each run. */
  readonly reservations: readonly Reservation[];
}> {
  const most = { step: 0, decoder: 0 };
  let made: Runtime | undefined;
  const watch = (inputs: Readonly<Record<string, { readonly dims: readonly number[] }>>): void => {
    const [latents = 0] = inputs['latent']?.dims ?? [];
    most.decoder = Math.max(most.decoder, latents);
    const [tokens = 0] = inputs['cos']?.dims ?? [];
    const [rows = 0] = inputs['codes']?.dims ?? [];
    if (tokens === 64) most.step = Math.max(most.step, rows / tokens);
  };
  const create: NonNullable<Catalogs['createRuntime']> = async (options) => {
    const runtime = await createRuntime(options);
    const load = runtime.load.bind(runtime);
    runtime.load = async (...call) => {
      const session = await load(...call);
      const run = session.run.bind(session);
      session.run = (inputs, ...rest) => {
        watch(inputs);
        return run(inputs, ...rest);
      };
      return session;
    };
    made = runtime;
    return runtime;
  };
  const reservations: Reservation[] = [];
  const known = await builtInCatalogs();
  const findModel: Catalogs['findModel'] = (name) => {
    const entry = known.findModel(name);
    return {
      ...entry,
      load: async (options) => {
        const model = await entry.load(options);
        const prepare = model.prepare.bind(model);
        model.prepare = (prompt, ledger, given, call) => {
          if (call?.reservation) reservations.push(call.reservation);
          return prepare(prompt, ledger, given, call);
        };
        return model;
      },
    };
  };
  return {
    reservations,
    catalogs: { ...known, findModel, createRuntime: create },
    batches: () => ({ ...most }),
    runtime: () => made as Runtime,
  };
}

describe('the memory budget', () => {
  it('parts steps and decoding into batches that fit, without another picture', async () => {
    const eight = async (memory: string | number): Promise<[Batches, string]> => {
      const { catalogs, batches } = await watched();
      const varsearch = await openVarsearch({ memory }, { catalogs });
      const pixels = await picture(varsearch, { images: 12 });
      await varsearch.close();
      return [batches(), pixels];
    };
    // In all budgets but the last, eight rollouts are under way together (after a first group of four): only what runs at once
    // is parted.
    const [ample, pixels] = await eight('1GB');
    expect(ample).toEqual({ step: 8, decoder: 8 });
    const [medium, mediumPixels] = await eight('48MB');
    expect(medium.step).toBeGreaterThan(1);
    expect(medium.step).toBeLessThan(8);
    const [small, smallPixels] = await eight('24MB');
    expect(small.step).toBeLessThan(medium.step);
    expect(small.decoder).toBeGreaterThan(1);
    expect(small.decoder).toBeLessThan(8);
    const [least, leastPixels] = await eight('8MB');
    expect(least).toEqual({ step: 1, decoder: 1 });
    await expect(eight('1KB')).rejects.toThrow(
      /^this search holds \d\.\dMB at once at least, and the engine may hold 1KB/,
    );
    expect([mediumPixels, smallPixels, leastPixels]).toEqual([pixels, pixels, pixels]);
  });
});

describe('a run', () => {
  it('leaves nothing of its prompt in the runtime', async () => {
    const { catalogs, runtime, reservations } = await watched();
    const verifier = 'image-reward,clip-score,aesthetic,oracle';
    const varsearch = await openVarsearch({ verifier, holdOut: verifier, memory: '20MB' }, { catalogs });
    const before = await runtime().stats();
    await varsearch.generate({ prompt: PROMPT, strategy: 'beam', width: 2, candidates: 1 }).result;
    expect(await runtime().stats()).toMatchObject({ tensors: before.tensors, bytes: before.bytes });
    const [reservation] = reservations;
    expect(reservation?.held).toBe(0);
    expect(reservation?.peak).toBeGreaterThan(1e6);
    expect(reservation?.peak).toBeLessThanOrEqual(reservation?.bytes ?? NaN);
    await varsearch.close();
  });

  it('names every file that it depends on by its hash', async () => {
    const varsearch = await openVarsearch({ verifier: 'clip-score,image-reward' });
    const { hashes } = await varsearch.generate({ prompt: PROMPT, strategy: 'random', images: 1 }).result;
    await varsearch.close();
    const sha256 = (...path: string[]): string =>
      createHash('sha256')
        .update(readFileSync(join(assetPath('toybox'), ...path)))
        .digest('hex');
    expect(hashes.model).toEqual({
      transformer: sha256('transformer.pth'),
      vae: sha256('vae.pth'),
      config: sha256('config.json'),
      textEncoder: sha256('text-encoder', 'model.safetensors'),
      'textEncoder/config': sha256('text-encoder', 'config.json'),
      'textEncoder/tokenizer': sha256('text-encoder', 'tokenizer.json'),
      'textEncoder/tokenizerConfig': sha256('text-encoder', 'tokenizer_config.json'),
    });
    expect(hashes.jury).toMatchObject({
      'clip-score/weights': sha256('clip', 'model.safetensors'),
      'clip-score/tokenizer': sha256('clip', 'tokenizer.json'),
      'clip-score/config': sha256('clip', 'config.json'),
      'clip-score/preprocessor': sha256('clip', 'preprocessor_config.json'),
      'image-reward/weights': sha256('image-reward', 'ImageReward.pt'),
      'image-reward/tokenizer': sha256('image-reward', 'tokenizer.json'),
    });
  });
});

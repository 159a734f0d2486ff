// Thousands of damaged configurations of every model: each is refused with a CheckpointError that names its file, or read, and what
// follows from its numbers then is made in little time and memory. Recipes alike.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

import { assetPath } from '../src/core/assets.js';
import { CheckpointError, UsageError } from '../src/core/errors.js';
import type { JsonObject } from '../src/core/json-file.js';
import { readImageRewardConfig } from '../src/models/blip/config.js';
import { huggingFaceConfig } from '../src/models/clip/config.js';
import { readPreprocessing } from '../src/models/clip/preprocess.js';
import { fluxFolder } from '../src/models/flux/folder.js';
import { fluxTimes } from '../src/models/flux/schedule.js';
import { infinityFacts, parseInfinityConfig } from '../src/models/infinity/folder.js';
import { rotaryTables } from '../src/models/infinity/rotary.js';
import { scheduleFromFacts } from '../src/models/infinity/steps.js';
import { t5Config } from '../src/models/t5/config.js';
import { biasByDistance } from '../src/models/t5/relative-bias.js';
import { parseRecipe } from '../src/run/recipe.js';
import { seededRandom } from '../src/runtime/weights/fixtures/mutate.js';
import { openWeights, withPrefix } from '../src/runtime/weights/index.js';
import { readLlavaFolder } from '../src/verifiers/llava/in-process-files.js';
import { llavaPreprocessor, writeTinyLlava } from './fakes/tiny-llava.js';
import { bounded, type Bounds } from './fixtures/bounded.js';
import { mutateJson } from './fixtures/mutate-json.js';
import { tinyFluxConfig, writeDiffusersFlux } from './fixtures/tiny-flux.js';

const folder = mkdtempSync(join(tmpdir(), 'varsearch-configs-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const BOUNDS: Bounds = { seconds: 30, megabytes: 400 };
const toybox = assetPath('toybox');
const read = (...path: string[]): JsonObject =>
  JSON.parse(readFileSync(join(toybox, ...path), 'utf8')) as JsonObject;

/** Writes JSON as `name` in a folder of its own; gives the folder. */
function written(name: string, value: unknown, at = join(folder, 'one')): string {
  mkdirSync(at, { recursive: true });
  writeFileSync(join(at, name), JSON.stringify(value));
  return at;
}

/** Mutants of a configuration: how many are read; the others have to be refused in the right way. */
function readable(seed: number, count: number, base: object, use: (mutant: JsonObject) => void): number {
  const random = seededRandom(seed);
  let taken = 0;
  for (let i = 0; i < count; i++) {
    const mutant = mutateJson(base, random);
    try {
      use(mutant as JsonObject);
      taken++;
    } catch (error) {
      if (error instanceof CheckpointError || error instanceof UsageError) continue;
      throw new Error(`mutant ${i}: ${JSON.stringify(mutant).slice(0, 2000)}`, { cause: error });
    }
  }
  return taken;
}

/** Every number in a value is finite, and none absurd. */
function expectSane(value: unknown): void {
  const numbers: number[] = [];
  JSON.stringify(value, (_, each: unknown) => {
    if (typeof each === 'number') numbers.push(each);
    return each;
  });
  const fault = numbers.find((each) => !Number.isFinite(each) || Math.abs(each) > 1e21);
  if (fault !== undefined) throw new Error(`came to ${fault}`);
}

interface Family {
  readonly name: string;
  readonly base: object;
  readonly count: number;
  readonly use: (mutant: JsonObject) => void;
}

const blipSource = openWeights(join(toybox, 'image-reward', 'ImageReward.pt'));
const blip = withPrefix(blipSource, 'blip.');
afterAll(() => {
  blipSource.close();
});
const diffusers = join(folder, 'diffusers');
writeDiffusersFlux(diffusers);
const official = join(folder, 'official');
written('config.json', {}, official);
writeFileSync(join(official, 'flux.safetensors'), '');

function useFlux(at: string): void {
  const { defaults, shift, scaling, textLength } = fluxFolder(at, 'x');
  expectSane([defaults, shift, scaling, textLength]);
  const times = fluxTimes(defaults.steps, 4096, shift);
  expectSane([...times]);
}

const families: Family[] = [
  {
    name: "Infinity's config.json",
    base: read('config.json'),
    count: 1200,
    use: (mutant) => {
      const at = written('config.json', mutant);
      const { schedule } = parseInfinityConfig(mutant, 'config.json');
      const facts = infinityFacts(at, 'x');
      expectSane(facts);
      expectSane(scheduleFromFacts(facts, {}));
      rotaryTables(schedule, 4);
    },
  },
  {
    name: "T5's config.json",
    base: read('text-encoder', 'config.json'),
    count: 2000,
    use: (mutant) => {
      const config = t5Config('config.json', mutant);
      expectSane(config);
      const { buckets, maxDistance } = config;
      expectSane([...biasByDistance(new Float32Array(buckets).fill(1), 1, { buckets, maxDistance })]);
    },
  },
  {
    name: "CLIP's config.json",
    base: read('clip', 'config.json'),
    count: 2000,
    use: (mutant) => {
      expectSane(huggingFaceConfig('config.json', mutant, { vision: true, text: true }));
    },
  },
  {
    name: "CLIP's preprocessor_config.json",
    base: read('clip', 'preprocessor_config.json'),
    count: 1000,
    use: (mutant) => {
      const { shorterSide, mean, deviation } = readPreprocessing(
        written('preprocessor_config.json', mutant),
        64,
      );
      expectSane([shorterSide, mean, deviation.map((each) => 1 / each)]);
      expect(shorterSide).toBeLessThanOrEqual(4096);
    },
  },
  {
    name: "ImageReward's configurations",
    base: {
      med: read('image-reward', 'med_config.json'),
      extra: {
        ...read('image-reward', 'config.json'),
        visual_encoder: { num_heads: 2, layer_norm_eps: 1e-6 },
      },
    },
    count: 600,
    use: (mutant) => {
      const at = written('med_config.json', mutant['med'] ?? null);
      written('config.json', mutant['extra'] ?? null);
      expectSane(readImageRewardConfig(at, blip));
    },
  },
  {
    name: "FLUX's config.json",
    base: { ...tinyFluxConfig(), shift: true, base_shift: 0.5, max_shift: 1.15, text_length: 77, cfg: 1 },
    count: 1000,
    use: (mutant) => {
      written('config.json', mutant, official);
      useFlux(official);
    },
  },
  {
    name: "FLUX's configurations in Diffusers' layout",
    base: {
      model: { axes_dims_rope: [4, 6, 6], guidance_embeds: true },
      vae: { scaling_factor: 0.5, shift_factor: 0.25 },
      scheduler: { use_dynamic_shifting: true, base_shift: 0.5, max_shift: 1.15 },
    },
    count: 600,
    use: (mutant) => {
      written('config.json', mutant['model'] ?? null, join(diffusers, 'transformer'));
      written('config.json', mutant['vae'] ?? null, join(diffusers, 'vae'));
      written('scheduler_config.json', mutant['scheduler'] ?? null, join(diffusers, 'scheduler'));
      useFlux(diffusers);
    },
  },
];

describe('damaged configurations', { timeout: 300_000 }, () => {
  it.each(families)('of $name', ({ base, count, use }) => {
    const taken = bounded(BOUNDS, () => readable(count, count, base, use));
    // Both outcomes have to occur, or the test tests nothing.
    expect(taken).toBeGreaterThan(count / 50);
    expect(taken).toBeLessThan((count * 19) / 20);
  });

  it("of LLaVA's preprocessor", async () => {
    const at = join(folder, 'llava');
    writeTinyLlava(at);
    const random = seededRandom(8);
    let taken = 0;
    for (let i = 0; i < 200; i++) {
      written('preprocessor_config.json', mutateJson(llavaPreprocessor(), random), at);
      try {
        const { size, imageToken } = await readLlavaFolder(at);
        expectSane([size, imageToken]);
        expect(Math.max(size.width, size.height)).toBeLessThanOrEqual(4096);
        taken++;
      } catch (error) {
        expect(error).toBeInstanceOf(CheckpointError);
      }
    }
    expect(taken).toBeGreaterThan(5);
    expect(taken).toBeLessThan(200);
  });
});

describe('damaged recipes', { timeout: 300_000 }, () => {
  const recipe = {
    format: 2,
    options: {
      prompt: 'a red star',
      model: 'toybox',
      modelOptions: { cfg: [4, 3], topK: 0, topP: 0 },
      jury: { judges: ['clip-score', 'image-reward'], observers: ['oracle'], weights: [1, 2], rule: 'rank' },
      seed: 7,
      search: { strategy: 'beam', width: 3, candidates: [5, 5] },
    },
    hashes: { model: { transformer: 'aa' }, jury: { 'clip-score/weights': 'bb' } },
    versions: { varsearch: '0.1.0' },
    standing: { score: 0.3 },
    candidate: 3,
    complete: true,
    pixels: 'cc',
  };
  const old = {
    format: 1,
    options: {
      prompt: 'x',
      model: 'toybox',
      verifier: 'clip-score',
      seed: 7,
      cfg: 3,
      search: { strategy: 'gto' },
    },
    hashes: { model: { transformer: 'aa' }, verifier: { weights: 'bb' } },
    versions: {},
    score: 0.3,
    node: 3,
    complete: true,
    pixels: 'cc',
  };

  it.each([
    ['of format 2', recipe],
    ['of format 1', old],
  ])('%s', (_, base) => {
    const taken = bounded(BOUNDS, () =>
      readable(21, 3000, base, (mutant) => {
        const { options, hashes } = parseRecipe(JSON.stringify(mutant));
        expect(typeof options.prompt).toBe('string');
        expect(options.jury.judges.length).toBeLessThanOrEqual(64);
        expect([...options.jury.judges].every((name) => typeof name === 'string')).toBe(true);
        expect(Object.values(hashes.model).every((hash) => typeof hash === 'string')).toBe(true);
        expect(({} as Record<string, unknown>)['x']).toBeUndefined();
      }),
    );
    expect(taken).toBeGreaterThan(60);
    expect(taken).toBeLessThan(2850);
  });

  it('whose text is damaged anywhere', () => {
    const text = JSON.stringify(recipe);
    const random = seededRandom(22);
    bounded(BOUNDS, () => {
      for (let i = 0; i < 3000; i++) {
        const at = Math.floor(random() * text.length);
        const piece = text.slice(at, at + 1 + Math.floor(random() * 20));
        const mutant =
          text.slice(0, at) + piece.repeat(Math.floor(random() * 4)) + text.slice(at + piece.length);
        try {
          parseRecipe(mutant);
        } catch (error) {
          if (!(error instanceof UsageError)) throw new Error(`mutant ${i}: ${mutant}`, { cause: error });
        }
      }
    });
  });
});

// The embedded model as it is shipped: its numbers against PyTorch's, the same search on any machine, and what its
// pictures show, judged by the detector. Everything is seeded: a failure is a change, not bad luck.

import { copyFileSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { checkConformance } from '../conformance/index.js';
import { assetPath, packageRoot } from '../src/core/assets.js';
import { createImage } from '../src/core/image.js';
import { Ledger } from '../src/core/ledger.js';
import { RandomKey } from '../src/core/random.js';
import type { GenerateOptions, GenerateResult } from '../src/index.js';
import { generate } from '../src/index.js';
import { findModel } from '../src/models/catalog.js';
import { readInfinityConfig } from '../src/models/infinity/folder.js';
import { openVaeRoundTrip } from '../src/models/vae/round-trip.js';
import { createRuntime, type Runtime } from '../src/runtime/index.js';
import { openWeights } from '../src/runtime/weights/index.js';
import type { SearchOptions } from '../src/search/registry.js';
import { judgePicture } from '../src/toybox/judge/judge.js';
import { benchmarkPrompts } from '../src/toybox/world/benchmark-prompts.js';
import { parsePrompt } from '../src/toybox/world/parser.js';
import { findVerifier } from '../src/verifiers/catalog.js';
import { heightOf } from '../src/verifiers/jury.js';
import { validateJudge } from '../training/scenes/validate.js';

const PROMPT = 'three red stars left of a blue circle';
const folder = assetPath('toybox');
let runtime: Runtime;

beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(async () => {
  await runtime.close();
});

const search = (options: SearchOptions & Partial<GenerateOptions>): Promise<GenerateResult> =>
  generate({ prompt: PROMPT, seed: 7, verifier: 'clip-score', threads: 2, ...options } as GenerateOptions)
    .result;

describe('the embedded model', () => {
  it('computes what PyTorch computes from the same files', async () => {
    // Reference: python3 training/parity.py make assets/toybox test/fixtures/toybox-reference
    const fixture = mkdtempSync(join(tmpdir(), 'varsearch-test-'));
    const reference = join(packageRoot(), 'test', 'fixtures', 'toybox-reference');
    for (const name of ['config.json', 'reference.safetensors']) {
      copyFileSync(join(reference, name), join(fixture, name));
    }
    for (const name of ['transformer.pth', 'vae.pth']) symlinkSync(join(folder, name), join(fixture, name));
    const { comparisons, passes } = await checkConformance(fixture);
    rmSync(fixture, { recursive: true });
    expect([...comparisons.values()].flat().filter((comparison) => !comparison.passes)).toEqual([]);
    expect(passes).toBe(true);
  });

  it('has verifiers that score as they do in PyTorch', async () => {
    const file = join(packageRoot(), 'test', 'fixtures', 'toybox-reference', 'reference.safetensors');
    const reference = openWeights(file);
    const bytes = reference.readRaw('verifier.pictures');
    const pictures = [0, 1].map((i) => createImage(64, 64, bytes.slice(i * 12288, (i + 1) * 12288)));
    const prompts = [PROMPT, 'a heart'];
    for (const [name, output] of [
      ['image-reward', 'rewards'],
      ['aesthetic', 'aesthetic'],
    ] as const) {
      const wanted = reference.read(`verifier.${output}`);
      const verifier = await findVerifier(name).load({ runtime });
      for (const [i, prompt] of prompts.entries()) {
        const judge = await verifier.prepare(prompt, new Ledger());
        const [score] = await judge.score(pictures.slice(i, i + 1));
        expect(score).toBeCloseTo(wanted[i] ?? NaN, 3);
        judge.close();
      }
      await verifier.close();
    }
    reference.close();
  });

  it('gives the same tree whatever the threads and the micro-batches', async () => {
    const options = { strategy: 'beam', width: 2, candidates: 2 } as const;
    const expected = await search(options);
    expect(new Set(expected.candidates.map(({ scores }) => scores['clip-score'])).size).toBeGreaterThan(3);
    const { candidates, fates, pictures } = await search({ ...options, threads: 1, memory: '13MB' });
    expect({ candidates, fates, pictures }).toEqual({
      candidates: expected.candidates,
      fates: expected.fates,
      pictures: expected.pictures,
    });
  });

  it('finds a better picture with more compute', async () => {
    const one = await search({ strategy: 'random', images: 1 });
    const beam = await search({ strategy: 'beam', width: 2, candidates: 3, keepElected: true });
    expect(heightOf(beam.standing)).toBeGreaterThan(heightOf(one.standing));
  });

  it('finds the picture that the prompt asks for when the verifier is right', async () => {
    const prompt = 'a red star above a blue circle';
    const { image, standing } = await search({
      strategy: 'beam',
      width: 2,
      candidates: 4,
      prompt,
      verifier: 'oracle',
    });
    expect(standing).toEqual({ score: 1 });
    expect(judgePicture(parsePrompt(prompt), image)).toMatchObject({ correct: true });
  });

  it('draws what unseen prompts ask for', async () => {
    const model = await findModel('toybox').load({ runtime });
    const verdicts: boolean[] = [];
    for (const { prompt } of benchmarkPrompts(4)) {
      const generator = await model.prepare(prompt, new Ledger());
      let prefix = generator.begin();
      for (let step = 1; step <= generator.schedule.steps.length; step++) {
        const [next] = await generator.extend([{ prefix, draw: RandomKey.fromSeed(1).fold(step) }]);
        prefix.release();
        if (!next) throw new Error('nothing was drawn');
        prefix = next;
      }
      const [image] = await generator.decode([prefix], 'own');
      prefix.release();
      generator.close();
      verdicts.push(image !== undefined && judgePicture(parsePrompt(prompt), image).correct);
    }
    await model.close();
    expect(verdicts.filter(Boolean).length / verdicts.length).toBeGreaterThan(0.6);
  });
});

describe('the embedded VAE', () => {
  it('keeps what a picture shows', async () => {
    const { scales } = readInfinityConfig(join(folder, 'config.json')).schedule;
    const vae = await openVaeRoundTrip(runtime, join(folder, 'vae.pth'), scales);
    const { accepted } = await validateJudge({ count: 80, roundTrip: vae.reconstruct });
    vae.close();
    expect(accepted.right / accepted.all).toBeGreaterThan(0.97);
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

import { greyPicture, patternPicture } from '../../test/fixtures/pictures.js';
import { TINY_CLIP, writeTinyClip } from '../../test/fixtures/tiny-clip.js';
import { tinyAestheticTensors } from '../../test/fixtures/tiny-image-reward.js';
import { writeTorchFile } from '../../test/fixtures/torch-file.js';
import { RuntimeError } from '../core/errors.js';
import { Ledger } from '../core/ledger.js';
import { openClip } from '../models/clip/clip.js';
import { createClipPool } from '../models/clip/shared.js';
import { createRuntime, type Runtime } from '../runtime/index.js';
import { aestheticScores, openAesthetic, readAestheticHead } from './aesthetic.js';
import { clipScore } from './clip-score.js';
import type { Verifier } from './contract.js';
import { describeVerifier } from './verifier.suite.js';

const folder = mkdtempSync(join(tmpdir(), 'aesthetic-'));
writeTinyClip(folder);
const file = (name: string, tensors: ReturnType<typeof tinyAestheticTensors>): string => {
  writeTorchFile(join(folder, name), tensors);
  return join(folder, name);
};
const head = file('sac+logos+ava1-l14-linearMSE.pth', tinyAestheticTensors(TINY_CLIP.embedding));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const open = (runtime: Runtime, at = head): Promise<Verifier> =>
  openAesthetic({ openClip: () => openClip(runtime, folder, { weights: 'model.safetensors' }), head: at });
const pictures = [
  patternPicture(32, 32),
  patternPicture(48, 32, 3),
  greyPicture(32, 32, 200),
  patternPicture(64, 64, 5),
];

describeVerifier('aesthetic', {
  open,
  prompts: ['the red stars', 'a blue cat'],
  sameForAllPrompts: 'the head sees the picture only',
  pictures,
  faults: [
    {
      what: 'no head',
      open: (runtime) => open(runtime, join(folder, 'nowhere.pth')),
      says: /nowhere\.pth: does not exist/,
    },
    {
      what: 'a head that is no model',
      open: (runtime) => {
        writeFileSync(join(folder, 'page.pth'), '<html>');
        return open(runtime, join(folder, 'page.pth'));
      },
      says: /page\.pth: is a web page/,
    },
    {
      what: 'the head of another CLIP',
      open: (runtime) => open(runtime, file('other.pth', tinyAestheticTensors(32))),
      says: /other\.pth: takes embeddings of width 32, and this CLIP gives 24/,
    },
    {
      what: 'no CLIP',
      open: (runtime) => openAesthetic({ openClip: () => openClip(runtime, join(folder, 'nowhere')), head }),
      says: /nowhere.* does not exist/,
    },
  ],
});

describe('aesthetic', () => {
  it("is the head's number for the normalised embedding", async () => {
    const runtime = await createRuntime({ threads: 1 });
    const clip = await openClip(runtime, folder, { weights: 'model.safetensors' });
    const embedding = await clip.embedImages(pictures.slice(0, 1));
    const norm = Math.hypot(...embedding);
    const [wanted = NaN] = readAestheticHead(head).apply(embedding.map((x) => x / norm));
    const verifier = await open(runtime);
    const judge = await verifier.prepare('anything', new Ledger());
    expect((await judge.score(pictures.slice(0, 1)))[0]).toBeCloseTo(wanted, 5);
    await runtime.close();
  });

  it('gives the score of the biases to an embedding of zeros', () => {
    const { inputs, ...read } = readAestheticHead(head);
    const [bias = NaN] = read.apply(new Float32Array(inputs));
    expect([...aestheticScores({ inputs, ...read }, new Float32Array(inputs))]).toEqual([bias]);
  });

  it('fails on damaged weights', async () => {
    const tensors = tinyAestheticTensors(TINY_CLIP.embedding);
    tensors.get('layers.2.weight')?.data.fill(NaN);
    const runtime = await createRuntime({ threads: 1 });
    const judge = await (await open(runtime, file('damaged.pth', tensors))).prepare('a cat', new Ledger());
    await expect(judge.score(pictures)).rejects.toThrow(RuntimeError);
    await runtime.close();
  });

  it('shares one run of the image tower with CLIPScore', async () => {
    const runtime = await createRuntime({ threads: 1 });
    const pool = createClipPool(runtime);
    const openShare = (): ReturnType<typeof pool.open> => pool.open(folder, { weights: 'model.safetensors' });
    const score = clipScore(await openShare());
    const beauty = await openAesthetic({ openClip: openShare, head });
    const before = await runtime.stats();
    const judges = [await score.prepare('a cat', new Ledger()), await beauty.prepare('a cat', new Ledger())];
    const scores = await Promise.all(judges.map((judge) => judge.score(pictures)));
    // One run of the text tower, one of the image tower for all pictures.
    expect((await runtime.stats()).runs - before.runs).toBe(2);
    await score.close();
    expect((await runtime.stats()).sessions).toBe(2);
    expect(await judges[1]?.score(pictures)).toEqual(scores[1]);
    await beauty.close();
    expect((await runtime.stats()).sessions).toBe(0);
    await runtime.close();
  });
});

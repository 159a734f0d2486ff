import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startOpenAiServer } from '../../test/fakes/openai-server.js';
import { greyPicture, patternPicture } from '../../test/fixtures/pictures.js';
import { TINY_CLIP, writeTinyClip } from '../../test/fixtures/tiny-clip.js';
import { tinyAestheticTensors, writeTinyImageReward } from '../../test/fixtures/tiny-image-reward.js';
import { writeTorchFile } from '../../test/fixtures/torch-file.js';
import { assetPath } from '../core/assets.js';
import { UsageError, VarsearchError } from '../core/errors.js';
import { Ledger } from '../core/ledger.js';
import { createClipPool } from '../models/clip/shared.js';
import { createRuntime } from '../runtime/index.js';
import { clipIn, findVerifier, type VerifierEntry, VERIFIERS } from './catalog.js';

const entries: readonly VerifierEntry[] = VERIFIERS;

describe('the catalogue of verifiers', () => {
  it('finds each by its name, and names all of them when there is none', () => {
    for (const entry of entries) expect(findVerifier(entry.name)).toBe(entry);
    expect(() => findVerifier('clip')).toThrow(UsageError);
    for (const { name } of entries) expect(() => findVerifier('clip')).toThrow(name);
  });

  it.each(entries)('$name says whether it is there, and loads or fails accordingly', async (entry) => {
    const installed = entry.installed();
    if (installed !== true) {
      expect(installed).toMatch(/missing|VARSEARCH_/);
      await expect(entry.load({ threads: 1 })).rejects.toThrow(VarsearchError);
      return;
    }
    const verifier = await entry.load({ threads: 1 });
    expect(verifier.name).toBe(entry.name);
    const judge = await verifier.prepare('a red star', new Ledger());
    expect(await judge.score([greyPicture(64, 64)])).toHaveLength(1);
    judge.close();
    await verifier.close();
  });
});

describe('verifiers whose files the user fetches', () => {
  const models = mkdtempSync(join(tmpdir(), 'models-'));
  const before = process.env['VARSEARCH_MODELS'];
  beforeAll(() => {
    process.env['VARSEARCH_MODELS'] = models;
  });
  afterAll(() => {
    if (before === undefined) delete process.env['VARSEARCH_MODELS'];
    else process.env['VARSEARCH_MODELS'] = before;
    rmSync(models, { recursive: true });
  });
  const names = ['clip-score-l14', 'aesthetic-l14', 'image-reward-v1'];
  const folder = (name: string): string => {
    mkdirSync(join(models, name), { recursive: true });
    return join(models, name);
  };

  it('say which files are missing and where they come from', () => {
    writeTinyClip(folder('clip-vit-large-patch14'));
    expect(findVerifier('clip-score-l14').installed()).toBe(true);
    expect(findVerifier('aesthetic-l14').installed()).toMatch(
      /^files are missing: .*aesthetic lacks sac\+logos\+ava1-l14-linearMSE\.pth of .*improved-aesthetic-predictor/,
    );
    expect(findVerifier('image-reward-v1').installed()).toMatch(
      /lacks ImageReward\.pt, med_config\.json of THUDM\/ImageReward .*; .*lacks tokenizer\.json of .*bert-base-uncased/,
    );
  });

  it('are any CLIP too, by its folder and never by a name', async () => {
    const own = folder('my-clip');
    expect(() => findVerifier(own)).toThrow(/unknown verifier .*'clipDir'/);
    expect(clipIn(own).installed()).toMatch(/lacks config\.json/);
    writeTinyClip(own);
    const entry = clipIn(own);
    expect(entry.installed()).toBe(true);
    const verifier = await entry.load({ threads: 1 });
    expect(verifier.name).toBe('clip-dir');
    const judge = await verifier.prepare('a red star', new Ledger());
    expect(await judge.score([patternPicture(40, 30)])).toHaveLength(1);
    judge.close();
    await verifier.close();
  });

  it('score, and share one CLIP from a pool', async () => {
    writeTinyClip(folder('clip-vit-large-patch14'));
    const head = join(folder('aesthetic'), 'sac+logos+ava1-l14-linearMSE.pth');
    writeTorchFile(head, tinyAestheticTensors(TINY_CLIP.embedding));
    writeTinyImageReward(folder('image-reward'));
    const runtime = await createRuntime({ threads: 1 });
    const options = { runtime, clips: createClipPool(runtime) };
    const verifiers = await Promise.all(names.map((name) => findVerifier(name).load(options)));
    // Two of the CLIP and three of ImageReward.
    expect((await runtime.stats()).sessions).toBe(5);
    const pictures = [greyPicture(40, 30), patternPicture(40, 30)];
    for (const [i, verifier] of verifiers.entries()) {
      expect(verifier.name).toBe(names[i]);
      const judge = await verifier.prepare('a red star', new Ledger());
      expect(new Set(await judge.score(pictures)).size).toBe(2);
      judge.close();
      await verifier.close();
    }
    expect(await runtime.stats()).toMatchObject({ sessions: 0, tensors: 0 });
    await runtime.close();
  });
});

describe('the endpoint that the environment names', () => {
  it('is a verifier like the others', async () => {
    const server = await startOpenAiServer();
    process.env['VARSEARCH_LLAVA_URL'] = server.url;
    try {
      const entry = findVerifier('llava-endpoint');
      expect(entry.installed()).toBe(true);
      const verifier = await entry.load();
      const judge = await verifier.prepare('a red star', new Ledger());
      const [share] = await judge.score([patternPicture(8, 8)]);
      expect(share).toBeGreaterThan(0);
      judge.close();
      await verifier.close();
      const reason = new DOMException('enough', 'AbortError');
      await expect(entry.load({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    } finally {
      delete process.env['VARSEARCH_LLAVA_URL'];
      await server.close();
    }
  });
});

describe('assetPath', () => {
  it("lies in varsearch's own folder", () => {
    expect(existsSync(assetPath('..', 'package.json'))).toBe(true);
    expect(assetPath('toybox', 'clip')).toMatch(/assets[\\/]toybox[\\/]clip$/);
  });
});

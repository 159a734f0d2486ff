// The text encoders of a FLUX: T5 with its padding, CLIP's pooled state, and files of other models.

import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { TINY_CLIP, writeTinyClip } from '../../../test/fixtures/tiny-clip.js';
import { assetPath } from '../../core/assets.js';
import { createRuntime, type Runtime } from '../../runtime/index.js';
import { openTowers } from '../clip/towers.js';
import { openT5Weights } from '../t5/text-encoder.js';
import { loadTokenizer } from '../tokenizer.js';
import { openFluxText } from './text.js';

const LENGTH = 12;
const folder = mkdtempSync(join(tmpdir(), 'varsearch-flux-text-'));
const [t5, clip] = [join(folder, 't5'), join(folder, 'clip')];
const FILES = { t5: { weights: t5, tokenizer: t5 }, clip: { weights: clip, tokenizer: clip } };
let runtime: Runtime;
let widths: { contextWidth: number; vectorWidth: number };

beforeAll(async () => {
  cpSync(assetPath('toybox/text-encoder'), t5, { recursive: true });
  mkdirSync(clip);
  writeTinyClip(clip);
  widths = { contextWidth: 256, vectorWidth: TINY_CLIP.width };
  runtime = await createRuntime({ threads: 1 });
});
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true });
});

describe('a prompt', () => {
  it('becomes states of the full length, padding attended to, and a pooled state', async () => {
    const encoder = await openFluxText(runtime, FILES, widths, { textLength: LENGTH });
    const found = await encoder.encode('a red circle');
    expect(found.tokens).toBe(LENGTH);
    const tokenizer = loadTokenizer(t5);
    const { ids } = tokenizer.encode(['a red circle'], { maxLength: LENGTH, padTo: LENGTH });
    const alone = await openT5Weights(runtime, t5);
    expect(found.states).toEqual(await alone.states({ ids, length: LENGTH }));
    const mask = ids.map((id) => (id === tokenizer.padId ? 0 : 1));
    expect(found.states).not.toEqual(await alone.states({ ids, mask, length: LENGTH }));
    alone.close();
    const towers = await openTowers(runtime, clip, { states: true });
    const { context } = TINY_CLIP;
    const tokens = loadTokenizer(clip).encode(['a red circle'], { maxLength: context, padTo: context });
    const pooled = (await towers.runText(tokens.ids, 1)).float32('pooler_output');
    towers.close();
    found.pooled.forEach((value, i) => {
      expect(value).toBeCloseTo(pooled[i]!, 5);
    });
    // What is too long is cut; nothing is what real guidance goes away from.
    expect((await encoder.encode('red '.repeat(50))).states).toHaveLength(LENGTH * 256);
    expect((await encoder.encode('')).states).toHaveLength(LENGTH * 256);
    // What settles a prompt's states: weights, configurations and tokenizers.
    const hashes = await encoder.hashes();
    expect(Object.keys(hashes)).toEqual([
      't5', 't5/config', 't5/tokenizer', 't5/tokenizerConfig', 'clipText', 'clipText/config', 'clipText/tokenizer', 'clipText/tokenizerConfig',
    ].filter((name) => name in hashes)); // prettier-ignore
    expect(Object.keys(hashes)).toEqual(expect.arrayContaining(['t5/tokenizer', 'clipText/tokenizer']));
    encoder.close();
  });
});

describe('encoders of another model', () => {
  it('are refused by the width of their states', async () => {
    await expect(
      openFluxText(runtime, FILES, { ...widths, contextWidth: 4096 }, { textLength: LENGTH }),
    ).rejects.toThrow(/gives states of 256 channels, the transformer reads 4096: it is not the T5 encoder/);
    await expect(
      openFluxText(runtime, FILES, { ...widths, vectorWidth: 768 }, { textLength: LENGTH }),
    ).rejects.toThrow(/the transformer reads 768: it is not the CLIP text encoder/);
    await expect(openFluxText(runtime, FILES, widths, { textLength: 0 })).rejects.toThrow(
      /length of padded text/,
    );
  });
});

import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { damagedCopy } from '../../test/fixtures/damaged-copy.js';
import { writeTinyClip } from '../../test/fixtures/tiny-clip.js';
import { assetPath } from '../core/assets.js';
import { createImage } from '../core/image.js';
import { createRuntime, type Runtime } from '../runtime/index.js';
import { openClip } from './clip/clip.js';
import { openT5Encoder } from './t5/text-encoder.js';

const folder = mkdtempSync(join(tmpdir(), 'varsearch-readouts-'));
let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true });
});

/** Damages the weights of a folder in their place. */
function damage(at: string, name: string, value: number): string {
  const file = join(at, 'model.safetensors');
  renameSync(damagedCopy(file, join(at, 'damaged'), name, value), file);
  return at;
}

describe('damaged weights are an error that names file and part', () => {
  it.each([
    ['visual_projection.weight', NaN, "model.safetensors: the image tower's embeddings are not finite"],
    ['text_projection.weight', 0, "model.safetensors: the text tower's embeddings are all the same"],
  ])('of a CLIP: %s', async (name, value, fault) => {
    const at = join(folder, name);
    mkdirSync(at);
    writeTinyClip(at);
    const clip = await openClip(runtime, damage(at, name, value));
    const both = async (): Promise<void> => {
      await clip.embedImages([createImage(40, 40, new Uint8Array(3 * 40 * 40))]);
      await clip.embedText(['a cat']);
    };
    await expect(both()).rejects.toThrow(fault);
    clip.close();
  });

  it.each([
    [Infinity, 'are not finite numbers'],
    [0, 'are all the same'],
  ])('of a T5: %d', async (value, fault) => {
    const at = join(folder, `t5-${value}`);
    cpSync(assetPath('toybox', 'text-encoder'), at, { recursive: true });
    const encoder = await openT5Encoder(runtime, damage(at, 'encoder.final_layer_norm.weight', value));
    await expect(encoder.encode('a red star')).rejects.toThrow(
      `model.safetensors: the text encoder's states ${fault}`,
    );
    encoder.close();
  });
});

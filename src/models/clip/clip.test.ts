import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { patternPicture } from '../../../test/fixtures/pictures.js';
import {
  TINY_CLIP,
  tinyClipConfig,
  tinyClipTensors,
  writeTinyClip,
} from '../../../test/fixtures/tiny-clip.js';
import { tinyOpenAiTensors } from '../../../test/fixtures/tiny-clip-openai.js';
import { CheckpointError } from '../../core/errors.js';
import { createRuntime, type Runtime } from '../../runtime/index.js';
import { type TensorToWrite, writeSafetensors } from '../../runtime/weights/index.js';
import { openClip } from './clip.js';
import { cosines } from './similarity.js';
import { endPosition, openTowers } from './towers.js';

let runtime: Runtime;
let folder: string;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
  folder = mkdtempSync(join(tmpdir(), 'clip-'));
  writeTinyClip(folder);
});
afterAll(async () => {
  expect(await runtime.stats()).toMatchObject({ sessions: 0, tensors: 0 });
  await runtime.close();
  rmSync(folder, { recursive: true });
});

/** A folder with the tiny CLIP, changed. */
function variant(change: (folder: string) => void): string {
  const changed = mkdtempSync(join(folder, 'variant-'));
  for (const file of ['config.json', 'tokenizer.json', 'model.safetensors']) {
    cpSync(join(folder, file), join(changed, file));
  }
  change(changed);
  return changed;
}

const rewrite = (at: string, change: (tensors: Map<string, TensorToWrite>) => void): void => {
  const tensors: Map<string, TensorToWrite> = tinyClipTensors();
  change(tensors);
  writeSafetensors(join(at, 'model.safetensors'), tensors);
};

/** A number of the size that weights have, cut to what float16 can hold (tiny ones become 0). */
function roundToHalf(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0] ?? 0;
  return Math.abs(value) < 2 ** -14
    ? 0
    : (new Float32Array(Uint32Array.of(bits & 0xffffe000).buffer)[0] ?? 0);
}

/** The float16 bits of numbers cut by `roundToHalf`. */
function halfBits(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.map(roundToHalf).buffer);
  return Uint16Array.from(bits, (x) =>
    (x & 0x7fffffff) === 0
      ? 0
      : ((x >>> 16) & 0x8000) | ((((x >>> 23) & 0xff) - 112) << 10) | ((x >>> 13) & 0x3ff),
  );
}

describe('the embeddings', () => {
  // Recomputed in float64 with NumPy from the same files (pixels by CLIP's mean and deviation; QuickGELU; causal text).
  const IMAGE = [1.153556, 0.470151, 0.907813, -0.81215, 0.824632, 0.619935];
  const TEXT = [0.452097, 0.221816, -0.368738, 0.312198, 0.980129, -0.29156];

  it('are those of an independent computation, from both layouts', async () => {
    writeSafetensors(join(folder, 'clip.safetensors'), tinyOpenAiTensors());
    for (const weights of ['model.safetensors', 'clip.safetensors']) {
      const clip = await openClip(runtime, folder, { weights });
      const image = await clip.embedImages([patternPicture(32, 32)]);
      const text = await clip.embedText(['the red stars']);
      clip.close();
      expect(image.length).toBe(TINY_CLIP.embedding);
      IMAGE.forEach((value, i) => expect(image[i]).toBeCloseTo(value, 4));
      TEXT.forEach((value, i) => expect(text[i]).toBeCloseTo(value, 4));
      expect(cosines(image, text, clip.width)[0]).toBeCloseTo(0.30074, 4);
    }
  });

  it('are the same from matrices in float16 beside norms in float32, as half-precision archives mix them', async () => {
    const half = variant((at) => {
      rewrite(at, (tensors) => {
        for (const [name, { shape, data }] of tensors) {
          if (shape.length > 1) {
            tensors.set(name, { dtype: 'F16', shape, data: halfBits(data as Float32Array) });
          }
        }
      });
      const rounded = tinyClipTensors();
      for (const [name, tensor] of rounded) {
        if (tensor.shape.length > 1) rounded.set(name, { ...tensor, data: tensor.data.map(roundToHalf) });
      }
      writeSafetensors(join(at, 'rounded.safetensors'), rounded);
    });
    const embed = async (weights: string): Promise<Float32Array[]> => {
      const clip = await openClip(runtime, half, { weights });
      const both = [await clip.embedImages([patternPicture(32, 32)]), await clip.embedText(['a cat'])];
      clip.close();
      return both;
    };
    expect(await embed('model.safetensors')).toEqual(await embed('rounded.safetensors'));
  });

  it('are the same bits in any batch', async () => {
    const clip = await openClip(runtime, folder);
    const images = Array.from({ length: 9 }, (_, n) => patternPicture(20 + 5 * n, 32, n));
    const texts = ['the red stars', 'a cat', 'star '.repeat(30)];
    const [allImages, allTexts] = [await clip.embedImages(images), await clip.embedText(texts)];
    const single = async (list: Promise<Float32Array>[]): Promise<number[]> =>
      (await Promise.all(list)).flatMap((part) => [...part]);
    expect([...allImages]).toEqual(await single(images.map((image) => clip.embedImages([image]))));
    expect([...allTexts]).toEqual(await single(texts.map((text) => clip.embedText([text]))));
    expect((await clip.embedImages([])).length).toBe(0);
    clip.close();
  });

  it('of texts come from runs of the full context, one text each', async () => {
    const clip = await openClip(runtime, folder);
    const runText = vi.spyOn(clip.towers, 'runText');
    await clip.embedText(['a cat', 'the red stars', 'star '.repeat(30)]);
    clip.close();
    const runs = runText.mock.calls.map(([ids, count]) => [ids.length, count]);
    expect(runs).toEqual(Array.from({ length: 3 }, () => [TINY_CLIP.context, 1]));
  });

  it('of long texts are those of the texts cut at the context', async () => {
    const clip = await openClip(runtime, folder);
    const fits = 'star '.repeat(TINY_CLIP.context - 2);
    expect(await clip.embedText([`${fits} red red blue`])).toEqual(await clip.embedText([fits]));
    clip.close();
  });

  it('differ between the activations', async () => {
    const gelu = variant((at) => {
      const config = tinyClipConfig() as Record<string, Record<string, unknown>>;
      const vision = { ...config['vision_config'], hidden_act: 'gelu' };
      writeFileSync(join(at, 'config.json'), JSON.stringify({ ...config, vision_config: vision }));
    });
    const clip = await openClip(runtime, gelu);
    const [first = 0] = await clip.embedImages([patternPicture(32, 32)]);
    clip.close();
    expect(Math.abs(first - (IMAGE[0] ?? 0))).toBeGreaterThan(1e-3);
  });

  it('stop between two pictures when the call is cancelled', async () => {
    const clip = await openClip(runtime, folder);
    const signal = AbortSignal.abort();
    await expect(clip.embedImages([patternPicture(32, 32)], { signal })).rejects.toThrow(/abort/i);
    await expect(clip.embedText(['a'], { signal })).rejects.toThrow(/abort/i);
    clip.close();
  });
});

describe('the towers', () => {
  it('give all states on request, with the same embeddings', async () => {
    const [full, short] = [
      await openTowers(runtime, folder, { states: true }),
      await openTowers(runtime, folder),
    ];
    const pixels = new Float32Array(2 * 3 * 32 * 32).map((_, i) => Math.sin(i));
    const [all, few] = [await full.runVision(pixels, 2), await short.runVision(pixels, 2)];
    expect(all.tensor('last_hidden_state').dims).toEqual([2, 17, TINY_CLIP.width]);
    const embeds = few.float32('image_embeds');
    all.float32('image_embeds').forEach((value, i) => expect(value).toBeCloseTo(embeds[i] ?? 0, 5));
    const ids = Int32Array.of(528, 5, 529, 0, 528, 5, 6, 529);
    const [texts, pooled] = [await full.runText(ids, 2), await short.runText(ids, 2)];
    expect(texts.tensor('last_hidden_state').dims).toEqual([2, 4, TINY_CLIP.width]);
    expect(pooled.tensor('pooler_output').dims).toEqual([2, TINY_CLIP.width]);
    pooled
      .float32('pooler_output')
      .forEach((value, i) => expect(value).toBeCloseTo(texts.float32('pooler_output')[i] ?? 0, 5));
    full.close();
    short.close();
  });

  it('are loaded alone where the checkpoint has only one', async () => {
    const textOnly = variant((at) => {
      rewrite(at, (tensors) => {
        for (const name of tensors.keys()) if (/^vis|text_projection/.test(name)) tensors.delete(name);
      });
      const config = tinyClipConfig() as Record<string, Record<string, unknown>>;
      writeFileSync(
        join(at, 'config.json'),
        JSON.stringify({ ...config['text_config'], model_type: 'clip_text_model' }),
      );
    });
    const towers = await openTowers(runtime, textOnly);
    const run = await towers.runText(Int32Array.of(528, 5, 529), 1);
    expect(run.float32('pooler_output').length).toBe(TINY_CLIP.width);
    await expect(openClip(runtime, textOnly)).rejects.toThrow(/has no image tower: .* whole CLIPModel/);
    await expect(towers.runVision(new Float32Array(3 * 32 * 32), 1)).rejects.toThrow(/no image tower/);
    towers.close();
  });
});

describe('the end token', () => {
  it('is the first of its id, or the first place of the largest', () => {
    const row = Int32Array.of(7, 3, 9, 3, 9, 0);
    expect(endPosition(row, { endToken: 3 })).toBe(1);
    expect(endPosition(row, { endToken: 'largest' })).toBe(2);
    expect(endPosition(row, { endToken: 8 })).toBe(0);
  });
});

describe('a wrong folder', () => {
  const cases: [string, (at: string) => void, RegExp][] = [
    ['has no weights', (at) => rmSync(join(at, 'model.safetensors')), /holds no checkpoint/],
    ['has no config.json', (at) => rmSync(join(at, 'config.json')), /config\.json: does not exist/],
    ['has no tokenizer', (at) => rmSync(join(at, 'tokenizer.json')), /tokenizer\.json: does not exist/],
    ['is another model', (at) => writeFileSync(join(at, 'config.json'), '{"model_type":"t5"}'), /"t5", not a CLIP/],
    ['lacks a projection', (at) => rewrite(at, (t) => t.delete('text_projection.weight')), /has no projection/],
    ['lacks a tensor', (at) => rewrite(at, (t) => t.delete('vision_model.post_layernorm.bias')), /no tensor 'vision_model\.post_layernorm\.bias'/],
    ['has weights of another kind', (at) => writeSafetensors(join(at, 'model.safetensors'), {}), /is no CLIP/],
    ['has weights of another size', (at) => writeFileSync(join(at, 'config.json'), JSON.stringify({ ...tinyClipConfig(), projection_dim: 25 })), /visual_projection.* do not belong together/],
    ['crops to another size', (at) => writeFileSync(join(at, 'preprocessor_config.json'), '{"crop_size":64}'), /crops to 64 pixels, but the image tower takes 32/],
    ['resizes in another way', (at) => writeFileSync(join(at, 'preprocessor_config.json'), '{"resample":2}'), /only 3 \(bicubic\)/],
  ]; // prettier-ignore

  it.each(cases)('%s: a CheckpointError says so, and nothing stays loaded', async (_, change, message) => {
    const opening = openClip(runtime, variant(change));
    await expect(opening).rejects.toThrow(CheckpointError);
    await expect(opening).rejects.toThrow(message);
    expect(await runtime.stats()).toMatchObject({ sessions: 0, tensors: 0 });
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { TINY_CLIP, tinyClipConfig } from '../../../test/fixtures/tiny-clip.js';
import { tinyOpenAiTensors } from '../../../test/fixtures/tiny-clip-openai.js';
import { CheckpointError } from '../../core/errors.js';
import { openWeights, writeSafetensors } from '../../runtime/weights/index.js';
import { huggingFaceConfig, openAiConfig } from './config.js';

const BOTH = { vision: true, text: true };
const read = (json: Record<string, unknown>): ReturnType<typeof huggingFaceConfig> =>
  huggingFaceConfig('config.json', json, BOTH);

describe("Hugging Face's config.json", () => {
  it('gives the sizes of both towers', () => {
    const { width, layers, embedding, side, patch, context } = TINY_CLIP;
    const tower = { width, layers, heads: 2, hidden: 4 * width, activation: 'quick_gelu', eps: 1e-5 };
    expect(read(tinyClipConfig())).toEqual({
      embedding,
      vision: { ...tower, imageSize: side, patchSize: patch },
      text: { ...tower, vocabulary: 530, context, endToken: 529 },
    });
  });

  it("has transformers' defaults where it says nothing (ViT-B/32)", () => {
    const tower = { layers: 12, activation: 'quick_gelu', eps: 1e-5 };
    expect(read({ model_type: 'clip' })).toEqual({
      embedding: 512,
      vision: { ...tower, width: 768, heads: 12, hidden: 3072, imageSize: 224, patchSize: 32 },
      text: { ...tower, width: 512, heads: 8, hidden: 2048, vocabulary: 49408, context: 77, endToken: 49407 },
    });
  });

  it('takes the largest id where the old end token 2 is given', () => {
    expect(read({ text_config: { eos_token_id: 2 } }).text?.endToken).toBe('largest');
  });

  it('lets the older text_config_dict win, as transformers does', () => {
    const { text } = read({
      text_config: { hidden_size: 512 },
      text_config_dict: { hidden_size: 768, num_attention_heads: 12 },
    });
    expect([text?.width, text?.heads]).toEqual([768, 12]);
  });

  it('reads the configuration of a single tower from the top', () => {
    const config = huggingFaceConfig(
      'config.json',
      { hidden_size: 1024, num_attention_heads: 16 },
      { vision: true, text: false },
    );
    expect([config.vision?.width, config.text]).toEqual([1024, null]);
  });

  it.each([
    [
      { vision_config: { hidden_act: 'relu' } },
      /'vision_config\.hidden_act' is "relu", which is not supported: known are quick_gelu, gelu/,
    ],
    [
      { text_config: { num_hidden_layers: 1.5 } },
      /'text_config\.num_hidden_layers' should be a whole number from 1 to 256, not 1\.5/,
    ],
    [{ projection_dim: -1 }, /'projection_dim' should be a whole number from 1 to 65536, not -1/],
    [
      { vision_config: { num_attention_heads: 7 } },
      /'vision_config\.num_attention_heads' \(7\) does not divide hidden_size \(768\)/,
    ],
  ])('names what is wrong in %j', (json, message) => {
    expect(() => read(json)).toThrow(CheckpointError);
    expect(() => read(json)).toThrow(message);
  });
});

describe("OpenAI's layout", () => {
  it('needs no configuration: the weights give all sizes', () => {
    const folder = mkdtempSync(join(tmpdir(), 'clip-'));
    const file = join(folder, 'clip.safetensors');
    writeSafetensors(file, tinyOpenAiTensors());
    const source = openWeights(file);
    const { text, ...rest } = read(tinyClipConfig());
    expect(openAiConfig(source)).toEqual({ ...rest, text: { ...text, endToken: 'largest' } });
    source.close();
    rmSync(folder, { recursive: true });
  });
});

import { cpSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

import { createTinyLlavas, llavaConfig, llavaPreprocessor, rewrite } from '../../../test/fakes/tiny-llava.js';
import {
  llavaTokenizerConfig,
  TEXT_TEMPLATE,
  tinyTokenId,
} from '../../../test/fakes/tiny-llava-tokenizer.js';
import { CheckpointError, UsageError } from '../../core/errors.js';
import { llavaHashes, readLlavaFolder } from './in-process-files.js';

const { folder, changed, remove } = createTinyLlavas();
afterAll(remove);

describe('readLlavaFolder', () => {
  it('finds the files and what they say, also by a relative path', async () => {
    const found = await readLlavaFolder(relative(process.cwd(), folder));
    expect(found).toMatchObject({
      folder,
      dtypes: { embed_tokens: 'fp32', vision_encoder: 'fp32', decoder_model_merged: 'fp32' },
      size: { width: 56, height: 56 },
      imageToken: tinyTokenId('<image>'),
      template: { file: join(folder, 'chat_template.json') },
    });
    expect(found.paths.vision_encoder).toBe(join(folder, 'onnx', 'vision_encoder.onnx'));
  });

  it('takes the most exact files that there are, or those that are asked for', async () => {
    const at = changed((path) => {
      const [vision, decoder] = ['vision_encoder', 'decoder_model_merged'].map((part) =>
        join(path, 'onnx', part),
      );
      for (const end of ['_q4f16', '_q4', '_quantized']) cpSync(`${decoder}.onnx`, `${decoder}${end}.onnx`);
      cpSync(`${vision}.onnx`, `${vision}_fp16.onnx`);
      rmSync(`${decoder}.onnx`);
    });
    const { dtypes } = await readLlavaFolder(at);
    expect(dtypes).toEqual({ embed_tokens: 'fp32', vision_encoder: 'fp32', decoder_model_merged: 'q8' });
    const chosen = await readLlavaFolder(at, { decoder_model_merged: 'q4', vision_encoder: 'fp16' });
    expect(chosen.dtypes).toEqual({
      embed_tokens: 'fp32',
      vision_encoder: 'fp16',
      decoder_model_merged: 'q4',
    });
    expect(chosen.paths.decoder_model_merged).toMatch(/decoder_model_merged_q4\.onnx$/);
    await expect(readLlavaFolder(at, 'fp16')).rejects.toThrow(/embed_tokens_fp16\.onnx: does not exist/);
    await expect(readLlavaFolder(at, 'q3' as 'q4')).rejects.toThrow(UsageError);
  });

  it('prefers a template of its own, then that of the processor, then that of the tokenizer', async () => {
    const tokenizers = changed((path) => {
      rmSync(join(path, 'chat_template.json'));
    });
    const { template } = await readLlavaFolder(tokenizers);
    expect(template).toEqual({ file: join(tokenizers, 'tokenizer_config.json'), text: TEXT_TEMPLATE });
    const own = changed((path) => {
      rewrite(path, 'chat_template.jinja', '{{ mine }}');
    });
    expect((await readLlavaFolder(own)).template).toEqual({
      file: join(own, 'chat_template.jinja'),
      text: '{{ mine }}',
    });
  });

  const absent = [
    'config.json',
    'preprocessor_config.json',
    'tokenizer.json',
    'tokenizer_config.json',
    'onnx',
  ];
  it.each(absent)('names %s, the repository and the command when it is missing', async (name) => {
    const at = changed((path) => {
      rmSync(join(path, name), { recursive: true });
    });
    const reading = readLlavaFolder(at);
    await expect(reading).rejects.toThrow(CheckpointError);
    await expect(reading).rejects.toThrow(join(at, name));
    await expect(reading).rejects.toThrow(
      /does not exist: .*hf download llava-hf\/llava-onevision-qwen2-0\.5b-ov-hf/,
    );
  });

  it.each<[string, RegExp, (at: string) => void]>([
    ['a damaged configuration', /tokenizer_config\.json: is not valid JSON/, (at) => {
      rewrite(at, 'tokenizer_config.json', '{');
    }],
    ['no image token', /config\.json: 'image_token_index' should be a whole number/, (at) => {
      rewrite(at, 'config.json', { ...llavaConfig(), image_token_index: '<image>' });
    }],
    ['another way to resize', /preprocessor_config\.json: resample is 2; only 3/, (at) => {
      rewrite(at, 'preprocessor_config.json', { ...llavaPreprocessor(), resample: 2 });
    }],
    ['pictures of no fixed size', /preprocessor_config\.json: 'size\.width' is missing/, (at) => {
      rewrite(at, 'preprocessor_config.json', { ...llavaPreprocessor(), size: { shortest_edge: 56 } });
    }],
    ['no chat template', /chat_template\.json: holds no chat_template/, (at) => {
      rewrite(at, 'chat_template.json', {});
      rewrite(at, 'tokenizer_config.json', { ...llavaTokenizerConfig(), chat_template: undefined });
    }],
    ['an empty model', /embed_tokens\.onnx: is empty/, (at) => {
      rewrite(at, 'onnx/embed_tokens.onnx', '');
    }],
    ['a pointer of Git LFS', /vision_encoder\.onnx: is a pointer of Git LFS/, (at) => {
      rewrite(at, 'onnx/vision_encoder.onnx', 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n');
    }],
  ])('refuses %s', async (_, says, change) => {
    const reading = readLlavaFolder(changed(change));
    await expect(reading).rejects.toThrow(CheckpointError);
    await expect(reading).rejects.toThrow(says);
  }); // prettier-ignore
});

describe('llavaHashes', () => {
  it('changes with every file that makes the scores', async () => {
    const hashes = await llavaHashes(await readLlavaFolder(folder));
    expect(Object.keys(hashes)).toEqual([
      'embed_tokens',
      'vision_encoder',
      'decoder_model_merged',
      'config',
      'tokenizer',
      'tokenizerConfig',
      'preprocessor',
      'template',
    ]);
    const changes: readonly (readonly [string, (at: string) => void])[] = [
      ['config', (at) => rewrite(at, 'config.json', { ...llavaConfig(), more: 1 })],
      [
        'tokenizerConfig',
        (at) => rewrite(at, 'tokenizer_config.json', { ...llavaTokenizerConfig(), more: 1 }),
      ],
      ['preprocessor', (at) => rewrite(at, 'preprocessor_config.json', { ...llavaPreprocessor(), more: 1 })],
    ];
    for (const [name, change] of changes) {
      const other = await llavaHashes(await readLlavaFolder(changed(change)));
      const differ = Object.keys(hashes).filter((file) => hashes[file] !== other[file]);
      expect(differ).toEqual([name]);
    }
  });
});

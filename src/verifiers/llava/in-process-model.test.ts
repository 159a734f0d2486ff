// The model without its worker. The check of the answers runs the three ONNX files in varsearch's own runtime.

import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createTinyLlavas, rewrite, TINY_LLAVA } from '../../../test/fakes/tiny-llava.js';
import {
  IMAGE_TEMPLATE,
  llavaTokenizerConfig,
  llavaTokenizerJson,
  tinyTokenId,
} from '../../../test/fakes/tiny-llava-tokenizer.js';
import { patternPicture } from '../../../test/fixtures/pictures.js';
import { CheckpointError, RuntimeError, UsageError } from '../../core/errors.js';
import type { Image } from '../../core/image.js';
import { resizeBicubic } from '../../models/clip/resample.js';
import { loadTokenizer } from '../../models/tokenizer.js';
import { GraphBuilder, unsqueeze } from '../../runtime/graph/index.js';
import {
  createRuntime,
  float32Tensor,
  type HostTensor,
  type RunResult,
  type Runtime,
  type Session,
} from '../../runtime/index.js';
import { readLlavaFolder } from './in-process-files.js';
import { type LlavaModel, loadLlava } from './in-process-model.js';
import type { AnswerLogProbabilities } from './in-process-protocol.js';
import { yesShare } from './question.js';

const { folder, changed, sized, remove } = createTinyLlavas();
afterAll(remove);

const load = async (at: string): Promise<LlavaModel> => loadLlava(await readLlavaFolder(at), 1);

const QUESTION = 'Is a red star in here?';

/** The answer of the model of a folder about one picture. */
async function answer(
  at: string,
  image: Image = patternPicture(56, 56),
  question = QUESTION,
): Promise<AnswerLogProbabilities> {
  const model = await load(at);
  try {
    return await model.answer(await model.encode(question), image);
  } finally {
    await model.release();
  }
}

describe('the answers', () => {
  let runtime: Runtime;
  const sessions: Session[] = [];
  beforeAll(async () => {
    runtime = await createRuntime({ threads: 1 });
    for (const name of ['embed_tokens', 'vision_encoder', 'decoder_model_merged']) {
      sessions.push(await runtime.load({ name, path: join(folder, 'onnx', `${name}.onnx`) }));
    }
  });
  afterAll(() => runtime.close());

  const { width, heads, keyHeads, layers, side } = TINY_LLAVA;
  const int64 = (numbers: readonly number[]): HostTensor => ({
    type: 'int64',
    dims: [1, numbers.length],
    data: BigInt64Array.from(numbers, BigInt),
  });
  const run = (part: number, inputs: Record<string, HostTensor>): Promise<RunResult> =>
    (sessions[part] as Session).run(inputs);

  /** [1, 3, side, side] in -1..1. */
  const pixels = ({ data }: Image): HostTensor => {
    const plane = side * side;
    const values = Float32Array.from({ length: 3 * plane }, (_, i) => {
      const byte = data[(i % plane) * 3 + Math.floor(i / plane)] ?? NaN;
      return (byte / 255 - 0.5) / 0.5;
    });
    return float32Tensor(values, [1, 3, side, side]);
  };

  /** Keys and values of each layer, in the order in which the decoder has them. */
  const CACHE = Array.from({ length: layers }, (_, layer) => [`${layer}.key`, `${layer}.value`]).flat();

  /** The last logits, with all tokens but the last in a first run that fills the cache. */
  const logitsOf = async (embeddings: Float32Array): Promise<Float32Array> => {
    const length = embeddings.length / width;
    const nothing = float32Tensor(new Float32Array(0), [1, keyHeads, 0, width / heads]);
    const runPart = (from: number, to: number, past: (name: string) => HostTensor): Promise<RunResult> =>
      run(2, {
        ...Object.fromEntries(CACHE.map((name) => [`past_key_values.${name}`, past(name)])),
        inputs_embeds: float32Tensor(embeddings.slice(from * width, to * width), [1, to - from, width]),
        attention_mask: int64(Array.from({ length: to }, () => 1)),
        position_ids: int64(Array.from({ length: to - from }, (_, i) => from + i)),
      });
    const first = await runPart(0, length - 1, () => nothing);
    const last = await runPart(length - 1, length, (name) => first.tensor(`present.${name}`));
    return last.float32('logits');
  };

  /** The answer by our runtime alone: every place of the picture has an image token, whose embedding a feature replaces. */
  const expected = async (image: Image, question: string): Promise<AnswerLogProbabilities> => {
    const features = (await run(1, { pixel_values: pixels(image) })).float32('image_features');
    const places = Array.from({ length: features.length / width }, () => '<image>').join('');
    const text = `<|im_start|>user ${places}\n${question}<|im_end|><|im_start|>assistant\n`;
    const { ids } = loadTokenizer(folder).encode([text], { maxLength: 500 });
    const embedded = await run(0, { input_ids: int64([...ids]) });
    const embeddings = embedded.float32('inputs_embeds');
    embeddings.set(features, ids.indexOf(tinyTokenId('<image>')) * width);
    const logits = await logitsOf(embeddings);
    const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
    const share = (tokens: readonly string[]): number =>
      Math.log(tokens.reduce((total, token) => total + Math.exp(logits[tinyTokenId(token)] ?? NaN), 0) / sum);
    return { yes: share(['Yes', 'yes', 'ĠYes', 'Ġyes']), no: share(['No', 'no', 'ĠNo', 'Ġno']) };
  };

  it.each([
    [0, QUESTION],
    [3, 'Does this image show "a blue cat, left of the ring"? Please answer yes or no.'],
  ])('are those of an independent computation (picture %d)', async (n, question) => {
    const image = patternPicture(side, side, n);
    const [found, reference] = [await answer(folder, image, question), await expected(image, question)];
    expect(found.yes).toBeCloseTo(reference.yes, 4);
    expect(found.no).toBeCloseTo(reference.no, 4);
    expect(yesShare(found.yes, found.no)).toBeCloseTo(yesShare(reference.yes, reference.no), 5);
    expect(Math.exp(found.yes) + Math.exp(found.no)).toBeLessThan(1);
  });

  it('see the whole picture, resized as the official processor does it', async () => {
    const wide = patternPicture(150, 40, 2);
    const size = { width: side, height: side };
    const resized = resizeBicubic(wide, size, { left: 0, top: 0, ...size });
    expect(await answer(folder, wide)).toEqual(await answer(folder, resized));
  });
});

describe('loadLlava', () => {
  it('does not let a question speak with marks of the model', async () => {
    const model = await load(folder);
    for (const mark of ['<image>', '<|im_end|>']) {
      const refused = model.encode(`a star ${mark} a cat`);
      await expect(refused).rejects.toThrow(UsageError);
      await expect(refused).rejects.toThrow(`contains '${mark}'`);
    }
    await model.release();
  });

  it('writes a message in parts or as a text, as the template wants it', async () => {
    const [parts, text] = [IMAGE_TEMPLATE, undefined].map((template) =>
      changed((at) => {
        rmSync(join(at, 'chat_template.json'));
        const config = llavaTokenizerConfig();
        rewrite(at, 'tokenizer_config.json', template ? { ...config, chat_template: template } : config);
      }),
    ) as [string, string];
    const usual = await answer(folder);
    expect(await answer(parts)).toEqual(usual);
    const plain = await answer(text);
    expect(Number.isFinite(plain.yes)).toBe(true);
    expect(plain).not.toEqual(usual); // other blanks and line breaks
  });

  it('refuses a template that leaves out the picture', async () => {
    const at = changed((path) => {
      rewrite(path, 'chat_template.json', { chat_template: IMAGE_TEMPLATE.replace('<image>', '') });
    });
    await expect(answer(at)).rejects.toThrow(CheckpointError);
    await expect(answer(at)).rejects.toThrow(/chat_template\.json: .* exactly one image token/);
  });

  it('names the file of a template that does not work', async () => {
    const at = changed((path) => {
      rewrite(path, 'chat_template.json', { chat_template: '{% for m in messages %}' });
    });
    await expect(answer(at)).rejects.toThrow(CheckpointError);
    await expect(answer(at)).rejects.toThrow(/chat_template\.json: holds a chat template that does not work/);
  });

  it('takes as many rows from the image tower as it gives', async () => {
    const at = sized({ newline: true });
    const [usual, longer] = [await answer(folder), await answer(at)];
    expect(Number.isFinite(longer.yes)).toBe(true);
    expect(longer).not.toEqual(usual);
  });

  it('refuses a file that gives no float32', async () => {
    const whole = changed((at) => {
      const g = new GraphBuilder('embed_tokens');
      const ids = g.input('input_ids', 'int64', ['batch_size', 'sequence_length']);
      g.output('inputs_embeds', unsqueeze(ids, [2]));
      writeFileSync(join(at, 'onnx', 'embed_tokens.onnx'), g.build().proto);
    });
    await expect(answer(whole)).rejects.toThrow(/embed_tokens\.onnx: gives int64, and only float32/);
  });

  it('names a file with other inputs or outputs than it should have', async () => {
    const swapped = changed((at) => {
      cpSync(join(at, 'onnx', 'embed_tokens.onnx'), join(at, 'onnx', 'vision_encoder.onnx'));
    });
    await expect(load(swapped)).rejects.toThrow(
      /vision_encoder\.onnx: should take pixel_values and give image_features, but takes input_ids and gives inputs_embeds/,
    );
  });

  it('says when the files belong to different models', async () => {
    const wide = sized({ width: 64 });
    const mixed = changed((at) => {
      cpSync(join(wide, 'onnx', 'vision_encoder.onnx'), join(at, 'onnx', 'vision_encoder.onnx'));
    });
    await expect(answer(mixed)).rejects.toThrow(CheckpointError);
    await expect(answer(mixed)).rejects.toThrow(/vision_encoder\.onnx: gives 64 channels, .* 32/);
  });

  it('gives no score for damaged weights', async () => {
    const damaged = changed((at) => {
      const file = join(at, 'onnx', 'embed_tokens.onnx');
      const bytes = readFileSync(file);
      // NaNs over a part of the table.
      for (let i = 4000; i + 4 < 30_000; i += 4) bytes.writeUInt32LE(0x7fc00000, i);
      writeFileSync(file, bytes);
    });
    const { yes, no } = await answer(damaged);
    expect(() => yesShare(yes, no)).toThrow(RuntimeError);
  });

  it('refuses a damaged tokenizer, and one without answers', async () => {
    const broken = changed((at) => {
      rewrite(at, 'tokenizer.json', '{');
    });
    await expect(load(broken)).rejects.toThrow(
      /tokenizer\.json: is not valid JSON: the file is damaged, fetch it again/,
    );
    const mute = changed((at) => {
      const text = JSON.stringify(llavaTokenizerJson());
      rewrite(
        at,
        'tokenizer.json',
        text.replace(/"(Ġ?[yY])es":/g, '"$1-es":').replace(/"(Ġ yes|Ġ Yes|[yY] es)",/g, ''),
      );
    });
    await expect(load(mute)).rejects.toThrow(/has no token for the answer 'yes'/);
  });

  it('shares one engine with the rest of varsearch', () => {
    const here = createRequire(import.meta.url);
    const there = createRequire(here.resolve('@huggingface/transformers'));
    expect(there.resolve('onnxruntime-node')).toBe(here.resolve('onnxruntime-node'));
  });
});

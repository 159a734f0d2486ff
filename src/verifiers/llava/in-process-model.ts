// LLaVA-OneVision in Transformers.js: loads its folder, puts a question in the model's words, and reads the answer off the
// first answer token. Runs in the worker: every call of the engine blocks its thread.

import { join } from 'node:path';

import { CheckpointError, RuntimeError, UsageError } from '../../core/errors.js';
import type { Image } from '../../core/image.js';
import { isArrayOf, isError } from '../../core/realm.js';
import { resizeBicubic } from '../../models/clip/resample.js';
import { LLAVA_PARTS, type LlavaFolder, type LlavaPart } from './in-process-files.js';
import {
  type Library,
  loadLibrary,
  type ModelLike,
  type TensorLike,
  type TokenizerLike,
} from './in-process-library.js';
import type { AnswerLogProbabilities } from './in-process-protocol.js';
import { type Answer, answerOf, logSum } from './question.js';

/** A question as embeddings, with a gap for the picture. */
export interface EncodedQuestion {
  /** Row-major, `width` numbers a token. */
  readonly before: Float32Array;
  readonly after: Float32Array;
  readonly width: number;
}

/** A loaded model. */
export interface LlavaModel {
  /** Sessions of ONNX Runtime that it holds. */
  readonly sessions: number;
  /** Puts the question in the model's words. A question with the model's own marks in it is a UsageError. */
  encode(question: string): Promise<EncodedQuestion>;
  /** How likely yes and no are as the first token of the answer about a picture; `signal` ends it after the image tower. */
  answer(question: EncodedQuestion, image: Image, signal?: AbortSignal): Promise<AnswerLogProbabilities>;
  release(): Promise<void>;
}

/** As src/runtime/engine.ts has them: spinning threads take the cores from everybody else. */
const SESSION_OPTIONS = {
  graphOptimizationLevel: 'all',
  interOpNumThreads: 1,
  executionMode: 'sequential',
  enableMemPattern: false,
  logSeverityLevel: 4,
  extra: { session: { intra_op: { allow_spinning: '0' }, force_spinning_stop: '1' } },
};

/** Loads a folder that was looked at before. Throws CheckpointError and RuntimeError. */
export async function loadLlava(folder: LlavaFolder, threads: number): Promise<LlavaModel> {
  const library = loadLibrary();
  const tokenizer = await loadPart(folder, 'tokenizer.json', () =>
    library.AutoTokenizer.from_pretrained(folder.folder),
  );
  const processor = await library.AutoImageProcessor.from_pretrained(folder.folder);
  const model = await loadPart(folder, 'onnx', () =>
    library.LlavaOnevisionForConditionalGeneration.from_pretrained(folder.folder, {
      dtype: folder.dtypes,
      device: 'cpu',
      session_options: { ...SESSION_OPTIONS, intraOpNumThreads: threads },
    }),
  );
  checkInterfaces(folder, model);
  const answers = answerTokens(folder, tokenizer);
  return {
    sessions: Object.keys(model.sessions).length,
    encode: (question) => encode({ library, folder, tokenizer, model }, question),
    answer: async (question, image, signal) => {
      const { data, width, height } = fit(image, folder);
      const { pixel_values } = await processor(new library.RawImage(data, width, height, 3)); // [1, 3, H, W]
      const features = await model.encode_image({ pixel_values }); // [1, N, C]
      signal?.throwIfAborted();
      const logits = await lastLogits({ library, folder, model }, question, features);
      return { yes: logProbability(logits, answers.yes), no: logProbability(logits, answers.no) };
    },
    release: async () => {
      for (const session of Object.values(model.sessions)) await session.release();
    },
  };
}

async function loadPart<T>({ folder, paths }: LlavaFolder, what: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    const message = isError(cause) ? cause.message : String(cause);
    const file = Object.values(paths).find((path) => message.includes(path)) ?? join(folder, what);
    throw new CheckpointError(file, `cannot be loaded, fetch it again: ${message}`, { cause });
  }
}

/** The inputs and outputs by which the parts are known. */
const INTERFACES: Readonly<
  Record<LlavaPart, { readonly inputs: readonly string[]; readonly output: string }>
> = {
  embed_tokens: { inputs: ['input_ids'], output: 'inputs_embeds' },
  vision_encoder: { inputs: ['pixel_values'], output: 'image_features' },
  decoder_model_merged: { inputs: ['inputs_embeds', 'attention_mask'], output: 'logits' },
};

function checkInterfaces({ paths }: LlavaFolder, { sessions }: ModelLike): void {
  for (const part of LLAVA_PARTS) {
    const { inputNames = [], outputNames = [] } = sessions[part] ?? {};
    const { inputs, output } = INTERFACES[part];
    if (inputs.every((name) => inputNames.includes(name)) && outputNames.includes(output)) continue;
    throw new CheckpointError(
      paths[part],
      `should take ${inputs.join(' and ')} and give ${output}, but takes ${inputNames.join(', ')} and gives ` +
        `${outputNames.join(', ')}: it belongs to another model`,
    );
  }
}

/** The ids of all tokens that say yes, and of those that say no: 'Yes', 'yes', ' Yes' and so on are tokens of their own. */
function answerTokens({ folder }: LlavaFolder, tokenizer: TokenizerLike): Record<Answer, number[]> {
  const answers: Record<Answer, number[]> = { yes: [], no: [] };
  for (const [token, id] of tokenizer.get_vocab()) {
    const answer = answerOf(token);
    if (answer) answers[answer].push(id);
  }
  const lacking = Object.entries(answers).find(([, ids]) => ids.length === 0);
  if (lacking) {
    throw new CheckpointError(
      join(folder, 'tokenizer.json'),
      `has no token for the answer '${lacking[0]}': the tokenizer belongs to another model`,
    );
  }
  return answers;
}

interface Parts {
  readonly library: Library;
  readonly folder: LlavaFolder;
  readonly tokenizer: TokenizerLike;
  readonly model: ModelLike;
}

async function encode(
  { library, folder, tokenizer, model }: Parts,
  question: string,
): Promise<EncodedQuestion> {
  const mark = tokenizer.all_special_tokens.find((token) => question.includes(token));
  if (mark !== undefined) {
    throw new UsageError(`the prompt contains '${mark}', which is a mark of the model's own: leave it out`);
  }
  const ids = tokenizer.encode(chat(folder, tokenizer, question), { add_special_tokens: false });
  const at = ids.indexOf(folder.imageToken);
  if (at < 0 || ids.includes(folder.imageToken, at + 1)) {
    throw new CheckpointError(
      folder.template.file,
      `the chat template does not put exactly one image token (${folder.imageToken}) before the question`,
    );
  }
  const inputIds = new library.Tensor('int64', BigInt64Array.from(ids, BigInt), [1, ids.length]);
  const embeddings = await model.encode_text({ input_ids: inputIds }); // [1, L, C]
  const rows = floatsOf(embeddings, folder.paths.embed_tokens);
  const width = embeddings.dims.at(-1) ?? 0;
  const before = rows.slice(0, at * width);
  const after = rows.slice((at + 1) * width);
  embeddings.dispose();
  return { before, after, width };
}

/** The exports keep float32 outside, whatever is inside. */
function floatsOf({ data, type }: TensorLike, path: string): Float32Array {
  if (isArrayOf('Float32Array', data)) return data;
  throw new CheckpointError(path, `gives ${type}, and only float32 is supported: choose another dtype`);
}

/** The question in the words of the model, up to where its answer begins. */
function chat({ template }: LlavaFolder, tokenizer: TokenizerLike, question: string): string {
  // Templates that know images take a message in parts; plain ones take a text with the image's token in it.
  const content = /['"]image['"]/.test(template.text)
    ? [{ type: 'image' }, { type: 'text', text: question }]
    : `<image>\n${question}`;
  try {
    return tokenizer.apply_chat_template([{ role: 'user', content }], {
      chat_template: template.text,
      tokenize: false,
      add_generation_prompt: true,
    });
  } catch (cause) {
    const message = isError(cause) ? cause.message : String(cause);
    throw new CheckpointError(template.file, `holds a chat template that does not work: ${message}`, {
      cause,
    });
  }
}

/** Resized as the official processor does it; Transformers.js resizes without antialiasing, and leaves alone what fits. */
function fit(image: Image, { size }: LlavaFolder): Image {
  return resizeBicubic(image, size, { left: 0, top: 0, ...size });
}

/** The logits of the first answer token: the picture's rows stand in the gap of the question, one decoder run. */
async function lastLogits(
  { library, folder, model }: Pick<Parts, 'library' | 'folder' | 'model'>,
  { before, after, width }: EncodedQuestion,
  features: TensorLike,
): Promise<Float32Array> {
  if (features.dims.at(-1) !== width) {
    throw new CheckpointError(
      folder.paths.vision_encoder,
      `gives ${features.dims.at(-1)} channels, but embed_tokens gives ${width}: the files belong to different models`,
    );
  }
  const rows = floatsOf(features, folder.paths.vision_encoder);
  const embeddings = new Float32Array(before.length + rows.length + after.length);
  embeddings.set(before);
  embeddings.set(rows, before.length);
  embeddings.set(after, before.length + rows.length);
  features.dispose();
  const length = embeddings.length / width;
  const outputs = await model.forward({
    inputs_embeds: new library.Tensor('float32', embeddings, [1, length, width]),
    attention_mask: new library.Tensor('int64', new BigInt64Array(length).fill(1n), [1, length]),
    // Newer exports take this; the others give the logits of every token, 0.5 GB with 152,000 words and 729 patches.
    num_logits_to_keep: new library.Tensor('int64', BigInt64Array.of(1n), []),
  });
  const { logits } = outputs;
  if (!logits) throw new RuntimeError(`${folder.paths.decoder_model_merged} gave no logits`);
  const vocabulary = logits.dims.at(-1) ?? 0;
  const last = floatsOf(logits, folder.paths.decoder_model_merged).slice(-vocabulary);
  for (const output of Object.values(outputs)) output.dispose();
  return last;
}

/** The log of the summed probabilities of some tokens, under the softmax over the whole vocabulary. */
function logProbability(logits: Float32Array, ids: readonly number[]): number {
  let largest = -Infinity;
  for (const logit of logits) largest = Math.max(largest, logit);
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - largest);
  return logSum(ids.map((id) => logits[id] ?? -Infinity)) - largest - Math.log(sum);
}

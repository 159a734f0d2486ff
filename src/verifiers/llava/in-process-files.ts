// The folder of a LLaVA-OneVision for Transformers.js, as llava-hf/llava-onevision-qwen2-0.5b-ov-hf on Hugging Face has it:
// which files there are and in which precision, and what their configurations say. Checked before anything is loaded.

import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { ConfigFields } from '../../core/config-fields.js';
import { RANGES } from '../../core/config-ranges.js';
import { CheckpointError, UsageError } from '../../core/errors.js';
import { fileHash } from '../../core/hash.js';
import { isObject, readJsonFile, readOptionalJsonFile, TOKENIZER_LIMITS } from '../../core/json-file.js';
import { checkRegularFile, readRegularFile } from '../../core/regular-file.js';

/** The repository whose files are meant. */
export const LLAVA_REPOSITORY = 'llava-hf/llava-onevision-qwen2-0.5b-ov-hf';

/** The three ONNX files of the model. */
export const LLAVA_PARTS = ['embed_tokens', 'vision_encoder', 'decoder_model_merged'] as const;

/** One of the ONNX files. */
export type LlavaPart = (typeof LLAVA_PARTS)[number];

/** Precisions of an ONNX file, the most exact one first, and how their file names end. */
const SUFFIXES = {
  fp32: '',
  fp16: '_fp16',
  q8: '_quantized',
  int8: '_int8',
  uint8: '_uint8',
  q4: '_q4',
  bnb4: '_bnb4',
  q4f16: '_q4f16',
} as const;

/** A precision of an ONNX file, in the words of Transformers.js. */
export type LlavaDtype = keyof typeof SUFFIXES;

/** All precisions, the most exact one first. */
const LLAVA_DTYPES = Object.keys(SUFFIXES) as readonly LlavaDtype[];

/** How the question gets into the words of the model. */
interface ChatTemplate {
  /** The file that it comes from, for messages. */
  readonly file: string;
  /** Jinja. */
  readonly text: string;
}

/** What is known of a folder before its models are loaded; goes to the worker as it is. */
export interface LlavaFolder {
  /** The absolute path: Transformers.js would take a relative one for the name of a repository. */
  readonly folder: string;
  readonly dtypes: Readonly<Record<LlavaPart, LlavaDtype>>;
  /** The ONNX files. */
  readonly paths: Readonly<Record<LlavaPart, string>>;
  /** Size of the pictures that the image tower takes, in pixels. */
  readonly size: { readonly width: number; readonly height: number };
  /** Id of the token in whose place the picture stands. */
  readonly imageToken: number;
  readonly template: ChatTemplate;
}

const CONFIGURATIONS = ['config.json', 'preprocessor_config.json', 'tokenizer_config.json'];
const TOKENIZER = 'tokenizer.json';
/** Files beside the model that its scores depend on, by their names among the hashes. */
const HASHED = {
  config: 'config.json',
  tokenizer: TOKENIZER,
  tokenizerConfig: 'tokenizer_config.json',
  preprocessor: 'preprocessor_config.json',
} as const;

/** The whole repository has every part in eight precisions, 10 GB and more; these are about 2.5 GB. */
const FETCH =
  `hf download ${LLAVA_REPOSITORY} --local-dir FOLDER --include "*.json" "*.jinja" ` +
  '"onnx/embed_tokens.onnx" "onnx/vision_encoder.onnx" "onnx/decoder_model_merged_q4.onnx"';
const REMEDY = `it comes from ${LLAVA_REPOSITORY} on Hugging Face: '${FETCH}' fetches all that is needed`;

/** Looks at a folder; `dtype` chooses the ONNX files, of all parts or part by part. Throws CheckpointError and UsageError. */
export async function readLlavaFolder(
  path: string,
  dtype?: LlavaDtype | Partial<Record<LlavaPart, LlavaDtype>>,
): Promise<LlavaFolder> {
  const folder = resolve(path);
  if (!existsSync(folder)) throw new CheckpointError(folder, `there is no such folder: ${REMEDY}`);
  for (const name of CONFIGURATIONS) readJsonFile(join(folder, name), REMEDY);
  if (!existsSync(join(folder, TOKENIZER))) throw missing(folder, TOKENIZER);
  readJsonFile(join(folder, TOKENIZER), REMEDY, TOKENIZER_LIMITS);
  const imageToken = readImageToken(folder);
  const dtypes = mapParts((part) => {
    const wanted = typeof dtype === 'string' ? dtype : dtype?.[part];
    return dtypeOf(folder, part, wanted);
  });
  const paths = mapParts((part) => join(folder, 'onnx', fileName(part, dtypes[part])));
  for (const file of Object.values(paths)) await checkContent(file);
  return { folder, dtypes, paths, size: readSize(folder), imageToken, template: readTemplate(folder) };
}

/** The files that a folder lacks, each in one of its precisions: names relative to it. */
export function missingLlavaFiles(folder: string): string[] {
  const configurations = [...CONFIGURATIONS, TOKENIZER].filter((name) => !existsSync(join(folder, name)));
  const parts = LLAVA_PARTS.filter((part) =>
    LLAVA_DTYPES.every((dtype) => !existsSync(join(folder, 'onnx', fileName(part, dtype)))),
  );
  return [...configurations, ...parts.map((part) => `onnx/${fileName(part, 'fp32')}`)];
}

/** SHA-256 of the files that make the scores. */
export async function llavaHashes({ folder, paths, template }: LlavaFolder): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const part of LLAVA_PARTS) hashes[part] = await fileHash(paths[part]);
  for (const [name, file] of Object.entries(HASHED)) hashes[name] = await fileHash(join(folder, file));
  return { ...hashes, template: await fileHash(template.file) };
}

function mapParts<T>(make: (part: LlavaPart) => T): Record<LlavaPart, T> {
  return Object.fromEntries(LLAVA_PARTS.map((part) => [part, make(part)])) as Record<LlavaPart, T>;
}

function missing(folder: string, name: string): CheckpointError {
  return new CheckpointError(join(folder, name), `does not exist: ${REMEDY}`);
}

function fileName(part: LlavaPart, dtype: LlavaDtype): string {
  return `${part}${SUFFIXES[dtype]}.onnx`;
}

/** The wanted precision, or the most exact one that the folder has. */
function dtypeOf(folder: string, part: LlavaPart, wanted: LlavaDtype | undefined): LlavaDtype {
  if (wanted !== undefined && !LLAVA_DTYPES.includes(wanted)) {
    throw new UsageError(`there is no dtype '${wanted}': choose one of ${LLAVA_DTYPES.join(', ')}`);
  }
  const choice = wanted === undefined ? LLAVA_DTYPES : [wanted];
  const found = choice.find((dtype) => existsSync(join(folder, 'onnx', fileName(part, dtype))));
  if (found === undefined) throw missing(folder, join('onnx', fileName(part, wanted ?? 'fp32')));
  return found;
}

const POINTER = 'version https://git-lfs';

/** What ONNX Runtime would call a parsing failure: a file that git has not fetched, or an empty one. */
async function checkContent(path: string): Promise<void> {
  checkRegularFile(path);
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(POINTER.length), 0, POINTER.length, 0);
    if (bytesRead === 0) throw new CheckpointError(path, 'is empty: fetch it again');
    if (buffer.toString('latin1') === POINTER) {
      throw new CheckpointError(
        path,
        "is a pointer of Git LFS, not the model: run 'git lfs pull' in its folder",
      );
    }
  } finally {
    await file.close();
  }
}

function readImageToken(folder: string): number {
  const file = join(folder, 'config.json');
  const config = readJsonFile(file);
  const type = config['model_type'];
  if (type !== 'llava_onevision') {
    throw new CheckpointError(
      file,
      `is of a model of the type ${JSON.stringify(type)}, not "llava_onevision": take the folder of ${LLAVA_REPOSITORY}`,
    );
  }
  const fields = new ConfigFields(file, config);
  const name = ['image_token_index', 'image_token_id'].find((each) => fields.has(each));
  if (name !== undefined) return fields.whole(name, RANGES.token);
  throw new CheckpointError(file, 'has no image_token_index, the token in whose place a picture stands');
}

/** The official processor looks at larger pictures in tiles as well; the ONNX files take the whole picture in one size. */
function readSize(folder: string): LlavaFolder['size'] {
  const file = join(folder, 'preprocessor_config.json');
  const json = readJsonFile(file);
  const resample = json['resample'] ?? 3;
  if (resample !== 3) {
    throw new CheckpointError(file, `resample is ${JSON.stringify(resample)}; only 3 (bicubic) is supported`);
  }
  if (!isObject(json['size'])) {
    throw new CheckpointError(file, 'size has to be {"height": ..., "width": ...}, whole numbers of pixels');
  }
  const size = new ConfigFields(file, json).part('size');
  return { width: size.whole('width', RANGES.imageSide), height: size.whole('height', RANGES.imageSide) };
}

/** Bytes of a template; LLaVA's has 700. */
const MOST_TEMPLATE = 2 ** 20;

/** The processor's template where there is one (newer folders have it as a file of its own); the tokenizer's knows texts only. */
function readTemplate(folder: string): ChatTemplate {
  const jinja = join(folder, 'chat_template.jinja');
  if (existsSync(jinja)) return { file: jinja, text: readRegularFile(jinja, MOST_TEMPLATE).toString('utf8') };
  for (const name of ['chat_template.json', 'tokenizer_config.json']) {
    const file = join(folder, name);
    const text = readOptionalJsonFile(file)?.['chat_template'];
    if (typeof text === 'string') return { file, text };
  }
  throw new CheckpointError(join(folder, 'chat_template.json'), `holds no chat_template: ${REMEDY}`);
}

// A random LLaVA-OneVision of a few thousand weights in the folder layout of llava-hf/llava-onevision-qwen2-0.5b-ov-hf: the
// configuration files, the tokenizer, and three ONNX files with the inputs and outputs of the real ones (SigLIP with its
// projector, the token embedding, Qwen2 with grouped key and value heads and a cache), made by our graph builder.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { GraphModel } from '../../src/runtime/graph/index.js';
import {
  generationConfig,
  IMAGE_TEMPLATE,
  llavaConfig as configOf,
  llavaPreprocessor as preprocessorOf,
  processorConfig,
  tokenizerConfig,
} from '../../training/llava/folder.js';
import { decoderGraph, embeddingGraph, type LlavaSizes, visionGraph } from '../../training/llava/graphs.js';
import { changedCopy } from '../fixtures/changed-copy.js';
import { randomWeights } from './tiny-llava-graphs.js';
import { llavaTokenizerJson, TINY_VOCABULARY, tinyTokenId } from './tiny-llava-tokenizer.js';

/** Sizes of the tiny model; the real one has 384 pixels, patches of 14, 24 layers of 14 heads with 2 for keys. */
export const TINY_LLAVA: LlavaSizes = {
  side: 56,
  patch: 14,
  visionWidth: 24,
  visionLayers: 1,
  visionHeads: 2,
  visionInner: 48,
  width: 32,
  inner: 64,
  layers: 2,
  heads: 4,
  keyHeads: 2,
  vocabulary: TINY_VOCABULARY,
};

/** config.json. */
export function llavaConfig(sizes: LlavaSizes = TINY_LLAVA): Record<string, unknown> {
  return configOf(sizes, tinyTokenId);
}

/** preprocessor_config.json. */
export function llavaPreprocessor(sizes: LlavaSizes = TINY_LLAVA): Record<string, unknown> {
  return preprocessorOf(sizes);
}

/** The weights of the three ONNX files stay inside of them, as in the real ones. */
function writeOnnx(folder: string, name: string, model: GraphModel): void {
  if (model.weights.length > 0) throw new Error(`${name} has weights outside of its file`);
  writeFileSync(join(folder, 'onnx', `${name}.onnx`), model.proto);
}

/** Writes the whole folder. */
export function writeTinyLlava(folder: string, sizes: LlavaSizes = TINY_LLAVA): void {
  mkdirSync(join(folder, 'onnx'), { recursive: true });
  const json: Record<string, unknown> = {
    'config.json': llavaConfig(sizes),
    'generation_config.json': generationConfig(tinyTokenId),
    'preprocessor_config.json': llavaPreprocessor(sizes),
    'processor_config.json': processorConfig(sizes),
    'chat_template.json': { chat_template: IMAGE_TEMPLATE },
    'tokenizer.json': llavaTokenizerJson(),
    'tokenizer_config.json': tokenizerConfig(tinyTokenId),
  };
  for (const [file, content] of Object.entries(json)) {
    writeFileSync(join(folder, file), JSON.stringify(content, null, 2));
  }
  writeOnnx(folder, 'embed_tokens', embeddingGraph(sizes, randomWeights(1)));
  writeOnnx(folder, 'vision_encoder', visionGraph(sizes, randomWeights(2)));
  writeOnnx(folder, 'decoder_model_merged', decoderGraph(sizes, randomWeights(3)));
}

/** Tiny LLaVAs in a temporary folder. */
export interface TinyLlavas {
  /** The folder of the usual one. */
  readonly folder: string;
  /** A copy of it, after changes; gives the folder. */
  changed(change: (at: string) => void): string;
  /** One of other sizes; gives the folder. */
  sized(sizes: Partial<LlavaSizes>): string;
  remove(): void;
}

/** Makes a temporary folder with a tiny LLaVA; the caller removes it. */
export function createTinyLlavas(): TinyLlavas {
  const root = mkdtempSync(join(tmpdir(), 'tiny-llava-'));
  const folder = join(root, 'usual');
  writeTinyLlava(folder);
  return {
    folder,
    changed: (change) => changedCopy(folder, root, change),
    sized: (sizes) => {
      const at = mkdtempSync(join(root, 'sized-'));
      writeTinyLlava(at, { ...TINY_LLAVA, ...sizes });
      return at;
    },
    remove: () => {
      rmSync(root, { recursive: true });
    },
  };
}

/** Writes a file of a folder: text as it is, anything else as JSON. */
export function rewrite(at: string, file: string, content: unknown): void {
  writeFileSync(join(at, file), typeof content === 'string' ? content : JSON.stringify(content));
}

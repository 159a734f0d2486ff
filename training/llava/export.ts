// Writes the folder of the toybox's LLaVA as Transformers.js reads LLaVA-OneVision: three ONNX files with the weights in half
// precision inside (computed in float32), configurations, tokenizer and chat template.
//   npx tsx training/llava/export.ts FOLDER --out assets/toybox/llava
// FOLDER holds what judges.py exports: model.safetensors, sizes.json and tokenizer.json.

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { cast, type GraphModel } from '../../src/runtime/graph/index.js';
import { openWeights, type TensorSource } from '../../src/runtime/weights/index.js';
import {
  generationConfig,
  IMAGE_TEMPLATE,
  llavaConfig,
  llavaPreprocessor,
  processorConfig,
  tokenizerConfig,
} from './folder.js';
import { decoderGraph, embeddingGraph, type LlavaSizes, type LlavaWeights, visionGraph } from './graphs.js';

/** Half-precision tensors as they are in the file; matrices of linear layers are stored [out, in] and turned here. */
function weightsOf(source: TensorSource): LlavaWeights {
  return {
    take: (graph, name, shape) => {
      const { shape: stored } = source.info(name);
      const linear =
        stored.length === 2 && !name.includes('embed_tokens') && !name.includes('position_embedding');
      const half = new Uint16Array(source.readRaw(name).buffer);
      const values = linear ? turned(half, stored as [number, number]) : half;
      return cast(graph.constant(values, shape, 'float16'), 'float32');
    },
  };
}

function turned(values: Uint16Array, [rows, columns]: readonly [number, number]): Uint16Array {
  const out = new Uint16Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      out[column * rows + row] = values[row * columns + column] ?? 0;
    }
  }
  return out;
}

function idOf(tokenizer: string, content: string): number {
  const { added_tokens: added } = JSON.parse(tokenizer) as {
    added_tokens: { id: number; content: string }[];
  };
  const found = added.find((token) => token.content === content);
  if (!found) throw new RangeError(`the tokenizer has no token ${content}`);
  return found.id;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { out: { type: 'string', default: 'assets/toybox/llava' } },
});
const from = positionals[0] ?? '.work/judges/export/llava';
const sizes = JSON.parse(readFileSync(join(from, 'sizes.json'), 'utf8')) as LlavaSizes;
const tokenizer = readFileSync(join(from, 'tokenizer.json'), 'utf8');
const source = openWeights(join(from, 'model.safetensors'));
const weights = weightsOf(source);
mkdirSync(join(values.out, 'onnx'), { recursive: true });
const graphs: Record<string, GraphModel> = {
  embed_tokens: embeddingGraph(sizes, weights),
  vision_encoder: visionGraph(sizes, weights),
  decoder_model_merged: decoderGraph(sizes, weights),
};
for (const [name, { proto }] of Object.entries(graphs)) {
  writeFileSync(join(values.out, 'onnx', `${name}.onnx`), proto);
}
source.close();
const ids = (content: string): number => idOf(tokenizer, content);
const json: Record<string, unknown> = {
  'config.json': llavaConfig(sizes, ids),
  'generation_config.json': generationConfig(ids),
  'preprocessor_config.json': llavaPreprocessor(sizes),
  'processor_config.json': processorConfig(sizes),
  'chat_template.json': { chat_template: IMAGE_TEMPLATE },
  'tokenizer_config.json': tokenizerConfig(ids),
};
for (const [file, content] of Object.entries(json)) {
  writeFileSync(join(values.out, file), `${JSON.stringify(content, null, 2)}\n`);
}
copyFileSync(join(from, 'tokenizer.json'), join(values.out, 'tokenizer.json'));
console.log(`written ${values.out}`);

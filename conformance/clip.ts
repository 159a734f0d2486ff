// Runs a reference folder of the kind of shared/conformance/clip: its inputs through our towers, its outputs by name.

import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { CheckpointError } from '../src/core/errors.js';
import { type JsonObject, readJsonFile } from '../src/core/json-file.js';
import { cosines, normalizeRows } from '../src/models/clip/similarity.js';
import { openTowers } from '../src/models/clip/towers.js';
import type { Runtime } from '../src/runtime/index.js';
import { openWeights } from '../src/runtime/weights/index.js';

/** Our outputs for one weights file of a reference folder, by the names in reference.safetensors. */
export interface ClipConformance {
  readonly weights: string;
  readonly outputs: ReadonlyMap<string, Float32Array>;
}

const WEIGHT_FILES = ['model.safetensors', 'clip.pth'] as const;
const DEFAULT_WEIGHT = 2.5;

/** True when a folder's config.json describes a CLIP. */
export function describesClip(config: JsonObject): boolean {
  return config['model_type'] === 'clip';
}

/** Runs every weights file of a reference folder (both layouts where it has both). Throws CheckpointError. */
export async function runClipConformance(runtime: Runtime, folder: string): Promise<ClipConformance[]> {
  const files = WEIGHT_FILES.filter((name) => existsSync(join(folder, name)));
  if (files.length === 0) throw new CheckpointError(folder, `has none of ${WEIGHT_FILES.join(' and ')}`);
  const results: ClipConformance[] = [];
  for (const weights of files) results.push({ weights, outputs: await runFile(runtime, folder, weights) });
  return results;
}

async function runFile(runtime: Runtime, folder: string, file: string): Promise<Map<string, Float32Array>> {
  const reference = openWeights(join(folder, 'reference.safetensors'));
  const towers = await openTowers(runtime, join(folder, file), { states: true });
  // What verifiers run is the shorter graph without the states: its embeddings are the ones to compare.
  const short = await openTowers(runtime, join(folder, file));
  try {
    const pixels = reference.read('pixel_values');
    const images = reference.info('pixel_values').shape[0] ?? 0;
    const ids = reference.readIntegers('input_ids');
    const texts = reference.info('input_ids').shape[0] ?? 0;
    const [vision, text] = [await towers.runVision(pixels, images), await towers.runText(ids, texts)];
    const image = (await short.runVision(pixels, images)).float32('image_embeds');
    const words = (await short.runText(ids, texts)).float32('text_embeds');
    const { embedding } = towers.config;
    const cosine = cosines(image, words, embedding);
    const stored = readJsonFile(join(folder, 'config.json'))['clip_score_weight'];
    const weight = typeof stored === 'number' ? stored : DEFAULT_WEIGHT;
    return new Map([
      ['image_embeds', image],
      ['text_embeds', words],
      ['image_embeds_normalized', normalizeRows(image, embedding)],
      ['text_embeds_normalized', normalizeRows(words, embedding)],
      ['cosine', Float32Array.from(cosine)],
      ['clip_score', Float32Array.from(cosine, (x) => weight * Math.max(x, 0))],
      ['logits_per_image', Float32Array.from(cosine, (x) => towers.logitScale * x)],
      ['vision_last_hidden_state', vision.float32('last_hidden_state')],
      ['text_last_hidden_state', text.float32('last_hidden_state')],
      ['text_pooler_output', text.float32('pooler_output')],
    ]);
  } finally {
    towers.close();
    short.close();
    reference.close();
  }
}

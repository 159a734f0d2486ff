// CLIP as its users see it: pictures and texts in, embeddings out. Preprocessing, tokenising and micro-batches are in
// here; the towers are in towers.ts.

import { dirname, join } from 'node:path';

import { throwIfAborted } from '../../core/errors.js';
import { fileHash } from '../../core/hash.js';
import type { Image } from '../../core/image.js';
import type { Runtime } from '../../runtime/index.js';
import { loadTokenizer, type TextTokenizer } from '../tokenizer.js';
import { preprocess, type Preprocessing, readPreprocessing } from './preprocess.js';
import { type ClipTowers, openTowers } from './towers.js';

/** Options of a call. */
export interface EmbedOptions {
  /** Ends the call after the micro-batch under way. */
  readonly signal?: AbortSignal | undefined;
}

/** Bytes that the widest layer of one micro-batch may fill; small enough to stay near the cores' caches. */
const BATCH_BYTES = 16 * 2 ** 20;

/** A loaded CLIP with both towers; the caller closes it. */
export class Clip {
  readonly towers: ClipTowers;
  /** Width of the embeddings. */
  readonly width: number;
  readonly #preprocessing: Preprocessing;
  readonly #tokenizer: TextTokenizer;
  /** Pictures in one run. */
  readonly #batch: number;
  readonly #context: number;

  constructor(towers: ClipTowers, preprocessing: Preprocessing, tokenizer: TextTokenizer) {
    this.towers = towers;
    this.width = towers.config.embedding;
    this.#preprocessing = preprocessing;
    this.#tokenizer = tokenizer;
    const { vision, text } = towers.config;
    const tokens = vision ? Math.floor(vision.imageSize / vision.patchSize) ** 2 + 1 : 1;
    this.#batch = Math.max(1, Math.floor(BATCH_BYTES / (tokens * (vision?.hidden ?? 1) * 4)));
    this.#context = text?.context ?? 0;
  }

  /** Embeddings of pictures of any size after the projection, not normalised: [N, width]. */
  async embedImages(images: readonly Image[], options: EmbedOptions = {}): Promise<Float32Array> {
    throwIfAborted(options.signal);
    const result = new Float32Array(images.length * this.width);
    for (let at = 0; at < images.length; at += this.#batch) {
      const part = images.slice(at, at + this.#batch);
      const pixels = preprocess(part, this.#preprocessing);
      const run = await this.towers.runVision(pixels, part.length, ['image_embeds']);
      throwIfAborted(options.signal);
      result.set(run.float32('image_embeds'), at * this.width);
    }
    return result;
  }

  /** Embeddings of texts after the projection, not normalised: [N, width]. Too long texts are cut. */
  async embedText(texts: readonly string[], options: EmbedOptions = {}): Promise<Float32Array> {
    throwIfAborted(options.signal);
    const result = new Float32Array(texts.length * this.width);
    // Always the full length, so that a text's numbers never depend on its neighbours; padding has no effect on them.
    const lengths = { maxLength: this.#context, padTo: this.#context };
    for (const [i, text] of texts.entries()) {
      const { ids } = this.#tokenizer.encode([text], lengths);
      const run = await this.towers.runText(ids, 1, ['text_embeds']);
      throwIfAborted(options.signal);
      result.set(run.float32('text_embeds'), i * this.width);
    }
    return result;
  }

  /** SHA-256 of the weights and the tokenizer. */
  async hashes(): Promise<Record<string, string>> {
    const { file } = this.towers;
    // The index of a split checkpoint says nothing about the shards beside it.
    const weights = await fileHash(file.endsWith('.index.json') ? dirname(file) : file);
    return { weights, tokenizer: await fileHash(this.#tokenizer.label) };
  }

  /** Frees the towers once all runs are done. */
  close(): void {
    this.towers.close();
  }
}

/** Opens a CLIP folder: weights in either layout, config.json for Hugging Face's, tokenizer.json. Throws CheckpointError. */
export async function openClip(
  runtime: Runtime,
  folder: string,
  options: { readonly weights?: string } = {},
): Promise<Clip> {
  const tokenizer = loadTokenizer(folder);
  const towers = await openTowers(
    runtime,
    options.weights === undefined ? folder : join(folder, options.weights),
  );
  try {
    return new Clip(towers, readPreprocessing(folder, towers.config.vision?.imageSize ?? 1), tokenizer);
  } catch (error) {
    towers.close();
    throw error;
  }
}

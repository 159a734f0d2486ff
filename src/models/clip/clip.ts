// CLIP as its users see it: pictures and texts in, embeddings out. Preprocessing, tokenising and micro-batches are in
// here; the towers are in towers.ts.

import { join } from 'node:path';

import { CheckpointError, throwIfAborted } from '../../core/errors.js';
import { checkpointHashes, presentHashes } from '../../core/hash.js';
import type { Image } from '../../core/image.js';
import { checkReadout } from '../../core/readout.js';
import type { Runtime } from '../../runtime/index.js';
import { loadTokenizer, type TextTokenizer, tokenizerFiles } from '../tokenizer.js';
import { clipPictureFlops } from './cost.js';
import { preprocess, type Preprocessing, readPreprocessing } from './preprocess.js';
import { type ClipTowers, openTowers } from './towers.js';

/** Options of a call. */
export interface EmbedOptions {
  /** Ends the call after the micro-batch under way. */
  readonly signal?: AbortSignal | undefined;
}

/** What a CLIP does for its users; whoever shares one picture's run between verifiers wraps it. */
export interface ClipEncoder {
  /** Width of the embeddings. */
  readonly width: number;
  /** Floating-point operations of one picture's embedding. */
  readonly pictureFlops: number;
  /** Embeddings of pictures of any size after the projection, not normalised: [N, width]. */
  embedImages(images: readonly Image[], options?: EmbedOptions): Promise<Float32Array>;
  /** Embeddings of texts after the projection, not normalised: [N, width]. Too long texts are cut. */
  embedText(texts: readonly string[], options?: EmbedOptions): Promise<Float32Array>;
  /** The most tokens of a text, and the end of this one that is cut off: empty where all of it is read. */
  unseen(text: string): { readonly tokens: number; readonly unseen: string };
  /** SHA-256 of the weights, the tokenizer and the configurations. */
  hashes(): Promise<Record<string, string>>;
  /** Frees the towers once all runs are done. */
  close(): void;
}

/** Bytes that the widest layer of one micro-batch may fill: measured, larger ones are slower on a CPU, and later to cancel. */
const BATCH_BYTES = 4 * 2 ** 20;

/** A loaded CLIP with both towers; the caller closes it. */
class Clip implements ClipEncoder {
  readonly towers: ClipTowers;
  readonly width: number;
  readonly pictureFlops: number;
  readonly #folder: string;
  readonly #preprocessing: Preprocessing;
  readonly #tokenizer: TextTokenizer;
  /** Pictures in one run. */
  readonly #batch: number;
  readonly #context: number;

  /** Throws CheckpointError when the checkpoint lacks a tower or a projection. */
  constructor(towers: ClipTowers, folder: string, tokenizer: TextTokenizer) {
    const { vision, text, embedding } = towers.config;
    if (!vision || !text || !towers.projected) {
      const missing = !vision ? 'image tower' : !text ? 'text tower' : 'projection';
      throw new CheckpointError(towers.file, `has no ${missing}: pictures and texts need a whole CLIPModel`);
    }
    this.#folder = folder;
    this.towers = towers;
    this.width = embedding;
    this.pictureFlops = clipPictureFlops(vision, embedding);
    this.#preprocessing = readPreprocessing(folder, vision.imageSize);
    this.#tokenizer = tokenizer;
    const tokens = Math.floor(vision.imageSize / vision.patchSize) ** 2 + 1;
    this.#batch = Math.max(1, Math.floor(BATCH_BYTES / (tokens * vision.hidden * 4)));
    this.#context = text.context;
  }

  async embedImages(images: readonly Image[], options: EmbedOptions = {}): Promise<Float32Array> {
    throwIfAborted(options.signal);
    const result = new Float32Array(images.length * this.width);
    for (let at = 0; at < images.length; at += this.#batch) {
      const part = images.slice(at, at + this.#batch);
      const pixels = preprocess(part, this.#preprocessing);
      const run = await this.towers.runVision(pixels, part.length, ['image_embeds']);
      throwIfAborted(options.signal);
      const embeddings = run.float32('image_embeds');
      checkReadout(this.towers.file, "the image tower's embeddings", embeddings);
      result.set(embeddings, at * this.width);
    }
    return result;
  }

  async embedText(texts: readonly string[], options: EmbedOptions = {}): Promise<Float32Array> {
    throwIfAborted(options.signal);
    const result = new Float32Array(texts.length * this.width);
    // Always the full length, so that a text's numbers never depend on its neighbours; padding has no effect on them.
    const lengths = { maxLength: this.#context, padTo: this.#context };
    for (const [i, text] of texts.entries()) {
      const { ids } = this.#tokenizer.encode([text], lengths);
      const run = await this.towers.runText(ids, 1, ['text_embeds']);
      throwIfAborted(options.signal);
      const embedding = run.float32('text_embeds');
      checkReadout(this.towers.file, "the text tower's embeddings", embedding);
      result.set(embedding, i * this.width);
    }
    return result;
  }

  unseen(text: string): { readonly tokens: number; readonly unseen: string } {
    return { tokens: this.#context, unseen: this.#tokenizer.unseen(text, this.#context) };
  }

  async hashes(): Promise<Record<string, string>> {
    const folder = this.#folder;
    return {
      ...(await checkpointHashes('weights', this.towers.file)),
      ...(await presentHashes({
        ...tokenizerFiles(folder),
        config: join(folder, 'config.json'),
        preprocessor: join(folder, 'preprocessor_config.json'),
      })),
    };
  }

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
    return new Clip(towers, folder, tokenizer);
  } catch (error) {
    towers.close();
    throw error;
  }
}

// A CLIP's weights as loaded sessions: the layout recognised, the sizes read, one session per tower.

import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { CheckpointError, RuntimeError } from '../../core/errors.js';
import { readJsonFile } from '../../core/json-file.js';
import {
  float32Tensor,
  int32Tensor,
  int64Tensor,
  type RunResult,
  type Runtime,
  type Session,
} from '../../runtime/index.js';
import { openWeights, unwrapped } from '../../runtime/weights/index.js';
import { type ClipConfig, huggingFaceConfig, openAiConfig, type TextConfig } from './config.js';
import { buildTextGraph, buildVisionGraph } from './graphs.js';
import { CLIP, type ClipTensors, clipTensors } from './keys.js';

/** What of a CLIP is to be loaded. */
interface TowerOptions {
  /** Give all tokens' states besides the embeddings, for conformance and for models that read them. @default false */
  readonly states?: boolean;
  /** Which towers are wanted; others are not loaded, though the checkpoint has them. @default those that it has */
  readonly towers?: readonly ('vision' | 'text')[];
}

/** The loaded towers of a CLIP; the caller closes them. */
export class ClipTowers {
  /** The file of the weights. */
  readonly file: string;
  readonly config: ClipConfig;
  /** The factor of the cosine in CLIP's logits, exp(logit_scale); 1 where the checkpoint has none. */
  readonly logitScale: number;
  readonly #vision: Session | null;
  readonly #text: Session | null;

  constructor(
    file: string,
    config: ClipConfig,
    parts: { readonly logitScale: number; readonly vision: Session | null; readonly text: Session | null },
  ) {
    this.file = file;
    this.config = config;
    this.logitScale = parts.logitScale;
    this.#vision = parts.vision;
    this.#text = parts.text;
  }

  /** Whether both towers are there and end in their projection. */
  get projected(): boolean {
    const ends = (session: Session | null, name: string): boolean =>
      session?.outputs.some((output) => output.name === name) ?? false;
    return ends(this.#vision, 'image_embeds') && ends(this.#text, 'text_embeds');
  }

  /** Runs the image tower on pixels [N, 3, S, S], mean and deviation applied. */
  async runVision(pixels: Float32Array, count: number, outputs?: readonly string[]): Promise<RunResult> {
    const { vision } = this.config;
    if (!this.#vision || !vision) throw new RuntimeError(`${this.file} has no image tower.`);
    const { imageSize } = vision;
    const inputs = { pixel_values: float32Tensor(pixels, [count, 3, imageSize, imageSize]) };
    return await this.#vision.run(inputs, outputs ? { outputs } : {});
  }

  /** Runs the text tower on ids [N, L]. */
  async runText(ids: Int32Array, count: number, outputs?: readonly string[]): Promise<RunResult> {
    const { text } = this.config;
    if (!this.#text || !text) throw new RuntimeError(`${this.file} has no text tower.`);
    const length = ids.length / count;
    const rows = Array.from({ length: count }, (_, i) => ids.subarray(i * length, (i + 1) * length));
    const inputs = {
      input_ids: int32Tensor(ids, [count, length]),
      end_positions: int64Tensor(
        rows.map((row) => endPosition(row, text)),
        [count],
      ),
    };
    return await this.#text.run(inputs, outputs ? { outputs } : {});
  }

  /** Frees both towers once all runs are done. */
  close(): void {
    this.#vision?.dispose();
    this.#text?.dispose();
  }
}

/** The place of the token whose state is the text's; 0 where there is none, as in transformers. */
export function endPosition(row: Int32Array, { endToken }: Pick<TextConfig, 'endToken'>): number {
  const wanted = endToken === 'largest' ? row.reduce((a, b) => Math.max(a, b), 0) : endToken;
  return Math.max(0, row.indexOf(wanted));
}

/**
 * Loads the towers that a folder or weights file holds. Hugging Face's layout needs config.json beside the weights.
 * Throws CheckpointError for anything that is no CLIP.
 */
export async function openTowers(
  runtime: Runtime,
  path: string,
  options: TowerOptions = {},
): Promise<ClipTowers> {
  const file = openWeights(path);
  try {
    const source = unwrapped(file, CLIP);
    const tensors = clipTensors(source);
    const whole = readConfig(tensors, folderOf(path), () => openAiConfig(source));
    const wanted = (tower: 'vision' | 'text'): boolean => options.towers?.includes(tower) ?? true;
    const config: ClipConfig = {
      ...whole,
      vision: wanted('vision') ? whole.vision : null,
      text: wanted('text') ? whole.text : null,
    };
    // Graphs first: a wrong tower is found before anything is under way.
    const visionGraph =
      config.vision &&
      buildVisionGraph(config.vision, tensors, outputsOf(tensors, config, 'visual', options));
    const textGraph =
      config.text && buildTextGraph(config.text, tensors, outputsOf(tensors, config, 'text', options));
    const loads = await Promise.allSettled([
      visionGraph && runtime.load(visionGraph, { checkpoint: source.label }),
      textGraph && runtime.load(textGraph, { checkpoint: source.label, seldom: true }),
    ]);
    const [vision, text] = loads.map((load) => (load.status === 'fulfilled' ? load.value : null)) as [
      Session | null,
      Session | null,
    ];
    const failed = loads.find((load) => load.status === 'rejected');
    if (failed) {
      vision?.dispose();
      text?.dispose();
      throw failed.reason;
    }
    const logitScale = tensors.has('logit_scale') ? Math.exp(tensors.read('logit_scale')[0] ?? 0) : 1;
    return new ClipTowers(source.label, config, { logitScale, vision, text });
  } finally {
    file.close();
  }
}

function folderOf(path: string): string {
  return existsSync(path) && statSync(path).isDirectory() ? path : dirname(path);
}

function readConfig(tensors: ClipTensors, folder: string, openAi: () => ClipConfig): ClipConfig {
  if (tensors.layout === 'openai') return openAi();
  const file = join(folder, 'config.json');
  const json = readJsonFile(file, `the sizes of ${tensors.label} stand in it`);
  const kind = json['model_type'] ?? 'clip';
  if (typeof kind !== 'string' || !/^clip(_text_model|_vision_model)?$/.test(kind)) {
    throw new CheckpointError(file, `describes a model of the type ${JSON.stringify(kind)}, not a CLIP`);
  }
  return huggingFaceConfig(file, json, {
    vision: tensors.has('vision_model.embeddings.class_embedding'),
    text: tensors.has('text_model.embeddings.token_embedding.weight'),
  });
}

/** A tower without its projection (CLIPTextModel) gives the pooled state only. */
function outputsOf(
  tensors: ClipTensors,
  { embedding }: ClipConfig,
  tower: 'visual' | 'text',
  { states = false }: TowerOptions,
): { embedding: number | null; states: boolean } {
  return { embedding: tensors.has(`${tower}_projection.weight`) ? embedding : null, states };
}

// ImageReward (Xu et al., "ImageReward: Learning and Evaluating Human Preferences for Text-to-Image Generation", NeurIPS
// 2023): port of ImageReward/ImageReward.py. A prompt is encoded once as far as pictures do not matter; every picture
// goes through the image tower once, and then with the prompt through the text encoder and the head.

import { join } from 'node:path';

import { CheckpointError, RuntimeError, throwIfAborted } from '../../core/errors.js';
import { checkpointHashes, presentHashes } from '../../core/hash.js';
import type { Image } from '../../core/image.js';
import { checkReadout } from '../../core/readout.js';
import type { GraphModel } from '../../runtime/graph/index.js';
import {
  float32Tensor,
  type HostTensor,
  int32Tensor,
  type RunResult,
  type Runtime,
  type Session,
  type TensorHandle,
} from '../../runtime/index.js';
import { openWeights, unwrapped, withPrefix } from '../../runtime/weights/index.js';
import { CLIP_DEVIATION, CLIP_MEAN, preprocess } from '../clip/preprocess.js';
import { type LinearHead, readLinearHead } from '../linear-head.js';
import { loadTokenizer, type TextTokenizer, tokenizerFiles } from '../tokenizer.js';
import { type ImageRewardConfig, readImageRewardConfig, readMedConfig } from './config.js';
import { imageRewardFlops } from './cost.js';
import { buildBlipFusion, buildBlipPrompt } from './text-graph.js';
import { buildBlipVision } from './vision-graph.js';

/** Prompts in the worker, ready to meet pictures. */
interface EncodedPrompt {
  readonly states: TensorHandle;
  /** 0 for padding, [prompts, tokens]. */
  readonly mask: HostTensor;
}

/** Token ids of prompts, row-major [count, tokens], and the mask of their padding. */
interface PromptTokens {
  readonly ids: Int32Array;
  readonly mask: Int32Array;
  readonly count: number;
}

interface Sessions {
  readonly vision: Session;
  readonly prompt: Session;
  readonly fusion: Session;
}

/** Bytes that the widest layer of one micro-batch may fill: larger ones are no quicker on a CPU, and later to cancel. */
const BATCH_BYTES = 4 * 2 ** 20;
/** What the official code adds to BERT's tokens (init_tokenizer in models/BLIP/blip.py): written in a prompt, they are seen as such. */
const ADDED_TOKENS = ['[DEC]', '[ENC]'];
/** The official file's name. */
const WEIGHTS = 'ImageReward.pt';

/** The network of an ImageReward without tokenizer and preprocessing; the caller closes it. */
export class ImageRewardNetwork {
  /** The file of the weights. */
  readonly file: string;
  readonly config: ImageRewardConfig;
  readonly #sessions: Sessions;
  readonly #head: LinearHead;

  constructor(file: string, config: ImageRewardConfig, parts: { sessions: Sessions; head: LinearHead }) {
    this.file = file;
    this.config = config;
    this.#sessions = parts.sessions;
    this.#head = parts.head;
  }

  /** Encodes prompts up to where pictures come in; the caller disposes of the states. Throws for ids outside of the vocabulary. */
  async encodePrompts({ ids, mask, count }: PromptTokens): Promise<EncodedPrompt> {
    const { vocabulary } = this.config.text;
    const wrong = ids.find((id) => id < 0 || id >= vocabulary);
    if (wrong !== undefined) {
      throw new RuntimeError(
        `Token id ${wrong} is outside of ImageReward's vocabulary of ${vocabulary}: the tokenizer belongs to another model.`,
      );
    }
    const dims = [count, ids.length / count];
    const inputs = { input_ids: int32Tensor(ids, dims), attention_mask: int32Tensor(mask, dims) };
    const run = await this.#sessions.prompt.run(inputs, { keep: ['prompt_states'] });
    return { states: run.kept('prompt_states'), mask: inputs.attention_mask };
  }

  /** The image tower's states of pixels [N, 3, S, S], mean and deviation applied; the caller disposes of them. */
  async embedPixels(pixels: Float32Array, count: number): Promise<TensorHandle> {
    const { imageSize } = this.config.vision;
    const inputs = { pixel_values: float32Tensor(pixels, [count, 3, imageSize, imageSize]) };
    return (await this.#sessions.vision.run(inputs, { keep: ['image_embeds'] })).kept('image_embeds');
  }

  /** `text_features` of pictures with one prompt for all of them, or with one each. */
  async fuse({ states, mask }: EncodedPrompt, images: TensorHandle): Promise<RunResult> {
    const inputs = { prompt_states: states, attention_mask: mask, image_embeds: images };
    return await this.#sessions.fusion.run(inputs);
  }

  /** The head's numbers of features [N, C], before mean and deviation. */
  rawRewards(features: Float32Array): Float64Array {
    return this.#head.apply(features);
  }

  /** The rewards of raw numbers: mean 0 and deviation 1 over the pictures that ImageReward was trained on. */
  normalise(raw: Float64Array): Float64Array {
    const { mean, deviation } = this.config;
    return raw.map((x) => (x - mean) / deviation);
  }

  /** Frees the model once all runs are done. */
  close(): void {
    for (const session of Object.values(this.#sessions) as Session[]) session.dispose();
  }
}

const MARKS = { marks: ['blip.visual_encoder.patch_embed.proj.weight'] };

/** The sizes of the ImageReward in a folder: of its weights the shapes are read alone. Throws CheckpointError. */
export function imageRewardConfigIn(folder: string): ImageRewardConfig {
  const file = openWeights(join(folder, WEIGHTS));
  try {
    return readImageRewardConfig(folder, withPrefix(unwrapped(file, MARKS), 'blip.'));
  } finally {
    file.close();
  }
}

/** Loads ImageReward.pt with the med_config.json beside it; with `states` all tokens' last states are given too. */
export async function openImageRewardNetwork(
  runtime: Runtime,
  folder: string,
  options: { readonly states?: boolean } = {},
): Promise<ImageRewardNetwork> {
  const file = openWeights(join(folder, WEIGHTS));
  try {
    const source = unwrapped(file, MARKS);
    const blip = withPrefix(source, 'blip.');
    const config = readImageRewardConfig(folder, blip);
    const head = readLinearHead(withPrefix(source, 'mlp.'));
    if (head.inputs !== config.text.width || config.text.imageWidth !== config.vision.width) {
      throw new CheckpointError(
        source.label,
        `its parts do not fit: the head takes ${head.inputs} of ${config.text.width} features, the text encoder ` +
          `image states of ${config.text.imageWidth} of ${config.vision.width}`,
      );
    }
    const graphs = [
      buildBlipVision(config.vision, blip),
      buildBlipPrompt(config.text, blip, options),
      buildBlipFusion(config.text, blip, options),
    ] as const;
    const [vision, prompt, fusion] = await loadAll(runtime, graphs, source.label);
    return new ImageRewardNetwork(source.label, config, { sessions: { vision, prompt, fusion }, head });
  } finally {
    file.close();
  }
}

/** Loads all three; when one fails, the others are freed again. */
async function loadAll(
  runtime: Runtime,
  graphs: readonly [GraphModel, GraphModel, GraphModel],
  checkpoint: string,
): Promise<readonly [Session, Session, Session]> {
  const [vision, prompt, fusion] = graphs;
  const loads = [
    runtime.load(vision, { checkpoint }),
    runtime.load(prompt, { checkpoint, seldom: true }),
    runtime.load(fusion, { checkpoint }),
  ] as const;
  const settled = await Promise.allSettled(loads);
  const failed = settled.find((load) => load.status === 'rejected');
  if (!failed) return Promise.all(loads);
  for (const load of settled) if (load.status === 'fulfilled') load.value.dispose();
  throw failed.reason;
}

/** Where its files are. */
interface ImageRewardFolders {
  readonly folder: string;
  readonly tokenizerFolder: string;
}

/** An ImageReward as its users see it: prompts and pictures in, rewards out. The caller closes it. */
export class ImageReward {
  readonly network: ImageRewardNetwork;
  readonly #folders: ImageRewardFolders;
  readonly #tokenizer: TextTokenizer;
  /** Pictures in one run. */
  readonly #batch: number;

  constructor(network: ImageRewardNetwork, folders: ImageRewardFolders, tokenizer: TextTokenizer) {
    const { vision } = network.config;
    const tokens = (vision.imageSize / vision.patchSize) ** 2 + 1;
    this.network = network;
    this.#folders = folders;
    this.#tokenizer = tokenizer;
    this.#batch = Math.max(1, Math.floor(BATCH_BYTES / (tokens * vision.hidden * 4)));
  }

  /** Floating-point operations of one picture's reward. */
  get pictureFlops(): number {
    return imageRewardFlops(this.network.config);
  }

  /** Encodes a prompt, padded to the model's length or cut there; the caller disposes of the states. */
  async encodePrompt(prompt: string): Promise<EncodedPrompt> {
    const { maxLength } = this.network.config;
    const { ids, mask } = this.#tokenizer.encode([prompt], { maxLength, padTo: maxLength });
    return this.network.encodePrompts({ ids, mask, count: 1 });
  }

  /** The most tokens of a prompt, and the end of this one that is cut off: empty where all of it is read. */
  unseen(prompt: string): { readonly tokens: number; readonly unseen: string } {
    const { maxLength: tokens } = this.network.config;
    return { tokens, unseen: this.#tokenizer.unseen(prompt, tokens) };
  }

  /** Rewards of pictures of any size, in their order; a picture's reward does not depend on the others. */
  async rewards(
    prompt: EncodedPrompt,
    images: readonly Image[],
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<number[]> {
    throwIfAborted(options.signal);
    const rewards: number[] = [];
    for (let at = 0; at < images.length; at += this.#batch) {
      const features = await this.#features(prompt, images.slice(at, at + this.#batch));
      throwIfAborted(options.signal);
      rewards.push(...this.network.normalise(this.network.rawRewards(features)));
    }
    return rewards;
  }

  /** SHA-256 of the files. */
  async hashes(): Promise<Record<string, string>> {
    const { folder, tokenizerFolder } = this.#folders;
    return {
      ...(await checkpointHashes('weights', this.network.file)),
      ...(await presentHashes({
        config: join(folder, 'med_config.json'),
        ...tokenizerFiles(tokenizerFolder),
      })),
    };
  }

  close(): void {
    this.network.close();
  }

  async #features(prompt: EncodedPrompt, images: readonly Image[]): Promise<Float32Array> {
    const { imageSize } = this.network.config.vision;
    const pixels = preprocess(images, {
      shorterSide: imageSize,
      size: imageSize,
      mean: CLIP_MEAN,
      deviation: CLIP_DEVIATION,
    });
    const states = await this.network.embedPixels(pixels, images.length);
    try {
      const features = (await this.network.fuse(prompt, states)).float32('text_features');
      checkReadout(this.network.file, "ImageReward's features", features);
      return features;
    } finally {
      states.dispose();
    }
  }
}

/** Opens ImageReward.pt with med_config.json, and bert-base-uncased's tokenizer.json. Throws CheckpointError. */
export async function openImageReward(
  runtime: Runtime,
  folder: string,
  tokenizerFolder = folder,
): Promise<ImageReward> {
  const { vocab_size: vocabulary } = readMedConfig(folder).med;
  const tokenizer = loadTokenizer(tokenizerFolder, { added: ADDED_TOKENS, vocabulary });
  const network = await openImageRewardNetwork(runtime, folder);
  return new ImageReward(network, { folder, tokenizerFolder }, tokenizer);
}

// Infinity from checkpoint files to a model that prepares prompts. What belongs to all prompts is loaded once here.

import { UsageError } from '../../core/errors.js';
import { fileHash } from '../../core/hash.js';
import type { Ledger } from '../../core/ledger.js';
import { float32Tensor, type Runtime, type Session } from '../../runtime/index.js';
import { openWeights } from '../../runtime/weights/open-weights.js';
import type { TensorSource } from '../../runtime/weights/tensor-source.js';
import type { CallOptions, GenerationOptions, ImageModel } from '../contract.js';
import { openT5Encoder, type TextEncoder, type TextStates } from '../t5/text-encoder.js';
import { openVaeDecoder } from '../vae/decoder.js';
import { infinityConfig } from './config.js';
import { type InfinityCore, InfinityGenerator, type TextState } from './generator.js';
import { rotaryTables } from './rotary.js';
import type { SamplingOptions } from './sampling.js';
import { officialSchedule, type PictureSize, type Schedule } from './schedule.js';
import { buildStepGraph, guidancePlan } from './step-graph.js';
import { buildTextGraph } from './text-graph.js';

/** Guidance and sampling where a prompt does not say otherwise. */
export interface InfinityDefaults {
  readonly cfg: number | readonly number[];
  readonly temperature: number | readonly number[];
}

/** Where an Infinity's files are and how it is to be run. */
export interface InfinityOptions {
  readonly name: string;
  /** transformer.pth, or safetensors with the same names. */
  readonly transformer: string;
  readonly vae: string;
  /** Folder of the T5 encoder in Hugging Face layout; without it only `prepareStates` works. */
  readonly textEncoder?: string;
  /** The one schedule that the model was trained on, or the official table of sizes and ratios. */
  readonly schedule: Schedule | 'official';
  /** The official option: 0 guides the logits, -i the output of the i-th block from the end. @default [0] */
  readonly cfgInsertionLayer?: readonly number[];
  readonly defaults: InfinityDefaults;
  /** Bytes that prefixes and a running step may take. @default 2 GiB */
  readonly memory?: number;
}

const DEFAULT_MEMORY = 2 * 1024 ** 3;

/** A loaded Infinity. */
export class InfinityModel implements ImageModel {
  readonly name: string;
  readonly core: InfinityCore;
  readonly #options: InfinityOptions;
  /** The unconditional branch's text states, [maxTextLength, textChannels]. */
  readonly #unconditional: Float32Array;
  readonly #text: Session;
  readonly #encoder: TextEncoder | null;

  constructor(
    core: InfinityCore,
    options: InfinityOptions,
    parts: { unconditional: Float32Array; text: Session; encoder: TextEncoder | null },
  ) {
    this.name = options.name;
    this.core = core;
    this.#options = options;
    this.#unconditional = parts.unconditional;
    this.#text = parts.text;
    this.#encoder = parts.encoder;
  }

  async hashes(): Promise<Record<string, string>> {
    const { transformer, vae } = this.#options;
    return {
      transformer: await fileHash(transformer),
      vae: await fileHash(vae),
      ...(this.#encoder ? { textEncoder: await fileHash(this.#encoder.file) } : {}),
    };
  }

  async prepare(
    prompt: string,
    ledger: Ledger,
    options: GenerationOptions & CallOptions = {},
  ): Promise<InfinityGenerator> {
    if (prompt.trim() === '') throw new UsageError('the prompt is empty: say what the picture should show');
    const encoder = this.#encoder;
    if (!encoder) throw new UsageError(`${this.name} was opened without a text encoder`);
    options.signal?.throwIfAborted();
    const states = await ledger.time('text', () => encoder.encode(prompt));
    return this.prepareStates(states, ledger, options);
  }

  /** Prepares a prompt that has been encoded already: states [tokens, textChannels] of the text encoder. */
  async prepareStates(
    states: TextStates,
    ledger: Ledger,
    options: GenerationOptions = {},
  ): Promise<InfinityGenerator> {
    const { defaults } = this.#options;
    const { core } = this;
    const schedule = chooseSchedule(this.#options, options);
    this.#checkLevels(schedule);
    const count = schedule.scales.length;
    const cfg = perScale(options.cfg ?? defaults.cfg, count, 'cfg');
    const temperature = perScale(options.temperature ?? defaults.temperature, count, 'temperature');
    const sampling = temperature.map((tau): SamplingOptions => {
      if (!(tau > 0)) throw new UsageError(`temperature must be above 0, got ${tau}`);
      return { temperature: tau, topK: options.topK ?? 0, topP: options.topP ?? 0 };
    });
    const text = await ledger.time('text', () => this.#textState(states, cfg.every((c) => c === 1) ? 1 : 2));
    const rotary = rotaryTables(schedule, core.config.width / core.config.heads);
    return new InfinityGenerator({ core, text, scales: schedule.scales, rotary, ledger, cfg, sampling });
  }

  close(): Promise<void> {
    this.#text.dispose();
    this.core.step.dispose();
    this.core.decoder.close();
    this.#encoder?.close();
    return Promise.resolve();
  }

  #checkLevels({ scales }: Schedule): void {
    const { maxScales } = this.core.config;
    if (scales.length > maxScales) {
      throw new UsageError(`${this.name} has ${maxScales} levels, the schedule ${scales.length} scales`);
    }
  }

  async #textState({ states, tokens }: TextStates, branches: 1 | 2): Promise<TextState> {
    const { textChannels, maxTextLength, blocks } = this.core.config;
    if (tokens > maxTextLength) {
      throw new UsageError(`the prompt has ${tokens} tokens, ${this.name} takes at most ${maxTextLength}`);
    }
    const features = new Float32Array(branches * tokens * textChannels);
    features.set(states);
    if (branches === 2) {
      features.set(this.#unconditional.subarray(0, tokens * textChannels), tokens * textChannels);
    }
    const keys = blocks.map((_, i) => `text_key.${i}`);
    const values = blocks.map((_, i) => `text_value.${i}`);
    const result = await this.#text.run(
      { text_features: float32Tensor(features, [branches, tokens, textChannels]) },
      { keep: ['modulation', ...keys, ...values] },
    );
    return {
      branches,
      tokens,
      sos: result.float32('sos'),
      modulation: result.kept('modulation'),
      keys: keys.map((name) => result.kept(name)),
      values: values.map((name) => result.kept(name)),
    };
  }
}

/** Opens an Infinity; the caller closes it. The runtime stays the caller's. */
export async function openInfinity(runtime: Runtime, options: InfinityOptions): Promise<InfinityModel> {
  const weights = openWeights(options.transformer);
  try {
    return await load(runtime, weights, options);
  } finally {
    weights.close();
  }
}

async function load(
  runtime: Runtime,
  weights: TensorSource,
  options: InfinityOptions,
): Promise<InfinityModel> {
  const config = infinityConfig(weights);
  const plan = guidancePlan(options.cfgInsertionLayer ?? [0], config.blocks.length);
  // Graphs first: a wrong checkpoint is found before anything is under way.
  const textGraph = buildTextGraph(config, weights);
  const stepGraph = buildStepGraph(config, weights, plan);
  const [text, step, decoder, encoder] = await Promise.all([
    runtime.load(textGraph),
    runtime.load(stepGraph),
    openVaeDecoder(runtime, options.vae),
    options.textEncoder === undefined ? null : openT5Encoder(runtime, options.textEncoder),
  ]);
  const patch = Math.sqrt(config.bits / decoder.channels);
  if (patch !== 1 && patch !== 2) {
    throw new UsageError(
      `${options.name}: a token of ${config.bits} bits does not fit a VAE of ${decoder.channels} channels`,
    );
  }
  const core: InfinityCore = {
    runtime,
    config,
    layout: { channels: decoder.channels, patch },
    step,
    decoder,
    levels: weights.read('lvl_embed.weight'),
    wordBias: weights.read('word_embed.bias'),
    posStart: weights.read('pos_start'),
    memory: options.memory ?? DEFAULT_MEMORY,
  };
  return new InfinityModel(core, options, { unconditional: weights.read('cfg_uncond'), text, encoder });
}

/** The size where an official model is not told one. */
const DEFAULT_SIZE: PictureSize = '1M';

function chooseSchedule(
  { name, schedule }: InfinityOptions,
  { size, aspectRatio }: GenerationOptions,
): Schedule {
  // officialSchedule refuses names that are no sizes.
  if (schedule === 'official') return officialSchedule((size ?? DEFAULT_SIZE) as PictureSize, aspectRatio);
  if (size === undefined && aspectRatio === undefined) return schedule;
  throw new UsageError(`${name} draws pictures of one size and ratio: leave size and aspect ratio away`);
}

/** One value per scale: a number stands for all of them. */
function perScale(value: number | readonly number[], count: number, name: string): number[] {
  if (typeof value === 'number') return Array.from({ length: count }, () => value);
  if (value.length !== count) throw new UsageError(`${name} has ${value.length} values for ${count} scales`);
  return [...value];
}

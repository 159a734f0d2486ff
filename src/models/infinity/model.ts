// Infinity from checkpoint files to a model that prepares prompts. What belongs to all prompts is loaded once here.

import { throwIfAborted, UsageError } from '../../core/errors.js';
import { checkpointHashes, presentHashes } from '../../core/hash.js';
import { Ledger } from '../../core/ledger.js';
import type { OptionValues } from '../../core/options.js';
import type { GraphModel, Precision } from '../../runtime/graph/index.js';
import { float32Tensor, type Runtime, type Session } from '../../runtime/index.js';
import { openWeights, type TensorSource, unwrapped } from '../../runtime/weights/index.js';
import type { CallOptions, ImageModel, Schedule } from '../contract.js';
import { checkPrecision } from '../precision.js';
import { T5_ENCODER_TENSORS } from '../t5/files.js';
import { openT5Encoder, type TextEncoder, type TextStates } from '../t5/text-encoder.js';
import { textEncoderHashes } from '../text-hashes.js';
import { openVaeDecoder } from '../vae/decoder.js';
import { PreviewDecoder } from '../vae/preview-decoder.js';
import { INFINITY, type InfinityConfig, infinityConfig } from './config.js';
import { pageBytes, pageParts, PIECES_FROM, stepTokens } from './cost.js';
import { type InfinityCore, InfinityGenerator, type TextState } from './generator.js';
import {
  branchesOf,
  chooseSchedule,
  INFINITY_OPTIONS,
  type InfinityRun,
  type InfinityValues,
  perScale,
  resolveInfinity,
} from './options.js';
import { buildRolloutGraph } from './rollout-graph.js';
import { rotaryTables } from './rotary.js';
import type { SamplingOptions } from './sampling.js';
import { officialSchedule, type ScaleSchedule } from './schedule.js';
import { TransformerSessions } from './sessions.js';
import { buildStepGraph, guidancePlan, type StepModel } from './step-graph.js';
import { scheduleFromFacts } from './steps.js';
import { buildTextGraph } from './text-graph.js';

/** Where an Infinity's files are and how it is to be run. */
export interface InfinityOptions extends InfinityRun {
  /** transformer.pth, or safetensors with the same names. */
  readonly transformer: string;
  readonly vae: string;
  /** The config.json that says how it is run, for hashes. @default none */
  readonly config?: string;
  /** Folder of the T5 encoder in Hugging Face layout; without it only `prepareStates` works. */
  readonly textEncoder?: string;
  /** The official option: 0 guides the logits, -i the output of the i-th block from the end. @default [0] */
  readonly cfgInsertionLayer?: readonly number[];
  /** In which numbers transformer and text encoder are computed. @default float32 */
  readonly precision?: Precision;
  /** In which numbers unfinished pictures are decoded, which are only judged. @default int8 where the precision is, else float32 */
  readonly previews?: 'float32' | 'int8';
  /** Bytes that prefixes and a running step may take. @default 2 GiB */
  readonly memory?: number;
  /** Bytes of a picture's keys and values from which they are fed as they lie. @default 64 MiB */
  readonly piecesFrom?: number;
  /**
   * Draws whole pictures in one run of the transformer, where nothing is drawn from what lies between: keys and values never
   * leave the device. @default false on the processor, where it does not pay (docs/devices.md)
   */
  readonly oneRun?: boolean;
}

const DEFAULT_MEMORY = 2 * 1024 ** 3;

/** The files that checkpoints were read from: of a folder the one that was chosen. */
interface CheckpointFiles {
  readonly transformer: string;
  readonly vae: string;
}

/** In how many pieces a model's keys and values are fed: as they lie, scale by scale, where a picture has many of them. */
function piecesOf(
  { schedule, piecesFrom = PIECES_FROM, precision }: InfinityOptions,
  config: InfinityConfig,
): number {
  const { scales } = schedule === 'official' ? officialSchedule('1M') : schedule;
  const { past } = stepTokens(scales, scales.length - 1);
  return pageBytes(config, 1, past, precision) < piecesFrom
    ? 1
    : Math.max(1, Math.min(scales.length, config.maxScales) - 1);
}

/** A loaded Infinity. */
export class InfinityModel implements ImageModel {
  readonly name: string;
  readonly options = INFINITY_OPTIONS;
  readonly core: InfinityCore;
  readonly #given: InfinityOptions;
  /** The unconditional branch's text states, [maxTextLength, textChannels]. */
  readonly #unconditional: Float32Array;
  readonly #text: Session;
  readonly #encoder: TextEncoder | null;
  readonly #files: CheckpointFiles;

  constructor(
    core: InfinityCore,
    options: InfinityOptions,
    parts: {
      unconditional: Float32Array;
      text: Session;
      encoder: TextEncoder | null;
      files: CheckpointFiles;
    },
  ) {
    this.name = options.name;
    this.core = core;
    this.#given = options;
    this.#unconditional = parts.unconditional;
    this.#text = parts.text;
    this.#encoder = parts.encoder;
    this.#files = parts.files;
  }

  resolve(options: OptionValues): InfinityValues {
    return resolveInfinity(options, { ...this.#given, precision: this.#given.precision ?? 'float32' });
  }

  schedule(options: OptionValues): Schedule {
    const { decoder, layout, config } = this.core;
    const tokenPixels = decoder.pictureSize({ height: layout.patch, width: layout.patch }).width;
    return scheduleFromFacts({ ...this.#given, sizes: config, tokenPixels }, options);
  }

  /** The scales of a picture with these options. */
  scales(options: OptionValues): ScaleSchedule['scales'] {
    return chooseSchedule(this.resolve(options), this.#given).scales;
  }

  async hashes(): Promise<Record<string, string>> {
    const { config, textEncoder: folder } = this.#given;
    const { transformer, vae } = this.#files;
    const text = this.#encoder && folder !== undefined ? { folder, weights: this.#encoder.file } : null;
    return {
      ...(await checkpointHashes('transformer', transformer)),
      ...(await checkpointHashes('vae', vae)),
      ...(config === undefined ? {} : await presentHashes({ config })),
      ...(text ? await textEncoderHashes('textEncoder', text, T5_ENCODER_TENSORS) : {}),
    };
  }

  async prepare(
    prompt: string,
    ledger: Ledger,
    options: OptionValues = {},
    { signal, reservation }: CallOptions = {},
  ): Promise<InfinityGenerator> {
    const values = this.resolve(options);
    if (prompt.trim() === '') throw new UsageError('the prompt is empty: say what the picture should show');
    const encoder = this.#encoder;
    if (!encoder) throw new UsageError(`${this.name} was opened without a text encoder`);
    throwIfAborted(signal);
    const states = await ledger.time('text', () => encoder.encode(prompt));
    throwIfAborted(signal);
    return this.prepareStates(states, ledger, values, { reservation });
  }

  /** Prepares a prompt that has been encoded already: states [tokens, textChannels] of the text encoder. */
  async prepareStates(
    states: TextStates,
    ledger: Ledger,
    options: OptionValues = {},
    { reservation }: CallOptions = {},
  ): Promise<InfinityGenerator> {
    const { core } = this;
    const values = this.resolve(options);
    const schedule = chooseSchedule(values, this.#given);
    this.#checkLevels(schedule);
    const count = schedule.scales.length;
    const cfg = perScale(values.cfg, count, 'cfg');
    const { topK, topP } = values;
    const sampling = perScale(values.temperature, count, 'temperature').map(
      (temperature): SamplingOptions => ({ temperature, topK, topP }),
    );
    const text = await ledger.time('text', () => this.#textState(states, branchesOf(cfg)));
    const rotary = rotaryTables(schedule, core.config.width / core.config.heads);
    return new InfinityGenerator({ core, text, schedule, rotary, ledger, reservation, cfg, sampling });
  }

  async loadAll(): Promise<void> {
    await this.core.previews?.open(new Ledger());
  }

  async close(): Promise<void> {
    this.#text.dispose();
    this.core.decoder.close();
    await this.core.previews?.close();
    this.#encoder?.close();
    await this.core.sessions.dispose();
  }

  #checkLevels({ scales }: ScaleSchedule): void {
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
  return withWeights(options, (weights) => load(runtime, weights, options));
}

async function withWeights<T>(
  { transformer }: InfinityOptions,
  use: (weights: TensorSource) => Promise<T>,
): Promise<T> {
  const file = openWeights(transformer);
  try {
    return await use(unwrapped(file, INFINITY));
  } finally {
    file.close();
  }
}

function stepModel(weights: TensorSource, { cfgInsertionLayer, precision }: InfinityOptions): StepModel {
  const config = infinityConfig(weights);
  const plan = guidancePlan(cfgInsertionLayer ?? [0], config.blocks.length);
  return { config, weights, plan, precision: precision ?? 'float32' };
}

/** The sessions of the transformer. Where there are rollouts as one run, each is loaded from the files when it is first asked for. */
function sessionsOf(
  runtime: Runtime,
  {
    model,
    options,
    pieces,
  }: { readonly model: StepModel; readonly options: InfinityOptions; readonly pieces: number },
): TransformerSessions {
  const { config } = model;
  const checkpoint = model.weights.label;
  const oneRun = options.oneRun ?? runtime.device !== 'cpu';
  const first = buildStepGraph(model, pieces);
  const again = (build: (model: StepModel) => GraphModel): Promise<Session> =>
    withWeights(options, (weights) => runtime.load(build(stepModel(weights, options)), { checkpoint }));
  return new TransformerSessions(
    {
      step: () =>
        oneRun ? again((each) => buildStepGraph(each, pieces)) : runtime.load(first, { checkpoint }),
      rollout: ({ schedule, until, layout }) => {
        const rotary = rotaryTables(schedule, config.width / config.heads);
        return again((each) => buildRolloutGraph(each, { scales: schedule.scales, rotary, until, layout }));
      },
    },
    oneRun,
  );
}

async function load(
  runtime: Runtime,
  weights: TensorSource,
  options: InfinityOptions,
): Promise<InfinityModel> {
  const model = stepModel(weights, options);
  const { config, precision } = model;
  checkPrecision(precision, runtime);
  // Graphs first: a wrong checkpoint is found before anything is under way.
  const textGraph = buildTextGraph(config, weights, precision);
  const pieces = piecesOf(options, config);
  const sessions = sessionsOf(runtime, { model, options, pieces });
  const checkpoint = weights.label;
  const [text, decoder, encoder] = await Promise.all([
    runtime.load(textGraph, { checkpoint, seldom: true }),
    openVaeDecoder(runtime, options.vae),
    options.textEncoder === undefined ? null : openT5Encoder(runtime, options.textEncoder, precision),
    sessions.oneRun ? null : sessions.step(),
  ]);
  const patch = Math.sqrt(config.bits / decoder.channels);
  if (patch !== 1 && patch !== 2) {
    throw new UsageError(
      `${options.name}: a token of ${config.bits} bits does not fit a VAE of ${decoder.channels} channels`,
    );
  }
  const { previews = precision === 'int8' ? 'int8' : 'float32' } = options;
  const core: InfinityCore = {
    file: checkpoint,
    runtime,
    config,
    layout: { channels: decoder.channels, patch },
    sessions,
    precision,
    parts: pageParts(config, precision),
    pieces,
    decoder,
    previews: previews === 'int8' ? new PreviewDecoder(runtime, options.vae) : undefined,
    levels: weights.read('lvl_embed.weight'),
    wordBias: weights.read('word_embed.bias'),
    posStart: weights.read('pos_start'),
    memory: options.memory ?? DEFAULT_MEMORY,
  };
  const files = { transformer: checkpoint, vae: decoder.file };
  return new InfinityModel(core, options, {
    unconditional: weights.read('cfg_uncond'),
    text,
    encoder,
    files,
  });
}

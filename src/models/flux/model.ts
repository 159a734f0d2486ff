// FLUX from its files to what a picture is made of: text, predictions, pictures, and the facts of a run. What a search makes
// of them (prefixes, draws, prunings) is not known here.

import { UsageError } from '../../core/errors.js';
import { fileHash } from '../../core/hash.js';
import type { Image } from '../../core/image.js';
import type { Runtime } from '../../runtime/index.js';
import { type FluxAutoencoder, openFluxAutoencoder } from './autoencoder.js';
import { fluxForwardBytes, fluxStepFlops, latentBytes } from './cost.js';
import type { FluxOptions } from './folder.js';
import type { TokenGrid } from './packing.js';
import { pictureIds } from './rotary.js';
import { fluxTimes } from './schedule.js';
import { type FluxTextEncoder, openFluxText } from './text.js';
import { type FluxText, type FluxTransformer, openFluxTransformer } from './transformer.js';

/** Size, length and guidance of a run; what is left away is the model's own. */
export interface FluxRunOptions {
  readonly steps?: number | undefined;
  readonly guidance?: number | undefined;
  /** In pixels. */
  readonly height?: number | undefined;
  /** In pixels. */
  readonly width?: number | undefined;
}

/** A run laid out: known before anything is computed. */
export interface FluxRun {
  /** Steps + 1 values from 1 (noise) to 0 (picture). */
  readonly times: Float32Array;
  readonly guidance: number | undefined;
  readonly grid: TokenGrid;
  /** Numbers of a latent: tokens times channels. */
  readonly latentSize: number;
  /** Operations of one step of one sequence. */
  readonly stepFlops: number;
  /** Operations of decoding one latent. */
  readonly decodeFlops: number;
  /** Bytes of one latent. */
  readonly heldBytes: number;
  /** Bytes that one sequence needs while a step runs. */
  readonly runningBytes: number;
}

/** A loaded FLUX; the caller closes it. */
export class FluxModel {
  readonly name: string;
  readonly transformer: FluxTransformer;
  readonly autoencoder: FluxAutoencoder;
  readonly #options: FluxOptions;
  readonly #text: FluxTextEncoder | null;

  constructor(
    options: FluxOptions,
    parts: {
      readonly transformer: FluxTransformer;
      readonly autoencoder: FluxAutoencoder;
      readonly text: FluxTextEncoder | null;
    },
  ) {
    this.name = options.name;
    this.transformer = parts.transformer;
    this.autoencoder = parts.autoencoder;
    this.#options = options;
    this.#text = parts.text;
  }

  /** SHA-256 of the files that make the model. */
  async hashes(): Promise<Record<string, string>> {
    const { transformer, autoencoder } = this.#options;
    const text = this.#text?.files;
    return {
      transformer: await fileHash(transformer),
      autoencoder: await fileHash(autoencoder),
      ...(text ? { t5: await fileHash(text.t5), clip: await fileHash(text.clip) } : {}),
    };
  }

  /** What a prompt conditions a picture by. */
  async encode(prompt: string): Promise<FluxText> {
    if (prompt.trim() === '') throw new UsageError('the prompt is empty: say what the picture should show');
    if (!this.#text) throw new UsageError(`${this.name} was opened without its text encoders`);
    return await this.#text.encode(prompt);
  }

  /** Lays out a run; throws a UsageError for sizes, steps or a guidance that the model cannot do. */
  plan(options: FluxRunOptions = {}): FluxRun {
    const { defaults, shift, textLength } = this.#options;
    const { config } = this.transformer;
    const { height = defaults.height, width = defaults.width } = options;
    const grid = this.autoencoder.gridOf({ height, width });
    if (!grid || grid.height < 1 || grid.width < 1) {
      const side = this.autoencoder.side;
      throw new UsageError(
        `${this.name} draws pictures whose sides are multiples of ${side} pixels, not ${width} x ${height}`,
      );
    }
    if (options.guidance !== undefined && !config.guidance) {
      throw new UsageError(`${this.name} takes no guidance (it is a FLUX.1-schnell): leave guidance away`);
    }
    const imageTokens = grid.height * grid.width;
    const size = { imageTokens, textTokens: textLength };
    return {
      times: fluxTimes(options.steps ?? defaults.steps, imageTokens, shift),
      guidance: config.guidance ? (options.guidance ?? defaults.guidance ?? undefined) : undefined,
      grid,
      latentSize: imageTokens * config.channels,
      stepFlops: fluxStepFlops(config, size),
      decodeFlops: this.autoencoder.flops(grid),
      heldBytes: latentBytes(config, imageTokens),
      runningBytes: fluxForwardBytes(config, size),
    };
  }

  /** Predictions (noise minus picture) of latents of one run and one prompt, each at its own time. */
  async predict(
    rows: readonly { readonly latent: Float32Array; readonly time: number }[],
    text: FluxText,
    { grid, guidance }: Pick<FluxRun, 'grid' | 'guidance'>,
  ): Promise<Float32Array[]> {
    return await this.transformer.predict(
      rows.map(({ latent, time }) => ({ latent, time, text, guidance })),
      pictureIds(grid),
    );
  }

  /** Pictures of packed latents of one run. */
  async decode(latents: readonly Float32Array[], { grid }: Pick<FluxRun, 'grid'>): Promise<Image[]> {
    return await this.autoencoder.decode(latents, grid);
  }

  close(): void {
    this.transformer.close();
    this.autoencoder.close();
    this.#text?.close();
  }
}

/** Opens a FLUX; the caller closes it. The runtime stays the caller's. Throws CheckpointError. */
export async function openFlux(runtime: Runtime, options: FluxOptions): Promise<FluxModel> {
  const opened: { close(): void }[] = [];
  const keep = <T extends { close(): void }>(part: T): T => {
    opened.push(part);
    return part;
  };
  try {
    const transformer = keep(await openFluxTransformer(runtime, options.transformer, options.hints));
    const autoencoder = keep(await openFluxAutoencoder(runtime, options.autoencoder, options.scaling));
    const { channels, outChannels } = transformer.config;
    if (autoencoder.channels !== channels || channels !== outChannels) {
      throw new UsageError(
        `${options.name}: a token of ${channels} channels does not fit an autoencoder of ${autoencoder.channels} a token`,
      );
    }
    const text = options.text
      ? keep(await openFluxText(runtime, options.text, transformer.config, options.textLength))
      : null;
    return new FluxModel(options, { transformer, autoencoder, text });
  } catch (error) {
    for (const part of opened) part.close();
    throw error;
  }
}

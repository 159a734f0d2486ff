// FLUX from its files to a model that prepares prompts. What belongs to all prompts is loaded once here.

import { throwIfAborted, UsageError } from '../../core/errors.js';
import { checkpointHashes, presentHashes } from '../../core/hash.js';
import type { Ledger } from '../../core/ledger.js';
import type { OptionValues } from '../../core/options.js';
import type { Runtime } from '../../runtime/index.js';
import type { CallOptions, ImageModel, Schedule } from '../contract.js';
import { checkPrecision } from '../precision.js';
import { type FluxAutoencoder, openFluxAutoencoder } from './autoencoder.js';
import { checkKind, settingsOf } from './facts.js';
import { type FluxOptions, TEXT_REMEDY } from './folder.js';
import { FluxGenerator } from './generator.js';
import {
  branchesOf,
  FLUX_DRAWING,
  FLUX_OPTIONS,
  type FluxFacts,
  type FluxValues,
  resolveFlux,
} from './options.js';
import { fluxScheduleOf } from './steps.js';
import { type FluxTextEncoder, openFluxText } from './text.js';
import { type FluxText, type FluxTransformer, openFluxTransformer } from './transformer.js';

const DEFAULT_MEMORY = 2 * 1024 ** 3;

/** A loaded FLUX; the caller closes it. */
export class FluxModel implements ImageModel {
  readonly name: string;
  readonly options = FLUX_OPTIONS;
  readonly drawing = FLUX_DRAWING;
  readonly transformer: FluxTransformer;
  readonly autoencoder: FluxAutoencoder;
  readonly facts: FluxFacts;
  readonly #given: FluxOptions;
  readonly #text: FluxTextEncoder | null;
  #emptyText: FluxText | undefined;

  constructor(
    given: FluxOptions,
    parts: {
      readonly transformer: FluxTransformer;
      readonly autoencoder: FluxAutoencoder;
      readonly text: FluxTextEncoder | null;
    },
  ) {
    this.name = given.name;
    this.transformer = parts.transformer;
    this.autoencoder = parts.autoencoder;
    this.facts = {
      ...settingsOf(given),
      config: parts.transformer.config,
      tokenPixels: parts.autoencoder.tokenPixels,
      precision: given.precision ?? 'float32',
    };
    this.#given = given;
    this.#text = parts.text;
  }

  resolve(options: OptionValues): FluxValues {
    return resolveFlux(options, this.facts);
  }

  schedule(options: OptionValues): Schedule {
    return fluxScheduleOf(this.facts, options);
  }

  async hashes(): Promise<Record<string, string>> {
    return {
      ...(await checkpointHashes('transformer', this.transformer.file)),
      ...(await checkpointHashes('autoencoder', this.autoencoder.file)),
      ...(await presentHashes(this.#given.configs)),
      ...(await this.#text?.hashes()),
    };
  }

  async prepare(
    prompt: string,
    ledger: Ledger,
    options: OptionValues = {},
    { signal, reservation }: CallOptions = {},
  ): Promise<FluxGenerator> {
    const values = this.resolve(options);
    if (prompt.trim() === '') throw new UsageError('the prompt is empty: say what the picture should show');
    const encoder = this.#text;
    if (!encoder) {
      throw new UsageError(`${this.name} was opened without its text encoders: ${TEXT_REMEDY}`);
    }
    throwIfAborted(signal);
    const text = await ledger.time('text', () => encoder.encode(prompt));
    const emptyText = branchesOf(values) === 1 ? null : await ledger.time('text', () => this.#empty(encoder));
    throwIfAborted(signal);
    return this.prepareText({ text, emptyText }, ledger, values, { reservation });
  }

  /** What real guidance goes away from is the same for all prompts. */
  async #empty(encoder: FluxTextEncoder): Promise<FluxText> {
    this.#emptyText ??= await encoder.encode('');
    return this.#emptyText;
  }

  /** Prepares a prompt that has been encoded already; real guidance needs the empty prompt's states too. */
  prepareText(
    { text, emptyText }: { readonly text: FluxText; readonly emptyText?: FluxText | null },
    ledger: Ledger,
    options: OptionValues = {},
    { reservation }: CallOptions = {},
  ): FluxGenerator {
    const { transformer, autoencoder, facts } = this;
    const values = this.resolve(options);
    if (branchesOf(values) === 2 && !emptyText) {
      throw new UsageError(`${this.name}: real guidance (cfg ${values.cfg}) needs the empty prompt's states`);
    }
    const memory = this.#given.memory ?? DEFAULT_MEMORY;
    return new FluxGenerator({
      transformer,
      autoencoder,
      facts,
      values,
      text,
      emptyText: emptyText ?? null,
      ledger,
      reservation,
      memory,
    });
  }

  close(): Promise<void> {
    this.transformer.close();
    this.autoencoder.close();
    this.#text?.close();
    return Promise.resolve();
  }
}

/** Opens a FLUX; the caller closes it. The runtime stays the caller's. Throws CheckpointError. */
export async function openFlux(runtime: Runtime, options: FluxOptions): Promise<FluxModel> {
  checkPrecision(options.precision, runtime);
  const opened: { close(): void }[] = [];
  const keep = <T extends { close(): void }>(part: T): T => {
    opened.push(part);
    return part;
  };
  try {
    const transformer = keep(await openFluxTransformer(runtime, options.transformer, options));
    checkKind(transformer.file, transformer.config, options);
    const autoencoder = keep(await openFluxAutoencoder(runtime, options.autoencoder, options.scaling));
    const { channels, outChannels } = transformer.config;
    if (autoencoder.channels !== channels || channels !== outChannels) {
      throw new UsageError(
        `${options.name}: a token of ${channels} channels does not fit an autoencoder of ${autoencoder.channels} a token`,
      );
    }
    const text = options.text
      ? keep(await openFluxText(runtime, options.text, transformer.config, options))
      : null;
    return new FluxModel(options, { transformer, autoencoder, text });
  } catch (error) {
    for (const part of opened) part.close();
    throw error;
  }
}

// A prompt made ready in FLUX: draws the noise, takes latents from time to time, shares evaluations between siblings and with
// the looks at unfinished prefixes, decodes.

import { throwIfAborted } from '../../core/errors.js';
import type { Image } from '../../core/image.js';
import type { Ledger } from '../../core/ledger.js';
import type { Reservation } from '../../core/reservation.js';
import type { CallOptions, Extension, Generator, Prefix, Schedule, Step, View } from '../contract.js';
import { roomIn } from '../held-bytes.js';
import type { FluxAutoencoder } from './autoencoder.js';
import { fluxForwardBytes } from './cost.js';
import { branchesOf, type FluxFacts, type FluxValues, gridOf, shiftOf } from './options.js';
import type { TokenGrid } from './packing.js';
import { FluxPrefix, packPrefix, type PrefixFamily, unpackPrefix } from './prefix.js';
import { pictureIds } from './rotary.js';
import { ancestralStep, cleanPrediction, eulerStep, fluxTimes, guided } from './schedule.js';
import { fluxSteps } from './steps.js';
import type { FluxRow, FluxText, FluxTransformer } from './transformer.js';

/** What a generator is made of. */
export interface FluxParts {
  readonly transformer: FluxTransformer;
  readonly autoencoder: FluxAutoencoder;
  readonly facts: FluxFacts;
  readonly values: FluxValues;
  readonly text: FluxText;
  /** The empty prompt's; only read with real guidance. */
  readonly emptyText: FluxText | null;
  readonly ledger: Ledger;
  /** What prefixes are charged to. */
  readonly reservation?: Reservation | undefined;
  /** Bytes that prefixes and a running step may take together. */
  readonly memory: number;
}

/** FLUX's generator. Calls are made one after another, as the strategies do. */
export class FluxGenerator implements Generator {
  readonly schedule: Schedule;
  readonly ledger: Ledger;
  readonly #parts: FluxParts;
  readonly #grid: TokenGrid;
  /** Times before and after every denoising step, from 1 to 0. */
  readonly #times: Float32Array;
  readonly #family: PrefixFamily;

  constructor(parts: FluxParts) {
    const { facts, values, ledger } = parts;
    this.#parts = parts;
    this.ledger = ledger;
    this.schedule = fluxSteps(values, facts);
    this.#grid = gridOf(values, facts);
    const tokens = this.#grid.height * this.#grid.width;
    this.#times = fluxTimes(values.steps, tokens, shiftOf(values, facts));
    const latentSize = tokens * parts.transformer.config.channels;
    const { reservation } = parts;
    this.#family = { latentSize, steps: this.schedule.steps.length, reservation, live: 0 };
  }

  begin(): FluxPrefix {
    return new FluxPrefix(this.#family, 0, new Float32Array(0));
  }

  async extend(
    requests: readonly Extension[],
    { signal, ledger = this.ledger }: CallOptions = {},
  ): Promise<FluxPrefix[]> {
    throwIfAborted(signal);
    const prefixes = requests.map(({ prefix }) => this.#own(prefix));
    const steps = prefixes.map((prefix) => this.#next(prefix));
    await this.#predict(
      prefixes.filter((_, i) => (steps[i] as Step).nfe > 0),
      signal,
    );
    return requests.map(({ draw }, i) => {
      const prefix = prefixes[i] as FluxPrefix;
      const { draws, nfe } = steps[i] as Step;
      ledger.add({ nfe: prefix.paid ? nfe - 1 : nfe });
      prefix.paid = false;
      const noise = draws ? Float32Array.from(draw.normal(this.#family.latentSize)) : null;
      return new FluxPrefix(this.#family, prefix.step + 1, this.#latentAfter(prefix, noise));
    });
  }

  async decode(
    prefixes: readonly Prefix[],
    _view: View,
    { signal, ledger = this.ledger }: CallOptions = {},
  ): Promise<Image[]> {
    throwIfAborted(signal);
    const own = prefixes.map((prefix) => this.#own(prefix));
    const looked = [...new Set(own)].filter(({ prediction, step }) => this.#readout(step) > 0 && !prediction);
    await this.#predict(looked, signal, ledger);
    for (const prefix of looked) prefix.paid = ledger === this.ledger;
    ledger.add({ nfe: looked.length });
    const { autoencoder, memory } = this.#parts;
    const pictures: Image[] = [];
    const fits = autoencoder.batchWithin(memory / 2, this.#grid);
    for (let start = 0; start < own.length; start += fits) {
      throwIfAborted(signal);
      const batch = own.slice(start, start + fits).map((prefix) => this.#clean(prefix));
      pictures.push(...(await ledger.time('decoder', () => autoencoder.decode(batch, this.#grid))));
      ledger.add({
        imagesDecoded: batch.length,
        decoderFlops: batch.length * autoencoder.flops(this.#grid),
      });
    }
    return pictures;
  }

  pack(prefix: Prefix): Uint8Array {
    return packPrefix(this.#own(prefix));
  }

  unpack(state: Uint8Array): FluxPrefix {
    return unpackPrefix(state, this.#family);
  }

  room(from: number, until: number): number {
    return roomIn(this.schedule, this.#parts.memory, { from, until });
  }

  close(): void {
    if (this.#family.live > 0) {
      throw new RangeError(`${this.#family.live} prefixes were not released before close`);
    }
  }

  #own(prefix: Prefix): FluxPrefix {
    if (!(prefix instanceof FluxPrefix) || prefix.family !== this.#family) {
      throw new TypeError('the prefix belongs to another generator');
    }
    prefix.assertAlive();
    return prefix;
  }

  #next({ step }: FluxPrefix): Step {
    const next = this.schedule.steps[step];
    if (!next) throw new RangeError(`a prefix of all ${step} steps cannot be extended`);
    return next;
  }

  #readout(step: number): number {
    return this.schedule.steps[step - 1]?.readout.nfe ?? 0;
  }

  /** The time of a prefix that has its noise. */
  #time({ step }: FluxPrefix): number {
    return this.#times[step - 1] ?? 0;
  }

  /** Runs the evaluations that are missing, in micro-batches that keep within the memory budget. */
  async #predict(
    prefixes: readonly FluxPrefix[],
    signal: AbortSignal | undefined,
    ledger = this.ledger,
  ): Promise<void> {
    const { transformer, values, facts, memory } = this.#parts;
    const waiting = [...new Set(prefixes)].filter(({ prediction }) => !prediction);
    const size = { imageTokens: this.#grid.height * this.#grid.width, textTokens: facts.textLength };
    const bytes = branchesOf(values) * fluxForwardBytes(transformer.config, size);
    const most = Math.max(1, Math.floor(memory / 2 / bytes));
    for (let start = 0; start < waiting.length; start += most) {
      throwIfAborted(signal);
      const batch = waiting.slice(start, start + most);
      const predictions = await ledger.time('transformer', () => this.#forward(batch));
      batch.forEach((prefix, i) => {
        const prediction = predictions[i];
        if (prediction) prefix.setPrediction(prediction);
        const { tokens, flops } = this.#next(prefix);
        ledger.add({ forwards: 1, tokens, transformerFlops: flops });
      });
      ledger.add({ forwardCalls: 1 });
    }
  }

  /** One call of the transformer; with real guidance the empty prompt's rows come behind the prompt's. */
  async #forward(prefixes: readonly FluxPrefix[]): Promise<Float32Array[]> {
    const { transformer, values, text, emptyText } = this.#parts;
    const { cfg, guidance } = values;
    const rowsWith = (words: FluxText): FluxRow[] =>
      prefixes.map((prefix) => ({ latent: prefix.latent, time: this.#time(prefix), guidance, text: words }));
    const free = branchesOf(values) === 2 && emptyText ? rowsWith(emptyText) : [];
    const found = await transformer.predict([...rowsWith(text), ...free], pictureIds(this.#grid));
    return prefixes.map((_, i) => {
      const prediction = found[i] as Float32Array;
      const without = found[prefixes.length + i];
      return without ? guided(prediction, without, cfg) : prediction;
    });
  }

  /** The noise itself, or the latent at the next time, with new noise where the step draws. */
  #latentAfter(prefix: FluxPrefix, noise: Float32Array | null): Float32Array {
    const { step, latent, prediction } = prefix;
    if (step === 0) return noise ?? new Float32Array(this.#family.latentSize);
    if (!prediction) throw new RangeError(`the evaluation of step ${step + 1} is missing`);
    const [now, then] = [this.#time(prefix), this.#times[step] ?? 0];
    return noise
      ? ancestralStep(latent, prediction, noise, now, then)
      : eulerStep(latent, prediction, now, then);
  }

  /** The latent of the picture that a prefix stands for; that of the empty one is nothing yet. */
  #clean(prefix: FluxPrefix): Float32Array {
    const { latent, prediction, step } = prefix;
    if (step === 0) return new Float32Array(this.#family.latentSize);
    if (this.#readout(step) === 0) return latent;
    if (!prediction) throw new RangeError(`the evaluation of step ${step + 1} is missing`);
    return cleanPrediction(latent, prediction, this.#time(prefix));
  }
}

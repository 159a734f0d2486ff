// A diffusion model of 27 numbers, for tests: its first step is the noise, and every step after it makes the noise less. What
// it does to a latent is made up; how it steps, counts, packs and looks is what a real one does.

import { Counted } from '../../src/core/counted.js';
import { throwIfAborted } from '../../src/core/errors.js';
import { createImage, type Image } from '../../src/core/image.js';
import { Ledger } from '../../src/core/ledger.js';
import type {
  CallOptions,
  Extension,
  Generator,
  Prefix,
  Schedule,
  Step,
  View,
} from '../../src/models/contract.js';

/** How the fake is made. */
export interface FakeDiffusionOptions {
  /** 'plain' draws the noise alone; 'stochastic' draws new noise at every denoising step but the last. */
  readonly solver: 'plain' | 'stochastic';
  /** Denoising steps, after that of the noise. @default 4 */
  readonly steps?: number;
  /** Bytes that rollouts may hold. @default plenty */
  readonly memory?: number;
  readonly ledger?: Ledger;
}

const SIDE = 3;
const NUMBERS = SIDE * SIDE * 3;
const BYTES = 4;
/** Pixels of a picture's side for one of the latent's. */
const SCALE = 2;
const TOKENS = SIDE * SIDE;
const FLOPS = 1e6;
const MOST = 64;

/** The schedule of the fake: the noise, and so many denoising steps. */
export function diffusionSchedule({ solver, steps: count = 4 }: FakeDiffusionOptions): Schedule {
  const size = { width: SIDE * SCALE, height: SIDE * SCALE };
  // The picture of an unfinished prefix is what the next step's forward pass predicts.
  const noise: Step = {
    label: 'noise',
    draws: true,
    nfe: 0,
    tokens: 0,
    flops: 0,
    heldBytes: 0,
    readout: { ...size, nfe: 1 },
  };
  const denoising = Array.from({ length: count }, (_, index): Step => {
    const isLast = index === count - 1;
    return {
      label: `t = ${(1 - index / count).toFixed(2)}`,
      draws: solver === 'stochastic' && !isLast,
      nfe: 1,
      tokens: TOKENS,
      flops: FLOPS,
      heldBytes: NUMBERS * BYTES,
      readout: { ...size, nfe: isLast ? 0 : 1 },
    };
  });
  return { unit: 'step', steps: [noise, ...denoising] };
}

interface Family {
  live: number;
}

class DiffusionPrefix extends Counted implements Prefix {
  readonly family: Family;
  readonly step: number;
  /** Empty for the empty prefix. A latent is all that later steps need: no prefix holds the one before it. */
  readonly latent: Float32Array;
  /** The clean picture that the next step's forward pass predicts, once it has run. */
  predicted: Float32Array | null = null;
  /** Whether looking has paid for the evaluation, which the next child need not pay again. */
  paid = false;

  constructor(family: Family, step: number, latent: Float32Array) {
    super();
    this.family = family;
    this.step = step;
    this.latent = latent;
    family.live++;
  }

  protected override get words(): string {
    return `a prefix of step ${this.step}`;
  }

  protected override free(): void {
    this.family.live--;
    this.predicted = null;
  }
}

/** The fake's generator. */
export class FakeDiffusion implements Generator {
  readonly schedule: Schedule;
  readonly ledger: Ledger;
  readonly #memory: number;
  readonly #family: Family = { live: 0 };

  constructor(options: FakeDiffusionOptions) {
    this.schedule = diffusionSchedule(options);
    this.ledger = options.ledger ?? new Ledger();
    this.#memory = options.memory ?? 1e9;
  }

  begin(): Prefix {
    return new DiffusionPrefix(this.#family, 0, new Float32Array(0));
  }

  extend(requests: readonly Extension[], { signal }: CallOptions = {}): Promise<Prefix[]> {
    return this.#work(signal, () => {
      const prefixes = requests.map(({ prefix }) => this.#own(prefix));
      const steps = prefixes.map((prefix) => this.#next(prefix));
      this.#predict(prefixes.filter((_, i) => (steps[i]?.nfe ?? 0) > 0));
      return requests.map(({ draw }, i) => {
        const prefix = prefixes[i] as DiffusionPrefix;
        const { draws, nfe } = steps[i] as Step;
        this.ledger.add({ nfe: prefix.paid ? nfe - 1 : nfe });
        prefix.paid = false;
        const noise = draws ? draw.normal(NUMBERS) : null;
        return new DiffusionPrefix(this.#family, prefix.step + 1, this.#latentAfter(prefix, noise));
      });
    });
  }

  decode(
    prefixes: readonly Prefix[],
    _view: View,
    { signal, ledger = this.ledger }: CallOptions = {},
  ): Promise<Image[]> {
    return this.#work(signal, () => {
      const own = prefixes.map((prefix) => this.#own(prefix));
      const looked = [...new Set(own)].filter((prefix) => this.#readout(prefix) > 0 && !prefix.predicted);
      this.#predict(looked, ledger);
      for (const prefix of looked) prefix.paid = ledger === this.ledger;
      ledger.add({ nfe: looked.length, imagesDecoded: own.length });
      return own.map((prefix) => paint(prefix.predicted ?? prefix.latent));
    });
  }

  pack(prefix: Prefix): Uint8Array {
    const { step, latent } = this.#own(prefix);
    return new Uint8Array(Float32Array.from([step, ...latent]).buffer);
  }

  unpack(state: Uint8Array): Prefix {
    const [step = -1, ...latent] =
      state.length % BYTES === 0 ? new Float32Array(state.slice().buffer) : [undefined];
    const expected = step === 0 ? 0 : NUMBERS;
    if (
      !Number.isInteger(step) ||
      step < 0 ||
      step > this.schedule.steps.length ||
      latent.length !== expected
    ) {
      throw new RangeError(`a packed prefix of ${state.length} bytes does not fit this model`);
    }
    return new DiffusionPrefix(this.#family, step, Float32Array.from(latent));
  }

  room(from: number, until: number): number {
    const held = this.schedule.steps.slice(from, until).reduce((sum, { heldBytes }) => sum + heldBytes, 0);
    return Math.min(MOST, Math.max(1, Math.floor(this.#memory / 2 / Math.max(held, 1))));
  }

  close(): void {
    if (this.#family.live > 0) {
      throw new RangeError(`${this.#family.live} prefixes were not released before close`);
    }
  }

  #own(prefix: Prefix): DiffusionPrefix {
    if (!(prefix instanceof DiffusionPrefix) || prefix.family !== this.#family) {
      throw new TypeError('the prefix belongs to another generator');
    }
    prefix.assertAlive();
    return prefix;
  }

  #next({ step }: DiffusionPrefix): Step {
    const next = this.schedule.steps[step];
    if (!next) throw new RangeError(`a prefix of all ${step} steps cannot be extended`);
    return next;
  }

  #readout({ step }: DiffusionPrefix): number {
    return this.schedule.steps[step - 1]?.readout.nfe ?? 0;
  }

  /** Runs the forward passes that are missing; they count once, whoever asks first. */
  #predict(prefixes: readonly DiffusionPrefix[], ledger = this.ledger): void {
    const waiting = [...new Set(prefixes)].filter(({ predicted }) => !predicted);
    if (waiting.length === 0) return;
    for (const prefix of waiting) {
      const { tokens, flops } = this.#next(prefix);
      // Some function of the latent and the step that no symmetry simplifies.
      prefix.predicted = prefix.latent.map((value, i) =>
        Math.sin(1.3 * value + 0.7 * (prefix.latent[(i + 5) % NUMBERS] ?? 0) + 0.1 * i + 0.2 * prefix.step),
      );
      ledger.add({ forwards: 1, tokens, transformerFlops: flops });
    }
    ledger.add({ forwardCalls: 1 });
  }

  /** The noise itself, or the latent on its way to what is predicted, with new noise where the step draws. */
  #latentAfter({ step, latent, predicted }: DiffusionPrefix, noise: Float64Array | null): Float32Array {
    if (!predicted) return Float32Array.from(noise ?? []);
    const left = 1 - step / (this.schedule.steps.length - 1);
    return predicted.map((clean, i) => clean + left * ((latent[i] ?? 0) - clean + 0.5 * (noise?.[i] ?? 0)));
  }

  /** A fault is a rejection, whenever it is found. */
  async #work<T>(signal: AbortSignal | undefined, work: () => T): Promise<T> {
    throwIfAborted(signal);
    return await this.ledger.time('transformer', () => Promise.resolve(work()));
  }
}

/** A latent around -1..1 as a picture; the empty one is grey. */
function paint(latent: Float32Array): Image {
  const side = SIDE * SCALE;
  const data = Uint8Array.from({ length: side * side * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3);
    const [x, y] = [Math.floor((pixel % side) / SCALE), Math.floor(pixel / side / SCALE)];
    const value = latent[(y * SIDE + x) * 3 + (i % 3)] ?? 0;
    return Math.round(127.5 + 127.5 * Math.min(1, Math.max(-1, value)));
  });
  return createImage(side, side, data);
}

// A prefix of a diffusion run: the latent after its steps, which is all that later steps need. It holds no other prefix, and
// what the next evaluation predicts from it once that has run.

import { Counted } from '../../core/counted.js';
import type { Reservation } from '../../core/reservation.js';
import type { Prefix } from '../contract.js';

/** What all prefixes of one generator share. */
export interface PrefixFamily {
  /** Numbers of a latent. */
  readonly latentSize: number;
  /** Steps of a complete picture. */
  readonly steps: number;
  /** What they are charged to. */
  readonly reservation: Reservation | undefined;
  /** Counts live prefixes: a generator that is closed must have none. */
  live: number;
}

/** A prefix as the FLUX generator makes it. */
export class FluxPrefix extends Counted implements Prefix {
  readonly family: PrefixFamily;
  readonly step: number;
  /** The packed latent, [tokens, channels]; empty for the empty prefix. */
  readonly latent: Float32Array;
  #prediction: Float32Array | null = null;
  /** Whether looking has paid for that evaluation, which the next child need not pay again. */
  paid = false;

  constructor(family: PrefixFamily, step: number, latent: Float32Array) {
    super(family.reservation);
    this.family = family;
    this.step = step;
    this.latent = latent;
    family.live++;
    this.charge(latent.byteLength);
  }

  /** What the transformer predicts at this prefix's time, once it has: noise minus picture. */
  get prediction(): Float32Array | null {
    return this.#prediction;
  }

  setPrediction(prediction: Float32Array): void {
    if (!this.isAlive) return;
    this.#prediction = prediction;
    this.charge(prediction.byteLength);
  }

  protected override get words(): string {
    return `a prefix of step ${this.step}`;
  }

  protected override free(): void {
    this.family.live--;
    this.#prediction = null;
  }
}

const VERSION = 1;
const HEADER = 4;

/** A prefix as bytes: version, two bytes of the step, then the latent's numbers in float32, little-endian. */
export function packPrefix({ step, latent }: FluxPrefix): Uint8Array {
  const state = new Uint8Array(HEADER + 4 * latent.length);
  const view = new DataView(state.buffer);
  view.setUint8(0, VERSION);
  view.setUint16(1, step, true);
  latent.forEach((value, i) => {
    view.setFloat32(HEADER + 4 * i, value, true);
  });
  return state;
}

/** The prefix of a packed state; throws a RangeError for a state of another version, model or size. */
export function unpackPrefix(state: Uint8Array, family: PrefixFamily): FluxPrefix {
  const view = new DataView(state.buffer, state.byteOffset, state.byteLength);
  const version = state.length >= HEADER ? view.getUint8(0) : undefined;
  if (version !== VERSION) {
    throw new RangeError(
      `a packed prefix of version ${version ?? 'none'} cannot be read: this is version ${VERSION}`,
    );
  }
  const step = view.getUint16(1, true);
  if (step > family.steps) {
    throw new RangeError(`a packed prefix of ${step} steps does not fit a run of ${family.steps}`);
  }
  const numbers = step === 0 ? 0 : family.latentSize;
  if (state.length !== HEADER + 4 * numbers) {
    throw new RangeError(
      `a packed prefix of ${step} steps has ${HEADER + 4 * numbers} bytes here, got ${state.length}: it is of another model or size`,
    );
  }
  const latent = Float32Array.from({ length: numbers }, (_, i) => view.getFloat32(HEADER + 4 * i, true));
  return new FluxPrefix(family, step, latent);
}

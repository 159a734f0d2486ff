// FLUX's autoencoder, its decoder only: packed latents to pictures.

import { CheckpointError } from '../../core/errors.js';
import { type Image, imageFromPlanes } from '../../core/image.js';
import type { Runtime } from '../../runtime/index.js';
import { openWeights } from '../../runtime/weights/index.js';
import { VaeDecoder } from '../vae/decoder.js';
import { buildDecoder } from '../vae/graph.js';
import { autoencoderTensors } from './names.js';
import { PATCH, type TokenGrid, unpackLatent } from './packing.js';

/** How latents of the transformer and of the autoencoder belong together: z = latent / scale + shift. */
export interface LatentScaling {
  readonly scale: number;
  readonly shift: number;
}

/** Of the official autoencoder, whose file does not say it. */
export const OFFICIAL_SCALING: LatentScaling = { scale: 0.3611, shift: 0.1159 };

/** A loaded autoencoder; the caller closes it. */
export class FluxAutoencoder {
  readonly #decoder: VaeDecoder;
  readonly #scaling: LatentScaling;

  constructor(decoder: VaeDecoder, scaling: LatentScaling) {
    this.#decoder = decoder;
    this.#scaling = scaling;
  }

  /** The checkpoint's file, for hashes. */
  get file(): string {
    return this.#decoder.file;
  }

  /** Channels of a packed token. */
  get channels(): number {
    return this.#decoder.channels * PATCH ** 2;
  }

  /** Side in pixels of the square that one token covers. */
  get tokenPixels(): number {
    return this.#decoder.pictureSize({ height: PATCH, width: PATCH }).height;
  }

  /** Pictures of packed latents [tokens, channels] that have one size. */
  async decode(latents: readonly Float32Array[], grid: TokenGrid): Promise<Image[]> {
    const { height, width } = this.#decoder.pictureSize(planesOf(grid));
    const planes = await this.decodePlanes(latents, grid);
    return planes.map((picture) => imageFromPlanes(picture, width, height));
  }

  /** As `decode`, but planes [3, height, width] around -1..1, not clamped. */
  async decodePlanes(latents: readonly Float32Array[], grid: TokenGrid): Promise<Float32Array[]> {
    const { scale, shift } = this.#scaling;
    const scaled = latents.map((latent) =>
      unpackLatent(latent, grid).map((value) => Math.fround(value / scale) + shift),
    );
    return await this.#decoder.decode(scaled.map((data) => ({ ...planesOf(grid), data })));
  }

  /** Floating-point operations of decoding one latent. */
  flops(grid: TokenGrid): number {
    return this.#decoder.flops(planesOf(grid));
  }

  /** How many latents of a size are decoded at once within a number of bytes; at least one. */
  batchWithin(bytes: number, grid: TokenGrid): number {
    return this.#decoder.batchWithin(bytes, planesOf(grid));
  }

  close(): void {
    this.#decoder.close();
  }
}

function planesOf({ height, width }: TokenGrid): TokenGrid {
  return { height: height * PATCH, width: width * PATCH };
}

/** Opens the decoder of an autoencoder in either layout; `scaling` is the official one unless told. Throws CheckpointError. */
export async function openFluxAutoencoder(
  runtime: Runtime,
  path: string,
  scaling: LatentScaling = OFFICIAL_SCALING,
): Promise<FluxAutoencoder> {
  const source = openWeights(path);
  try {
    if (!(scaling.scale > 0)) {
      throw new CheckpointError(source.label, `cannot have a scale factor of ${scaling.scale}`);
    }
    const graph = buildDecoder(autoencoderTensors(source), { moments: 'centred' });
    return new FluxAutoencoder(
      new VaeDecoder({ file: source.label, graph, session: await runtime.load(graph.model) }),
      scaling,
    );
  } finally {
    source.close();
  }
}

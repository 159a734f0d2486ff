// A picture autoencoder's decoder, loaded: latents in, pictures as planes out.

import { checkReadout } from '../../core/readout.js';
import { float32Tensor, type Runtime, type Session } from '../../runtime/index.js';
import { decodedTogether } from './cost.js';
import { buildDecoder, type DecoderOptions, type VaeGraph } from './graph.js';
import type { PlaneSize } from './interpolate.js';
import { type LoadedVae, openVae } from './open.js';

/** Planes of a latent, [d, height, width]. */
export interface LatentPlanes extends PlaneSize {
  readonly data: Float32Array;
}

/** A loaded decoder. */
export class VaeDecoder {
  /** d: channels of the latent. */
  readonly channels: number;
  /** The checkpoint's file, for hashes. */
  readonly file: string;
  readonly #graph: VaeGraph;
  readonly #session: Session;

  constructor({ file, graph, session }: LoadedVae) {
    this.file = file;
    this.channels = graph.channels;
    this.#graph = graph;
    this.#session = session;
  }

  /** Pictures [3, height, width] around -1..1, not clamped, of latents that have one size. */
  async decode(latents: readonly LatentPlanes[]): Promise<Float32Array[]> {
    const [first] = latents;
    if (!first) return [];
    const { height, width } = first;
    const size = this.channels * height * width;
    const batch = new Float32Array(latents.length * size);
    latents.forEach((latent, i) => {
      if (latent.height !== height || latent.width !== width || latent.data.length !== size) {
        throw new RangeError(`latent ${i} is not [${this.channels}, ${height}, ${width}] as the first`);
      }
      batch.set(latent.data, i * size);
    });
    const input = float32Tensor(batch, [latents.length, this.channels, height, width]);
    const pictures = (await this.#session.run({ latent: input })).float32('picture');
    checkReadout(this.file, "the autoencoder's pictures", pictures, 3 * latents.length);
    const perPicture = pictures.length / latents.length;
    return latents.map((_, i) => pictures.slice(i * perPicture, (i + 1) * perPicture));
  }

  /** The size in pixels of a latent's picture. */
  pictureSize({ height, width }: PlaneSize): PlaneSize {
    return { height: height * this.#graph.patch, width: width * this.#graph.patch };
  }

  /** Floating-point operations of decoding one latent. */
  flops({ height, width }: PlaneSize): number {
    const { flopsPerPlace, flopsPerPair } = this.#graph;
    const places = height * width;
    return flopsPerPlace * places + flopsPerPair * places ** 2;
  }

  /** How many latents of a size are decoded at once within a number of bytes; at least one. */
  batchWithin(bytes: number, { height, width }: PlaneSize): number {
    return decodedTogether(this.#graph.floatsPerPlace * height * width * 4, bytes);
  }

  close(): void {
    this.#session.dispose();
  }
}

/** Opens the decoder of a VAE checkpoint. The caller closes it. */
export async function openVaeDecoder(
  runtime: Runtime,
  path: string,
  options: DecoderOptions = {},
): Promise<VaeDecoder> {
  return new VaeDecoder(await openVae(runtime, path, (weights) => buildDecoder(weights, options)));
}

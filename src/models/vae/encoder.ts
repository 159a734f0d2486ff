// The BSQ-VAE's encoder, loaded: needed to train, and to look at reconstructions.

import { float32Tensor, type Runtime, type Session } from '../../runtime/index.js';
import type { LatentPlanes } from './decoder.js';
import { buildEncoder, type VaeGraph } from './graph.js';
import type { PlaneSize } from './interpolate.js';
import { type LoadedVae, openVae } from './open.js';

/** A picture as planes [3, height, width] in -1..1. */
export interface PicturePlanes extends PlaneSize {
  readonly data: Float32Array;
}

/** A loaded encoder. */
class VaeEncoder {
  /** d: channels of the latent. */
  readonly channels: number;
  readonly #graph: VaeGraph;
  readonly #session: Session;

  constructor({ graph, session }: LoadedVae) {
    this.channels = graph.channels;
    this.#graph = graph;
    this.#session = session;
  }

  /** Latents before quantisation; sides have to be multiples of the patch. */
  async encode(pictures: readonly PicturePlanes[]): Promise<LatentPlanes[]> {
    const latents: LatentPlanes[] = [];
    for (const { height, width, data } of pictures) {
      const { patch } = this.#graph;
      if (height % patch !== 0 || width % patch !== 0) {
        throw new RangeError(
          `a picture of ${height} x ${width} is no multiple of the VAE's patch of ${patch}`,
        );
      }
      const result = await this.#session.run({ picture: float32Tensor(data, [1, 3, height, width]) });
      latents.push({ height: height / patch, width: width / patch, data: result.float32('latent') });
    }
    return latents;
  }

  close(): void {
    this.#session.dispose();
  }
}

/** Opens the encoder of a VAE checkpoint. The caller closes it. */
export async function openVaeEncoder(runtime: Runtime, path: string): Promise<VaeEncoder> {
  return new VaeEncoder(await openVae(runtime, path, buildEncoder));
}

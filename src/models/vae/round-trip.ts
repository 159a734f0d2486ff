// A picture through the VAE and its quantiser and back: what is left of it in the tokens.

import { type Image, imageFromPlanes } from '../../core/image.js';
import type { Runtime } from '../../runtime/index.js';
import { openVaeDecoder } from './decoder.js';
import { openVaeEncoder, type PicturePlanes } from './encoder.js';
import type { PlaneSize } from './interpolate.js';
import { tokenise } from './quantiser.js';

/** A loaded pair of encoder and decoder. */
interface VaeRoundTrip {
  /** The picture that the tokens of a picture give; its sides have to fit the last scale. */
  readonly reconstruct: (image: Image) => Promise<Image>;
  close(): void;
}

/** Opens the VAE of a file for tokens of these scales; the caller closes it. Throws CheckpointError. */
export async function openVaeRoundTrip(
  runtime: Runtime,
  path: string,
  scales: readonly PlaneSize[],
): Promise<VaeRoundTrip> {
  const encoder = await openVaeEncoder(runtime, path);
  const decoder = await openVaeDecoder(runtime, path).catch((error: unknown) => {
    encoder.close();
    throw error;
  });
  return {
    reconstruct: async (image) => {
      const [latent] = await encoder.encode([planesOf(image)]);
      if (!latent) throw new RangeError('the encoder gave no latent for a picture');
      const [planes] = await decoder.decode([tokenise(latent, encoder.channels, scales).sum]);
      if (!planes) throw new RangeError('the decoder gave no picture for a latent');
      return imageFromPlanes(planes, image.width, image.height);
    },
    close() {
      encoder.close();
      decoder.close();
    },
  };
}

/** A picture as planes in -1..1, [3, height, width]. */
export function planesOf({ width, height, data }: Image): PicturePlanes {
  const size = width * height;
  const planes = new Float32Array(3 * size);
  for (let i = 0; i < size * 3; i++) planes[(i % 3) * size + Math.floor(i / 3)] = (data[i] ?? 0) / 127.5 - 1;
  return { width, height, data: planes };
}

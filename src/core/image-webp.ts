// Pictures for looking at: small files by the library of pictures, off the main thread. What a result is goes into PNG files (image.ts).

import type { Image } from './image.js';
import { loadImageLibrary } from './image-library.js';

const rawOf = ({ width, height }: Image): { width: number; height: number; channels: 3 } => ({
  width,
  height,
  channels: 3,
});

/** The WebP file of a picture, nearly without a visible loss. */
export async function encodeWebp(image: Image): Promise<Uint8Array> {
  const load = await loadImageLibrary();
  return await load(image.data, { raw: rawOf(image), limitInputPixels: false })
    .webp({ quality: 90, smartSubsample: true })
    .toBuffer();
}

// Pictures for looking at: small files by the library of pictures, off the main thread. What a result is goes into PNG files (image.ts).

import type { Image } from './image.js';
import { openPixels } from './image-library.js';

/** The WebP file of a picture, nearly without a visible loss. */
export async function encodeWebp(image: Image): Promise<Uint8Array> {
  const pixels = await openPixels(image);
  return await pixels.webp({ quality: 90, smartSubsample: true }).toBuffer();
}

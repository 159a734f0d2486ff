// Pictures at smaller sizes, made off the main thread.

import type { Image } from './image.js';
import { createImage } from './image.js';
import { openPixels } from './image-library.js';

/** The picture shrunk until no side exceeds `side` pixels; the same picture when none does. */
export async function shrink(image: Image, side: number): Promise<Image> {
  const factor = Math.max(image.width, image.height) / side;
  if (factor <= 1) return image;
  return await resample(
    image,
    Math.max(1, Math.round(image.width / factor)),
    Math.max(1, Math.round(image.height / factor)),
  );
}

/** The picture at another size, no pixel of it left out; the same picture when it has that size. */
export async function resample(image: Image, width: number, height: number): Promise<Image> {
  if (image.width === width && image.height === height) return image;
  const pixels = await openPixels(image);
  const resized = pixels.resize(width, height, { fit: 'fill', kernel: 'linear' });
  const { data } = await resized.raw().toBuffer({ resolveWithObject: true });
  return createImage(width, height, Uint8Array.from(data));
}

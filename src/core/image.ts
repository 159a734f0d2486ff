// Pictures as values, and as PNG files with texts (the recipe travels in one). Files of others are read by image-file.ts.

import { type PictureText, writePng } from './image-png.js';

/** An RGB picture: `data` holds height * width * 3 bytes, row by row. */
export interface Image {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Makes a picture after checking that the bytes fit its size. */
export function createImage(width: number, height: number, data: Uint8Array): Image {
  if (data.length !== width * height * 3) {
    throw new RangeError(
      `a ${String(width)} x ${String(height)} RGB picture has ${String(width * height * 3)} bytes, got ${String(data.length)}`,
    );
  }
  return { width, height, data };
}

/**
 * A picture from values in -1..1, channels first ([3, height, width], as decoders give them).
 * Clamped and cut to bytes, as the official inference code does.
 */
export function imageFromPlanes(planes: Float32Array, width: number, height: number): Image {
  const size = width * height;
  const data = new Uint8Array(size * 3);
  for (let channel = 0; channel < 3; channel++) {
    for (let i = 0; i < size; i++) {
      const value = ((planes[channel * size + i] ?? 0) + 1) * 127.5;
      data[i * 3 + channel] = value < 0 ? 0 : value > 255 ? 255 : value;
    }
  }
  return createImage(width, height, data);
}

/**
 * The PNG file of a picture; texts stand before the pixels, where all programs look for them. Pixels are packed off the main thread.
 */
export async function encodePng(image: Image, text: PictureText = {}): Promise<Uint8Array> {
  return await writePng(image, text);
}

/** Peak signal-to-noise ratio of a picture against another of its size, in decibels; 78 where they are equal. */
export function psnr(a: Image, b: Image): number {
  const error = a.data.reduce((sum, value, i) => sum + (value - (b.data[i] ?? NaN)) ** 2, 0) / a.data.length;
  return 10 * Math.log10(255 ** 2 / Math.max(error, 1e-3));
}

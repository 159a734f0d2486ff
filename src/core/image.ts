// Pictures as values, and their PNG form with text chunks (the recipe travels in one).

import { decode, encode } from 'fast-png';
import { VarsearchError } from './errors.js';

/** An RGB picture: `data` holds height * width * 3 bytes, row by row. */
export interface Image {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** A picture read from a PNG file, with the text chunks that came with it. */
export interface PngFile {
  readonly image: Image;
  readonly text: Readonly<Record<string, string>>;
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

/** The PNG file of a picture. Text is Latin-1 in PNG's tEXt chunks: keep it ASCII (JSON with escapes). */
export function encodePng(image: Image, text: Readonly<Record<string, string>> = {}): Uint8Array {
  return encode({ width: image.width, height: image.height, data: image.data, channels: 3, depth: 8, text });
}

/** Reads a PNG of any colour type; transparency is laid over white, 16 bits are cut to 8. */
export function decodePng(bytes: Uint8Array, name = 'PNG'): PngFile {
  let png: ReturnType<typeof decode>;
  try {
    png = decode(bytes);
  } catch (error) {
    throw new VarsearchError(`${name} is not a readable PNG file`, { cause: error });
  }
  const { width, height, channels, depth, palette } = png;
  const sample = (pixel: number, channel: number): number => {
    const value = png.data[pixel * channels + channel] ?? 0;
    return depth === 16 ? value >>> 8 : value;
  };
  const data = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const colour = palette
      ? (palette[sample(pixel, 0)] ?? [0, 0, 0])
      : channels < 3
        ? [sample(pixel, 0), sample(pixel, 0), sample(pixel, 0)]
        : [sample(pixel, 0), sample(pixel, 1), sample(pixel, 2)];
    const alpha = palette
      ? (colour[3] ?? 255)
      : channels === 2 || channels === 4
        ? sample(pixel, channels - 1)
        : 255;
    for (let c = 0; c < 3; c++) data[pixel * 3 + c] = ((colour[c] ?? 0) * alpha + 255 * (255 - alpha)) / 255;
  }
  return { image: createImage(width, height, data), text: png.text };
}

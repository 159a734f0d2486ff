// Pictures as values, and their PNG form with text chunks (the recipe travels in one).

import { decode, type DecodedPng, encode, type PngDataArray } from 'fast-png';

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

/** Pictures with more pixels than this are refused before anything is allocated for them: 8192 x 8192. */
export const MOST_PIXELS = 2 ** 26;
const RGB = 2;
const INDEXED = 3;

/** Reads a PNG of any colour type; transparency is laid over white, 16 bits are cut to 8. */
export function decodePng(bytes: Uint8Array, name = 'PNG'): PngFile {
  const header = readHeader(bytes, name);
  let png: DecodedPng;
  try {
    png = decode(bytes, { checkCrc: true });
  } catch (error) {
    throw new VarsearchError(`${name} is not a readable PNG file`, { cause: error });
  }
  const { width, height, text } = png;
  if (header.colourType === RGB && png.depth === 8 && png.transparency === undefined) {
    return { image: createImage(width, height, Uint8Array.from(png.data)), text };
  }
  const colours = header.colourType === INDEXED ? indexedColours(png, name) : directColours(png);
  const data = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const alpha = colours[pixel * 4 + 3]!;
    for (let c = 0; c < 3; c++) {
      data[pixel * 3 + c] = Math.round((colours[pixel * 4 + c]! * alpha + 255 * (255 - alpha)) / 255);
    }
  }
  return { image: createImage(width, height, data), text };
}

/** What must be known before decoding; the IHDR chunk comes first in every PNG file. */
function readHeader(bytes: Uint8Array, name: string): { readonly colourType: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 33 || view.getUint32(12) !== 0x49484452) {
    throw new VarsearchError(`${name} is not a readable PNG file`);
  }
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const [depth, colourType, interlace] = [view.getUint8(24), view.getUint8(25), view.getUint8(28)];
  if (width === 0 || height === 0 || width * height > MOST_PIXELS) {
    throw new VarsearchError(
      `${name} is a picture of ${width} x ${height} pixels: at most ${MOST_PIXELS} pixels can be read`,
    );
  }
  // fast-png takes the packed pixels of an interlaced picture for whole bytes.
  if (interlace !== 0 && depth < 8) {
    throw new VarsearchError(
      `${name} is interlaced with ${depth} bits a pixel, which cannot be read: save it without interlacing`,
    );
  }
  return { colourType };
}

/** One sample per channel and pixel; fast-png leaves samples of less than 8 bits packed in bytes, row by row. */
function samplesOf({ width, height, depth, data }: DecodedPng): PngDataArray {
  if (depth >= 8) return data;
  const row = Math.ceil((width * depth) / 8);
  return Uint8Array.from({ length: width * height }, (_, pixel) => {
    const bit = (pixel % width) * depth;
    const byte = data[Math.floor(pixel / width) * row + (bit >> 3)]!;
    return (byte >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
  });
}

/** [pixels, RGBA] of a picture with a palette. */
function indexedColours(png: DecodedPng, name: string): Uint8Array {
  const { palette = [] } = png;
  const samples = samplesOf(png);
  const colours = new Uint8Array(samples.length * 4).fill(255);
  samples.forEach((sample, pixel) => {
    const colour = palette[sample];
    if (!colour) throw new VarsearchError(`${name} uses colour ${sample} of a palette of ${palette.length}`);
    colours.set(colour, pixel * 4);
  });
  return colours;
}

/** [pixels, RGBA] of a grey or RGB picture, with an alpha channel, one transparent colour, or neither. */
function directColours(png: DecodedPng): Uint8Array {
  const { width, height, channels, depth, transparency } = png;
  const samples = samplesOf(png);
  const toByte = (sample: number): number =>
    depth === 16 ? sample >>> 8 : (sample * 255) / (2 ** depth - 1);
  const hasAlpha = channels === 2 || channels === 4;
  const colourChannels = hasAlpha ? channels - 1 : channels;
  const colours = new Uint8Array(width * height * 4);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const first = pixel * channels;
    let isKey = transparency !== undefined;
    for (let c = 0; c < 3; c++) {
      const channel = colourChannels === 1 ? 0 : c;
      const sample = samples[first + channel]!;
      isKey &&= sample === transparency?.[channel];
      colours[pixel * 4 + c] = toByte(sample);
    }
    colours[pixel * 4 + 3] = hasAlpha ? toByte(samples[first + colourChannels]!) : isKey ? 0 : 255;
  }
  return colours;
}

// JPEG files to pictures: baseline and progressive, grey, colour and CMYK, turned upright as their Exif data say.

import { decode } from 'jpeg-js';

import { VarsearchError } from './errors.js';
import { createImage, type Image, MOST_PIXELS, type PngFile } from './image.js';

/** Reads a JPEG file; it carries no text. Throws a VarsearchError for one that is damaged, cut off or too large. */
export function decodeJpeg(bytes: Uint8Array, name = 'JPEG'): PngFile {
  try {
    const { width, height, data } = decode(bytes, {
      useTArray: true,
      formatAsRGBA: false,
      // What is missing of a file that was cut off would be scored as grey.
      tolerantDecoding: false,
      maxResolutionInMP: MOST_PIXELS / 1e6,
      maxMemoryUsageInMB: 2048,
    });
    const image = createImage(width, height, data);
    return { image: upright(image, orientationOf(exifOf(bytes))), text: {} };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new VarsearchError(`${name} is not a readable JPEG file: ${why}`, { cause });
  }
}

const START_OF_SCAN = 0xda;
const APP1 = 0xe1;
/** 'Exif', as a number. */
const EXIF = 0x45786966;
/** The tag of the orientation. */
const ORIENTATION = 0x0112;

/** The Exif data of a file, from their TIFF header on; null where it has none before its pixels. */
function exifOf(bytes: Uint8Array): DataView | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 2; at + 10 <= bytes.length && view.getUint8(at) === 0xff; at += 2 + view.getUint16(at + 2)) {
    const marker = view.getUint8(at + 1);
    if (marker === START_OF_SCAN) return null;
    const length = view.getUint16(at + 2) - 8;
    const isExif = marker === APP1 && view.getUint32(at + 4) === EXIF;
    if (isExif && length >= 8 && at + 10 + length <= bytes.length) {
      return new DataView(bytes.buffer, bytes.byteOffset + at + 10, length);
    }
  }
  return null;
}

/** How a camera was held, 1 to 8 as TIFF 6.0 numbers them; 1, upright, where the file does not say. */
function orientationOf(exif: DataView | null): number {
  if (!exif) return 1;
  // A TIFF header: the order of bytes (II or MM), 42, and where the first list of entries of 12 bytes begins.
  const little = exif.getUint16(0) === 0x4949;
  const list = exif.getUint32(4, little);
  if (list + 2 > exif.byteLength) return 1;
  const count = exif.getUint16(list, little);
  for (let i = 0, at = list + 2; i < count && at + 12 <= exif.byteLength; i++, at += 12) {
    if (exif.getUint16(at, little) === ORIENTATION) return exif.getUint16(at + 8, little);
  }
  return 1;
}

/** The picture as it is meant to be seen; orientations from 5 on have rows for columns. */
function upright(image: Image, orientation: number): Image {
  if (!(orientation >= 2 && orientation <= 8)) return image;
  const { width, height, data } = image;
  const turned = orientation >= 5;
  const [flipX, flipY] = [[2, 3, 7, 8].includes(orientation), [3, 4, 6, 7].includes(orientation)];
  const [newWidth, newHeight] = turned ? [height, width] : [width, height];
  const pixels = new Uint8Array(data.length);
  for (let y = 0, to = 0; y < newHeight; y++) {
    for (let x = 0; x < newWidth; x++, to += 3) {
      const [u, v] = turned ? [y, x] : [x, y];
      const from = ((flipY ? height - 1 - v : v) * width + (flipX ? width - 1 - u : u)) * 3;
      pixels.set(data.subarray(from, from + 3), to);
    }
  }
  return createImage(newWidth, newHeight, pixels);
}

// Decodes pictures by the library. Samples are those of Pillow's convert('RGB'); colour profiles are left alone, as the official code leaves them.

import type { Sharp, SharpOptions } from 'sharp';

import { VarsearchError } from './errors.js';
import { createImage, type Image } from './image.js';
import { type ImageLibrary, loadImageLibrary } from './image-library.js';
import { checkSize } from './image-limits.js';
import { isError } from './realm.js';

// What is missing of a file that was cut off would be scored as grey; other faults are passed over, as Pillow does. The limit
// on pixels is our own, so that its message can name the size.
const READING: SharpOptions = { failOn: 'truncated', ignoreIcc: true, limitInputPixels: false, pages: 1 };

/** What the library finds in the head of a file. */
export interface PictureHead {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly space: string;
}

/** Reads the head of a file. Throws what the library throws. */
async function readHead(decode: ImageLibrary, bytes: Uint8Array): Promise<PictureHead> {
  const { width, height, channels, space } = await decode(bytes, READING).metadata();
  return { width, height, channels, space };
}

/** What is decoded. */
interface Task {
  /** Of the file, and of its format, for messages. */
  readonly name: string;
  readonly kind: string;
  /** How the camera was held: 1 to 8 as TIFF 6.0 numbers them. */
  readonly orientation: number;
  /** Refuses a picture by its head, before anything is allocated for it. */
  readonly check?: (head: PictureHead) => void;
}

/**
 * The pixels of a PNG, JPEG or WebP file, turned upright, white behind transparency, 16 bits cut to 8. The
 * work is done off the main thread. Throws a VarsearchError that says `kind` and why.
 */
export async function decodePixels(
  bytes: Uint8Array,
  { name, kind, orientation, check }: Task,
): Promise<Image> {
  const decode = await loadImageLibrary();
  try {
    const head = await readHead(decode, bytes);
    checkSize(name, head.width, head.height);
    check?.(head);
    const isCmyk = head.space === 'cmyk';
    const upright = turn(decode(bytes, READING), orientation);
    const pipeline = isCmyk ? upright.pipelineColourspace('cmyk').toColourspace('cmyk') : upright;
    const { data, info } = await pipeline.raw().toBuffer({ resolveWithObject: true });
    return createImage(info.width, info.height, toRgb(data, info.channels, isCmyk));
  } catch (cause) {
    if (cause instanceof VarsearchError) throw cause;
    throw new VarsearchError(`${name} is not a readable ${kind} file: ${reasonOf(cause)}`, { cause });
  }
}

/** The picture as it is meant to be seen. */
function turn(picture: Sharp, orientation: number): Sharp {
  const angle = [0, 0, 0, 180, 0, 90, 90, 90, 270][orientation] ?? 0;
  const turned = angle === 0 ? picture : picture.rotate(angle);
  if (orientation === 2 || orientation === 7) return turned.flop();
  return orientation === 4 || orientation === 5 ? turned.flip() : turned;
}

/** The first line of the library's message, without the names of its parts. */
function reasonOf(cause: unknown): string {
  const lines = (isError(cause) ? cause.message : String(cause)).split('\n');
  const line = lines.find((each) => !/corrupt header: *$/.test(each)) ?? lines[0] ?? '';
  return (
    line
      .replace(/^.*corrupt header: */, '')
      .replace(/^\w+: /, '')
      .trim() || 'its head is damaged'
  );
}

/** RGB bytes of what the library gives; written into the same memory, since there may be much of it. */
function toRgb(data: Uint8Array, channels: number, isCmyk: boolean): Uint8Array {
  const pixels = data.length / channels;
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (channels === 3) return bytes;
  if (channels === 4) return isCmyk ? fromCmyk(bytes, pixels) : overWhite(bytes, pixels);
  throw new VarsearchError(`a picture of ${channels} colour components cannot be read`);
}

function overWhite(data: Uint8Array, pixels: number): Uint8Array {
  for (let from = 0, to = 0; to < pixels * 3; from += 4, to += 3) {
    const alpha = data[from + 3]!;
    const white = 255 * (255 - alpha) + 127;
    data[to] = (data[from]! * alpha + white) / 255;
    data[to + 1] = (data[from + 1]! * alpha + white) / 255;
    data[to + 2] = (data[from + 2]! * alpha + white) / 255;
  }
  return data.subarray(0, pixels * 3);
}

/** As Pillow does it (cmyk2rgb in Convert.c): black laid over what is left of each ink, without any profile. */
function fromCmyk(data: Uint8Array, pixels: number): Uint8Array {
  for (let from = 0, to = 0; to < pixels * 3; from += 4, to += 3) {
    const light = 255 - data[from + 3]!;
    for (let ink = 0; ink < 3; ink++) {
      const product = data[from + ink]! * light + 128;
      data[to + ink] = light - (((product >> 8) + product) >> 8);
    }
  }
  return data.subarray(0, pixels * 3);
}

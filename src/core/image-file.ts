// Picture files of any kind: known by their first bytes, read where there is a decoder, and named where there is none.

import { VarsearchError } from './errors.js';
import type { Image } from './image.js';
import { decodePixels, type PictureHead } from './image-decoder.js';
import { checkBytes, MOST_PIXELS } from './image-limits.js';
import { partPng, type PictureText } from './image-png.js';
import { bareJpeg, bareWebp } from './image-side.js';

/** Reads the bytes of one format; `name` is for messages. Text is empty for formats whose texts are not read. */
type Decoder = (bytes: Uint8Array, name: string) => Promise<DecodedPicture>;

/** A format by its first bytes, and its decoder where there is one. */
interface Format {
  readonly name: string;
  /** Endings of its files, without the dot. */
  readonly endings: readonly string[];
  /** The first bytes as Latin-1 text. */
  readonly begins: RegExp;
  readonly decode?: Decoder;
}

// PNG is told apart by its first half: a file that was damaged by a text transfer is still a (damaged) PNG.
const FORMATS: readonly Format[] = [
  { name: 'PNG', endings: ['png'], begins: /^\x89PNG/, decode: decodePng },
  { name: 'JPEG', endings: ['jpg', 'jpeg'], begins: /^\xff\xd8\xff/, decode: decodeJpeg },
  { name: 'WebP', endings: ['webp'], begins: /^RIFF[^]{4}WEBP/, decode: decodeWebp },
  { name: 'GIF', endings: ['gif'], begins: /^GIF8/ },
  { name: 'AVIF', endings: ['avif'], begins: /^[^]{4}ftypavi[fs]/ },
  { name: 'HEIC', endings: ['heic', 'heif'], begins: /^[^]{4}ftyp(?:hei|hev|mif1|msf1)/ },
  { name: 'JPEG XL', endings: ['jxl'], begins: /^(?:\xff\n|\0{3}\fJXL )/ },
  { name: 'TIFF', endings: ['tif', 'tiff'], begins: /^(?:II\*\0|MM\0\*)/ },
  { name: 'BMP', endings: ['bmp'], begins: /^BM/ },
];

/** The formats that can be read, for messages. */
const READABLE_FORMATS: string = FORMATS.filter(({ decode }) => decode)
  .map(({ name }) => name)
  .join(', ')
  .replace(/, (?=[^,]+$)/, ' or ');

const ENDINGS: ReadonlySet<string> = new Set(FORMATS.flatMap(({ endings }) => endings));

/** True when a file name ends like a picture's, whether its format can be read or not. */
export function isPictureName(name: string): boolean {
  const ending = /\.([^.]+)$/.exec(name)?.[1];
  return ending !== undefined && ENDINGS.has(ending.toLowerCase());
}

/** A picture that was read, with the texts that came with it: those of PNG's chunks. */
export interface DecodedPicture {
  readonly image: Image;
  readonly text: PictureText;
}

/**
 * Reads a picture, whatever its file is called; pixels are decoded off the main thread. Rejects with a VarsearchError that names
 * the file, its format and the remedy.
 */
export async function decodePicture(bytes: Uint8Array, name: string): Promise<DecodedPicture> {
  if (bytes.length === 0) throw new VarsearchError(`${name} is an empty file`);
  checkBytes(name, bytes.length);
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(16, bytes.length)).toString('latin1');
  const format = FORMATS.find(({ begins }) => begins.test(start));
  if (!format) {
    throw new VarsearchError(`${name} is not a picture that can be read: it has to be ${READABLE_FORMATS}`);
  }
  if (format.decode) return await format.decode(bytes, name);
  throw new VarsearchError(
    `${name} is a ${format.name} picture, which cannot be read: convert it to ${READABLE_FORMATS}`,
  );
}

async function decodePng(bytes: Uint8Array, name: string): Promise<DecodedPicture> {
  const { bare, orientation, text } = await partPng(bytes, name);
  return { image: await decodePixels(bare, { name, kind: 'PNG', orientation }), text };
}

/** Scans that a JPEG file may have in all, and for every 2 ** 26 pixels: programs write 1 to 20, and each is a walk over all pixels. */
const MOST_SCANS = { inAll: 1000, ofLargest: 24 };

/** Bytes of the coefficients, two each, that a decoder has to hold until the last of several scans. */
const MOST_COEFFICIENTS = 500e6;

async function decodeJpeg(bytes: Uint8Array, name: string): Promise<DecodedPicture> {
  const { bare, orientation } = bareJpeg(bytes);
  const check = (head: PictureHead): void => {
    const fault = jpegFault(head, countScans(bare));
    if (fault !== null) throw new VarsearchError(`${name} is a ${fault}`);
  };
  return { image: await decodePixels(bare, { name, kind: 'JPEG', orientation, check }), text: {} };
}

/** Why a JPEG picture is refused, null where it is not. */
function jpegFault({ width, height, channels }: PictureHead, scans: number): string | null {
  if (channels === 2 || channels > 4) {
    return `JPEG picture of ${channels} colour components, which cannot be read`;
  }
  const pixels = width * height;
  const size = `JPEG picture of ${width} x ${height} pixels`;
  if (scans > MOST_SCANS.inAll || scans * pixels > MOST_SCANS.ofLargest * MOST_PIXELS) {
    return `${size} in ${scans} scans, more than any program writes`;
  }
  if (scans > 1 && 2 * channels * pixels > MOST_COEFFICIENTS) {
    return `progressive ${size} and ${channels} colours, which takes too much memory: save it as a baseline JPEG, or smaller`;
  }
  return null;
}

/** Starts of scans; within the data of a scan no two bytes look like one. */
function countScans(file: Buffer): number {
  const start = Buffer.of(0xff, 0xda);
  let scans = 0;
  for (let at = file.indexOf(start); at >= 0; at = file.indexOf(start, at + 2)) scans++;
  return scans;
}

async function decodeWebp(bytes: Uint8Array, name: string): Promise<DecodedPicture> {
  const { bare, orientation } = bareWebp(bytes);
  return { image: await decodePixels(bare, { name, kind: 'WebP', orientation }), text: {} };
}

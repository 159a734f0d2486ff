// Picture files of any kind: known by their first bytes, read where there is a decoder, and named where there is none.

import { VarsearchError } from './errors.js';
import { decodePng, type PngFile } from './image.js';
import { decodeJpeg } from './image-jpeg.js';

/** Reads the bytes of one format; `name` is for messages. Text is empty for formats that carry none. */
type Decoder = (bytes: Uint8Array, name: string) => PngFile;

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
  { name: 'WebP', endings: ['webp'], begins: /^RIFF[^]{4}WEBP/ },
  { name: 'GIF', endings: ['gif'], begins: /^GIF8/ },
  { name: 'AVIF', endings: ['avif'], begins: /^[^]{4}ftypavi[fs]/ },
  { name: 'HEIC', endings: ['heic', 'heif'], begins: /^[^]{4}ftyp(?:hei|hev|mif1|msf1)/ },
  { name: 'JPEG XL', endings: ['jxl'], begins: /^(?:\xff\n|\0{3}\fJXL )/ },
  { name: 'TIFF', endings: ['tif', 'tiff'], begins: /^(?:II\*\0|MM\0\*)/ },
  { name: 'BMP', endings: ['bmp'], begins: /^BM/ },
];

/** The formats that can be read, for messages: 'PNG or JPEG'. */
const READABLE_FORMATS: string = FORMATS.filter(({ decode }) => decode)
  .map(({ name }) => name)
  .join(' or ');

const ENDINGS: ReadonlySet<string> = new Set(FORMATS.flatMap(({ endings }) => endings));

/** True when a file name ends like a picture's, whether its format can be read or not. */
export function isPictureName(name: string): boolean {
  const ending = /\.([^.]+)$/.exec(name)?.[1];
  return ending !== undefined && ENDINGS.has(ending.toLowerCase());
}

/** Reads a picture, whatever its file is called. Throws a VarsearchError that names the file, its format and the remedy. */
export function decodePicture(bytes: Uint8Array, name: string): PngFile {
  if (bytes.length === 0) throw new VarsearchError(`${name} is an empty file`);
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(16, bytes.length)).toString('latin1');
  const format = FORMATS.find(({ begins }) => begins.test(start));
  if (!format) {
    throw new VarsearchError(`${name} is not a picture that can be read: it has to be ${READABLE_FORMATS}`);
  }
  if (format.decode) return format.decode(bytes, name);
  throw new VarsearchError(
    `${name} is a ${format.name} picture, which cannot be read: convert it to ${READABLE_FORMATS}`,
  );
}

// PNG files: their texts and the chunks that matter to a decoder, whose work is the library's (image-library.ts), and files of our own. PNG specification, third edition: https://www.w3.org/TR/png-3/

import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createDeflate, createInflate, inflateSync } from 'node:zlib';

import { VarsearchError } from './errors.js';
import { checkSize } from './image-limits.js';
import { type BareFile, orientationOf } from './image-side.js';

/** Texts by their keywords. */
export type PictureText = Readonly<Record<string, string>>;

const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
/** More chunks than any program writes: a picture of the allowed size in pieces of 4 KB. */
const MOST_CHUNKS = 2 ** 17;
/** Texts that are read; libpng stops there too. */
const MOST_TEXTS = 1000;
/** Texts of a file may inflate to so much in all; a recipe has some kilobytes. */
const MOST_TEXT = 2 ** 24;
/** Pixel data beyond what a picture's size needs that are passed over, as other readers do. */
const MOST_EXCESS = 2 ** 20;
/** Deflate makes nothing smaller than this part of it. */
const BEST_RATIO = 1032;

interface Chunk {
  readonly type: string;
  readonly body: Buffer;
  /** Length, type, body and checksum, as they stand in the file. */
  readonly whole: Buffer;
  /** True when the checksum is right. */
  readonly sound: boolean;
}

/** What is read of a PNG file before it is decoded. */
export interface PngParts extends BareFile {
  readonly text: PictureText;
}

/**
 * Parts a PNG file. Chunks at the side are left out, so that no fault and no excess of theirs matters. Throws VarsearchError where
 * the picture itself is damaged, or where its data inflate to far more than its size needs.
 */
export async function partPng(bytes: Uint8Array, name: string): Promise<PngParts> {
  const chunks: Chunk[] = [];
  for (const chunk of chunksOf(bytes)) {
    if (chunks.push(chunk) > MOST_CHUNKS) throw damaged(name, 'it is in more pieces than any program writes');
  }
  const [head] = chunks;
  if (head?.type !== 'IHDR' || head.body.length !== 13 || !head.sound) {
    throw damaged(name, 'its head is damaged');
  }
  checkSize(name, head.body.readUInt32BE(0), head.body.readUInt32BE(4));
  const palette = chunks.find(({ type }) => type === 'PLTE');
  if (palette && !palette.sound) throw damaged(name, 'its palette is damaged');
  const data = chunks.filter(({ type }) => type === 'IDAT');
  if (data.length === 0) throw damaged(name, 'it has no pixels, or is cut off');
  await boundPixels(head.body, data, name);
  const colours = chunks.filter(({ type, sound }) => type === 'PLTE' || (type === 'tRNS' && sound));
  const exif = chunks.find(({ type, sound }) => type === 'eXIf' && sound);
  const kept = [head, ...colours, ...data].map(({ whole }) => whole);
  const bare = Buffer.concat([SIGNATURE, ...kept, makeChunk('IEND', Buffer.alloc(0))]);
  return { bare, orientation: orientationOf(exif?.body), text: textsOf(chunks) };
}

/** The chunks of a file up to its end, or up to where it is cut off. */
function* chunksOf(bytes: Uint8Array): Generator<Chunk, void, void> {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!file.subarray(0, 8).equals(SIGNATURE)) return;
  for (let at = 8; at + 12 <= file.length;) {
    const length = file.readUInt32BE(at);
    const end = at + 12 + length;
    if (end > file.length) return;
    const type = file.toString('latin1', at + 4, at + 8);
    const body = file.subarray(at + 8, end - 4);
    const sound = type === 'IDAT' || crc32(file.subarray(at + 4, end - 4)) === file.readUInt32BE(end - 4);
    yield { type, body, whole: file.subarray(at, end), sound };
    if (type === 'IEND') return;
    at = end;
  }
}

/** Throws for data that would inflate for long, and for nothing: decoders go on to the end of them. */
async function boundPixels(head: Buffer, data: readonly Chunk[], name: string): Promise<void> {
  const channels = [1, 0, 3, 1, 2, 0, 4][head[9]!] ?? 0;
  const row = Math.ceil((head.readUInt32BE(0) * (head[8]! || 8) * channels) / 8) + 1;
  // Interlaced pictures have a few more rows, each with its filter byte and its padding.
  const most = row * head.readUInt32BE(4) * 1.1 + MOST_EXCESS;
  const packed = data.reduce((sum, { body }) => sum + body.length, 0);
  if (packed * BEST_RATIO <= Math.max(4 * most, 2 ** 28)) return;
  let size = 0;
  const bound = async (parts: AsyncIterable<Buffer>): Promise<void> => {
    for await (const part of parts) {
      size += part.length;
      if (size > most) throw damaged(name, 'its data hold far more pixels than it has');
    }
  };
  try {
    await pipeline(
      data.map(({ body }) => body),
      createInflate(),
      bound,
    );
  } catch (error) {
    if (error instanceof VarsearchError) throw error;
    // Whatever else is wrong with the data, the decoder says.
  }
}

/** The texts of tEXt, zTXt and iTXt, the first of each keyword; what is damaged or too large is left out. */
function textsOf(chunks: readonly Chunk[]): PictureText {
  const texts = new Map<string, string>();
  let room = MOST_TEXT;
  for (const { type, body, sound } of chunks) {
    if (room <= 0 || texts.size >= MOST_TEXTS) break;
    if (!sound || !['tEXt', 'zTXt', 'iTXt'].includes(type)) continue;
    const zero = body.indexOf(0);
    const keyword = body.toString('latin1', 0, Math.max(0, zero));
    if (!/^[\x20-\x7e\xa1-\xff]{1,79}$/.test(keyword) || texts.has(keyword)) continue;
    try {
      const text = textOf(type, body.subarray(zero + 1), room);
      room -= text.length;
      texts.set(keyword, text);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') room = 0;
    }
  }
  return Object.fromEntries(texts);
}

/** The text after a keyword and its zero byte. Throws where it is not what its chunk says. */
function textOf(type: string, rest: Buffer, room: number): string {
  const inflate = (packed: Buffer): Buffer => inflateSync(packed, { maxOutputLength: room });
  if (type === 'tEXt') return rest.toString('latin1');
  // zTXt: method, text. iTXt: whether it is packed, method, language, 0, keyword translated, 0, text.
  if (type === 'zTXt') return inflate(rest.subarray(1)).toString('latin1');
  const language = rest.indexOf(0, 2);
  const translated = rest.indexOf(0, language + 1);
  if (language < 0 || translated < 0) throw new RangeError('an iTXt chunk without its parts');
  const text = rest.subarray(translated + 1);
  return (rest[0] === 0 ? text : inflate(text)).toString('utf8');
}

/** Chunks of texts: tEXt where Latin-1 will do, otherwise iTXt. */
export function textChunks(texts: PictureText): Buffer[] {
  return Object.entries(texts).map(([keyword, text]) => {
    if (!/^[\x20-\x7e\xa1-\xff]{1,79}$/.test(keyword)) {
      throw new RangeError(
        `a keyword of PNG has 1 to 79 characters of Latin-1, got ${JSON.stringify(keyword)}`,
      );
    }
    const isLatin = /^[\n\x20-\x7e\xa0-\xff]*$/.test(text);
    const head = Buffer.from(isLatin ? `${keyword}\0` : `${keyword}\0\0\0\0\0`, 'latin1');
    const body = Buffer.concat([head, Buffer.from(text, isLatin ? 'latin1' : 'utf8')]);
    return makeChunk(isLatin ? 'tEXt' : 'iTXt', body);
  });
}

/** Bytes of pixels that are handed to the packer at once, and of what it gives back at once. */
const PIECE = 2 ** 20;

/** Rows of RGB pixels, each after its filter byte (0: none), in pieces between which everything else goes on. */
function* pixelRows({ width, height, data }: Pixels): Generator<Buffer, void, void> {
  const row = width * 3;
  const most = Math.max(1, Math.floor(PIECE / (row + 1)));
  for (let start = 0; start < height; start += most) {
    const rows = Math.min(most, height - start);
    const piece = Buffer.alloc(rows * (row + 1));
    for (let y = 0; y < rows; y++) {
      piece.set(data.subarray((start + y) * row, (start + y + 1) * row), y * (row + 1) + 1);
    }
    yield piece;
  }
}

/** A picture of 8 bits RGB, row by row. */
interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Writes a PNG file; zlib packs the pixels in its own threads. */
export async function writePng(pixels: Pixels, texts: PictureText): Promise<Buffer> {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(pixels.width, 0);
  head.writeUInt32BE(pixels.height, 4);
  head.set([8, 2, 0, 0, 0], 8); // bits a sample, RGB, deflate, filters, not interlaced
  const chunks = [SIGNATURE, makeChunk('IHDR', head), ...textChunks(texts)];
  await pipeline(
    Readable.from(pixelRows(pixels)),
    createDeflate({ chunkSize: PIECE }),
    async (parts: AsyncIterable<Buffer>) => {
      for await (const part of parts) chunks.push(makeChunk('IDAT', part));
    },
  );
  chunks.push(makeChunk('IEND', Buffer.alloc(0)));
  return Buffer.concat(chunks);
}

function makeChunk(type: string, body: Buffer): Buffer {
  const chunk = Buffer.alloc(body.length + 12);
  chunk.writeUInt32BE(body.length, 0);
  chunk.write(type, 4, 'latin1');
  body.copy(chunk, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, -4)), chunk.length - 4);
  return chunk;
}

// Node.js has its own from 20.15 on.
const CRC_TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ byte) & 255]!;
  return ~crc >>> 0;
}

function damaged(name: string, why: string): VarsearchError {
  return new VarsearchError(`${name} is not a readable PNG file: ${why}`);
}

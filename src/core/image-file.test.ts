import { readFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';

import { blackPixels, chunk, head, pngOf } from '../../test/fixtures/png-parts.js';
import { VarsearchError } from './errors.js';
import { createImage, encodePng } from './image.js';
import { type DecodedPicture, decodePicture, isPictureName } from './image-file.js';

const PICTURE = createImage(2, 1, Uint8Array.of(255, 0, 0, 0, 255, 0));

/** Files of other programs, with the pixels that Pillow or libpng reads (test/fixtures/foreign_pictures.py). */
const FOREIGN = JSON.parse(
  readFileSync(new URL('../../test/fixtures/foreign-pictures.json', import.meta.url), 'utf8'),
) as Record<string, { file: string; width: number; height: number; rgb: string }>;

const foreign = (name: string): Buffer => Buffer.from(FOREIGN[name]!.file, 'base64');

/** The message, after seeing that it is one line and took little work: processor time, since others may have the processor. */
async function refusal(bytes: Uint8Array | string, name = 'cat.jpg'): Promise<string> {
  const started = process.cpuUsage();
  try {
    await decodePicture(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, name);
  } catch (error) {
    expect(error).toBeInstanceOf(VarsearchError);
    const { message } = error as Error;
    expect(message).not.toContain('\n');
    const { user, system } = process.cpuUsage(started);
    expect(user + system).toBeLessThan(2e6);
    return message;
  }
  return 'no error';
}

describe('decodePicture', () => {
  it('reads a PNG file with its text, whatever it is called and wherever it lies in a buffer', async () => {
    const file = await encodePng(PICTURE, { note: 'red' });
    const buffer = new Uint8Array(file.length + 9);
    buffer.set(file, 5);
    const read = await decodePicture(buffer.subarray(5, 5 + file.length), 'cat.jpg');
    expect(read).toEqual({ image: PICTURE, text: { note: 'red' } });
  });

  it.each([
    ['GIF', 'GIF89a\x01\0'],
    ['AVIF', '\0\0\0\x20ftypavif\0\0\0\0'],
    ['HEIC', '\0\0\0\x18ftypheic\0\0\0\0'],
    ['JPEG XL', '\xff\x0a\0\0'],
    ['JPEG XL', '\0\0\0\x0cJXL \r\n\x87\n'],
    ['TIFF', 'II*\0\x08\0\0\0'],
    ['BMP', 'BM\x46\0\0\0'],
  ])('names %s and the remedy', async (format, bytes) => {
    expect(await refusal(bytes)).toMatch(
      new RegExp(`^cat\\.jpg is a ${format} picture, which cannot be read: convert it to PNG`),
    );
  });

  it.each([
    ['', /^cat\.jpg is an empty file$/],
    [
      '<svg xmlns="http://www.w3.org/2000/svg"/>',
      /^cat\.jpg is not a picture that can be read: it has to be PNG/,
    ],
    ['\x89PNG\n', /^cat\.jpg is not a readable PNG file: its head is damaged$/],
    ['\0', /is not a picture/],
  ])('explains %j', async (bytes, message) => {
    expect(await refusal(bytes)).toMatch(message);
  });
});

describe('files of other programs', () => {
  it.each(Object.keys(FOREIGN))('%s is read as Pillow reads it', async (name) => {
    const { width, height, rgb } = FOREIGN[name]!;
    const { image } = await decodePicture(foreign(name), name);
    expect([image.width, image.height]).toEqual([width, height]);
    expect(Buffer.from(image.data).equals(Buffer.from(rgb, 'base64'))).toBe(true);
  });

  it.each([
    ['subsampled-2.jpg', 'JPEG'],
    ['subsampled-2-progressive.jpg', 'JPEG'],
    ['lossy.webp', 'WebP'],
    ['lossless.webp', 'WebP'],
    ['mode-RGB.png', 'PNG'],
  ])('%s is refused when a part of it is missing', async (name, format) => {
    const file = foreign(name);
    for (const part of [0.3, 0.6, 0.9]) {
      expect(await refusal(file.subarray(0, file.length * part), name)).toMatch(
        new RegExp(`^${name} is not a readable ${format} file: .`),
      );
    }
  });
});

describe('texts of PNG files', () => {
  const textsOf = async (...chunks: readonly Buffer[]): Promise<DecodedPicture['text']> => {
    const { text } = await decodePicture(pngOf(head(2, 2), ...chunks, blackPixels(2, 2)), 'x.png');
    return text;
  };

  it('are found in tEXt, zTXt and iTXt, also after the pixels', async () => {
    const packed = (text: string): Buffer => deflateSync(Buffer.from(text));
    const start = (text: string): Buffer => Buffer.from(text, 'latin1');
    expect(
      await textsOf(
        chunk('tEXt', 'a\0caf\xe9'),
        chunk('zTXt', Buffer.concat([start('b\0\0'), packed('packed')])),
        chunk('iTXt', Buffer.concat([start('c\0\0\0en\0see\0'), Buffer.from('\u2605')])),
        chunk('iTXt', Buffer.concat([start('d\0\x01\0\0\0'), packed('\u2605')])),
      ),
    ).toEqual({ a: 'caf\u00e9', b: 'packed', c: '\u2605', d: '\u2605' });
    const late = pngOf(head(2, 2), blackPixels(2, 2), chunk('tEXt', 'a\0late'));
    expect((await decodePicture(late, 'x.png')).text).toEqual({ a: 'late' });
  });

  it('are left out where they are damaged, and the first of a keyword counts', async () => {
    expect(
      await textsOf(
        chunk('tEXt', 'a\0wrong checksum', 1),
        chunk('tEXt', 'no end'),
        chunk('tEXt', '\0no keyword'),
        chunk('tEXt', `${'k'.repeat(80)}\0long keyword`),
        chunk('zTXt', 'b\0\0not packed'),
        chunk('iTXt', 'c\0\0'),
        chunk('tEXt', 'd\0first'),
        chunk('tEXt', 'd\0second'),
        chunk('tEXt', '__proto__\0own'),
      ),
    ).toEqual(
      Object.fromEntries([
        ['d', 'first'],
        ['__proto__', 'own'],
      ]),
    );
  });
});

describe('bounds', () => {
  const segment = (marker: number, body: Buffer): Buffer => {
    const start = Buffer.of(0xff, marker, 0, 0);
    start.writeUInt16BE(body.length + 2, 2);
    return Buffer.concat([start, body]);
  };
  const tables = Buffer.concat([
    segment(0xdb, Buffer.concat([Buffer.of(0), Buffer.alloc(64, 1)])),
    segment(0xc4, Buffer.from([0, 0, 0, 0, 12, ...Array<number>(12).fill(0), ...Array(12).keys()])),
    segment(0xc4, Buffer.from([16, 1, ...Array<number>(15).fill(0), 0])),
  ]);
  const frame = (side: number, components: number, sampling = 0x11, marker = 0xc0, bits = 8): Buffer => {
    const each = Array.from({ length: components }, (_, i) => [i + 1, i === 0 ? sampling : 0x11, 0]);
    return segment(
      marker,
      Buffer.from([bits, side >> 8, side & 255, side >> 8, side & 255, components, ...each.flat()]),
    );
  };
  const scan = segment(0xda, Buffer.of(3, 1, 0, 2, 0, 3, 0, 0, 63, 0));
  const jpeg = (...parts: readonly Buffer[]): Buffer =>
    Buffer.concat([Buffer.of(0xff, 0xd8), ...parts, scan, Buffer.alloc(1000), Buffer.of(0xff, 0xd9)]);
  const progressive = (side: number, scans: number, components = 3): Buffer => {
    const first = Buffer.concat([
      segment(0xda, Buffer.of(3, 1, 0, 2, 0, 3, 0, 0, 0, 0)),
      Buffer.alloc(side * side),
    ]);
    const more = Buffer.concat([segment(0xda, Buffer.of(1, 1, 0, 1, 63, 0)), Buffer.alloc(8)]);
    return Buffer.concat([
      Buffer.of(0xff, 0xd8),
      tables,
      frame(side, components, 0x11, 0xc2),
      first,
      ...Array<Buffer>(scans).fill(more),
      Buffer.of(0xff, 0xd9),
    ]);
  };

  it.each([
    ['255 components', jpeg(tables, frame(8000, 255)), /Too many color components: 255/],
    ['200 frames', jpeg(tables, ...Array<Buffer>(200).fill(frame(8000, 3))), /two SOF markers/],
    ['sampling 15 x 15', jpeg(tables, frame(8000, 3, 0xff)), /Bogus sampling factors/],
    ['5 components', jpeg(tables, frame(64, 5)), /5 colour components|Unsupported|Bogus/],
    ['12 bits', jpeg(tables, frame(64, 3, 0x11, 0xc1, 12)), /Unsupported JPEG data precision 12/],
    ['65500 x 65500', jpeg(tables, frame(65500, 3)), /65500 x 65500 pixels: at most/],
    ['10,000 scans', progressive(64, 10_000), /in 10001 scans, more than any program writes/],
    ['100 scans of a large picture', progressive(5000, 100), /in 101 scans, more than any program writes/],
    ['4 colours that are held whole', progressive(8192, 1, 4), /8192 pixels and 4 colours, .* baseline JPEG/],
  ])('a JPEG file of %s is refused at once', async (_, bytes, message) => {
    expect(await refusal(bytes)).toMatch(message);
  });

  it('Exif data that a decoder would walk through for a minute cost nothing', async () => {
    const entry = Buffer.alloc(12);
    entry.writeUInt16BE(0x8769, 0);
    entry.writeUInt16BE(4, 2);
    entry.writeUInt32BE(1, 4);
    entry.writeUInt32BE(8, 8);
    const start = Buffer.from('MM\0*\0\0\0\x08\x13\x88', 'latin1');
    const exif = Buffer.concat([start, ...Array<Buffer>(5000).fill(entry)]);
    const picture = foreign('grey.jpg');
    const app1 = segment(0xe1, Buffer.concat([Buffer.from('Exif\0\0'), exif]));
    const webp = foreign('lossless.webp');
    const frame = Buffer.alloc(8);
    frame.write('EXIF');
    frame.writeUInt32LE(exif.length, 4);
    for (const bytes of [
      Buffer.concat([picture.subarray(0, 2), app1, app1, picture.subarray(2)]),
      Buffer.concat([webp, frame, exif]),
      pngOf(head(19, 13), chunk('eXIf', exif), blackPixels(19, 13)),
    ]) {
      const started = performance.now();
      expect((await decodePicture(bytes, 'x')).image.width).toBe(19);
      expect(performance.now() - started).toBeLessThan(2000);
    }
  });

  it('a PNG file whose pixels inflate to far more than its size needs is refused at once', async () => {
    const bomb = deflateSync(Buffer.alloc(2 ** 29), { level: 9 });
    expect(await refusal(pngOf(head(8, 8), chunk('IDAT', bomb)))).toMatch(
      /its data hold far more pixels than it has$/,
    );
  });

  it('a PNG file in millions of pieces is refused at once', async () => {
    const pieces = Buffer.concat(Array<Buffer>(2 ** 17).fill(chunk('tEXt', 'a\0b')));
    expect(await refusal(pngOf(head(8, 8), pieces, blackPixels(8, 8)))).toMatch(/more pieces than any/);
  });

  it('chunks at the side that inflate to gigabytes cost nothing', async () => {
    const bomb = deflateSync(Buffer.alloc(2 ** 25), { level: 9 });
    const side = ['iCCP', 'zTXt'].flatMap((type) =>
      Array<Buffer>(200).fill(chunk(type, Buffer.concat([Buffer.from('x\0\0'), bomb]))),
    );
    const started = performance.now();
    const { image, text } = await decodePicture(pngOf(head(8, 8), ...side, blackPixels(8, 8)), 'x.png');
    expect([image.width, text]).toEqual([8, {}]);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe('mutants', () => {
  /** Numbers from a seed, so that a failure comes again. */
  const numbers = (seed: number) => (below: number) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };

  function mutant(file: Buffer, draw: (below: number) => number): Buffer {
    const bytes = Buffer.from(file);
    const at = draw(bytes.length);
    switch (draw(5)) {
      case 0:
        bytes[at] = draw(256);
        return bytes;
      case 1:
        bytes[at] = [0, 1, 0x7f, 0x80, 0xff][draw(5)]!;
        return bytes;
      case 2:
        return Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + draw(20)))]);
      case 3:
        return Buffer.concat([bytes.subarray(0, at), randomLike(draw), bytes.subarray(at)]);
      default: {
        const from = draw(bytes.length);
        return Buffer.concat([
          bytes.subarray(0, at),
          bytes.subarray(from, from + draw(200)),
          bytes.subarray(at),
        ]);
      }
    }
  }
  const randomLike = (draw: (below: number) => number): Buffer =>
    Buffer.from(Array.from({ length: draw(30) }, () => draw(256)));

  it.each(Object.keys(FOREIGN))('of %s are pictures, or refused in a line', async (name) => {
    const draw = numbers(name.length * 7919 + FOREIGN[name]!.file.length);
    for (let i = 0; i < 40; i++) {
      const bytes = mutant(mutant(foreign(name), draw), draw);
      const started = performance.now();
      try {
        const { image } = await decodePicture(bytes, name);
        expect(image.data).toHaveLength(image.width * image.height * 3);
      } catch (error) {
        expect(error, bytes.toString('base64')).toBeInstanceOf(VarsearchError);
        expect((error as Error).message).not.toContain('\n');
      }
      expect(performance.now() - started).toBeLessThan(5000);
    }
  });
});

describe('isPictureName', () => {
  it.each([
    ['a.png', true],
    ['A.JPEG', true],
    ['a.b.webp', true],
    ['png', false],
    ['a.png.txt', false],
    ['a.', false],
  ])('%s: %s', (name, expected) => {
    expect(isPictureName(name)).toBe(expected);
  });
});

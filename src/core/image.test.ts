import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';

import { VarsearchError } from './errors.js';
import { createImage, decodePng, encodePng, imageFromPlanes } from './image.js';

/** A PNG as it is to be written: samples of all channels, row by row. */
interface Sketch {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly colourType: 0 | 2 | 3 | 4 | 6;
  readonly samples: readonly number[];
  readonly palette?: readonly number[];
  readonly transparency?: readonly number[];
  readonly interlaced?: boolean;
}

const CHANNELS = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 } as const;
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}

function chunk(type: string, data: Uint8Array | readonly number[]): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), Buffer.from(data)]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** The bytes of a row of samples, with the filter byte before them (0: none). */
function packRow(samples: readonly number[], depth: number): number[] {
  const bits = samples.map((sample) => sample.toString(2).padStart(depth, '0')).join('');
  const bytes = bits.match(/.{1,8}/g) ?? [];
  return [0, ...bytes.map((byte) => parseInt(byte.padEnd(8, '0'), 2))];
}

/** Writes PNG files that fast-png's own encoder cannot write. */
function writePng({
  width,
  height,
  depth,
  colourType,
  samples,
  palette,
  transparency,
  interlaced,
}: Sketch): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, colourType, 0, 0, interlaced ? 1 : 0], 8);
  const channels = CHANNELS[colourType];
  const rows: number[] = [];
  for (const [x0, y0, dx, dy] of interlaced ? ADAM7 : [[0, 0, 1, 1] as const]) {
    for (let y = y0; y < height && x0 < width; y += dy) {
      const row: number[] = [];
      for (let x = x0; x < width; x += dx) {
        const first = (y * width + x) * channels;
        row.push(...samples.slice(first, first + channels));
      }
      rows.push(...packRow(row, depth));
    }
  }
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    ...(palette ? [chunk('PLTE', palette)] : []),
    ...(transparency ? [chunk('tRNS', transparency)] : []),
    chunk('IDAT', deflateSync(Buffer.from(rows))),
    chunk('IEND', []),
  ]);
}

const pixels = (sketch: Sketch): number[] => [...decodePng(writePng(sketch)).image.data];
const PICTURE = createImage(2, 2, Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30));

describe('our own PNG files', () => {
  it('come back as they were, with their text', () => {
    const text = { Recipe: JSON.stringify({ prompt: 'a red star', seed: 7 }), Comment: 'caf\u00e9' };
    expect(decodePng(encodePng(PICTURE, text))).toEqual({ image: PICTURE, text });
  });

  it('come back at any size', () => {
    for (const [width, height] of [
      [1, 1],
      [7, 3],
      [64, 64],
    ] as const) {
      const image = createImage(
        width,
        height,
        Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 37) % 256),
      );
      expect(decodePng(encodePng(image)).image).toEqual(image);
    }
  });

  it('are read from the middle of a larger buffer', () => {
    const file = encodePng(PICTURE);
    const buffer = new Uint8Array(file.length + 20);
    buffer.set(file, 10);
    expect(decodePng(buffer.subarray(10, 10 + file.length)).image).toEqual(PICTURE);
  });

  it('refuse text that PNG cannot hold', () => {
    expect(() => encodePng(PICTURE, { Recipe: 'a star \u2605' })).toThrow(/latin1/);
  });
});

describe('PNG files of other programs', () => {
  it.each([
    [1, [0, 1, 1, 0, 1, 0, 0, 0, 1, 1], [0, 255, 255, 0, 255, 0, 0, 0, 255, 255]],
    [2, [0, 1, 2, 3, 3, 2, 1, 0, 0, 1], [0, 85, 170, 255, 255, 170, 85, 0, 0, 85]],
    [4, [0, 1, 8, 15, 3, 4, 5, 6, 7, 9], [0, 17, 136, 255, 51, 68, 85, 102, 119, 153]],
    [8, [0, 1, 128, 255, 3, 4, 5, 6, 7, 9], [0, 1, 128, 255, 3, 4, 5, 6, 7, 9]],
    [16, [0, 255, 256, 65535, 0x8040, 0, 0, 0, 0, 0], [0, 0, 1, 255, 0x80, 0, 0, 0, 0, 0]],
  ])('grey of %i bits', (depth, samples, greys) => {
    expect(pixels({ width: 5, height: 2, depth, colourType: 0, samples })).toEqual(
      greys.flatMap((g) => [g, g, g]),
    );
  });

  it.each([1, 2, 4, 8])('a palette of %i bits, some of its colours transparent', (depth) => {
    const palette = [10, 20, 30, 200, 100, 0];
    const sketch: Sketch = {
      width: 3,
      height: 2,
      depth,
      colourType: 3,
      samples: [0, 1, 0, 1, 1, 0],
      palette,
    };
    const [a, b] = [palette.slice(0, 3), palette.slice(3)];
    expect(pixels(sketch)).toEqual([a, b, a, b, b, a].flat());
    const overWhite = [255, 255, 255];
    expect(pixels({ ...sketch, transparency: [0] })).toEqual(
      [overWhite, b, overWhite, b, b, overWhite].flat(),
    );
  });

  it('an alpha channel, laid over white', () => {
    const grey: Sketch = { width: 3, height: 1, depth: 8, colourType: 4, samples: [0, 255, 0, 0, 100, 51] };
    expect(pixels(grey)).toEqual([0, 255, 224].flatMap((value) => [value, value, value]));
    const rgba: Sketch = {
      width: 2,
      height: 1,
      depth: 8,
      colourType: 6,
      samples: [255, 0, 0, 255, 0, 0, 255, 51],
    };
    expect(pixels(rgba)).toEqual([255, 0, 0, 204, 204, 255]);
    const deep = { ...rgba, depth: 16, samples: rgba.samples.map((sample) => sample * 257) };
    expect(pixels(deep)).toEqual(pixels(rgba));
  });

  it('one transparent colour, laid over white', () => {
    const grey: Sketch = {
      width: 3,
      height: 1,
      depth: 2,
      colourType: 0,
      samples: [0, 1, 2],
      transparency: [0, 1],
    };
    expect(pixels(grey)).toEqual([0, 255, 170].flatMap((value) => [value, value, value]));
    const samples = [1, 2, 3, 1, 2, 4, 2, 2, 3];
    const rgb: Sketch = {
      width: 3,
      height: 1,
      depth: 8,
      colourType: 2,
      samples,
      transparency: [0, 1, 0, 2, 0, 3],
    };
    expect(pixels(rgb)).toEqual([255, 255, 255, 1, 2, 4, 2, 2, 3]);
  });

  it('RGB with a palette that is only a suggestion', () => {
    const samples = [0, 1, 2, 3, 4, 5];
    expect(pixels({ width: 2, height: 1, depth: 8, colourType: 2, samples, palette: [9, 9, 9] })).toEqual(
      samples,
    );
  });

  it('interlaced', () => {
    const samples = Array.from({ length: 9 * 10 * 3 }, (_, i) => (i * 7) % 256);
    const sketch: Sketch = { width: 9, height: 10, depth: 8, colourType: 2, samples };
    expect(pixels({ ...sketch, interlaced: true })).toEqual(samples);
    const deep = { ...sketch, depth: 16, samples: samples.map((sample) => sample * 257) };
    expect(pixels({ ...deep, interlaced: true })).toEqual(samples);
  });
});

describe('files that are no pictures', () => {
  const refuse = (bytes: Uint8Array): unknown => {
    try {
      decodePng(bytes, 'cat.png');
    } catch (error) {
      expect(error).toBeInstanceOf(VarsearchError);
      return (error as Error).message;
    }
    return 'no error';
  };
  const file = encodePng(PICTURE, { Recipe: 'a red star' });

  it.each([
    ['nothing', new Uint8Array(0)],
    ['another format', Buffer.from('GIF89a and then some more bytes, enough for a header')],
    ['a PNG cut in half', file.subarray(0, file.length / 2)],
    ['a PNG without its end', file.subarray(0, -12)],
    ['a PNG with a changed byte', file.map((byte, i) => (i === file.length - 30 ? byte ^ 1 : byte))],
  ])('%s', (_, bytes) => {
    expect(refuse(bytes)).toBe('cat.png is not a readable PNG file');
  });

  it('no prefix of a file is taken for a picture', () => {
    for (let length = 0; length < file.length; length++) {
      expect(refuse(file.subarray(0, length))).not.toBe('no error');
    }
  });

  it('a picture too large to be meant', () => {
    const huge = Buffer.from(file);
    huge.writeUInt32BE(0xffffffff, 16);
    expect(refuse(huge)).toMatch(/cat.png is a picture of 4294967295 x 2 pixels/);
    huge.writeUInt32BE(0, 16);
    expect(refuse(huge)).toMatch(/0 x 2 pixels/);
  });

  it('a palette that lacks a colour', () => {
    const sketch: Sketch = {
      width: 2,
      height: 1,
      depth: 8,
      colourType: 3,
      samples: [0, 5],
      palette: [1, 2, 3],
    };
    expect(refuse(writePng(sketch))).toBe('cat.png uses colour 5 of a palette of 1');
    expect(refuse(writePng({ ...sketch, palette: [] }))).toBe('cat.png uses colour 0 of a palette of 0');
  });

  it('interlaced pixels of less than a byte, which fast-png reads wrongly', () => {
    const sketch: Sketch = {
      width: 3,
      height: 1,
      depth: 2,
      colourType: 0,
      samples: [0, 1, 2],
      interlaced: true,
    };
    expect(refuse(writePng(sketch))).toMatch(/interlaced with 2 bits a pixel.*save it without interlacing/);
  });
});

describe('pictures from decoders', () => {
  it('go from -1..1 to bytes, clamped and cut', () => {
    const red = [-1, 0, 1, -9];
    const green = [1, 0.5, -0.5, 9];
    const blue = [0.999, -0.999, 0.004, NaN];
    const { data } = imageFromPlanes(Float32Array.from([...red, ...green, ...blue]), 2, 2);
    expect([...data]).toEqual([0, 255, 254, 127, 191, 0, 255, 63, 128, 0, 255, 0]);
  });

  it('must have all their bytes', () => {
    expect(() => createImage(2, 2, new Uint8Array(11))).toThrow(/2 x 2 RGB picture has 12 bytes, got 11/);
  });
});

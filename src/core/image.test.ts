import { randomFillSync } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';

import { chunk, head, pngOf } from '../../test/fixtures/png-parts.js';
import { readPng } from '../../test/fixtures/read-png.js';
import { createImage, encodePng, imageFromPlanes, psnr } from './image.js';
import { type DecodedPicture, decodePicture } from './image-file.js';

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

/** The bytes of a row of samples, with the filter byte before them (0: none). */
function packRow(samples: readonly number[], depth: number): number[] {
  const bits = samples.map((sample) => sample.toString(2).padStart(depth, '0')).join('');
  const bytes = bits.match(/.{1,8}/g) ?? [];
  return [0, ...bytes.map((byte) => parseInt(byte.padEnd(8, '0'), 2))];
}

/** Writes PNG files that the encoder cannot write. */
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
  return pngOf(
    head(width, height, depth, colourType, interlaced ? 1 : 0),
    ...(palette ? [chunk('PLTE', palette)] : []),
    ...(transparency ? [chunk('tRNS', transparency)] : []),
    chunk('IDAT', deflateSync(Buffer.from(rows))),
  );
}

const decode = (file: Uint8Array): Promise<DecodedPicture> => decodePicture(file, 'cat.png');
const pixels = async (sketch: Sketch): Promise<number[]> => [...(await decode(writePng(sketch))).image.data];
const PICTURE = createImage(2, 2, Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30));

describe('our own PNG files', () => {
  it('come back as they were, with their text', async () => {
    const text = { Recipe: JSON.stringify({ prompt: 'a red star', seed: 7 }), Comment: 'caf\u00e9' };
    expect(await decode(await encodePng(PICTURE, text))).toEqual({ image: PICTURE, text });
  });

  it('are packed off the main thread, in pieces', async () => {
    const side = 1500;
    const noise = randomFillSync(new Uint8Array(side * side * 3));
    const image = createImage(side, side, noise);
    let turns = 0;
    const look = setInterval(() => turns++, 0);
    const file = Buffer.from(await encodePng(image));
    clearInterval(look);
    expect(turns).toBeGreaterThan(5);
    expect(file.toString('latin1').match(/IDAT/g)?.length).toBeGreaterThan(5);
    for (const { data } of [(await decode(file)).image, readPng(file).image]) {
      expect(Buffer.compare(data, noise)).toBe(0);
    }
  });

  it('come back at any size', async () => {
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
      expect((await decode(await encodePng(image))).image).toEqual(image);
    }
  });

  it('are read from the middle of a larger buffer', async () => {
    const file = await encodePng(PICTURE);
    const buffer = new Uint8Array(file.length + 20);
    buffer.set(file, 10);
    expect((await decode(buffer.subarray(10, 10 + file.length))).image).toEqual(PICTURE);
  });

  it('hold any text, before the pixels', async () => {
    const text = { Recipe: 'a star \u2605', Comment: 'two\nlines' };
    const file = Buffer.from(await encodePng(PICTURE, text));
    expect((await decode(file)).text).toEqual(text);
    expect([file.indexOf('iTXtRecipe'), file.indexOf('tEXtComment')].every((at) => at > 0)).toBe(true);
    expect(file.indexOf('IDAT')).toBeGreaterThan(file.indexOf('tEXtComment'));
    await expect(encodePng(PICTURE, { '': 'x' })).rejects.toThrow(/a keyword of PNG has 1 to 79 characters/);
  });
});

describe('PNG files of other programs', () => {
  it.each([
    [1, [0, 1, 1, 0, 1, 0, 0, 0, 1, 1], [0, 255, 255, 0, 255, 0, 0, 0, 255, 255]],
    [2, [0, 1, 2, 3, 3, 2, 1, 0, 0, 1], [0, 85, 170, 255, 255, 170, 85, 0, 0, 85]],
    [4, [0, 1, 8, 15, 3, 4, 5, 6, 7, 9], [0, 17, 136, 255, 51, 68, 85, 102, 119, 153]],
    [8, [0, 1, 128, 255, 3, 4, 5, 6, 7, 9], [0, 1, 128, 255, 3, 4, 5, 6, 7, 9]],
    [16, [0, 255, 256, 65535, 0x8040, 0, 0, 0, 0, 0], [0, 0, 1, 255, 0x80, 0, 0, 0, 0, 0]],
  ])('grey of %i bits', async (depth, samples, greys) => {
    expect(await pixels({ width: 5, height: 2, depth, colourType: 0, samples })).toEqual(
      greys.flatMap((g) => [g, g, g]),
    );
  });

  it.each([1, 2, 4, 8])('a palette of %i bits, some of its colours transparent', async (depth) => {
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
    expect(await pixels(sketch)).toEqual([a, b, a, b, b, a].flat());
    const overWhite = [255, 255, 255];
    expect(await pixels({ ...sketch, transparency: [0] })).toEqual(
      [overWhite, b, overWhite, b, b, overWhite].flat(),
    );
  });

  it('an alpha channel, laid over white', async () => {
    const grey: Sketch = { width: 3, height: 1, depth: 8, colourType: 4, samples: [0, 255, 0, 0, 100, 51] };
    expect(await pixels(grey)).toEqual([0, 255, 224].flatMap((value) => [value, value, value]));
    const rgba: Sketch = {
      width: 2,
      height: 1,
      depth: 8,
      colourType: 6,
      samples: [255, 0, 0, 255, 0, 0, 255, 51],
    };
    expect(await pixels(rgba)).toEqual([255, 0, 0, 204, 204, 255]);
    const deep = { ...rgba, depth: 16, samples: rgba.samples.map((sample) => sample * 257) };
    expect(await pixels(deep)).toEqual(await pixels(rgba));
  });

  it('one transparent colour, laid over white', async () => {
    const grey: Sketch = {
      width: 3,
      height: 1,
      depth: 2,
      colourType: 0,
      samples: [0, 1, 2],
      transparency: [0, 1],
    };
    expect(await pixels(grey)).toEqual([0, 255, 170].flatMap((value) => [value, value, value]));
    const samples = [1, 2, 3, 1, 2, 4, 2, 2, 3];
    const rgb: Sketch = {
      width: 3,
      height: 1,
      depth: 8,
      colourType: 2,
      samples,
      transparency: [0, 1, 0, 2, 0, 3],
    };
    expect(await pixels(rgb)).toEqual([255, 255, 255, 1, 2, 4, 2, 2, 3]);
  });

  it('RGB with a palette that is only a suggestion', async () => {
    const samples = [0, 1, 2, 3, 4, 5];
    expect(
      await pixels({ width: 2, height: 1, depth: 8, colourType: 2, samples, palette: [9, 9, 9] }),
    ).toEqual(samples);
  });

  it('interlaced', async () => {
    const samples = Array.from({ length: 9 * 10 * 3 }, (_, i) => (i * 7) % 256);
    const sketch: Sketch = { width: 9, height: 10, depth: 8, colourType: 2, samples };
    expect(await pixels({ ...sketch, interlaced: true })).toEqual(samples);
    const deep = { ...sketch, depth: 16, samples: samples.map((sample) => sample * 257) };
    expect(await pixels({ ...deep, interlaced: true })).toEqual(samples);
  });
});

describe('PNG files that are damaged', async () => {
  const refusal = (bytes: Uint8Array): Promise<string> =>
    decode(bytes).then(
      () => 'no error',
      (error: unknown) => (error as Error).message,
    );
  const file = await encodePng(PICTURE, { Recipe: 'a red star' });
  const data = Buffer.from(file).indexOf('IDAT');

  it.each([
    ['cut in half', file.subarray(0, file.length / 2)],
    ['with a changed byte of its pixels', file.map((byte, i) => (i === data + 12 ? byte ^ 1 : byte))],
    ['with a changed byte of its head', file.map((byte, i) => (i === 24 ? byte ^ 1 : byte))],
    ['without pixels', pngOf(head(2, 2))],
    [
      'with a damaged palette',
      pngOf(head(1, 1, 8, 3), chunk('PLTE', [1, 2, 3], 0), chunk('IDAT', deflateSync(Buffer.of(0, 0)))),
    ],
  ])('%s', async (_, bytes) => {
    expect(await refusal(bytes)).toMatch(/^cat\.png is not a readable PNG file: ./);
  });

  it('no prefix of a file without all its pixels is taken for a picture', async () => {
    for (let length = 0; length < file.length - 12; length++) {
      expect(await refusal(file.subarray(0, length)), String(length)).not.toBe('no error');
    }
  });

  it('too large to be meant', async () => {
    expect(await refusal(pngOf(head(0xffffffff, 2), chunk('IDAT', '')))).toMatch(
      /cat.png is a picture of 4294967295 x 2 pixels: at most 67108864/,
    );
    expect(await refusal(pngOf(head(0, 2), chunk('IDAT', '')))).toMatch(/0 x 2 pixels/);
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

describe('psnr', () => {
  it('is that of the mean square error over the largest value, and bounded for equal pictures', () => {
    const [dark, light] = [10, 20].map((value) => createImage(2, 1, new Uint8Array(6).fill(value)));
    if (!dark || !light) throw new Error('no pictures');
    expect(psnr(dark, light)).toBeCloseTo(10 * Math.log10(255 ** 2 / 100), 10);
    expect(psnr(dark, dark)).toBeCloseTo(78.13, 2);
  });
});

import { encode } from 'jpeg-js';
import { describe, expect, it } from 'vitest';

import { VarsearchError } from './errors.js';
import type { Image } from './image.js';
import { decodePicture } from './image-file.js';
import { decodeJpeg } from './image-jpeg.js';

/** 32 x 16: red left, blue right, the lower half of the left green. */
const WIDTH = 32;
const HEIGHT = 16;
type Corners = readonly [topLeft: string, topRight: string, bottomLeft: string, bottomRight: string];

function jpeg(): Buffer {
  const data = new Uint8Array(WIDTH * HEIGHT * 4).fill(255);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const colour = x >= WIDTH / 2 ? [0, 0, 255] : y >= HEIGHT / 2 ? [0, 255, 0] : [255, 0, 0];
      data.set(colour, (y * WIDTH + x) * 4);
    }
  }
  return encode({ width: WIDTH, height: HEIGHT, data }, 95).data;
}

/** The file with an Exif block that gives an orientation, in either order of bytes. */
function withOrientation(file: Buffer, orientation: number, order: 'II' | 'MM'): Buffer {
  const tiff = Buffer.alloc(26);
  const u16 = (value: number, at: number): unknown =>
    order === 'II' ? tiff.writeUInt16LE(value, at) : tiff.writeUInt16BE(value, at);
  const u32 = (value: number, at: number): unknown =>
    order === 'II' ? tiff.writeUInt32LE(value, at) : tiff.writeUInt32BE(value, at);
  tiff.write(order, 0, 'latin1');
  u16(42, 2);
  u32(8, 4);
  u16(1, 8);
  u16(0x0112, 10);
  u16(3, 12);
  u32(1, 14);
  u16(orientation, 18);
  const head = Buffer.from('\xff\xe1\0\0Exif\0\0', 'latin1');
  head.writeUInt16BE(tiff.length + 8, 2);
  return Buffer.concat([file.subarray(0, 2), head, tiff, file.subarray(2)]);
}

function nameOf(image: Image, x: number, y: number): string {
  const at = (y * image.width + x) * 3;
  const strongest = image.data.subarray(at, at + 3).indexOf(Math.max(...image.data.subarray(at, at + 3)));
  return ['red', 'green', 'blue'][strongest] ?? '?';
}

function corners(image: Image): Corners {
  const [right, bottom] = [image.width - 3, image.height - 3];
  return [
    nameOf(image, 2, 2),
    nameOf(image, right, 2),
    nameOf(image, 2, bottom),
    nameOf(image, right, bottom),
  ];
}

describe('decodeJpeg', () => {
  it('reads a picture, near to what was written', () => {
    const { image, text } = decodePicture(jpeg(), 'cat.jpg');
    expect([image.width, image.height, image.data.length, text]).toEqual([32, 16, 32 * 16 * 3, {}]);
    expect(corners(image)).toEqual(['red', 'blue', 'green', 'blue']);
    const [red = 0, green = 0, blue = 0] = image.data.subarray((2 * WIDTH + 2) * 3);
    expect([red > 240, green < 15, blue < 15]).toEqual([true, true, true]);
  });

  it.each([
    [1, ['red', 'blue', 'green', 'blue']],
    [2, ['blue', 'red', 'blue', 'green']],
    [3, ['blue', 'green', 'blue', 'red']],
    [4, ['green', 'blue', 'red', 'blue']],
    [5, ['red', 'green', 'blue', 'blue']],
    [6, ['green', 'red', 'blue', 'blue']],
    [7, ['blue', 'blue', 'green', 'red']],
    [8, ['blue', 'blue', 'red', 'green']],
    [9, ['red', 'blue', 'green', 'blue']],
  ] as const)('turns a picture of orientation %i upright', (orientation, expected) => {
    for (const order of ['II', 'MM'] as const) {
      const { image } = decodeJpeg(withOrientation(jpeg(), orientation, order));
      expect(corners(image)).toEqual(expected);
      expect(image.width).toBe(orientation >= 5 && orientation <= 8 ? HEIGHT : WIDTH);
    }
  });

  it('refuses files that are damaged or cut off, naming them', () => {
    const file = withOrientation(jpeg(), 6, 'MM');
    for (const length of [3, 20, 40, 200, Math.floor(file.length / 2), file.length - 30]) {
      expect(() => decodeJpeg(file.subarray(0, length), 'cat.jpg')).toThrow(
        /^cat\.jpg is not a readable JPEG file/,
      );
    }
  });

  it('gives a picture or a VarsearchError, whatever is changed in the head of a file', () => {
    const file = withOrientation(jpeg(), 6, 'II');
    for (let at = 0; at < Math.min(file.length, 250); at++) {
      for (const byte of [0, 1, 0x7f, 0xff]) {
        const changed = Buffer.from(file);
        changed[at] = byte;
        try {
          const { image } = decodeJpeg(changed, 'cat.jpg');
          expect(image.data).toHaveLength(image.width * image.height * 3);
        } catch (error) {
          expect(error).toBeInstanceOf(VarsearchError);
        }
      }
    }
  });
});

import { describe, expect, it } from 'vitest';

import { VarsearchError } from './errors.js';
import { createImage, encodePng } from './image.js';
import { decodePicture, isPictureName } from './image-file.js';

const PICTURE = createImage(2, 1, Uint8Array.of(255, 0, 0, 0, 255, 0));

function refusal(bytes: Uint8Array | string): string {
  try {
    decodePicture(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, 'cat.jpg');
  } catch (error) {
    expect(error).toBeInstanceOf(VarsearchError);
    return (error as Error).message;
  }
  return 'no error';
}

describe('decodePicture', () => {
  it('reads a PNG file with its text, whatever it is called and wherever it lies in a buffer', () => {
    const file = encodePng(PICTURE, { note: 'red' });
    const buffer = new Uint8Array(file.length + 9);
    buffer.set(file, 5);
    const read = decodePicture(buffer.subarray(5, 5 + file.length), 'cat.jpg');
    expect(read).toEqual({ image: PICTURE, text: { note: 'red' } });
  });

  it.each([
    ['WebP', 'RIFF\x10\0\0\0WEBPVP8 '],
    ['GIF', 'GIF89a\x01\0'],
    ['AVIF', '\0\0\0\x20ftypavif\0\0\0\0'],
    ['HEIC', '\0\0\0\x18ftypheic\0\0\0\0'],
    ['JPEG XL', '\xff\x0a\0\0'],
    ['JPEG XL', '\0\0\0\x0cJXL \r\n\x87\n'],
    ['TIFF', 'II*\0\x08\0\0\0'],
    ['BMP', 'BM\x46\0\0\0'],
  ])('names %s and the remedy', (format, bytes) => {
    expect(refusal(bytes)).toMatch(
      new RegExp(`^cat\\.jpg is a ${format} picture, which cannot be read: convert it to PNG`),
    );
  });

  it.each([
    ['', /^cat\.jpg is an empty file$/],
    [
      '<svg xmlns="http://www.w3.org/2000/svg"/>',
      /^cat\.jpg is not a picture that can be read: it has to be PNG/,
    ],
    ['\x89PNG\n', /^cat\.jpg is not a readable PNG file$/],
    ['\0', /is not a picture/],
  ])('explains %j', (bytes, message) => {
    expect(refusal(bytes)).toMatch(message);
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

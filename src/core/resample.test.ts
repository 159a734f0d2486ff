import { describe, expect, it } from 'vitest';

import { createImage } from './image.js';
import { resample, shrink } from './resample.js';

describe('resample', () => {
  it('averages what a pixel covers, and leaves out no part of the picture', async () => {
    // Black and white columns, one pixel each: grey at a quarter of the size.
    const stripes = createImage(
      64,
      8,
      Uint8Array.from({ length: 64 * 8 * 3 }, (_, i) => (Math.floor(i / 3) % 2) * 255),
    );
    const { width, height, data } = await resample(stripes, 16, 2);
    expect([width, height]).toEqual([16, 2]);
    for (const value of data) expect(Math.abs(value - 127.5)).toBeLessThan(16);
  });

  it('keeps the three colours apart', async () => {
    const image = createImage(
      20,
      20,
      Uint8Array.from({ length: 1200 }, (_, i) => [10, 100, 200][i % 3] ?? 0),
    );
    expect([...(await resample(image, 1, 1)).data]).toEqual([10, 100, 200]);
    expect([...(await resample(image, 3, 30)).data.subarray(0, 6)]).toEqual([10, 100, 200, 10, 100, 200]);
    expect(await resample(image, 20, 20)).toBe(image);
  });
});

describe('shrink', () => {
  it('keeps the proportions and never enlarges', async () => {
    const wide = createImage(40, 10, new Uint8Array(1200).fill(7));
    expect(await shrink(wide, 20)).toMatchObject({ width: 20, height: 5 });
    expect(await shrink(wide, 2)).toMatchObject({ width: 2, height: 1 });
    expect(await shrink(wide, 40)).toBe(wide);
    expect(new Set((await shrink(wide, 13)).data)).toEqual(new Set([7]));
  });
});

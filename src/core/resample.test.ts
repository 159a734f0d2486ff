import { describe, expect, it } from 'vitest';

import { createImage } from './image.js';
import { resample, shrink } from './resample.js';

describe('resample', () => {
  it('averages the area that a pixel covers', () => {
    const image = createImage(3, 1, Uint8Array.of(0, 0, 0, 90, 90, 90, 240, 240, 240));
    // The first of two pixels covers one and a half of three: (0 + 90 / 2) / 1.5.
    expect([...resample(image, 2, 1).data]).toEqual([30, 30, 30, 190, 190, 190]);
    expect([...resample(image, 1, 1).data]).toEqual([110, 110, 110]);
  });

  it('repeats pixels when it enlarges', () => {
    const image = createImage(1, 2, Uint8Array.of(1, 2, 3, 4, 5, 6));
    expect([...resample(image, 2, 2).data]).toEqual([1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6]);
  });
});

describe('shrink', () => {
  it('keeps the proportions and never enlarges', () => {
    const wide = createImage(40, 10, new Uint8Array(1200).fill(7));
    expect(shrink(wide, 20)).toMatchObject({ width: 20, height: 5 });
    expect(shrink(wide, 2)).toMatchObject({ width: 2, height: 1 });
    expect(shrink(wide, 40)).toBe(wide);
    expect(new Set(shrink(wide, 13).data)).toEqual(new Set([7]));
  });
});

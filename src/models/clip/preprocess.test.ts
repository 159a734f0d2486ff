import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { greyPicture, patternPicture } from '../../../test/fixtures/pictures.js';
import { CLIP_DEVIATION, CLIP_MEAN, fit, preprocess } from './preprocess.js';

interface Golden {
  readonly madeBy: string;
  readonly cases: readonly {
    readonly width: number;
    readonly height: number;
    readonly size: number;
    readonly bytes: string;
  }[];
}

const golden = JSON.parse(
  readFileSync(new URL('../../../test/fixtures/pillow-bicubic.json', import.meta.url), 'utf8'),
) as Golden;

describe('fit', () => {
  it.each(golden.cases)(
    'equals Pillow to the byte: $width x $height to $size',
    ({ width, height, size, bytes }) => {
      const fitted = fit(patternPicture(width, height), { shorterSide: size, size });
      expect([fitted.width, fitted.height]).toEqual([size, size]);
      expect(Buffer.from(fitted.data).equals(Buffer.from(bytes, 'base64'))).toBe(true);
    },
  );

  it('gives a picture of the right size back as it is', () => {
    const image = patternPicture(24, 24);
    expect(fit(image, { shorterSide: 24, size: 24 })).toBe(image);
  });

  it('rounds the offset of the crop half to even, as Python does', () => {
    // One column too many on one side: torchvision cuts off 0.5 -> 0 and 1.5 -> 2 columns at the left.
    for (const [width, left] of [
      [25, 0],
      [27, 2],
    ] as const) {
      const image = patternPicture(width, 24);
      const fitted = fit(image, { shorterSide: 24, size: 24 });
      expect([...fitted.data.subarray(0, 3)]).toEqual([...image.data.subarray(left * 3, left * 3 + 3)]);
    }
  });

  it('stays quick for absurd ratios, since only the crop is computed', () => {
    const fitted = fit(greyPicture(30_000, 1, 77), { shorterSide: 224, size: 224 });
    expect(fitted.data.every((byte) => byte === 77)).toBe(true);
  });
});

describe('preprocess', () => {
  const options = { shorterSide: 8, size: 8, mean: CLIP_MEAN, deviation: CLIP_DEVIATION };

  it('gives planes with mean and deviation applied in float32', () => {
    const image = patternPicture(8, 8);
    const pixels = preprocess([greyPicture(8, 8), image], options);
    expect(pixels.length).toBe(2 * 3 * 64);
    for (let channel = 0; channel < 3; channel++) {
      const value = (byte: number): number =>
        (byte / 255 - (CLIP_MEAN[channel] ?? 0)) / (CLIP_DEVIATION[channel] ?? 0);
      expect(pixels[channel * 64 + 5]).toBeCloseTo(value(128), 5);
      expect(pixels[(3 + channel) * 64 + 10]).toBeCloseTo(value(image.data[10 * 3 + channel] ?? 0), 5);
    }
  });

  it('does the same to a picture whatever stands beside it', () => {
    const images = [patternPicture(20, 13), patternPicture(1, 1), patternPicture(8, 8)];
    const all = preprocess(images, options);
    const single = images.flatMap((image) => [...preprocess([image], options)]);
    expect([...all]).toEqual(single);
  });
});

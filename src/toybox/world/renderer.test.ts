import { describe, expect, it } from 'vitest';

import type { Image } from '../../core/image.js';
import { renderScene } from './renderer.js';
import type { SceneObject } from './scene.js';

const pixel = ({ width, data }: Image, x: number, y: number): number[] => [
  ...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
];

const square: SceneObject = { shape: 'square', colour: 'red', texture: 'plain', radius: 10, x: 32, y: 32 };

describe('renderScene', () => {
  it('paints the background and the colour, and mixes them by coverage at the edge', () => {
    const image = renderScene({ background: 'mist', objects: [square] });
    expect(image).toMatchObject({ width: 64, height: 64 });
    expect(pixel(image, 0, 0)).toEqual([214, 228, 242]);
    expect(pixel(image, 32, 32)).toEqual([214, 39, 40]);
    // The square ends at 32 + 8.2: pixel 40 is covered by 0.2.
    expect(pixel(image, 40, 32)).toEqual([214, Math.round(228 - 0.2 * 189), Math.round(242 - 0.2 * 202)]);
    expect(pixel(image, 41, 32)).toEqual([214, 228, 242]);
  });

  it('draws dark bands 4 px high that lie still on the picture, wherever the object is', () => {
    for (const y of [32, 33.25]) {
      const image = renderScene({ background: 'white', objects: [{ ...square, texture: 'striped', y }] });
      const reds = Array.from({ length: 9 }, (_, row) => pixel(image, 32, 28 + row)[0]);
      expect(reds).toEqual([75, 75, 214, 214, 214, 214, 75, 75, 75]);
      expect(pixel(image, 27, 32)).toEqual([214, 39, 40]);
    }
  });

  it('draws two dark dots in every square of 8 px, on its diagonal', () => {
    const image = renderScene({ background: 'white', objects: [{ ...square, texture: 'dotted' }] });
    for (const [x, y] of [[33, 33], [34, 34], [37, 37], [25, 33], [29, 29]] as const) expect(pixel(image, x, y)[0]).toBe(75); // prettier-ignore
    for (const [x, y] of [[37, 33], [33, 37], [32, 39], [36, 34]] as const) expect(pixel(image, x, y)[0]).toBe(214); // prettier-ignore
  });
});

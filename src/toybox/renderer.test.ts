import { describe, expect, it } from 'vitest';

import type { Image } from '../core/image.js';
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

  it('draws dark bands 3 px high with the centre in a light one', () => {
    const image = renderScene({ background: 'white', objects: [{ ...square, texture: 'striped', y: 32.5 }] });
    const reds = [29, 30, 31, 32, 33, 34, 35].map((y) => pixel(image, 32, y)[0]);
    expect(reds).toEqual([75, 75, 214, 214, 214, 75, 75]);
    expect(pixel(image, 27, 32)).toEqual([214, 39, 40]);
  });

  it('draws dark dots on a lattice through the centre', () => {
    const objects = [{ ...square, texture: 'dotted', x: 32.5, y: 32.5 } as const];
    const image = renderScene({ background: 'white', objects });
    expect(pixel(image, 32, 32)[0]).toBe(75);
    expect(pixel(image, 38, 26)[0]).toBe(75);
    expect(pixel(image, 35, 32)[0]).toBe(214);
    expect(pixel(image, 32, 35)[0]).toBe(214);
  });
});

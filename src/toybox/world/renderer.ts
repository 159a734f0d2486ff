// Draws a scene by signed distances, with anti-aliased edges. The Python port in training/ computes the same
// picture: coverage = clamp(0.5 - distance in pixels), painted in object order over the background.

import type { Image } from '../../core/image.js';
import type { Scene, SceneObject } from './scene.js';
import { BACKGROUND_RGB, COLOUR_RGB, DARK_SHADE, PICTURE_SIDE } from './scene.js';
import { EXTENTS, unitDistance } from './shapes.js';

/**
 * Period of stripes and dots in pixels. Textures lie still on the picture, as on a screen, and their period is the
 * VAE's patch: what a texture looks like in a patch does not depend on where the object is.
 */
export const TEXTURE_PERIOD = 8;
/** Radius of a dark dot in pixels. */
const DOT_RADIUS = 1.7;

const clamp01 = (value: number): number => Math.min(1, Math.max(0, value));
const modulo = (value: number, period: number): number => value - period * Math.floor(value / period);

/** How much of the dark shade shows, 0..1, at a place in pixels from the picture's upper left corner. */
export function darkness(texture: SceneObject['texture'], x: number, y: number): number {
  const quarter = TEXTURE_PERIOD / 4;
  switch (texture) {
    case 'plain':
      return 0;
    case 'striped':
      // Dark bands of half a period, light bands of a quarter above and below.
      return clamp01(0.5 + quarter - Math.abs(modulo(y, TEXTURE_PERIOD) - 2 * quarter));
    case 'dotted': {
      // Two dots in a square of one period, on its diagonal: the lattice of the five on a die.
      const [u, v] = [modulo(x, TEXTURE_PERIOD) - 2 * quarter, modulo(y, TEXTURE_PERIOD) - 2 * quarter];
      const nearest = Math.min(Math.hypot(u + quarter, v + quarter), Math.hypot(u - quarter, v - quarter));
      return clamp01(0.5 + DOT_RADIUS - nearest);
    }
  }
}

function paintObject(canvas: Float64Array, object: SceneObject): void {
  const { shape, texture, radius, x, y } = object;
  const [red, green, blue] = COLOUR_RGB[object.colour];
  const extent = EXTENTS[shape];
  const limit = (value: number): number => Math.min(PICTURE_SIDE, Math.max(0, value));
  const firstRow = limit(Math.floor(y - radius * extent.up - 1));
  const lastRow = limit(Math.ceil(y + radius * extent.down + 1));
  const firstColumn = limit(Math.floor(x - radius * extent.left - 1));
  const lastColumn = limit(Math.ceil(x + radius * extent.right + 1));
  for (let row = firstRow; row < lastRow; row++) {
    for (let column = firstColumn; column < lastColumn; column++) {
      const dx = column + 0.5 - x;
      const dy = row + 0.5 - y;
      const coverage = clamp01(0.5 - radius * unitDistance(shape, dx / radius, dy / radius));
      if (coverage === 0) continue;
      const shade = 1 - (1 - DARK_SHADE) * darkness(texture, column + 0.5, row + 0.5);
      const at = (row * PICTURE_SIDE + column) * 3;
      canvas[at] = mix(canvas[at] ?? 0, red * shade, coverage);
      canvas[at + 1] = mix(canvas[at + 1] ?? 0, green * shade, coverage);
      canvas[at + 2] = mix(canvas[at + 2] ?? 0, blue * shade, coverage);
    }
  }
}

const mix = (under: number, over: number, coverage: number): number => under + coverage * (over - under);

/** Draws a scene as a picture of 64 x 64 RGB bytes. */
export function renderScene(scene: Scene): Image {
  const canvas = new Float64Array(PICTURE_SIDE * PICTURE_SIDE * 3);
  const background = BACKGROUND_RGB[scene.background];
  for (let i = 0; i < canvas.length; i++) canvas[i] = background[i % 3] ?? 0;
  for (const object of scene.objects) paintObject(canvas, object);
  const data = new Uint8Array(canvas.length);
  for (let i = 0; i < canvas.length; i++) data[i] = Math.floor((canvas[i] as number) + 0.5);
  return { width: PICTURE_SIDE, height: PICTURE_SIDE, data };
}

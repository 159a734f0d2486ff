// First half of the detector: the background, and the connected pixels that are not background.

import type { Image } from '../../core/image.js';
import type { Rgb } from '../world/scene.js';
import { COLOURS, PICTURE_SIDE } from '../world/scene.js';
import type { Mixture } from './unmix.js';
import { Unmixer } from './unmix.js';

/** Some connected pixels that are not background. */
export interface Component {
  /** Indices into the picture, row by row. */
  readonly pixels: readonly number[];
  readonly left: number;
  readonly top: number;
  /** One past the last column and row. */
  readonly right: number;
  readonly bottom: number;
}

/** A picture taken apart: per pixel the best colour (index, or -1 for background) and its coverage. */
export interface Layers {
  readonly image: Image;
  /** One for each palette colour, over this picture's background. */
  readonly unmixers: readonly Unmixer[];
  readonly colour: Int8Array;
  readonly coverage: Float32Array;
}

/** RGB distance from the background below which a pixel is not looked at further. */
const BACKGROUND_NOISE = 16;
/** Coverage from which a pixel belongs to an object. */
export const FOREGROUND = 0.5;

/** The median of one channel. */
function median({ data }: Image, channel: number): number {
  const counts = new Uint32Array(256);
  for (let i = channel; i < data.length; i += 3) {
    const value = data[i] as number;
    counts[value] = (counts[value] as number) + 1;
  }
  let seen = 0;
  const value = counts.findIndex((count) => (seen += count) * 6 >= data.length);
  return Math.max(0, value);
}

/** The background colour: the mean of all pixels near the median, as objects cover less than half of a picture. */
export function estimateBackground(image: Image): Rgb {
  const { data } = image;
  const [red, green, blue] = [median(image, 0), median(image, 1), median(image, 2)];
  const near = (2 * BACKGROUND_NOISE) ** 2;
  let [sumR, sumG, sumB, count] = [0, 0, 0, 0];
  for (let i = 0; i < data.length; i += 3) {
    const r = data[i] as number;
    const g = data[i + 1] as number;
    const b = data[i + 2] as number;
    if ((r - red) ** 2 + (g - green) ** 2 + (b - blue) ** 2 > near) continue;
    sumR += r;
    sumG += g;
    sumB += b;
    count += 1;
  }
  return count === 0 ? [red, green, blue] : [sumR / count, sumG / count, sumB / count];
}

/** Takes a picture apart against its background. */
export function separate(image: Image, background: Rgb): Layers {
  const size = image.width * image.height;
  const colour = new Int8Array(size).fill(-1);
  const coverage = new Float32Array(size);
  const unmixers = COLOURS.map((_, index) => new Unmixer(index, background));
  const [backR, backG, backB] = background;
  const mixture: Mixture = { colour: -1, coverage: 0, shade: 1, error: Infinity };
  for (let i = 0; i < size; i++) {
    const r = image.data[i * 3] as number;
    const g = image.data[i * 3 + 1] as number;
    const b = image.data[i * 3 + 2] as number;
    const away = (r - backR) ** 2 + (g - backG) ** 2 + (b - backB) ** 2;
    if (away < BACKGROUND_NOISE ** 2) continue;
    mixture.error = Infinity;
    for (const unmixer of unmixers) unmixer.explain(r, g, b, mixture);
    colour[i] = mixture.colour;
    coverage[i] = mixture.coverage;
  }
  return { image, unmixers, colour, coverage };
}

/** Groups neighbouring pixels (up, down, left, right) for which `belongs` holds. */
export function findComponents(belongs: (pixel: number) => boolean): Component[] {
  const seen = new Uint8Array(PICTURE_SIDE * PICTURE_SIDE);
  const components: Component[] = [];
  for (let start = 0; start < seen.length; start++) {
    if (seen[start] || !belongs(start)) continue;
    seen[start] = 1;
    const pixels = [start];
    // The list grows while it is walked.
    for (const pixel of pixels) {
      const column = pixel % PICTURE_SIDE;
      const neighbours = [pixel - PICTURE_SIDE, pixel + PICTURE_SIDE];
      if (column > 0) neighbours.push(pixel - 1);
      if (column < PICTURE_SIDE - 1) neighbours.push(pixel + 1);
      for (const neighbour of neighbours) {
        if (neighbour < 0 || neighbour >= seen.length || seen[neighbour] || !belongs(neighbour)) continue;
        seen[neighbour] = 1;
        pixels.push(neighbour);
      }
    }
    components.push({ pixels, ...boundsOf(pixels) });
  }
  return components;
}

function boundsOf(pixels: readonly number[]): Omit<Component, 'pixels'> {
  let [left, top, right, bottom] = [PICTURE_SIDE, PICTURE_SIDE, 0, 0];
  for (const pixel of pixels) {
    const column = pixel % PICTURE_SIDE;
    const row = (pixel - column) / PICTURE_SIDE;
    left = Math.min(left, column);
    right = Math.max(right, column + 1);
    top = Math.min(top, row);
    bottom = Math.max(bottom, row + 1);
  }
  return { left, top, right, bottom };
}

/** The connected objects of a picture. */
export function foregroundComponents(layers: Layers): Component[] {
  return findComponents((pixel) => (layers.coverage[pixel] as number) >= FOREGROUND);
}

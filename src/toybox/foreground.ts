// First half of the detector: which pixels belong to objects, and to which palette colour. Every pixel is taken
// apart as coverage * shade * colour + (1 - coverage) * background, so that anti-aliased edges, the dark shade of
// textures and a decoder's blur all come out as coverage and shade instead of as foreign colours.

import type { Image } from '../core/image.js';
import type { Rgb } from './scene.js';
import { COLOUR_RGB, COLOURS, DARK_SHADE, PICTURE_SIDE } from './scene.js';

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

/** A picture taken apart: per pixel the best colour (index, or -1 for background), its coverage and its shade. */
export interface Layers {
  readonly background: Rgb;
  readonly colour: Int8Array;
  readonly coverage: Float32Array;
  readonly shade: Float32Array;
  /** Distance in RGB between the pixel and its explanation. */
  readonly residual: Float32Array;
}

/** RGB distance from the background below which a pixel is not looked at further. */
const BACKGROUND_NOISE = 16;
const SHADE_RANGE = [DARK_SHADE - 0.1, 1.1] as const;
/** Coverage from which a pixel belongs to an object. */
const FOREGROUND = 0.5;

function median(counts: Uint32Array, total: number): number {
  let sum = 0;
  for (let value = 0; value < counts.length; value++) {
    sum += counts[value] as number;
    if (sum * 2 >= total) return value;
  }
  return counts.length - 1;
}

/** The background colour: the mean of the pixels near the median, of the border and the inside alike. */
export function estimateBackground(image: Image): Rgb {
  const total = image.width * image.height;
  const counts = [0, 1, 2].map(() => new Uint32Array(256));
  image.data.forEach((value, i) => {
    const channel = counts[i % 3] as Uint32Array;
    channel[value] = (channel[value] as number) + 1;
  });
  const [red, green, blue] = counts.map((channel) => median(channel, total)) as [number, number, number];
  const sum = [0, 0, 0, 0];
  const { data } = image;
  for (let i = 0; i < data.length; i += 3) {
    const [r, g, b] = [data[i] as number, data[i + 1] as number, data[i + 2] as number];
    if (Math.hypot(r - red, g - green, b - blue) > 2 * BACKGROUND_NOISE) continue;
    [r, g, b, 1].forEach((value, c) => (sum[c] = (sum[c] as number) + value));
  }
  const n = sum[3] || 1;
  return sum[3]
    ? [(sum[0] as number) / n, (sum[1] as number) / n, (sum[2] as number) / n]
    : [red, green, blue];
}

/** Solves pixel = u * colour + v * background by least squares, as two rows that are multiplied with the pixel. */
function unmixer(colour: Rgb, background: Rgb): { readonly u: Rgb; readonly v: Rgb } {
  const dot = (a: Rgb, b: Rgb): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  const cc = dot(colour, colour);
  const cb = dot(colour, background);
  const bb = dot(background, background);
  const determinant = cc * bb - cb * cb;
  const row = (k: number, l: number): Rgb =>
    [0, 1, 2].map(
      (i) => (k * (colour[i] as number) + l * (background[i] as number)) / determinant,
    ) as unknown as Rgb;
  return { u: row(bb, -cb), v: row(-cb, cc) };
}

const clamp = (value: number, low: number, high: number): number =>
  value < low ? low : value > high ? high : value;

/** Takes a picture apart against its background, with all colours or only one. */
export function separate(image: Image, background: Rgb): Layers {
  const size = image.width * image.height;
  const colour = new Int8Array(size).fill(-1);
  const coverage = new Float32Array(size);
  const shade = new Float32Array(size).fill(1);
  const residual = new Float32Array(size);
  const solvers = COLOURS.map((name) => ({
    rgb: COLOUR_RGB[name],
    ...unmixer(COLOUR_RGB[name], background),
  }));
  const [backR, backG, backB] = background;
  for (let i = 0; i < size; i++) {
    const r = image.data[i * 3] as number;
    const g = image.data[i * 3 + 1] as number;
    const b = image.data[i * 3 + 2] as number;
    const away = (r - backR) ** 2 + (g - backG) ** 2 + (b - backB) ** 2;
    if (away < BACKGROUND_NOISE ** 2) continue;
    let best = Infinity;
    for (let c = 0; c < solvers.length; c++) {
      const { rgb, u, v } = solvers[c] as (typeof solvers)[number];
      const covered = clamp(1 - (v[0] * r + v[1] * g + v[2] * b), 0.02, 1);
      const dark = clamp((u[0] * r + u[1] * g + u[2] * b) / covered, SHADE_RANGE[0], SHADE_RANGE[1]);
      const k = covered * dark;
      const open = 1 - covered;
      const error =
        (r - k * rgb[0] - open * backR) ** 2 +
        (g - k * rgb[1] - open * backG) ** 2 +
        (b - k * rgb[2] - open * backB) ** 2;
      if (error >= best) continue;
      best = error;
      colour[i] = c;
      coverage[i] = covered;
      shade[i] = dark;
    }
    residual[i] = Math.sqrt(best);
  }
  return { background, colour, coverage, shade, residual };
}

/** Groups neighbouring pixels (up, down, left, right) for which `belongs` holds. */
export function findComponents(belongs: (pixel: number) => boolean): Component[] {
  const seen = new Uint8Array(PICTURE_SIDE * PICTURE_SIDE);
  const components: Component[] = [];
  for (let start = 0; start < seen.length; start++) {
    if (seen[start] || !belongs(start)) continue;
    seen[start] = 1;
    const pixels = [start];
    for (let next = 0; next < pixels.length; next++) {
      const pixel = pixels[next] as number;
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

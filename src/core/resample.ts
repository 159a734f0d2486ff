// Pictures at other sizes, by averaging areas.

import type { Image } from './image.js';
import { createImage } from './image.js';

/** The picture shrunk by area averaging until no side exceeds `side` pixels; the same picture when none does. */
export function shrink(image: Image, side: number): Image {
  const factor = Math.max(image.width, image.height) / side;
  if (factor <= 1) return image;
  return resample(
    image,
    Math.max(1, Math.round(image.width / factor)),
    Math.max(1, Math.round(image.height / factor)),
  );
}

/** The picture at another size: every pixel is the average of the area that it covers. */
export function resample(image: Image, width: number, height: number): Image {
  const columns = cuts(image.width, width);
  const rows = cuts(image.height, height);
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < 3; channel++) {
        data[(y * width + x) * 3 + channel] = average(image, rows[y] ?? [], columns[x] ?? [], channel);
      }
    }
  }
  return createImage(width, height, data);
}

type Cut = readonly (readonly [index: number, weight: number])[];

/** Which source lines each target line covers, and how much of them. */
function cuts(from: number, to: number): Cut[] {
  return Array.from({ length: to }, (_, target) => {
    const start = (target * from) / to;
    const end = ((target + 1) * from) / to;
    const first = Math.floor(start);
    return Array.from({ length: Math.ceil(end) - first }, (_, i) => {
      const index = first + i;
      return [index, Math.min(end, index + 1) - Math.max(start, index)] as const;
    });
  });
}

function average(image: Image, rows: Cut, columns: Cut, channel: number): number {
  let sum = 0;
  let total = 0;
  for (const [row, rowWeight] of rows) {
    for (const [column, columnWeight] of columns) {
      const weight = rowWeight * columnWeight;
      sum += weight * (image.data[(row * image.width + column) * 3 + channel] ?? 0);
      total += weight;
    }
  }
  return Math.round(sum / total);
}

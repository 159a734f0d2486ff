// A picture in the terminal: half blocks, two pixels a character, in 24-bit colour, or in the nearest of 256.

import type { Image } from '../core/image.js';
import { resample } from '../core/resample.js';
import type { Colours } from './terminal.js';

/** The largest size, with an even height, that a picture has in so many columns and rows; never above its own. */
function fit(image: Image, columns: number, rows: number): { width: number; height: number } {
  const scale = Math.min(1, columns / image.width, (rows * 2) / image.height);
  const width = Math.max(1, Math.floor(image.width * scale));
  const height = Math.max(2, Math.floor((image.height * scale) / 2) * 2);
  return { width, height };
}

type Rgb = readonly [red: number, green: number, blue: number];

/** The levels of xterm's cube of colours, which has the numbers 16 to 231. */
const CUBE = [0, 95, 135, 175, 215, 255] as const;
/** Its greys, 8, 18, ..., 238, have the numbers 232 to 255. */
const GREYS = Array.from({ length: 24 }, (_, i) => 8 + 10 * i);

const nearestIndex = (levels: readonly number[], value: number): number =>
  levels.reduce(
    (best, level, i) => (Math.abs(level - value) < Math.abs((levels[best] ?? 0) - value) ? i : best),
    0,
  );

const distance = (a: Rgb, b: Rgb): number => a.reduce((sum, value, i) => sum + (value - (b[i] ?? 0)) ** 2, 0);

/** The number of the colour of xterm's 256 that is nearest: in its cube, or among its greys. */
export function xtermColour(rgb: Rgb): number {
  const [red, green, blue] = rgb.map((value) => nearestIndex(CUBE, value)) as unknown as Rgb;
  const inCube: Rgb = [CUBE[red] ?? 0, CUBE[green] ?? 0, CUBE[blue] ?? 0];
  const index = nearestIndex(GREYS, (rgb[0] + rgb[1] + rgb[2]) / 3);
  const grey = GREYS[index] ?? 0;
  return distance([grey, grey, grey], rgb) < distance(inCube, rgb)
    ? 232 + index
    : 16 + 36 * red + 6 * green + blue;
}

const WRITTEN: Readonly<Record<Exclude<Colours, null>, (rgb: Rgb) => string>> = {
  true: (rgb) => `2;${rgb.join(';')}`,
  256: (rgb) => `5;${xtermColour(rgb)}`,
};

/** The picture as lines of text, each ending with a reset of the colours. */
export async function previewLines(
  image: Image,
  { columns, rows, colours }: { columns: number; rows: number; colours: Exclude<Colours, null> },
): Promise<string[]> {
  const { width, height } = fit(image, columns, rows);
  const { data } = await resample(image, width, height);
  const at = (x: number, y: number): Rgb => {
    const [red = 0, green = 0, blue = 0] = data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3);
    return [red, green, blue];
  };
  const written = WRITTEN[colours];
  return Array.from({ length: height / 2 }, (_, row) => {
    const cells = Array.from({ length: width }, (__, x) => {
      return `\u001b[38;${written(at(x, row * 2))};48;${written(at(x, row * 2 + 1))}m\u2580`;
    });
    return `${cells.join('')}\u001b[0m`;
  });
}

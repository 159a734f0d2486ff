// A picture in the terminal: half blocks, two pixels a character, in 24-bit colour where the terminal has it.

import type { Image } from '../core/image.js';
import { resample } from '../core/resample.js';
import type { CliIo, Output } from './io.js';

/** Terminals by the name in TERM that are known to show 24-bit colour without saying so in COLORTERM. */
const TRUE_COLOUR_TERMS = /direct|truecolor|kitty|ghostty|alacritty|wezterm|foot|contour/;

/** True when the terminal shows 24-bit colour and nobody asked for none. */
export function hasTrueColour(output: Output, env: CliIo['env']): boolean {
  if (output.isTTY !== true || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb') return false;
  return /^(truecolor|24bit)$/i.test(env['COLORTERM'] ?? '') || TRUE_COLOUR_TERMS.test(env['TERM'] ?? '');
}

/** The largest size, with an even height, that a picture has in so many columns and rows; never above its own. */
function fit(image: Image, columns: number, rows: number): { width: number; height: number } {
  const scale = Math.min(1, columns / image.width, (rows * 2) / image.height);
  const width = Math.max(1, Math.floor(image.width * scale));
  const height = Math.max(2, Math.floor((image.height * scale) / 2) * 2);
  return { width, height };
}

/** The picture as lines of text, each ending with a reset of the colours. */
export async function previewLines(image: Image, columns: number, rows: number): Promise<string[]> {
  const { width, height } = fit(image, columns, rows);
  const { data } = await resample(image, width, height);
  const colour = (x: number, y: number): string =>
    Array.from(data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)).join(';');
  return Array.from({ length: height / 2 }, (_, row) => {
    const cells = Array.from({ length: width }, (__, x) => {
      return `\u001b[38;2;${colour(x, row * 2)};48;2;${colour(x, row * 2 + 1)}m\u2580`;
    });
    return `${cells.join('')}\u001b[0m`;
  });
}

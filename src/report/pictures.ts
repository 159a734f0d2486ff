// Pictures inside a page: PNG data URLs, shrunk where a page full of large ones would not load.

import type { Image } from '../core/image.js';
import { encodePng } from '../core/image.js';
import { shrink } from '../core/resample.js';

/** The picture as a data URL, at most `side` pixels wide and high. */
export function dataUrl(image: Image, side: number): string {
  return `data:image/png;base64,${Buffer.from(encodePng(shrink(image, side))).toString('base64')}`;
}

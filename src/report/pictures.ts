// Pictures inside a page: data URLs, shrunk where a page full of large ones would not load. Small ones are WebP, which takes a
// fraction of PNG's bytes: a search may have six hundred of them.

import type { Image } from '../core/image.js';
import { encodePng } from '../core/image.js';
import { encodeWebp } from '../core/image-webp.js';
import { shrink } from '../core/resample.js';

/** The data URL of a picture of a page. */
export type UrlOf = (image: Image) => string;

/** A result with the pictures of its page. */
export type Illustrated<Result> = Result & { readonly urlOf: UrlOf };

/** Pictures that are shown at most this large are looked at in passing. */
const SMALL = 256;

async function dataUrl(image: Image, side: number): Promise<string> {
  const shown = await shrink(image, side);
  const [type, file] =
    side <= SMALL ? (['webp', await encodeWebp(shown)] as const) : (['png', await encodePng(shown)] as const);
  return `data:image/${type};base64,${Buffer.from(file).toString('base64')}`;
}

/** Makes pictures ready for a page, each at most so many pixels wide and high. */
export async function illustrate<Result>(
  result: Result,
  pictures: readonly (readonly [image: Image, side: number])[],
): Promise<Illustrated<Result>> {
  const sides = new Map(pictures);
  const urls = new Map<Image, string>();
  for (const [image, side] of sides) urls.set(image, await dataUrl(image, side));
  return {
    ...result,
    urlOf: (image) => {
      const url = urls.get(image);
      if (url === undefined) throw new RangeError('a picture of the page was not made ready');
      return url;
    },
  };
}

/** The class that keeps enlarged small pictures sharp. */
export function pixelClass(width: number): string | undefined {
  return width <= SMALL ? 'pixels' : undefined;
}

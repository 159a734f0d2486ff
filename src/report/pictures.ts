// Pictures inside a page: PNG data URLs, shrunk where a page full of large ones would not load.

import type { Image } from '../core/image.js';
import { encodePng } from '../core/image.js';
import { shrink } from '../core/resample.js';

/** The data URL of a picture of a page. */
export type UrlOf = (image: Image) => string;

/** A result with the pictures of its page. */
export type Illustrated<Result> = Result & { readonly urlOf: UrlOf };

async function dataUrl(image: Image, side: number): Promise<string> {
  const file = await encodePng(await shrink(image, side));
  return `data:image/png;base64,${Buffer.from(file).toString('base64')}`;
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

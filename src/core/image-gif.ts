// Animated pictures: the frames of a film as one GIF file, which every program shows.

import type { Image } from './image.js';
import { loadImageLibrary, openPixels } from './image-library.js';

/** A frame of an animation, and how long it stands. */
export interface Frame {
  readonly image: Image;
  readonly milliseconds: number;
}

/** A GIF that shows frames over and over, each enlarged to the size of the largest without smoothing. */
export async function encodeGif(frames: readonly Frame[]): Promise<Uint8Array> {
  const width = Math.max(...frames.map(({ image }) => image.width));
  const height = Math.max(...frames.map(({ image }) => image.height));
  const pages = await Promise.all(
    frames.map(async ({ image }) => {
      const pixels = await openPixels(image);
      return await pixels.resize(width, height, { fit: 'fill', kernel: 'nearest' }).raw().toBuffer();
    }),
  );
  const load = await loadImageLibrary();
  return await load(Buffer.concat(pages), {
    raw: { width, height: height * pages.length, channels: 3, pageHeight: height },
    limitInputPixels: false,
  })
    .gif({ delay: frames.map(({ milliseconds }) => milliseconds), loop: 0 })
    .toBuffer();
}

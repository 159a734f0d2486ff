// The library that decodes and resizes pictures, in threads of its own: sharp (libvips with libjpeg-turbo's successor, libpng and
// libwebp). It is loaded when it is needed first.

import type { Sharp, SharpOptions } from 'sharp';

import { VarsearchError } from './errors.js';

/** Begins to work on a picture. */
export type ImageLibrary = (bytes: Uint8Array, options: SharpOptions) => Sharp;
let loading: Promise<ImageLibrary> | undefined;

/** The library. Throws a VarsearchError where it is not installed. */
export function loadImageLibrary(): Promise<ImageLibrary> {
  return (loading ??= import('sharp').then(
    ({ default: sharp }) => sharp,
    (cause: unknown) => {
      loading = undefined;
      throw new VarsearchError(
        "the package 'sharp', which reads and shrinks pictures, cannot be loaded: install varsearch again, optional packages included",
        { cause },
      );
    },
  ));
}

/** Begins to work on RGB bytes, of whatever size the picture is. */
export async function openPixels({
  width,
  height,
  data,
}: {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}): Promise<Sharp> {
  const load = await loadImageLibrary();
  return load(data, { raw: { width, height, channels: 3 }, limitInputPixels: false });
}

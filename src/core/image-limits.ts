// How large a picture may be: what is more is refused before anything is allocated for it.

import { VarsearchError } from './errors.js';

/** Pictures with more pixels than this are refused: 8192 x 8192. */
export const MOST_PIXELS = 2 ** 26;

/** Files with more bytes than this are not read: no picture of the allowed size needs as many. */
export const MOST_BYTES = 2 ** 29;

/** Throws for a picture that is too large, or empty. */
export function checkSize(name: string, width: number, height: number): void {
  if (width > 0 && height > 0 && width * height <= MOST_PIXELS) return;
  throw new VarsearchError(
    `${name} is a picture of ${width} x ${height} pixels: at most ${MOST_PIXELS} pixels can be read`,
  );
}

/** Throws for a file that is larger than any picture that can be read. */
export function checkBytes(name: string, bytes: number): void {
  if (bytes <= MOST_BYTES) return;
  throw new VarsearchError(`${name} has ${bytes} bytes: at most ${MOST_BYTES} can be read as a picture`);
}

// Packing (flux/sampling.py: prepare, unpack): every 2 x 2 places of a latent are one token, channel first, then row, then
// column; tokens row by row.

/** Places of a packed latent: tokens in rows and columns. */
export interface TokenGrid {
  readonly height: number;
  readonly width: number;
}

/** Side of the square of latent places that one token stands for. */
export const PATCH = 2;

/** Calls back with the place of every element in the planes and in the packed tokens. */
function eachPlace(
  { height, width }: TokenGrid,
  channels: number,
  visit: (plane: number, packed: number) => void,
): void {
  let packed = 0;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      for (let channel = 0; channel < channels; channel++) {
        for (let y = 0; y < PATCH; y++) {
          const start = ((channel * height + row) * PATCH + y) * width * PATCH + column * PATCH;
          for (let x = 0; x < PATCH; x++) visit(start + x, packed++);
        }
      }
    }
  }
}

/** Planes [channels, 2 height, 2 width] to tokens [height * width, 4 channels]. */
export function packLatent(planes: Float32Array, grid: TokenGrid): Float32Array {
  const out = new Float32Array(planes.length);
  eachPlace(grid, channelsOf(planes, grid), (plane, packed) => {
    out[packed] = planes[plane] ?? 0;
  });
  return out;
}

/** Tokens [height * width, 4 channels] to planes [channels, 2 height, 2 width]. */
export function unpackLatent(tokens: Float32Array, grid: TokenGrid): Float32Array {
  const out = new Float32Array(tokens.length);
  eachPlace(grid, channelsOf(tokens, grid), (plane, packed) => {
    out[plane] = tokens[packed] ?? 0;
  });
  return out;
}

function channelsOf({ length }: Float32Array, { height, width }: TokenGrid): number {
  const channels = length / (height * width * PATCH ** 2);
  if (Number.isInteger(channels) && channels > 0) return channels;
  throw new RangeError(`${length} numbers are no latent of ${height} x ${width} tokens`);
}

// Gaussian blur of one plane of numbers, with the edge values continued beyond the border.

/** Normalised weights of a Gaussian with the given sigma, out to three sigmas. */
function gaussian(sigma: number): Float32Array {
  const reach = Math.ceil(3 * sigma);
  const weights = Float32Array.from({ length: 2 * reach + 1 }, (_, i) =>
    Math.exp(-((i - reach) ** 2) / (2 * sigma * sigma)),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** Blurs along lines of `length` values that lie `stride` apart. */
function blurLines(from: Float32Array, length: number, stride: number, weights: Float32Array): Float32Array {
  const reach = (weights.length - 1) / 2;
  const to = new Float32Array(from.length);
  for (let i = 0; i < from.length; i++) {
    const place = Math.floor(i / stride) % length;
    let sum = 0;
    for (let k = -reach; k <= reach; k++) {
      const other = place + k < 0 ? 0 : place + k >= length ? length - 1 : place + k;
      sum += (weights[k + reach] as number) * (from[i + (other - place) * stride] as number);
    }
    to[i] = sum;
  }
  return to;
}

/** A plane of `width` columns, blurred by a Gaussian; sigma in pixels, 0 for no blur. */
export function blurPlane(plane: Float32Array, width: number, sigma: number): Float32Array {
  if (sigma === 0) return plane;
  const weights = gaussian(sigma);
  return blurLines(blurLines(plane, width, 1, weights), plane.length / width, width, weights);
}

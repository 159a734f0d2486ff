// The standard normal distribution: its share below a value, and the value below which a share lies.

/** Numbers in [0, 1) have 32 bits: half a step from either end is as far as a quantile can be asked for. */
const LEAST = 2 ** -33;

/**
 * The share below `value`, from 0 to just under 1. Complementary error function by the Chebyshev fit of Press et al.,
 * "Numerical Recipes" (2nd edition, section 6.2): right to 1.2e-7 of itself.
 */
export function normalShare(value: number): number {
  const z = Math.abs(value) / Math.SQRT2;
  const t = 1 / (1 + 0.5 * z);
  const fit = COEFFICIENTS.reduceRight((sum, coefficient) => sum * t + coefficient, 0);
  const tail = 0.5 * t * Math.exp(-z * z + fit);
  return Math.min(value < 0 ? tail : 1 - tail, 1 - LEAST);
}

const COEFFICIENTS = [
  -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587,
  -0.82215223, 0.17087277,
];

/** The value below which a share of 0 to 1 lies, by halving: `normalShare` of it is the share again, to 1e-7. */
export function normalQuantile(share: number): number {
  const wanted = Math.min(Math.max(share, LEAST), 1 - LEAST);
  let low = -8;
  let high = 8;
  for (let step = 0; step < 48; step++) {
    const middle = (low + high) / 2;
    if (normalShare(middle) < wanted) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

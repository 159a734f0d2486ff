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

/**
 * The value below which a share of 0 to 1 lies: `normalShare` of it is the share again, to 1e-7. A rational start (Abramowitz and
 * Stegun, 26.2.23, right to 4.5e-4), then two of Halley's steps, each of which leaves about the cube of what was wrong.
 */
export function normalQuantile(share: number): number {
  const wanted = Math.min(Math.max(share, LEAST), 1 - LEAST);
  return wanted <= 0.5 ? lowerQuantile(wanted) : -lowerQuantile(1 - wanted);
}

/** The quantile of a share of at most one half. */
function lowerQuantile(share: number): number {
  const t = Math.sqrt(-2 * Math.log(share));
  const above = 2.515517 + t * (0.802853 + t * 0.010328);
  const below = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308));
  let value = above / below - t;
  for (let step = 0; step < 2; step++) {
    const density = Math.exp((-value * value) / 2) / Math.sqrt(2 * Math.PI);
    const off = (normalShare(value) - share) / density;
    value -= off / (1 + (off * value) / 2);
  }
  return Math.min(value, 0);
}

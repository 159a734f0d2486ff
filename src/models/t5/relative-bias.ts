// T5's relative positions: a key's distance from the query falls into a bucket, and each bucket has a learned summand to
// the attention scores of every head (T5Attention._relative_position_bucket in transformers).

/** How distances are grouped. */
interface BucketOptions {
  /** Buckets of both directions together. */
  readonly buckets: number;
  readonly maxDistance: number;
}

/** The bucket of a key at `distance` = key's place minus query's place, in both directions. */
export function relativeBucket(distance: number, { buckets, maxDistance }: BucketOptions): number {
  const perDirection = Math.floor(buckets / 2);
  const offset = distance > 0 ? perDirection : 0;
  const far = Math.abs(distance);
  const exact = Math.floor(perDirection / 2);
  if (far < exact) return offset + far;
  // In float32 step by step, as the reference: distances exactly on a border must fall on its upper side.
  const logarithm = Math.fround(Math.log(Math.fround(far / exact)));
  const share = Math.fround(logarithm / Math.fround(Math.log(maxDistance / exact)));
  const bucket = exact + Math.trunc(Math.fround(share * (perDirection - exact)));
  return offset + Math.min(bucket, perDirection - 1);
}

/**
 * The summand of every head by distance, [2 * maxDistance + 1, heads]: row r is the distance r - maxDistance, and farther
 * keys share the outer rows. `weights` is the checkpoint's table [buckets, heads].
 */
export function biasByDistance(weights: Float32Array, heads: number, options: BucketOptions): Float32Array {
  const { maxDistance } = options;
  const table = new Float32Array((2 * maxDistance + 1) * heads);
  for (let distance = -maxDistance; distance <= maxDistance; distance++) {
    const bucket = relativeBucket(distance, options);
    table.set(weights.subarray(bucket * heads, (bucket + 1) * heads), (distance + maxDistance) * heads);
  }
  return table;
}

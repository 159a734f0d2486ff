// Candidates that stand for all of a batch: k-means over small copies of their pictures, and of each cluster the one nearest to its
// centre. TTS-VAR (arXiv 2507.18537) does so for diversity before it thins a batch out, on features of a DINOv2; here a picture is
// described by its colours, which at the first scales are all that there is.

import type { Image } from '../core/image.js';
import type { Draw } from '../core/random.js';
import { shrink } from '../core/resample.js';

/** Side of the copy that a picture is described by: 8 x 8 colours. */
const SIDE = 8;

/** Rounds of k-means at most; so few points settle after a few. */
const MOST_ROUNDS = 50;

type Point = ArrayLike<number>;

/** The colours of pictures of one size, [SIDE * SIDE * 3] each. */
export async function describe(images: readonly Image[]): Promise<Point[]> {
  const small = await Promise.all(images.map((image) => shrink(image, SIDE)));
  return small.map(({ data }) => data);
}

function distance(a: Point, b: Point): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] ?? 0) - (b[i] ?? 0)) ** 2;
  return sum;
}

/** The place of the nearest of some points; the earliest of equals. */
function nearest(point: Point, among: readonly Point[]): number {
  const distances = among.map((each) => distance(point, each));
  return distances.indexOf(Math.min(...distances));
}

/** Centres to begin with (k-means++): each drawn by its squared distance to those before; fewer where no others differ from them. */
function seeds(points: readonly Point[], count: number, draw: Draw): Point[] {
  const centres: Point[] = [];
  for (const place of draw.uniform(count)) {
    const weights = points.map((point) =>
      centres.length === 0 ? 1 : Math.min(...centres.map((centre) => distance(point, centre))),
    );
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    if (total === 0) break;
    let sum = 0;
    const drawn = weights.findIndex((weight) => weight > 0 && (sum += weight) >= place * total);
    centres.push(points[drawn < 0 ? weights.findLastIndex((weight) => weight > 0) : drawn] ?? []);
  }
  return centres;
}

function meanOf(points: readonly Point[]): number[] {
  const [first = []] = points;
  return Array.from(first, (_, i) => points.reduce((sum, point) => sum + (point[i] ?? 0), 0) / points.length);
}

/**
 * The places of `count` points that stand for all, in their order: of each of as many clusters the one nearest to its centre. Where
 * fewer points differ, the earliest of the others make up the number.
 */
export function representatives(points: readonly Point[], count: number, draw: Draw): number[] {
  if (count >= points.length) return [...points.keys()];
  let centres = seeds(points, count, draw);
  let clusters: number[] = [];
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const found = points.map((point) => nearest(point, centres));
    if (found.every((cluster, i) => cluster === clusters[i])) break;
    clusters = found;
    centres = centres.map((centre, cluster) => {
      const own = points.filter((_, i) => clusters[i] === cluster);
      return own.length === 0 ? centre : meanOf(own);
    });
  }
  const chosen = new Set<number>();
  for (const [cluster, centre] of centres.entries()) {
    const own = points.flatMap((point, i) =>
      clusters[i] === cluster ? [{ i, from: distance(point, centre) }] : [],
    );
    const [best] = own.sort((a, b) => a.from - b.from || a.i - b.i);
    if (best) chosen.add(best.i);
  }
  for (let i = 0; chosen.size < count; i++) chosen.add(i);
  return [...chosen].sort((a, b) => a - b);
}

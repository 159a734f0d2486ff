// Fits the unit shapes to an object's coverage: for each shape the centre and radius with the largest overlap.

import type { Shape } from '../world/scene.js';
import { SHAPES } from '../world/scene.js';
import { unitDistance } from '../world/shapes.js';
import { blurPlane } from './blur.js';

/** A shape laid over an object; `overlap` is intersection over union of the soft coverages, 0..1. */
export interface ShapeFit {
  readonly shape: Shape;
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  readonly overlap: number;
}

type Placed = Omit<ShapeFit, 'overlap'>;

/** A window of coverage values (0..1) cut out of a picture, row by row, its corner at (left, top). */
export interface Patch {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly coverage: Float32Array;
}

/** Unit distances are looked up in a table of this reach (in radii) and step. */
const REACH = 1.6;
const STEP = 0.02;
const TABLE_SIDE = Math.round((2 * REACH) / STEP) + 1;
/** Width in pixels over which a template's edge fades: anti-aliasing and a decoder's blur. */
const EDGE_WIDTH = 1.6;
/** Blurs (sigma in pixels) that a decoder may have added, tried when the fit is judged. */
const BLURS = [0, 0.4, 0.6, 0.8, 1, 1.2] as const;
/** Shapes this far behind the best first guess are not refined. */
const HOPELESS = 0.14;
/** Mismatch allowed per root of thinness; ellipses and rectangles with sides 3 : 2 stay beyond it. */
const TOLERANCE = 0.3;
/** Enclosed open pixels that make a hole; the smallest ring has about 20. */
const LEAST_HOLE = 5;
/** Width (in radii) of the band by which a shape's outline is measured. */
const OUTLINE_BAND = 0.1;
const REFINED_SHAPES = 3;
const REFINE_STEPS = [0.6, 0.3, 0.15] as const;

interface Template {
  readonly distances: Float32Array;
  /** Area in squared radii, and how far the centre of mass lies below the centre, in radii. */
  readonly area: number;
  readonly massY: number;
  /** Length of the outline over area, in 1 / radii: small for a disc, large for a star. */
  readonly thinness: number;
}

const templates = new Map<Shape, Template>();

function templateOf(shape: Shape): Template {
  const known = templates.get(shape);
  if (known) return known;
  const distances = new Float32Array(TABLE_SIDE * TABLE_SIDE);
  let inside = 0;
  let sumY = 0;
  let nearOutline = 0;
  for (let row = 0; row < TABLE_SIDE; row++) {
    const y = row * STEP - REACH;
    for (let column = 0; column < TABLE_SIDE; column++) {
      const distance = unitDistance(shape, column * STEP - REACH, y);
      distances[row * TABLE_SIDE + column] = distance;
      if (Math.abs(distance) < OUTLINE_BAND / 2) nearOutline += 1;
      if (distance >= 0) continue;
      inside += 1;
      sumY += y;
    }
  }
  const thinness = nearOutline / OUTLINE_BAND / inside;
  const template = { distances, area: inside * STEP * STEP, massY: sumY / inside, thinness };
  templates.set(shape, template);
  return template;
}

/** Signed distance in pixels of a picture's point from a placed shape's outline, from the table. */
export function placedDistance(fit: Placed, x: number, y: number): number {
  const { distances } = templateOf(fit.shape);
  const column = Math.round(((x - fit.x) / fit.radius + REACH) / STEP);
  const row = Math.round(((y - fit.y) / fit.radius + REACH) / STEP);
  if (column < 0 || row < 0 || column >= TABLE_SIDE || row >= TABLE_SIDE) return fit.radius;
  return fit.radius * (distances[row * TABLE_SIDE + column] as number);
}

/** Coverage (0..1) of a placed shape in a patch, its edge fading over `width` pixels, written to `target`. */
function drawTemplate(patch: Patch, fit: Placed, width: number, target: Float32Array): void {
  const { distances } = templateOf(fit.shape);
  const scale = 1 / (fit.radius * STEP);
  const offset = REACH / STEP + 0.5;
  const slope = fit.radius / width;
  for (let i = 0; i < patch.height; i++) {
    const row = Math.floor((patch.top + i + 0.5 - fit.y) * scale + offset);
    const start = row >= 0 && row < TABLE_SIDE ? row * TABLE_SIDE : -1;
    for (let j = 0; j < patch.width; j++) {
      const column = Math.floor((patch.left + j + 0.5 - fit.x) * scale + offset);
      const outside = start < 0 || column < 0 || column >= TABLE_SIDE;
      const covered = outside ? 0 : 0.5 - (distances[start + column] as number) * slope;
      target[i * patch.width + j] = covered < 0 ? 0 : covered > 1 ? 1 : covered;
    }
  }
}

/** Intersection over union of two soft coverages. */
function intersectionOverUnion(a: Float32Array, b: Float32Array): number {
  let both = 0;
  let either = 0;
  for (let i = 0; i < a.length; i++) {
    const left = a[i] as number;
    const right = b[i] as number;
    both += left < right ? left : right;
    either += left < right ? right : left;
  }
  return either === 0 ? 0 : both / either;
}

/** Overlap with the shape as it would be drawn with a soft edge; `scratch` is as large as the patch. */
function overlapOf(patch: Patch, fit: Placed, scratch: Float32Array): number {
  drawTemplate(patch, fit, EDGE_WIDTH, scratch);
  return intersectionOverUnion(patch.coverage, scratch);
}

/** Overlap with the shape drawn sharply and blurred as much as suits the patch best. */
function blurredOverlap(patch: Patch, fit: Placed): number {
  const template = new Float32Array(patch.coverage.length);
  drawTemplate(patch, fit, 1, template);
  let best = 0;
  for (const sigma of BLURS) {
    const overlap = intersectionOverUnion(patch.coverage, blurPlane(template, patch.width, sigma));
    // The overlap has one maximum along the blurs.
    if (overlap < best) break;
    best = overlap;
  }
  return best;
}

/** First guess from moments: equal area, equal centre of mass. */
function guess(patch: Patch, shape: Shape, mass: Mass, scratch: Float32Array): ShapeFit {
  const { area, massY } = templateOf(shape);
  const radius = Math.sqrt(mass.area / area);
  const y = mass.y - massY * radius;
  const placed = { shape, x: mass.x, y, radius };
  return { ...placed, overlap: overlapOf(patch, placed, scratch) };
}

/** Moves centre and radius by ever smaller steps while the overlap grows. */
function refine(patch: Patch, start: ShapeFit, scratch: Float32Array): ShapeFit {
  let best = start;
  for (const step of REFINE_STEPS) {
    for (let round = 0; round < 3; round++) {
      const before = best;
      for (const [dx, dy, dr] of [
        [step, 0, 0],
        [0, step, 0],
        [0, 0, step],
      ] as const) {
        for (const sign of [1, -1]) {
          const moved = {
            shape: best.shape,
            x: best.x + sign * dx,
            y: best.y + sign * dy,
            radius: best.radius + sign * dr,
          };
          const overlap = overlapOf(patch, moved, scratch);
          if (overlap <= best.overlap) continue;
          best = { ...moved, overlap };
          break;
        }
      }
      if (best === before) break;
    }
  }
  return best;
}

interface Mass {
  readonly area: number;
  readonly x: number;
  readonly y: number;
}

function massOf(patch: Patch): Mass {
  let [area, x, y] = [0, 0, 0];
  for (let i = 0; i < patch.coverage.length; i++) {
    const covered = patch.coverage[i] as number;
    area += covered;
    x += covered * (patch.left + (i % patch.width) + 0.5);
    y += covered * (patch.top + Math.floor(i / patch.width) + 0.5);
  }
  return { area, x: x / area, y: y / area };
}

/** The shapes that fit a patch best, best first; only the most promising are refined and returned. */
export function fitShapes(patch: Patch): readonly ShapeFit[] {
  const mass = massOf(patch);
  const scratch = new Float32Array(patch.coverage.length);
  if (!(mass.area > 0)) return [];
  const guesses = SHAPES.map((shape) => guess(patch, shape, mass, scratch)).sort(
    (a, b) => b.overlap - a.overlap,
  );
  const leader = guesses[0] as ShapeFit;
  return guesses
    .slice(0, REFINED_SHAPES)
    .filter((fit) => fit.overlap > leader.overlap - HOPELESS)
    .map((fit) => refine(patch, fit, scratch))
    .map((fit) => ({ ...fit, overlap: blurredOverlap(patch, fit) }))
    .sort((a, b) => b.overlap - a.overlap);
}

/**
 * The overlap to ask of a fit before the shape counts as recognised. The same blur or wobble of an outline costs a thin
 * or small shape more of its overlap, so it is asked for less: a medium disc 0.86, a medium star 0.79.
 */
export function clearOverlap({ shape, radius }: ShapeFit): number {
  return 1 - TOLERANCE * Math.sqrt(templateOf(shape).thinness / radius);
}

/** Whether a patch's object encloses a hole; a ring has one, also small and blurred, and nothing else does. */
export function hasHole({ width, height, coverage }: Patch): boolean {
  const open = Uint8Array.from(coverage, (covered) => (covered < 0.5 ? 1 : 0));
  const reached: number[] = [];
  const reach = (row: number, column: number): void => {
    const at = row * width + column;
    if (row < 0 || column < 0 || row >= height || column >= width || !open[at]) return;
    open[at] = 0;
    reached.push(at);
  };
  // From all around: the pixels beyond the patch, or the picture, are open.
  for (let column = 0; column < width; column++) [0, height - 1].forEach((row) => reach(row, column));
  for (let row = 0; row < height; row++) [0, width - 1].forEach((column) => reach(row, column));
  for (let next = reached.pop(); next !== undefined; next = reached.pop()) {
    const column = next % width;
    const row = (next - column) / width;
    for (const dy of [-1, 0, 1]) for (const dx of [-1, 0, 1]) reach(row + dy, column + dx);
  }
  const left = open.reduce((sum, value) => sum + value, 0);
  return left >= LEAST_HOLE;
}

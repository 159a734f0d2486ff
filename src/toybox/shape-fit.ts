// Fits the unit shapes to an object's coverage: for each shape the centre and radius with the largest overlap.

import type { Shape } from './scene.js';
import { SHAPES } from './scene.js';
import { unitDistance } from './shapes.js';

/** A shape laid over an object; `overlap` is intersection over union of the soft coverages, 0..1. */
export interface ShapeFit {
  readonly shape: Shape;
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  readonly overlap: number;
}

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
const STEP = 0.0125;
const TABLE_SIDE = Math.round((2 * REACH) / STEP) + 1;
/** Width in pixels over which a template's edge fades: anti-aliasing and a decoder's blur. */
const EDGE_WIDTH = 1.6;
/** Shapes this far behind the best first guess are not refined. */
const HOPELESS = 0.14;
const REFINED_SHAPES = 3;
const REFINE_STEPS = [0.6, 0.3, 0.15] as const;

interface Template {
  readonly distances: Float32Array;
  /** Area in squared radii, and how far the centre of mass lies below the centre, in radii. */
  readonly area: number;
  readonly massY: number;
}

const templates = new Map<Shape, Template>();

function templateOf(shape: Shape): Template {
  const known = templates.get(shape);
  if (known) return known;
  const distances = new Float32Array(TABLE_SIDE * TABLE_SIDE);
  let inside = 0;
  let sumY = 0;
  for (let row = 0; row < TABLE_SIDE; row++) {
    const y = row * STEP - REACH;
    for (let column = 0; column < TABLE_SIDE; column++) {
      const distance = unitDistance(shape, column * STEP - REACH, y);
      distances[row * TABLE_SIDE + column] = distance;
      if (distance >= 0) continue;
      inside += 1;
      sumY += y;
    }
  }
  const template = { distances, area: inside * STEP * STEP, massY: sumY / inside };
  templates.set(shape, template);
  return template;
}

/** Signed distance in pixels of a picture's point from a placed shape's outline, from the table. */
export function placedDistance(fit: Omit<ShapeFit, 'overlap'>, x: number, y: number): number {
  const { distances } = templateOf(fit.shape);
  const column = Math.round(((x - fit.x) / fit.radius + REACH) / STEP);
  const row = Math.round(((y - fit.y) / fit.radius + REACH) / STEP);
  if (column < 0 || row < 0 || column >= TABLE_SIDE || row >= TABLE_SIDE) return fit.radius;
  return fit.radius * (distances[row * TABLE_SIDE + column] as number);
}

/** Intersection over union of a patch and a placed shape. */
function overlapOf(patch: Patch, shape: Shape, x: number, y: number, radius: number): number {
  const { distances } = templateOf(shape);
  const scale = 1 / (radius * STEP);
  const offset = REACH / STEP + 0.5;
  const slope = radius / EDGE_WIDTH;
  let both = 0;
  let either = 0;
  for (let i = 0; i < patch.height; i++) {
    const row = Math.floor((patch.top + i + 0.5 - y) * scale + offset);
    const rowInside = row >= 0 && row < TABLE_SIDE;
    for (let j = 0; j < patch.width; j++) {
      const found = patch.coverage[i * patch.width + j] as number;
      const column = Math.floor((patch.left + j + 0.5 - x) * scale + offset);
      let wanted = 0;
      if (rowInside && column >= 0 && column < TABLE_SIDE) {
        wanted = 0.5 - (distances[row * TABLE_SIDE + column] as number) * slope;
        wanted = wanted < 0 ? 0 : wanted > 1 ? 1 : wanted;
      }
      if (found < wanted) {
        both += found;
        either += wanted;
      } else {
        both += wanted;
        either += found;
      }
    }
  }
  return either === 0 ? 0 : both / either;
}

/** First guess from moments: equal area, equal centre of mass. */
function guess(patch: Patch, shape: Shape, mass: { area: number; x: number; y: number }): ShapeFit {
  const { area, massY } = templateOf(shape);
  const radius = Math.sqrt(mass.area / area);
  const y = mass.y - massY * radius;
  return { shape, x: mass.x, y, radius, overlap: overlapOf(patch, shape, mass.x, y, radius) };
}

/** Moves centre and radius by ever smaller steps while the overlap grows. */
function refine(patch: Patch, start: ShapeFit): ShapeFit {
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
          const [x, y, radius] = [best.x + sign * dx, best.y + sign * dy, best.radius + sign * dr];
          const overlap = overlapOf(patch, best.shape, x, y, radius);
          if (overlap <= best.overlap) continue;
          best = { ...best, x, y, radius, overlap };
          break;
        }
      }
      if (best === before) break;
    }
  }
  return best;
}

function massOf(patch: Patch): { area: number; x: number; y: number } {
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
  if (!(mass.area > 0)) return [];
  const guesses = SHAPES.map((shape) => guess(patch, shape, mass)).sort((a, b) => b.overlap - a.overlap);
  const leader = guesses[0] as ShapeFit;
  return guesses
    .slice(0, REFINED_SHAPES)
    .filter((fit) => fit.overlap > leader.overlap - HOPELESS)
    .map((fit) => refine(patch, fit))
    .sort((a, b) => b.overlap - a.overlap);
}

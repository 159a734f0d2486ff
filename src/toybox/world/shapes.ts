// The unit shapes (radius 1, centre 0, y downwards) as signed distances. shapes.json is this table written
// out for the Python port; shapes.test.ts holds the two together.

import type { Shape } from './scene.js';

/** A point of a unit shape. */
type Point = readonly [x: number, y: number];

/** How a unit shape is described: a disc, a ring around its middle circle, or a polygon. */
type UnitShape =
  | { readonly form: 'disc'; readonly radius: number }
  | { readonly form: 'ring'; readonly radius: number; readonly halfWidth: number }
  | { readonly form: 'polygon'; readonly vertices: readonly Point[] };

/** Distances from the centre to the shape's outermost left, right, upper and lower point, in radii. */
interface Extent {
  readonly left: number;
  readonly right: number;
  readonly up: number;
  readonly down: number;
}

const round4 = (value: number): number => Math.round(value * 1e4) / 1e4 + 0;

function starVertices(): Point[] {
  return Array.from({ length: 10 }, (_, i): Point => {
    const radius = i % 2 === 0 ? 1.08 : 0.46;
    const angle = (i * Math.PI) / 5;
    return [round4(radius * Math.sin(angle)), round4(-radius * Math.cos(angle))];
  });
}

/** The usual parametric heart, scaled by its half width and centred in height. */
function heartVertices(): Point[] {
  const raw = Array.from({ length: 48 }, (_, i): Point => {
    const t = (i * 2 * Math.PI) / 48;
    const y = 13 * Math.cos(t) - 5 * Math.cos(2 * t) - 2 * Math.cos(3 * t) - Math.cos(4 * t);
    return [16 * Math.sin(t) ** 3, -y];
  });
  const heights = raw.map(([, y]) => y);
  const middle = (Math.min(...heights) + Math.max(...heights)) / 2;
  return raw.map(([x, y]): Point => [round4(x / 16), round4((y - middle) / 16)]);
}

function crossVertices(half: number, length: number): Point[] {
  return [
    [half, -length],
    [half, -half],
    [length, -half],
    [length, half],
    [half, half],
    [half, length],
    [-half, length],
    [-half, half],
    [-length, half],
    [-length, -half],
    [-half, -half],
    [-half, -length],
  ];
}

const polygon = (vertices: readonly Point[]): UnitShape => ({ form: 'polygon', vertices });

/** The unit shapes, in the order of SHAPES. */
export const UNIT_SHAPES: Readonly<Record<Shape, UnitShape>> = {
  circle: { form: 'disc', radius: 0.92 },
  // prettier-ignore
  square: polygon([[0.82, -0.82], [0.82, 0.82], [-0.82, 0.82], [-0.82, -0.82]]),
  // prettier-ignore
  triangle: polygon([[0, -1], [0.98, 0.78], [-0.98, 0.78]]),
  star: polygon(starVertices()),
  heart: polygon(heartVertices()),
  // prettier-ignore
  diamond: polygon([[0, -1.1], [0.8, 0], [0, 1.1], [-0.8, 0]]),
  cross: polygon(crossVertices(0.36, 1)),
  ring: { form: 'ring', radius: 0.72, halfWidth: 0.25 },
};

/** Signed distance from a point to the polygon's outline, negative inside. */
function polygonDistance(vertices: readonly Point[], x: number, y: number): number {
  let nearest = Infinity;
  let inside = false;
  let from = vertices[vertices.length - 1] as Point;
  for (const to of vertices) {
    const ex = from[0] - to[0];
    const ey = from[1] - to[1];
    const wx = x - to[0];
    const wy = y - to[1];
    const along = Math.min(1, Math.max(0, (wx * ex + wy * ey) / (ex * ex + ey * ey)));
    const dx = wx - ex * along;
    const dy = wy - ey * along;
    nearest = Math.min(nearest, dx * dx + dy * dy);
    if (from[1] > y !== to[1] > y && wx < (wy * ex) / ey) inside = !inside;
    from = to;
  }
  return inside ? -Math.sqrt(nearest) : Math.sqrt(nearest);
}

/** Signed distance from a point to a unit shape's outline, in radii, negative inside. */
export function unitDistance(shape: Shape, x: number, y: number): number {
  const unit = UNIT_SHAPES[shape];
  switch (unit.form) {
    case 'disc':
      return Math.hypot(x, y) - unit.radius;
    case 'ring':
      return Math.abs(Math.hypot(x, y) - unit.radius) - unit.halfWidth;
    case 'polygon':
      return polygonDistance(unit.vertices, x, y);
  }
}

function extentOf(unit: UnitShape): Extent {
  if (unit.form === 'polygon') {
    const xs = unit.vertices.map(([x]) => x);
    const ys = unit.vertices.map(([, y]) => y);
    return { left: -Math.min(...xs), right: Math.max(...xs), up: -Math.min(...ys), down: Math.max(...ys) };
  }
  const reach = unit.form === 'disc' ? unit.radius : unit.radius + unit.halfWidth;
  return { left: reach, right: reach, up: reach, down: reach };
}

/** How far each unit shape reaches from its centre. */
export const EXTENTS: Readonly<Record<Shape, Extent>> = {
  circle: extentOf(UNIT_SHAPES.circle),
  square: extentOf(UNIT_SHAPES.square),
  triangle: extentOf(UNIT_SHAPES.triangle),
  star: extentOf(UNIT_SHAPES.star),
  heart: extentOf(UNIT_SHAPES.heart),
  diamond: extentOf(UNIT_SHAPES.diamond),
  cross: extentOf(UNIT_SHAPES.cross),
  ring: extentOf(UNIT_SHAPES.ring),
};

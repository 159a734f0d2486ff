// Where the objects of a scene lie. Few patterns on purpose (a tiny model has to learn them): one object near the
// middle, two on an axis or a diagonal, three to five in the cells of a 3 x 3 grid.

import type { Draws } from '../../src/toybox/world/draws.js';
import type { Relation } from '../../src/toybox/world/grammar.js';
import type { Box } from '../../src/toybox/world/relation.js';
import { relationStrength } from '../../src/toybox/world/relation.js';
import type { Shape } from '../../src/toybox/world/scene.js';
import { PICTURE_SIDE } from '../../src/toybox/world/scene.js';
import { EXTENTS } from '../../src/toybox/world/shapes.js';

/** An object whose place is still open; `group` is the index of its group in the prompt. */
export interface Piece {
  readonly shape: Shape;
  readonly radius: number;
  readonly group: number;
}

/** A centre in pixels. */
export interface Place {
  readonly x: number;
  readonly y: number;
}

const MIDDLE = PICTURE_SIDE / 2;
const GRID = [11, MIDDLE, 53] as const;
const CELLS = GRID.flatMap((y) => GRID.map((x): Place => ({ x, y })));
/** Least free space between two objects' boxes in pixels. */
const GAP = 2;
/** Least value of GenEval's direction component between related objects; the rule asks for more than 0.5. */
const CLEAR_RELATION = 0.54;
const ATTEMPTS = 400;

const quarter = (value: number): number => Math.round(value * 4) / 4;

/** The box of a piece at a place. */
export function pieceBox({ shape, radius }: Omit<Piece, 'group'>, { x, y }: Place): Box {
  const { left, right, up, down } = EXTENTS[shape];
  return {
    left: x - radius * left,
    top: y - radius * up,
    right: x + radius * right,
    bottom: y + radius * down,
  };
}

function inside(piece: Piece, place: Place): Place {
  const { left, right, up, down } = EXTENTS[piece.shape];
  const clamp = (value: number, low: number, high: number): number =>
    quarter(Math.max(Math.ceil(low * 4) / 4, Math.min(Math.floor(high * 4) / 4, value)));
  return {
    x: clamp(place.x, piece.radius * left, PICTURE_SIDE - piece.radius * right),
    y: clamp(place.y, piece.radius * up, PICTURE_SIDE - piece.radius * down),
  };
}

function apart(a: Box, b: Box): boolean {
  const horizontal = Math.max(a.left - b.right, b.left - a.right);
  const vertical = Math.max(a.top - b.bottom, b.top - a.bottom);
  return Math.max(horizontal, vertical) >= GAP;
}

function fits(pieces: readonly Piece[], places: readonly Place[], relation: Relation | null): boolean {
  const boxes = pieces.map((piece, i) => pieceBox(piece, places[i] as Place));
  return boxes.every((box, i) =>
    boxes.every((other, j) => {
      if (j < i && !apart(box, other)) return false;
      const related = relation !== null && pieces[i]?.group === 0 && pieces[j]?.group === 1;
      return !related || relationStrength(relation, box, other) >= CLEAR_RELATION;
    }),
  );
}

/** Two objects on opposite sides; large ones are moved outwards until they are apart. */
function placeTwo(pieces: readonly Piece[], relation: Relation | null, draws: Draws): Place[] {
  const axis =
    relation === null
      ? draws.weighted([
          ['x', 2],
          ['y', 1],
          ['both', 1],
        ] as const)
      : relation === 'left of' || relation === 'right of'
        ? 'x'
        : 'y';
  const firstIsLow = relation === null ? draws.chance(0.5) : relation === 'left of' || relation === 'above';
  const rising = axis === 'both' && draws.chance(0.5);
  return pieces.map((piece, i) => {
    const low = (i === 0) === firstIsLow;
    const big = piece.radius > 12 ? 2 : 0;
    const side = (lower: boolean): number => (lower ? 16 - big : 48 + big) + draws.between(-3, 3);
    const open = (): number => MIDDLE + draws.between(-5, 5);
    const x = axis === 'y' ? open() : side(low);
    const y = axis === 'x' ? open() : side(low !== rising);
    return inside(piece, { x, y });
  });
}

/** For groups of a and b objects: all choices of cells in which the first lies left of the second. */
const leftChoices = new Map<number, readonly (readonly Place[])[]>();

function subsets(cells: readonly Place[], count: number): Place[][] {
  if (count === 0) return [[]];
  return cells.flatMap((cell, i) => subsets(cells.slice(i + 1), count - 1).map((rest) => [cell, ...rest]));
}

function leftOfChoices(a: number, b: number): readonly (readonly Place[])[] {
  const known = leftChoices.get(a * 10 + b);
  if (known) return known;
  const box = ({ x, y }: Place): Box => pieceBox({ shape: 'ring', radius: 9.5 }, { x, y });
  const choices = subsets(CELLS, a).flatMap((first) => {
    const free = CELLS.filter((cell) =>
      first.every((other) => relationStrength('left of', box(other), box(cell)) >= CLEAR_RELATION),
    );
    return subsets(free, b).map((second) => [...first, ...second]);
  });
  leftChoices.set(a * 10 + b, choices);
  return choices;
}

/** Cells for related groups: those for "left of", turned into the wanted direction. */
function relatedCells(a: number, b: number, relation: Relation, draws: Draws): Place[] {
  const chosen = draws.pick(leftOfChoices(a, b));
  return chosen.map(({ x, y }) => {
    switch (relation) {
      case 'left of':
        return { x, y };
      case 'right of':
        return { x: PICTURE_SIDE - x, y };
      case 'above':
        return { x: y, y: x };
      case 'below':
        return { x: y, y: PICTURE_SIDE - x };
    }
  });
}

function placeMany(pieces: readonly Piece[], relation: Relation | null, draws: Draws): Place[] {
  const first = pieces.filter((piece) => piece.group === 0).length;
  const cells =
    relation === null
      ? draws.sample(CELLS, pieces.length)
      : relatedCells(first, pieces.length - first, relation, draws);
  return pieces.map((piece, i) => {
    const cell = cells[i] as Place;
    return inside(piece, { x: cell.x + draws.between(-1.5, 1.5), y: cell.y + draws.between(-1.5, 1.5) });
  });
}

/**
 * Draws places for the pieces of a scene, group by group in order: apart, inside the picture, and in the
 * relation. Returns undefined when these pieces do not fit; draw other radii then.
 */
export function placePieces(
  pieces: readonly Piece[],
  relation: Relation | null,
  draws: Draws,
): readonly Place[] | undefined {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const places =
      pieces.length === 1
        ? pieces.map((piece) =>
            inside(piece, { x: MIDDLE + draws.between(-5, 5), y: MIDDLE + draws.between(-5, 5) }),
          )
        : pieces.length === 2
          ? placeTwo(pieces, relation, draws)
          : placeMany(pieces, relation, draws);
    if (fits(pieces, places, relation)) return places;
  }
  return undefined;
}

// GenEval's rule for relative position (evaluation/evaluate_images.py of djghosh13/geneval): the offset between
// the centres of two boxes, shrunk by a tenth of the boxes' sizes, must point clearly in the direction named.

import type { Relation } from './grammar.js';

/** A box in pixels: left, top, right and bottom edge. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** GenEval's POSITION_THRESHOLD: the share of the boxes' sizes that an offset has to exceed. */
const POSITION_THRESHOLD = 0.1;
/** The least component of the unit offset that counts as a direction. */
const DIRECTION_THRESHOLD = 0.5;

function shrink(offset: number, sizes: number): number {
  return Math.sign(offset) * Math.max(Math.abs(offset) - POSITION_THRESHOLD * sizes, 0);
}

/** How far box `a` lies in a direction of box `b`: GenEval's component of the shrunk offset, -1..1. */
export function relationStrength(relation: Relation, a: Box, b: Box): number {
  const offsetX = (a.left + a.right - b.left - b.right) / 2;
  const offsetY = (a.top + a.bottom - b.top - b.bottom) / 2;
  const distance = Math.hypot(offsetX, offsetY);
  if (distance === 0) return 0;
  const x = shrink(offsetX, a.right - a.left + (b.right - b.left)) / distance;
  const y = shrink(offsetY, a.bottom - a.top + (b.bottom - b.top)) / distance;
  switch (relation) {
    case 'left of':
      return -x;
    case 'right of':
      return x;
    case 'above':
      return -y;
    case 'below':
      return y;
  }
}

/** Whether GenEval's rule finds box `a` in the given relation to box `b`. */
export function holds(relation: Relation, a: Box, b: Box): boolean {
  return relationStrength(relation, a, b) > DIRECTION_THRESHOLD;
}

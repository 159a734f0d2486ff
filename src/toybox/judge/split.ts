// Parts a component of the foreground that fits no shape: objects that touch, of different colours or joined by a
// thin bridge only.

import { PICTURE_SIDE } from '../world/scene.js';
import type { Component, Layers } from './foreground.js';
import { findComponents } from './foreground.js';

/** Coverage that joins touching objects less often than the usual half. */
const FIRM = 0.8;
/** Least share of a component's pixels for a part; edges between colours make smaller ones. */
const LEAST_SHARE = 0.15;
/** Pixels by which firm parts grow back within their component. */
const GROWTH = 2;

function large(parts: readonly Component[], whole: Component): Component[] {
  return parts.filter((part) => part.pixels.length >= LEAST_SHARE * whole.pixels.length);
}

/** The connected parts of one colour each. */
export function splitByColour(component: Component, layers: Layers): Component[] {
  const own = new Set(component.pixels);
  const colours = new Set(component.pixels.map((pixel) => layers.colour[pixel] as number));
  const parts = [...colours].flatMap((colour) =>
    findComponents((pixel) => own.has(pixel) && layers.colour[pixel] === colour),
  );
  return large(parts, component);
}

/** Gives each part the pixels of its component around it, nearest part first. */
function grow(parts: readonly Component[], component: Component): Component[] {
  const owner = new Map<number, number>();
  parts.forEach((part, index) => {
    for (const pixel of part.pixels) owner.set(pixel, index);
  });
  for (let round = 0; round < GROWTH; round++) {
    const reached = component.pixels.flatMap((pixel) => {
      if (owner.has(pixel)) return [];
      const neighbours = [pixel - 1, pixel + 1, pixel - PICTURE_SIDE, pixel + PICTURE_SIDE];
      const neighbour = neighbours.find((other) => owner.has(other));
      return neighbour === undefined ? [] : [[pixel, owner.get(neighbour) as number] as const];
    });
    for (const [pixel, index] of reached) owner.set(pixel, index);
  }
  return parts.flatMap((_, index) => findComponents((pixel) => owner.get(pixel) === index));
}

/** The parts that stay connected where the coverage is firm, with their edges grown back. */
export function splitByCoverage(component: Component, layers: Layers): Component[] {
  const own = new Set(component.pixels);
  const parts = findComponents((pixel) => own.has(pixel) && (layers.coverage[pixel] as number) >= FIRM);
  return large(grow(large(parts, component), component), component);
}

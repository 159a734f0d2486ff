// Finds the objects of a toybox picture by plain image analysis: no learned part, and nothing of the generator but
// the palette and the unit shapes. It is the independent judge of generated pictures; search sees it only when it
// asks for the oracle. An object that looks like none of the shapes, colours or textures is "unknown" there. What is too
// faint to be an object of the world, but not to be seen (a ghost), is an object of unknown shape.

import type { Image } from '../../core/image.js';
import type { Box } from '../world/relation.js';
import type { Colour, Rgb, Shape, Size, Texture } from '../world/scene.js';
import { PICTURE_SIDE } from '../world/scene.js';
import { cutOut, fitColour, outlineOf } from './colour-fit.js';
import type { Component, Layers } from './foreground.js';
import { estimateBackground, findComponents, foregroundComponents, separate } from './foreground.js';
import type { Patch, ShapeFit } from './shape-fit.js';
import { clearOverlap, fitShapes, hasHole, placedDistance } from './shape-fit.js';
import { splitByColour, splitByCoverage } from './split.js';
import type { ShadedPixel, TextureFit } from './texture-fit.js';
import { fitTexture } from './texture-fit.js';

/** One object in a picture; places and sizes in pixels, confidences 0..1. */
export interface DetectedObject {
  readonly shape: Shape | 'unknown';
  readonly colour: Colour | 'unknown';
  readonly texture: Texture | 'unknown';
  readonly size: Size;
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  readonly box: Box;
  readonly confidence: { readonly shape: number; readonly colour: number; readonly texture: number };
}

/** What is in a picture; objects from left to right. */
export interface Detection {
  readonly background: Rgb;
  readonly objects: readonly DetectedObject[];
}

/** Fewer connected pixels are specks, not objects; the smallest object has about 60. */
const LEAST_PIXELS = 24;
/** Coverage from which a person sees something; so many pixels, of so much coverage together, are more than a speck. */
const VISIBLE = 0.12;
const LEAST_GHOST = 32;
const LEAST_INK = 7.5;
/** How much better than every other shape the best one has to fit. */
const CLEAR_LEAD = 0.02;
/** A form that fits a square nearly as well as a circle has flat sides: a person sees a square with round corners. */
const ROUND_CORNERS = 0.025;
/** Radii (pixels) that part small from medium and medium from large. */
const SMALL_BELOW = 8.25;
const LARGE_FROM = 11.75;
/** A texture is read from pixels that are covered this much, and lie this far (pixels) inside the outline. */
const SOLID = 0.85;
const INSET = 0.8;

function fitTextureOf(pixels: readonly ShadedPixel[], fit: ShapeFit): TextureFit {
  const inner = pixels.filter(
    ({ column, row, coverage }) =>
      coverage >= SOLID && placedDistance(fit, column + 0.5, row + 0.5) <= -INSET,
  );
  return fitTexture(inner);
}

/** The shape that a patch shows clearly, or else the one that comes closest. */
function clearShape(patch: Patch): { readonly fit: ShapeFit; readonly known: boolean } | undefined {
  const [best, second] = fitShapes(patch);
  if (!best) return undefined;
  const fits = (fit: ShapeFit): boolean =>
    fit.overlap >= clearOverlap(fit) && hasHole(patch) === (fit.shape === 'ring');
  const lead = best.overlap - (second?.overlap ?? 0);
  const square = [best, second].find((fit) => fit?.shape === 'square');
  const rounded = square !== undefined && [best, second].some((fit) => fit?.shape === 'circle');
  if (rounded && lead < ROUND_CORNERS) return { fit: square, known: fits(square) };
  return { fit: best, known: fits(best) && lead >= CLEAR_LEAD };
}

function sizeOf(radius: number): Size {
  return radius < SMALL_BELOW ? 'small' : radius < LARGE_FROM ? 'medium' : 'large';
}

function describe(component: Component, layers: Layers): DetectedObject | undefined {
  const { colour, confidence, mixed, nearest } = fitColour(component, layers);
  const { patch, pixels } = cutOut(component, layers, nearest);
  const plain = clearShape(patch);
  if (!plain) return undefined;
  const outline = mixed && !plain.known ? clearShape(outlineOf(component, layers, patch)) : undefined;
  const { fit: best, known } = outline?.known ? outline : plain;
  const texture = fitTextureOf(pixels, best);
  const { left, top, right, bottom } = component;
  return {
    shape: known ? best.shape : 'unknown',
    colour,
    texture: texture.texture,
    size: sizeOf(best.radius),
    x: best.x,
    y: best.y,
    radius: best.radius,
    box: { left, top, right, bottom },
    confidence: { shape: best.overlap, colour: confidence, texture: texture.confidence },
  };
}

/** The objects of a component: one, or several that touch and can be told apart. */
function describeParts(component: Component, layers: Layers): readonly DetectedObject[] {
  const whole = describe(component, layers);
  if (whole === undefined) return [];
  if (whole.shape !== 'unknown') return [whole];
  for (const split of [splitByColour, splitByCoverage]) {
    const parts = split(component, layers)
      .filter((part) => part.pixels.length >= LEAST_PIXELS)
      .map((part) => describe(part, layers))
      .filter((part) => part !== undefined);
    if (parts.length > 1 && parts.some((part) => part.shape !== 'unknown')) return parts;
  }
  return [whole];
}

/** Faint things that are no part of any of the objects: connected visible pixels, apart from those. */
function describeGhosts(objects: readonly Component[], layers: Layers): readonly DetectedObject[] {
  const taken = new Set(objects.flatMap(({ pixels }) => pixels));
  const coverageOf = (pixel: number): number => layers.coverage[pixel] as number;
  return findComponents((pixel) => coverageOf(pixel) >= VISIBLE)
    .filter(({ pixels }) => pixels.length >= LEAST_GHOST && !pixels.some((pixel) => taken.has(pixel)))
    .filter(({ pixels }) => pixels.reduce((sum, pixel) => sum + coverageOf(pixel), 0) >= LEAST_INK)
    .flatMap((component) => describe(component, layers) ?? [])
    .map((ghost) => ({ ...ghost, shape: 'unknown' }));
}

/** Finds the objects of a 64 x 64 picture with shape, colour, texture, size and place. */
export function detectObjects(image: Image): Detection {
  if (image.width !== PICTURE_SIDE || image.height !== PICTURE_SIDE) {
    const size = `${String(image.width)} x ${String(image.height)}`;
    throw new RangeError(
      `the detector reads toybox pictures of 64 x 64 pixels, got ${size}; resize it first`,
    );
  }
  const background = estimateBackground(image);
  const layers = separate(image, background);
  const components = foregroundComponents(layers).filter(({ pixels }) => pixels.length >= LEAST_PIXELS);
  const objects = [
    ...components.flatMap((component) => describeParts(component, layers)),
    ...describeGhosts(components, layers),
  ];
  return { background, objects: objects.sort((a, b) => a.x - b.x) };
}

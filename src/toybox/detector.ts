// Finds the objects of a toybox picture by plain image analysis: no learned part, and nothing of the generator but
// the palette and the unit shapes. It is the independent judge of generated pictures; search sees it only when it
// asks for the oracle. An object that looks like none of the shapes, colours or textures is "unknown" there.

import type { Image } from '../core/image.js';
import type { Component, Layers } from './foreground.js';
import { estimateBackground, foregroundComponents, separate } from './foreground.js';
import type { Box } from './relation.js';
import type { Colour, Rgb, Shape, Size, Texture } from './scene.js';
import { COLOURS, PICTURE_SIDE } from './scene.js';
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
/** How much better than every other shape the best one has to fit. */
const CLEAR_LEAD = 0.02;
/** Share of an object's pixels that has to agree on a colour, and the mean RGB error allowed. */
const CLEAR_COLOUR = 0.6;
const COLOUR_ERROR = 45;
/** Shade of the brightest part below which a colour counts as another one (brown is not orange). */
const LEAST_SHADE = 0.62;
/** Radii (pixels) that part small from medium and medium from large. */
const SMALL_BELOW = 8.25;
const LARGE_FROM = 11.75;
const MARGIN = 2;
/** Coverage below which a pixel counts as empty. */
const NOISE = 0.1;

/** Coverage around a component; pixels of other components count as empty. */
function patchOf(component: Component, layers: Layers): Patch {
  const left = Math.max(0, component.left - MARGIN);
  const top = Math.max(0, component.top - MARGIN);
  const width = Math.min(PICTURE_SIDE, component.right + MARGIN) - left;
  const height = Math.min(PICTURE_SIDE, component.bottom + MARGIN) - top;
  const coverage = new Float32Array(width * height);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const covered = layers.coverage[(top + row) * PICTURE_SIDE + left + column] as number;
      if (covered >= NOISE && covered < 0.5) coverage[row * width + column] = covered;
    }
  }
  for (const pixel of component.pixels) {
    const column = pixel % PICTURE_SIDE;
    const row = (pixel - column) / PICTURE_SIDE;
    coverage[(row - top) * width + column - left] = layers.coverage[pixel] as number;
  }
  return { left, top, width, height, coverage };
}

/** The palette colour most of the covered pixels agree on. */
function fitColour(
  pixels: readonly number[],
  layers: Layers,
): { colour: Colour | 'unknown'; confidence: number } {
  const votes = new Float64Array(COLOURS.length);
  const shades: number[] = [];
  let error = 0;
  let total = 0;
  for (const pixel of pixels) {
    const index = layers.colour[pixel] as number;
    const covered = layers.coverage[pixel] as number;
    if (index < 0) continue;
    // Dark pixels say little about their hue.
    const weight = covered * (layers.shade[pixel] as number);
    votes[index] = (votes[index] as number) + weight;
    error += weight * (layers.residual[pixel] as number);
    total += weight;
    shades.push(layers.shade[pixel] as number);
  }
  const best = votes.indexOf(Math.max(...votes));
  const share = total > 0 ? (votes[best] as number) / total : 0;
  shades.sort((a, b) => a - b);
  const bright = shades[Math.floor(shades.length * 0.9)] ?? 0;
  const clear = share >= CLEAR_COLOUR && error / total <= COLOUR_ERROR && bright >= LEAST_SHADE;
  return { colour: clear ? (COLOURS[best] ?? 'unknown') : 'unknown', confidence: share };
}

function fitTextureOf(pixels: readonly number[], fit: ShapeFit, layers: Layers): TextureFit {
  const inner: ShadedPixel[] = [];
  for (const pixel of pixels) {
    const column = pixel % PICTURE_SIDE;
    const row = (pixel - column) / PICTURE_SIDE;
    if ((layers.coverage[pixel] as number) < 0.85) continue;
    if (placedDistance(fit, column + 0.5, row + 0.5) > -0.8) continue;
    inner.push([column, row, layers.shade[pixel] as number]);
  }
  return fitTexture(inner);
}

function sizeOf(radius: number): Size {
  return radius < SMALL_BELOW ? 'small' : radius < LARGE_FROM ? 'medium' : 'large';
}

function describe(component: Component, layers: Layers): DetectedObject | undefined {
  const patch = patchOf(component, layers);
  const [best, second] = fitShapes(patch);
  if (!best) return undefined;
  const lead = best.overlap - (second?.overlap ?? 0);
  const known =
    best.overlap >= clearOverlap(best) && lead >= CLEAR_LEAD && hasHole(patch) === (best.shape === 'ring');
  const { colour, confidence } = fitColour(component.pixels, layers);
  const texture = fitTextureOf(component.pixels, best, layers);
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
  if (!whole || whole.shape !== 'unknown') return whole ? [whole] : [];
  for (const split of [splitByColour, splitByCoverage]) {
    const parts = split(component, layers)
      .filter((part) => part.pixels.length >= LEAST_PIXELS)
      .map((part) => describe(part, layers))
      .filter((part) => part !== undefined);
    if (parts.length > 1 && parts.some((part) => part.shape !== 'unknown')) return parts;
  }
  return [whole];
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
  const objects = foregroundComponents(layers)
    .filter((component) => component.pixels.length >= LEAST_PIXELS)
    .flatMap((component) => describeParts(component, layers))
    .sort((a, b) => a.x - b.x);
  return { background, objects };
}

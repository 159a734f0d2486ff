// Finds the palette colour of a component, and takes its surroundings apart once more with that colour alone.

import type { Colour } from '../world/scene.js';
import { COLOURS, PICTURE_SIDE } from '../world/scene.js';
import type { Component, Layers } from './foreground.js';
import { FOREGROUND } from './foreground.js';
import type { Patch } from './shape-fit.js';
import type { ShadedPixel } from './texture-fit.js';
import type { Mixture, Unmixer } from './unmix.js';

/** The colour of an object; "unknown" where no palette colour explains it. Confidence is the share explained, 0..1. */
interface ColourFit {
  readonly colour: Colour | 'unknown';
  readonly confidence: number;
  /** Whether a fair share of the pixels comes closer to another colour. */
  readonly mixed: boolean;
  /** The palette colour that comes closest, also where it is not close. */
  readonly nearest: Unmixer;
}

/** A component's surroundings in terms of one colour. */
interface Cutout {
  readonly patch: Patch;
  /** The component's own covered pixels. */
  readonly pixels: readonly ShadedPixel[];
}

/** RGB error up to which a pixel counts as explained, and the share of an object's pixels that has to be. */
const CLOSE = 40;
const CLEAR_SHARE = 0.75;
/** Share of an object's pixels that have to come closest to a colour for it to be tried. */
const LEAST_VOTES = 0.1;
/** Shade of the brightest part below which a colour counts as another one (brown is not orange). */
const LEAST_SHADE = 0.6;
/** Coverage below which a pixel counts as empty. */
const NOISE = 0.1;
/** Pixels around a component that belong to its patch. */
const MARGIN = 2;

function explain(layers: Layers, unmixer: Unmixer, pixel: number, into: Mixture): void {
  const { data } = layers.image;
  into.error = Infinity;
  unmixer.explain(data[pixel * 3] ?? 0, data[pixel * 3 + 1] ?? 0, data[pixel * 3 + 2] ?? 0, into);
}

const emptyMixture = (): Mixture => ({ colour: -1, coverage: 0, shade: 1, error: Infinity });

/** Colours that a fair share of the pixels came closest to, one by one. */
function candidates({ pixels }: Component, layers: Layers): number[] {
  const votes = layers.unmixers.map(() => 0);
  for (const pixel of pixels) {
    const colour = layers.colour[pixel] as number;
    if (colour >= 0) votes[colour] = (votes[colour] as number) + 1;
  }
  return votes.flatMap((count, colour) => (count >= LEAST_VOTES * pixels.length ? [colour] : []));
}

/** The palette colour that explains a component's pixels together with the least squared error. */
export function fitColour(component: Component, layers: Layers): ColourFit {
  const { pixels } = component;
  const mixture = emptyMixture();
  const errorOf = (unmixer: Unmixer): number =>
    pixels.reduce((sum, pixel) => {
      explain(layers, unmixer, pixel, mixture);
      return sum + mixture.error;
    }, 0);
  const tried = candidates(component, layers);
  const [best] = tried
    .map((index) => ({ index, error: errorOf(layers.unmixers[index] as Unmixer) }))
    .sort((a, b) => a.error - b.error);
  const index = best?.index ?? 0;
  const nearest = layers.unmixers[index] as Unmixer;
  let close = 0;
  const shades = pixels.map((pixel) => {
    explain(layers, nearest, pixel, mixture);
    if (mixture.error < CLOSE ** 2) close += 1;
    return mixture.shade;
  });
  shades.sort((a, b) => a - b);
  const bright = shades[Math.floor(shades.length * 0.9)] ?? 0;
  const confidence = close / pixels.length;
  const clear = confidence >= CLEAR_SHARE && bright >= LEAST_SHADE;
  const colour = clear ? (COLOURS[index] ?? 'unknown') : 'unknown';
  return { colour, confidence, mixed: tried.length > 1, nearest };
}

/**
 * The same window with the coverage by whatever colour explains each pixel best, and full inside: the outline of an object of
 * two colours (a pale one may be explained as a strong one that covers half).
 */
export function outlineOf({ pixels }: Component, { coverage }: Layers, patch: Patch): Patch {
  const own = new Set(pixels);
  const values = patch.coverage.map((_, i) => {
    const pixel = (patch.top + Math.floor(i / patch.width)) * PICTURE_SIDE + patch.left + (i % patch.width);
    const covered = coverage[pixel] as number;
    if (!own.has(pixel)) return covered < FOREGROUND ? covered : 0;
    const inside = [pixel - 1, pixel + 1, pixel - PICTURE_SIDE, pixel + PICTURE_SIDE].every((next) =>
      own.has(next),
    );
    return inside ? 1 : covered;
  });
  return { ...patch, coverage: values };
}

/** Coverage and shade of a component and around it in terms of one colour; other components count as empty. */
export function cutOut(component: Component, layers: Layers, unmixer: Unmixer): Cutout {
  const left = Math.max(0, component.left - MARGIN);
  const top = Math.max(0, component.top - MARGIN);
  const width = Math.min(PICTURE_SIDE, component.right + MARGIN) - left;
  const height = Math.min(PICTURE_SIDE, component.bottom + MARGIN) - top;
  const coverage = new Float32Array(width * height);
  const mixture = emptyMixture();
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const pixel = (top + row) * PICTURE_SIDE + left + column;
      const before = layers.coverage[pixel] as number;
      if (before < NOISE || before >= FOREGROUND) continue;
      explain(layers, unmixer, pixel, mixture);
      coverage[row * width + column] = mixture.coverage;
    }
  }
  const pixels = component.pixels.map((pixel): ShadedPixel => {
    const column = pixel % PICTURE_SIDE;
    const row = (pixel - column) / PICTURE_SIDE;
    explain(layers, unmixer, pixel, mixture);
    coverage[(row - top) * width + column - left] = mixture.coverage;
    return { column, row, coverage: mixture.coverage, shade: mixture.shade };
  });
  return { patch: { left, top, width, height, coverage }, pixels };
}

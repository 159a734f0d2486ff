// Tells plain, striped and dotted fills apart by how the dark shade is spread over an object.

import { darkness, TEXTURE_PERIOD } from '../world/renderer.js';
import type { Texture } from '../world/scene.js';
import { DARK_SHADE, TEXTURES } from '../world/scene.js';

/** The texture found in an object, or "unknown" for an uneven fill without a clear pattern; confidence 0..1. */
export interface TextureFit {
  readonly texture: Texture | 'unknown';
  readonly confidence: number;
}

/** A pixel of an object; shade 1 is the full colour, DARK_SHADE the dark shade. */
export interface ShadedPixel {
  readonly column: number;
  readonly row: number;
  readonly coverage: number;
  readonly shade: number;
}

/** Standard deviation of the darkness (0..1) below which a fill counts as plain. */
const EVEN = 0.17;
/** Correlation with a pattern below which an uneven fill is unknown. */
const CLEAR = 0.5;
/** Patterns are tried at every half pixel, as generated pictures may move them. */
const PHASES = TEXTURE_PERIOD * 2;
const TILE = TEXTURE_PERIOD * TEXTURE_PERIOD;

interface Pattern {
  readonly texture: Texture;
  /** Darkness in each pixel of one period, row by row. */
  readonly tile: Float32Array;
}

function makePattern(texture: Texture, shiftX: number, shiftY: number): Pattern {
  const tile = Float32Array.from({ length: TILE }, (_, i) =>
    darkness(texture, (i % TEXTURE_PERIOD) + shiftX, Math.floor(i / TEXTURE_PERIOD) + shiftY),
  );
  return { texture, tile };
}

let cachedPatterns: readonly Pattern[] | undefined;

function patterns(): readonly Pattern[] {
  const shifts = Array.from({ length: PHASES }, (_, i) => i / 2);
  cachedPatterns ??= TEXTURES.filter((texture) => texture !== 'plain').flatMap((texture) =>
    shifts.flatMap((y) => (texture === 'striped' ? [0] : shifts).map((x) => makePattern(texture, x, y))),
  );
  return cachedPatterns;
}

/** Darkness summed by place within one period, so that a pattern is compared in 64 steps. */
class PeriodicSums {
  readonly count = new Float64Array(TILE);
  readonly sum = new Float64Array(TILE);
  total = 0;
  mean = 0;
  deviation = 0;

  constructor(pixels: readonly ShadedPixel[]) {
    let squares = 0;
    for (const { column, row, shade } of pixels) {
      const dark = (1 - shade) / (1 - DARK_SHADE);
      const bin = (row % TEXTURE_PERIOD) * TEXTURE_PERIOD + (column % TEXTURE_PERIOD);
      this.count[bin] = (this.count[bin] as number) + 1;
      this.sum[bin] = (this.sum[bin] as number) + dark;
      this.mean += dark;
      squares += dark * dark;
    }
    this.total = pixels.length;
    this.mean /= this.total;
    this.deviation = Math.sqrt(Math.max(0, squares / this.total - this.mean ** 2));
  }

  /** Pearson's correlation of the pixels with a pattern. */
  correlation({ tile }: Pattern): number {
    let [mean, squares, product] = [0, 0, 0];
    for (let bin = 0; bin < TILE; bin++) {
      const wanted = tile[bin] as number;
      const weight = this.count[bin] as number;
      mean += weight * wanted;
      squares += weight * wanted * wanted;
      product += wanted * (this.sum[bin] as number);
    }
    mean /= this.total;
    const spread = Math.sqrt(Math.max(0, squares / this.total - mean * mean));
    if (spread === 0 || this.deviation === 0) return 0;
    return (product / this.total - mean * this.mean) / (spread * this.deviation);
  }
}

/** Finds the texture of an object from the pixels well inside it. */
export function fitTexture(pixels: readonly ShadedPixel[]): TextureFit {
  if (pixels.length === 0) return { texture: 'unknown', confidence: 0 };
  const sums = new PeriodicSums(pixels);
  if (sums.deviation < EVEN) return { texture: 'plain', confidence: 1 - sums.deviation / (2 * EVEN) };
  let texture: TextureFit['texture'] = 'unknown';
  let best = CLEAR;
  for (const pattern of patterns()) {
    const correlation = sums.correlation(pattern);
    if (correlation <= best) continue;
    best = correlation;
    texture = pattern.texture;
  }
  return { texture, confidence: texture === 'unknown' ? 0 : best };
}

// Takes pixels apart as coverage * shade * colour + (1 - coverage) * background, so that anti-aliased edges, the dark
// shade of textures and a decoder's blur all come out as coverage and shade instead of as foreign colours.

import type { Rgb } from '../world/scene.js';
import { COLOUR_RGB, COLOURS, DARK_SHADE } from '../world/scene.js';

/** How a pixel is made up; `error` is the squared RGB distance that stays unexplained. */
export interface Mixture {
  colour: number;
  coverage: number;
  shade: number;
  error: number;
}

const LEAST_COVERAGE = 0.02;
const SHADE_RANGE = [DARK_SHADE - 0.1, 1.1] as const;

const dot = (a: Rgb, b: Rgb): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const clamp = (value: number, low: number, high: number): number =>
  value < low ? low : value > high ? high : value;

/** Explains pixels by one palette colour over a given background. */
export class Unmixer {
  readonly #rgb: Rgb;
  readonly #background: Rgb;
  readonly #index: number;
  /** Rows that give u and v in the least squares of pixel = u * colour + v * background. */
  readonly #u: Rgb;
  readonly #v: Rgb;

  constructor(index: number, background: Rgb) {
    const name = COLOURS[index];
    if (name === undefined) throw new RangeError(`there is no palette colour ${String(index)}`);
    const rgb = COLOUR_RGB[name];
    const [cc, cb, bb] = [dot(rgb, rgb), dot(rgb, background), dot(background, background)];
    const row = (k: number, l: number): Rgb => {
      const part = (i: 0 | 1 | 2): number => (k * rgb[i] + l * background[i]) / (cc * bb - cb * cb);
      return [part(0), part(1), part(2)];
    };
    this.#rgb = rgb;
    this.#background = background;
    this.#index = index;
    this.#u = row(bb, -cb);
    this.#v = row(-cb, cc);
  }

  /** Writes the explanation of a pixel to `into` if its error is smaller than the one there. */
  explain(r: number, g: number, b: number, into: Mixture): void {
    const [cr, cg, cb] = this.#rgb;
    const [br, bg, bb] = this.#background;
    const u = this.#u[0] * r + this.#u[1] * g + this.#u[2] * b;
    const v = this.#v[0] * r + this.#v[1] * g + this.#v[2] * b;
    const coverage = clamp(1 - v, LEAST_COVERAGE, 1);
    const shade = clamp(u / coverage, SHADE_RANGE[0], SHADE_RANGE[1]);
    const k = coverage * shade;
    const open = 1 - coverage;
    const error =
      (r - k * cr - open * br) ** 2 + (g - k * cg - open * bg) ** 2 + (b - k * cb - open * bb) ** 2;
    if (error >= into.error) return;
    into.colour = this.#index;
    into.coverage = coverage;
    into.shade = shade;
    into.error = error;
  }
}

// The colours of series, the same all over a report.

import type { FigureSeries } from '../../benchmarks/analysis/index.js';

/** The class of the colour that a series has all over a report. */
export type ToneOf = (series: Pick<FigureSeries, 'name' | 'hue' | 'broken'>) => string;

const COLOURS = ['tone-blue', 'tone-winner', 'tone-kept', 'tone-violet'] as const;

/** Colours in the order in which hues appear; after the last colour they begin again, with broken lines. */
export function tonesOf(all: readonly FigureSeries[]): ToneOf {
  const order = [...new Set(all.map(({ name, hue = name }) => hue))];
  return ({ name, hue = name, broken = false }) => {
    const place = Math.max(0, order.indexOf(hue));
    const colour = COLOURS[place % COLOURS.length] ?? COLOURS[0];
    const isSecond = Math.floor(place / COLOURS.length) % 2 === 1;
    return broken !== isSecond ? `${colour} broken` : colour;
  };
}

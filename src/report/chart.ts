// A small chart as inline SVG: lines, steps and dots over two linear axes. Colours come from the page's style.

import { formatLarge } from '../core/format.js';
import type { Html } from './html.js';
import { html } from './html.js';

/** A point of a chart; `title` is what a pointer resting on it shows. */
export interface ChartPoint {
  readonly x: number;
  readonly y: number;
  readonly title?: string;
}

/** Points that belong together. */
export interface Series {
  readonly name: string;
  /** Class of the style sheet that gives the colour. */
  readonly tone: string;
  readonly kind: 'dots' | 'line' | 'steps';
  readonly points: readonly ChartPoint[];
  /** Writes the name beside the last point. */
  readonly label?: boolean;
}

/** What a chart shows. */
export interface ChartOptions {
  /** One sentence that says what there is to see, for those who cannot. */
  readonly summary: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly Series[];
  /** Writes a value at the y axis; one that it writes as '' is not marked. @default as a number */
  readonly yTick?: (value: number) => string;
  /** Places of the x axis' marks, where the round numbers would not do. */
  readonly xTicks?: readonly { readonly at: number; readonly text: string }[];
  /** Lets the x axis begin at 0. */
  readonly fromZero?: boolean;
  /** Proportions: 'wide' for half a page, 'small' for a third of one. @default 'wide' */
  readonly size?: keyof typeof SIZES;
}

interface Box {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const SIZES = {
  wide: { width: 640, height: 290, left: 48, right: 14, top: 30, bottom: 46 },
  small: { width: 460, height: 300, left: 54, right: 14, top: 34, bottom: 52 },
} as const satisfies Record<string, Box>;

/** Round numbers that divide a range into about `count` parts, from inside the range. */
export function ticks(low: number, high: number, count: number): number[] {
  const raw = (high - low) / count;
  if (!(raw > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 2.5, 5].find((factor) => factor * power >= raw * 0.999) ?? 10) * power;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

interface Axis {
  readonly low: number;
  readonly high: number;
  readonly place: (value: number) => number;
}

function axis(values: readonly number[], from: number, to: number, margin: number): Axis {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const pad = high > low ? (high - low) * margin : Math.abs(high) * 0.1 || 1;
  const [start, end] = [low - pad, high + pad];
  return { low: start, high: end, place: (value) => from + ((value - start) / (end - start)) * (to - from) };
}

const round = (value: number): string => value.toFixed(1);

function path(series: Series, x: Axis, y: Axis): string {
  return series.points
    .map((point, i) => {
      const [px, py] = [round(x.place(point.x)), round(y.place(point.y))];
      if (i === 0) return `M${px} ${py}`;
      return series.kind === 'steps' ? `H${px}V${py}` : `L${px} ${py}`;
    })
    .join('');
}

function drawSeries(series: Series, x: Axis, y: Axis): Html {
  const last = series.points.at(-1);
  const label =
    series.label === true && last !== undefined
      ? html`<text class="name" x="${round(x.place(last.x) - 4)}" y="${round(y.place(last.y) - 7)}"
          >${series.name}</text
        >`
      : null;
  // A line through one point would not be seen.
  const isLine = series.kind !== 'dots';
  const line = isLine ? html`<path d="${path(series, x, y)}" />` : null;
  const dots = (isLine && series.points.length > 1 ? [] : series.points).map(
    (point) =>
      html`<circle cx="${round(x.place(point.x))}" cy="${round(y.place(point.y))}" r="3.4"
        ><title>${point.title}</title></circle
      >`,
  );
  return html`<g class="${series.tone}">${line}${dots}${label}</g>`;
}

const MOST_DIGITS = 12;

function formatTick(value: number, step: number): string {
  if (Math.abs(value) >= 10_000) {
    return formatLarge(value)
      .replace(' ', '')
      .replace(/(\.\d*?)0+(?=\D*$)/, '$1')
      .replace(/\.(?=\D*$)/, '');
  }
  // As many digits as the step has: 2 for steps of 0.25.
  const isWhole = (number: number): boolean =>
    Math.abs(number - Math.round(number)) <= 1e-6 * Math.abs(number);
  let digits = 0;
  while (digits < MOST_DIGITS && !isWhole(step * 10 ** digits)) {
    digits++;
  }
  return value.toFixed(digits);
}

function yAxis(y: Axis, box: Box, write?: (value: number) => string): Html {
  const places = ticks(y.low, y.high, 4);
  const step = (places[1] ?? 1) - (places[0] ?? 0);
  return html`${places.map((value) => {
    const at = round(y.place(value));
    const text = write ? write(value) : formatTick(value, step);
    if (text === '') return null;
    return html`<path class="grid" d="M${box.left} ${at}H${box.width - box.right}" /><text
        class="y"
        x="${box.left - 8}"
        y="${round(y.place(value) + 4)}"
        >${text}</text
      >`;
  })}`;
}

function xAxis(x: Axis, box: Box, options: ChartOptions): Html {
  const numbers = ticks(x.low, x.high, 5);
  const step = (numbers[1] ?? 1) - (numbers[0] ?? 0);
  const marks = options.xTicks ?? numbers.map((at) => ({ at, text: formatTick(at, step) }));
  const bottom = box.height - box.bottom + 20;
  return html`${marks.map(({ at, text }) => html`<text class="x" x="${round(x.place(at))}" y="${bottom}">${text}</text>`)}`;
}

/** The chart as an SVG that fills the width it is given. Series without points are left out. */
export function chart(options: ChartOptions): Html {
  const series = options.series.filter(({ points }) => points.length > 0);
  const points = series.flatMap((each) => each.points);
  const size = options.size ?? 'wide';
  const box = SIZES[size];
  if (points.length === 0) return html``;
  const zero = options.fromZero === true ? [0] : [];
  const x = axis(
    [...points.map((point) => point.x), ...zero],
    box.left,
    box.width - box.right,
    zero.length > 0 ? 0.015 : 0.05,
  );
  const y = axis(
    points.map((point) => point.y),
    box.height - box.bottom,
    box.top,
    0.1,
  );
  return html`<svg
    class="chart ${size}"
    viewBox="0 0 ${box.width} ${box.height}"
    role="img"
    aria-label="${options.summary}"
  >
    ${yAxis(y, box, options.yTick)}${xAxis(x, box, options)}
    <text class="y-label" x="0" y="12">${options.yLabel}</text>
    <text class="x-label" x="${box.width - box.right}" y="${box.height - 4}">${options.xLabel}</text>
    ${series.map((each) => drawSeries(each, x, y))}
  </svg>`;
}

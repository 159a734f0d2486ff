// A chart as inline SVG: dots, lines and steps with their intervals over two axes. Colours come from the page's style.

import { area, curveLinear, curveStepAfter, line } from 'd3-shape';
import type { ComponentChildren, VNode } from 'preact';

import { type Axis, type AxisOptions, layOutAxis } from './axis.js';

/** A point of a chart. */
export interface ChartPoint {
  readonly x: number;
  readonly y: number;
  /** The interval that `y` stands in. */
  readonly low?: number;
  readonly high?: number;
  /** What a pointer resting on it shows. */
  readonly title?: string;
}

/** Points that belong together. */
export interface Series {
  readonly name: string;
  /** Class of the style sheet that gives the colour: one of TONES, with 'broken' beside it for a broken line. */
  readonly tone: string;
  readonly kind: 'dots' | 'line' | 'steps';
  readonly points: readonly ChartPoint[];
  /** How the intervals of points that have one are drawn. @default 'band' for lines and steps, 'whiskers' for dots */
  readonly interval?: 'band' | 'whiskers';
  /** Marks every point of a line with a dot. @default where it has one point only */
  readonly dots?: boolean;
  /** Marks the last point. @default false */
  readonly end?: boolean;
  /** Writes the name beside the last point. @default false */
  readonly label?: boolean;
}

/** What a chart shows. */
export interface ChartProps {
  /** One sentence that says what there is to see, for those who cannot. */
  readonly summary: string;
  readonly x: AxisOptions;
  readonly y: AxisOptions;
  /** Those without points are left out; a chart without any point is nothing. */
  readonly series: readonly Series[];
  /** Proportions: 'wide' for half a page, 'small' for a third of one. @default 'wide' */
  readonly size?: keyof typeof SIZES;
}

/** The colours of series, by their classes. */
export const TONES = [
  'tone-blue',
  'tone-violet',
  'tone-winner',
  'tone-kept',
  'tone-pruned',
  'tone-mean',
] as const;

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

interface Axes {
  readonly x: Axis;
  readonly y: Axis;
}

const round = (value: number): string => value.toFixed(1);

interface Interval {
  readonly x: number;
  readonly low: number;
  readonly high: number;
}

function intervalsOf({ points }: Series): readonly Interval[] {
  return points.flatMap(({ x, low, high }) =>
    low === undefined || high === undefined ? [] : [{ x, low, high }],
  );
}

const curveOf = ({ kind }: Series): typeof curveLinear => (kind === 'steps' ? curveStepAfter : curveLinear);

function Band({ series, axes: { x, y } }: { readonly series: Series; readonly axes: Axes }): VNode {
  const shape = area<Interval>()
    .x((point) => x.place(point.x))
    .y0((point) => y.place(point.low))
    .y1((point) => y.place(point.high))
    .curve(curveOf(series))
    .digits(1);
  return <path class="band" d={shape([...intervalsOf(series)]) ?? ''} />;
}

/** Half the width of a whisker's ends, in pixels. */
const CAP = 4;

function Whiskers({ series, axes: { x, y } }: { readonly series: Series; readonly axes: Axes }): VNode {
  const path = intervalsOf(series)
    .map(({ x: at, low, high }) => {
      const [px, from, to] = [x.place(at), round(y.place(low)), round(y.place(high))];
      const cap = (height: string): string => `M${round(px - CAP)} ${height}H${round(px + CAP)}`;
      return `M${round(px)} ${from}V${to}${cap(from)}${cap(to)}`;
    })
    .join('');
  return <path class="whiskers" d={path} />;
}

function Line({ series, axes: { x, y } }: { readonly series: Series; readonly axes: Axes }): VNode {
  const shape = line<ChartPoint>()
    .x((point) => x.place(point.x))
    .y((point) => y.place(point.y))
    .curve(curveOf(series))
    .digits(1);
  return <path class="line" d={shape([...series.points]) ?? ''} />;
}

interface DotProps {
  readonly point: ChartPoint;
  readonly axes: Axes;
  readonly radius: number;
}

function Dot({ point, axes: { x, y }, radius }: DotProps): VNode {
  return (
    <circle cx={round(x.place(point.x))} cy={round(y.place(point.y))} r={radius}>
      {point.title !== undefined && <title>{point.title}</title>}
    </circle>
  );
}

function SeriesView({ series, axes }: { readonly series: Series; readonly axes: Axes }): VNode {
  const { name, tone, kind, points } = series;
  const last = points.at(-1);
  const isLine = kind !== 'dots';
  const has = intervalsOf(series).length > 0;
  const interval = series.interval ?? (isLine ? 'band' : 'whiskers');
  // A line through one point would not be seen.
  const dotted = !isLine || points.length === 1 || series.dots === true;
  return (
    <g class={tone}>
      {has && (interval === 'band' ? <Band {...{ series, axes }} /> : <Whiskers {...{ series, axes }} />)}
      {isLine && <Line {...{ series, axes }} />}
      {dotted && points.map((point) => <Dot {...{ point, axes }} radius={3.4} />)}
      {series.end === true && last && <Dot {...{ point: last, axes }} radius={5} />}
      {series.label === true && last && (
        <text class="name" x={round(axes.x.place(last.x) - 4)} y={round(axes.y.place(last.y) - 7)}>
          {name}
        </text>
      )}
    </g>
  );
}

function Marks({ axes: { x, y }, box }: { readonly axes: Axes; readonly box: Box }): VNode {
  const bottom = box.height - box.bottom + 20;
  return (
    <>
      {y.marks.map(({ at, text }) => (
        <>
          <path class="grid" d={`M${box.left} ${round(y.place(at))}H${box.width - box.right}`} />
          <text class="y" x={box.left - 8} y={round(y.place(at) + 4)}>
            {text}
          </text>
        </>
      ))}
      {x.marks.map(({ at, text }) => (
        <text class="x" x={round(x.place(at))} y={bottom}>
          {text}
        </text>
      ))}
    </>
  );
}

/** The chart as an SVG that fills the width it is given. */
export function Chart({ summary, x, y, series: all, size = 'wide' }: ChartProps): VNode | null {
  const series = all.filter(({ points }) => points.length > 0);
  const points = series.flatMap((each) => each.points);
  if (points.length === 0) return null;
  const box = SIZES[size];
  const heights = points.flatMap((point) => [point.y, point.low ?? point.y, point.high ?? point.y]);
  const axes = {
    x: layOutAxis(
      points.map((point) => point.x),
      x,
      {
        from: box.left,
        to: box.width - box.right,
        count: 5,
        margin: x.fromZero === true ? 0.015 : 0.05,
      },
    ),
    y: layOutAxis(heights, y, { from: box.height - box.bottom, to: box.top, count: 4, margin: 0.1 }),
  };
  return (
    <svg class={`chart ${size}`} viewBox={`0 0 ${box.width} ${box.height}`} role="img" aria-label={summary}>
      <Marks {...{ axes, box }} />
      <text class="y-label" x="0" y="12">
        {y.label}
      </text>
      <text class="x-label" x={box.width - box.right} y={box.height - 4}>
        {x.label}
      </text>
      {series.map((each) => (
        <SeriesView series={each} axes={axes} />
      ))}
    </svg>
  );
}

/** What the colours of a chart mean. */
export interface KeyItem {
  /** The tone of the series; none for words alone. */
  readonly tone?: string;
  readonly words: ComponentChildren;
}

/** The key below a chart. */
export function Key({ items }: { readonly items: readonly KeyItem[] }): VNode {
  return (
    <ul class="key">
      {items.map(({ tone, words }) => (
        <li class={tone}>
          {tone !== undefined && <i />}
          <span>{words}</span>
        </li>
      ))}
    </ul>
  );
}

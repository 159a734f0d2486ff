// A figure of a report: the chart with its key, and its data below it.

import type { VNode } from 'preact';

import type { Figure, FigureSeries, Writing } from '../../benchmarks/analysis/index.js';
import { writeValue } from '../../benchmarks/analysis/writing.js';
import { Chart, Key, type Series } from '../components/chart.js';
import { Folded } from '../components/parts.js';
import { csvTable, figureTable } from './csv.js';
import { IntervalTable } from './interval.js';

/** The class of the colour that a series has all over a report. */
export type ToneOf = (series: string) => string;

const COLOURS = ['tone-blue', 'tone-winner', 'tone-kept', 'tone-violet'] as const;

/** Colours in the order in which series appear; after the last colour they begin again, with broken lines. */
export function tonesOf(names: readonly string[]): ToneOf {
  const order = [...new Set(names)];
  return (name) => {
    const place = Math.max(0, order.indexOf(name));
    const colour = COLOURS[place % COLOURS.length] ?? COLOURS[0];
    return Math.floor(place / COLOURS.length) % 2 === 1 ? `${colour} broken` : colour;
  };
}

const KINDS: Readonly<Record<FigureSeries['kind'], Pick<Series, 'kind' | 'interval' | 'dots'>>> = {
  dots: { kind: 'dots' },
  measured: { kind: 'line', interval: 'whiskers', dots: true },
  line: { kind: 'line' },
  steps: { kind: 'steps' },
  dotted: { kind: 'line' },
};

function seriesOf({ name, kind, points }: FigureSeries, toneOf: ToneOf, as: Writing): Series {
  const tone = toneOf(name);
  return {
    name,
    tone: kind === 'dotted' ? 'tone-mean' : tone,
    ...KINDS[kind],
    points: points.map(({ x, y, low, high }) => ({
      x,
      y,
      ...(typeof low === 'number' && typeof high === 'number' ? { low, high } : {}),
      title: `${name}: ${writeValue(y, as)} at ${writeValue(x, 'large')}`,
    })),
  };
}

/** Marks of shares are whole per cents between nothing and all. */
const shareMark = (value: number): string =>
  value < -1e-9 || value > 1 + 1e-9 ? '' : `${Number((100 * value).toPrecision(6))} %`;

/** What there is to see, for those who cannot: where every line ends. */
function summaryOf({ title, series, y }: Figure): string {
  const ends = series.flatMap(({ name, points }) => {
    const last = points.at(-1);
    return last ? [`${name} ends at ${writeValue(last.y, y.as)}`] : [];
  });
  return `${title}: ${ends.join('; ')}.`;
}

/** A figure with its data. */
export function FigureView({ figure, toneOf }: { readonly figure: Figure; readonly toneOf: ToneOf }): VNode {
  const { title, x, y, series } = figure;
  const data = <Folded summary="data" text={csvTable(figureTable(figure)).trimEnd()} />;
  if (x.ticks) {
    return (
      <div class="panel">
        <h3>{title}</h3>
        <IntervalTable figure={figure} toneOf={toneOf} />
        {data}
      </div>
    );
  }
  return (
    <div class="panel">
      <h3>{title}</h3>
      <Chart
        summary={summaryOf(figure)}
        size="small"
        x={{ label: x.label, scale: x.logarithmic ? 'log' : 'linear' }}
        y={{ label: y.label, ...(y.as === 'share' ? { write: shareMark } : {}) }}
        series={series.map((each) => seriesOf(each, toneOf, y.as))}
      />
      <Key
        items={series.map(({ name, kind }) => ({
          tone: kind === 'dotted' ? 'tone-mean' : toneOf(name),
          words: name,
        }))}
      />
      {data}
    </div>
  );
}

// A figure of a report: the chart with its key, and its data below it.

import { extent } from 'd3-array';
import type { VNode } from 'preact';

import type { Figure, FigureSeries, Writing } from '../../benchmarks/analysis/index.js';
import { writeValue } from '../../benchmarks/analysis/writing.js';
import type { AxisOptions } from '../components/axis.js';
import { Chart, Key, type Series } from '../components/chart.js';
import { markFormatLog } from '../components/numbers.js';
import { Folded } from '../components/parts.js';
import { csvTable, figureTable } from './csv.js';
import { IntervalTable } from './interval.js';
import type { ToneOf } from './tones.js';

/** Marks of a logarithmic axis that stand apart at any size: 1, 3, 10, 30, ...; all that the chart finds where those are too few. */
function logMarks(values: readonly number[]): { readonly marks?: AxisOptions['marks'] & object } {
  const [low = 1, high = 1] = extent(values);
  const decades = Math.log10(high / low);
  const factors = decades > 3.5 ? [1] : decades > 0.8 ? [1, 3] : [1, 2, 3, 5];
  const places: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
    for (const factor of factors) places.push(Number((factor * 10 ** power).toPrecision(3)));
  }
  const marks = places
    .filter((at) => at >= low * 0.95 && at <= high * 1.05)
    .map((at) => ({ at, text: markFormatLog(at) }));
  return marks.length > 1 ? { marks } : {};
}

const KINDS: Readonly<Record<FigureSeries['kind'], Pick<Series, 'kind' | 'interval' | 'dots'>>> = {
  dots: { kind: 'dots' },
  measured: { kind: 'line', interval: 'whiskers', dots: true },
  line: { kind: 'line' },
  steps: { kind: 'steps' },
  dotted: { kind: 'line' },
};

function seriesOf(series: FigureSeries, toneOf: ToneOf, as: Writing): Series {
  const { name, kind, points } = series;
  const tone = toneOf(series);
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
        x={{
          label: x.label,
          scale: x.logarithmic ? 'log' : 'linear',
          ...(x.logarithmic ? logMarks(series.flatMap(({ points }) => points.map((point) => point.x))) : {}),
        }}
        y={{ label: y.label, ...(y.as === 'share' ? { write: shareMark } : {}) }}
        series={series.map((each) => seriesOf(each, toneOf, y.as))}
      />
      <Key
        items={series.map((each) => ({
          tone: each.kind === 'dotted' ? 'tone-mean' : toneOf(each),
          words: each.name,
        }))}
      />
      {data}
    </div>
  );
}

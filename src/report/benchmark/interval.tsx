// Figures over categories: a row for each, with a dot in its interval over a common axis. Names of any length have their room, and the
// number stands beside its dot.

import { extent } from 'd3-array';
import { scaleLinear } from 'd3-scale';
import type { VNode } from 'preact';

import type { Figure, FigurePoint } from '../../benchmarks/analysis/index.js';
import { writeDatum, writeHead } from '../../benchmarks/analysis/writing.js';
import { Table } from '../components/table.js';
import type { ToneOf } from './tones.js';

const WIDTH = 220;
const HEIGHT = 18;
const PAD = 6;

interface Row {
  readonly category: string;
  readonly series: string;
  readonly tone: string;
  readonly point: FigurePoint;
}

type Place = (value: number) => number;

const round = (value: number): string => value.toFixed(1);

/** The dot of a row with its interval; the line of 0 where the axis has one. */
function Interval({
  row: { point, tone },
  place,
  zero,
}: {
  readonly row: Row;
  readonly place: Place;
  readonly zero: boolean;
}): VNode {
  const { y, low = null, high = null } = point;
  const middle = HEIGHT / 2;
  return (
    <svg
      class={`interval ${tone}`}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
      aria-hidden="true"
    >
      {zero && <path class="zero" d={`M${round(place(0))} 0V${HEIGHT}`} />}
      {low !== null && high !== null && (
        <path class="span" d={`M${round(place(low))} ${middle}H${round(place(high))}`} />
      )}
      <circle cx={round(place(y))} cy={middle} r="3.4" />
    </svg>
  );
}

/** The rows of a figure over categories; nothing where it has no points. */
export function IntervalTable({
  figure,
  toneOf,
}: {
  readonly figure: Figure;
  readonly toneOf: ToneOf;
}): VNode | null {
  const { title, x, y, series } = figure;
  const ticks = x.ticks ?? [];
  const rows = ticks.flatMap((category, i) =>
    series.flatMap((each): Row[] => {
      const { name, points } = each;
      const point = points.find(({ x: at }) => at === i);
      return point ? [{ category, series: name, tone: toneOf(each), point }] : [];
    }),
  );
  if (rows.length === 0) return null;
  const ends = rows.flatMap(({ point }) => [point.y, point.low ?? point.y, point.high ?? point.y]);
  const [least = 0, most = 0] = extent([...ends, 0]);
  const place = scaleLinear([least, most > least ? most : least + 1], [PAD, WIDTH - PAD]);
  const several = series.length > 1;
  return (
    <Table
      label={title}
      rows={rows}
      first={{ head: x.label, cell: ({ category }) => category }}
      columns={[
        ...(several
          ? [{ head: 'search', cell: ({ series: name }: Row) => name, align: 'left' as const }]
          : []),
        {
          head: '',
          cell: (row) => <Interval row={row} place={place} zero={least < 0} />,
          align: 'left' as const,
        },
        {
          head: writeHead({ title: y.label, as: y.as }),
          cell: ({ point }) =>
            writeDatum({ value: point.y, low: point.low ?? null, high: point.high ?? null }, { as: y.as }),
        },
      ]}
    />
  );
}

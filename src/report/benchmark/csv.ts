// The tables of a report as CSV: whole numbers, not those that people read. A figure with an interval has three columns.

import type { Column, Datum, Estimate, Figure, Table } from '../../benchmarks/analysis/index.js';
import { csvLine } from '../../core/csv.js';

const isEstimate = (datum: Datum | undefined): datum is Estimate =>
  typeof datum === 'object' && datum !== null;

const written = (value: string | number | null | undefined): string | number =>
  value === null || value === undefined || (typeof value === 'number' && !Number.isFinite(value))
    ? ''
    : value;

/** A table as CSV. */
export function csvTable({ columns, rows }: Pick<Table, 'columns' | 'rows'>): string {
  const hasInterval = columns.map((_, i) => rows.some((row) => isEstimate(row[i])));
  const wide = <T>(of: (column: Column, i: number) => readonly T[]): readonly T[] => columns.flatMap(of);
  const head = wide(({ name }, i) =>
    hasInterval[i] === true ? [name, `${name}_low`, `${name}_high`] : [name],
  );
  const lines = rows.map((row) =>
    wide((_, i) => {
      const datum = row[i] ?? null;
      if (hasInterval[i] !== true) return [written(isEstimate(datum) ? datum.value : datum)];
      return (isEstimate(datum) ? [datum.value, datum.low, datum.high] : [datum, null, null]).map(written);
    }),
  );
  return `${[head, ...lines].map(csvLine).join('\n')}\n`;
}

/** The data of a figure as a table. */
export function figureTable({ name, title, x, y, series }: Figure): Table {
  const { ticks } = x;
  return {
    name,
    title,
    note: '',
    columns: [
      { name: 'series', title: 'series', as: 'text' },
      { name: 'x', title: x.label, as: ticks ? 'text' : 'large' },
      { name: 'y', title: y.label, as: y.as },
    ],
    rows: series.flatMap((each) =>
      each.points.map((point): readonly Datum[] => [
        each.name,
        ticks ? (ticks[point.x] ?? null) : point.x,
        { value: point.y, low: point.low ?? null, high: point.high ?? null },
      ]),
    ),
  };
}

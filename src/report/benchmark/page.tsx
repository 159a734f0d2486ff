// The page of a report on benchmark runs: the answer first, then every section with its figures and tables, in one file.

import type { VNode } from 'preact';

import type {
  BenchmarkReport,
  Column,
  Datum,
  Figure,
  Section,
  Table,
} from '../../benchmarks/analysis/index.js';
import { writeDatum, writeEstimate, writeHead } from '../../benchmarks/analysis/writing.js';
import { Page, renderPage } from '../components/page.js';
import { Chips, Command, Figures, Section as Part } from '../components/parts.js';
import { Table as TableView } from '../components/table.js';
import { FigureView } from './figure-view.js';
import { type ToneOf, tonesOf } from './tones.js';

/** Rows that are shown at once; longer tables are folded. */
const MOST_ROWS = 60;

const alignOf = ({ as }: Column): 'left' | 'right' => (as === 'text' ? 'left' : 'right');

function Value({ datum, column }: { readonly datum: Datum; readonly column: Column }): VNode {
  const text = writeDatum(datum, column);
  return text.startsWith('varsearch ') ? <Command text={text} /> : <>{text}</>;
}

/** A table of a report. */
function DataTable({ table }: { readonly table: Table }): VNode {
  const { name, title, note, columns, rows, folded = rows.length > MOST_ROWS } = table;
  // A column that says nothing anywhere only takes room.
  const used = columns
    .map((column, i) => ({ column, i }))
    .filter(({ i }) => rows.some((row) => (row[i] ?? '') !== ''));
  const [first, ...rest] = used;
  if (!first) return <></>;
  const view = (
    <>
      <TableView
        label={title}
        rows={rows}
        first={{
          head: writeHead(first.column),
          cell: (row) => <Value datum={row[first.i] ?? null} column={first.column} />,
        }}
        columns={rest.map(({ column, i }) => ({
          head: writeHead(column),
          align: alignOf(column),
          cell: (row: readonly Datum[]) => <Value datum={row[i] ?? null} column={column} />,
        }))}
      />
      <p class="note">
        {note} <a href={`tables/${name}.csv`}>CSV</a>
      </p>
    </>
  );
  if (!folded) {
    return (
      <div class="panel">
        <h3>{title}</h3>
        {view}
      </div>
    );
  }
  return (
    <details class="panel">
      <summary>
        {title}, {rows.length} rows
      </summary>
      {view}
    </details>
  );
}

interface FiguresProps {
  readonly figures: readonly Figure[];
  readonly toneOf: ToneOf;
}

/** Charts stand side by side, rows of intervals below each other. */
function FigureGroup({ figures, toneOf }: FiguresProps): VNode {
  const [charts, rows] = [figures.filter(({ x }) => !x.ticks), figures.filter(({ x }) => x.ticks)];
  return (
    <>
      {charts.length > 0 && (
        <div class="charts">
          {charts.map((figure) => (
            <FigureView figure={figure} toneOf={toneOf} />
          ))}
        </div>
      )}
      {rows.map((figure) => (
        <FigureView figure={figure} toneOf={toneOf} />
      ))}
    </>
  );
}

function AllFigures({ figures, toneOf, open }: FiguresProps & { readonly open: string }): VNode {
  const groups = [...new Set(figures.map(({ group }) => group))];
  // What the primary comparison is about is open, or else the first.
  const chosen = groups.find((group) => group?.startsWith(open) === true) ?? groups[0];
  return (
    <>
      {groups.map((group) => {
        const own = figures.filter((figure) => figure.group === group);
        if (group === undefined) return <FigureGroup figures={own} toneOf={toneOf} />;
        return (
          <details open={group === chosen}>
            <summary>{group}</summary>
            <FigureGroup figures={own} toneOf={toneOf} />
          </details>
        );
      })}
    </>
  );
}

function SectionView({
  section,
  toneOf,
  open,
}: {
  readonly section: Section;
  readonly toneOf: ToneOf;
  readonly open: string;
}): VNode {
  const { name, title, words, figures, tables } = section;
  return (
    <Part id={name} title={title}>
      {words.map((each) => (
        <p class="lead">{each}</p>
      ))}
      <AllFigures figures={figures} toneOf={toneOf} open={open} />
      {tables.map((table) => (
        <DataTable table={table} />
      ))}
    </Part>
  );
}

/** The primary comparison in large numbers. */
function Answer({ report: { answer, primary } }: { readonly report: BenchmarkReport }): VNode {
  const [first = '', ...rest] = answer;
  const isShare = primary?.metric === 'right';
  const as = isShare ? 'points' : 'difference';
  return (
    <Part id="answer" title="The answer">
      {primary && (
        <Figures
          items={[
            {
              name: `${primary.strategy} against ${primary.reference}`,
              value: writeEstimate({ ...primary.difference, low: null, high: null }, as),
              note: intervalWords(writeEstimate(primary.difference, as)),
              main: true,
            },
            { name: primary.strategy, value: writeDatum(primary.value, { as: isShare ? 'share' : 'score' }) },
            {
              name: primary.reference,
              value: writeDatum(primary.referenceValue, { as: isShare ? 'share' : 'score' }),
            },
            {
              name: 'prompts won and lost',
              value: `${primary.wins} : ${primary.losses}`,
              note: `${primary.ties} tied, p = ${writeDatum(primary.p, { as: 'probability' })}`,
            },
          ]}
        />
      )}
      <p>{first}</p>
      {rest.map((each) => (
        <p class="answer">{each}</p>
      ))}
    </Part>
  );
}

const intervalWords = (text: string): string => {
  const [, interval = ''] = /\[(.*)\]/.exec(text) ?? [];
  return interval === '' ? 'no interval' : `95 %: ${interval.replace(', ', ' to ')}`;
};

/** The page of a report. */
export function benchmarkPage(report: BenchmarkReport): string {
  const { benchmark, sections, primary, resamples } = report;
  const figures = sections.flatMap((section) => section.figures);
  // Charts first: their colours are met again in the rows of intervals.
  const inOrder = [...figures.filter(({ x }) => !x.ticks), ...figures.filter(({ x }) => x.ticks)];
  const toneOf = tonesOf(inOrder.flatMap(({ series }) => series));
  const open = primary ? `guided by ${primary.jury}` : '';
  return renderPage(
    <Page
      title={`${benchmark}: what search gains`}
      kind="benchmark report"
      links={[
        { href: 'report.md', text: 'Markdown' },
        { href: 'report.json', text: 'JSON' },
      ]}
    >
      <h1>{benchmark}: what search gains</h1>
      <Chips
        items={[
          { name: 'runs', value: String(report.runs.length) },
          { name: 'intervals', value: '95 %, bootstrap over prompts' },
          { name: 'resamples', value: resamples.toLocaleString('en-US') },
        ]}
      />
      <Answer report={report} />
      {sections.map((section) => (
        <SectionView section={section} toneOf={toneOf} open={open} />
      ))}
    </Page>,
  );
}

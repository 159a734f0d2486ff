// A report on benchmark runs as Markdown: the answer first, then every table; figures are in the page, their data in tables/.

import type { BenchmarkReport, Section, Table } from '../../benchmarks/analysis/index.js';
import { writeDatum, writeHead } from '../../benchmarks/analysis/writing.js';

/** Text in a cell: nothing in it ends the cell or the row. */
const inCell = (text: string): string => text.replace(/\s+/g, ' ').replace(/[\\|`*_<[\]]/g, '\\$&');

/** A command in a cell; a backtick would end it. */
const asCode = (text: string): string =>
  text.includes('`') ? inCell(text) : `\`${text.replace(/\|/g, '\\|').replace(/\s+/g, ' ')}\``;

const isCommand = (text: string): boolean => text.startsWith('varsearch ');

/** A table as Markdown. */
export function markdownTable({ columns, rows }: Pick<Table, 'columns' | 'rows'>): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(columns.map((column) => inCell(writeHead(column)))),
    line(columns.map(({ as }) => (as === 'text' ? '---' : '---:'))),
    ...rows.map((row) =>
      line(
        columns.map((column, i) => {
          const text = writeDatum(row[i] ?? null, column);
          return isCommand(text) ? asCode(text) : inCell(text);
        }),
      ),
    ),
  ].join('\n');
}

function section({ title, words, figures, tables }: Section): readonly string[] {
  return [
    `## ${title}`,
    ...words,
    ...tables.flatMap((table) => [
      `### ${table.title}`,
      markdownTable(table),
      `${table.note} Data: [tables/${table.name}.csv](tables/${table.name}.csv).`,
    ]),
    ...(figures.length === 0
      ? []
      : [
          `Figures of this section are in report.html; their data: ${figures
            .map(({ name }) => `[${name}](tables/${name}.csv)`)
            .join(', ')}.`,
        ]),
  ];
}

/** The report as Markdown. */
export function markdownReport({ benchmark, answer, resamples, sections }: BenchmarkReport): string {
  const blocks = [
    `# ${benchmark}`,
    ...answer,
    ...sections.flatMap(section),
    `Intervals of 95 % by bootstrap over prompts, ${resamples.toLocaleString('en-US')} resamples, the same ones for all figures.`,
  ];
  return `${blocks.join('\n\n')}\n`;
}

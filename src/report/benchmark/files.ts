// The files of a report on benchmark runs, by name: contents only, writing them is the caller's.

import type { BenchmarkReport } from '../../benchmarks/analysis/index.js';
import type { Files } from '../files.js';
import { csvTable, figureTable } from './csv.js';
import { markdownReport } from './markdown.js';
import { benchmarkPage } from './page.js';

/** Names of the files of a report; tables lie in a folder of their own. */
export const REPORT_FILES = {
  page: 'report.html',
  text: 'report.md',
  data: 'report.json',
  tables: 'tables',
} as const;

/** The report as a page, as Markdown, as JSON, and every table and figure of it as CSV. */
export function benchmarkReportFiles(report: BenchmarkReport): Files {
  const tables = report.sections.flatMap((section) => [
    ...section.tables,
    ...section.figures.map(figureTable),
  ]);
  return {
    ...Object.fromEntries(
      tables.map((table) => [`${REPORT_FILES.tables}/${table.name}.csv`, csvTable(table)] as const),
    ),
    [REPORT_FILES.page]: benchmarkPage(report),
    [REPORT_FILES.text]: markdownReport(report),
    [REPORT_FILES.data]: `${JSON.stringify(report, null, 2)}\n`,
  };
}

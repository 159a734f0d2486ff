// CSV: read by csv-parse with the lines that faults are on, and written by csv-stringify so that no spreadsheet takes a cell
// for a formula.

import { CsvError, parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';

import { UsageError } from './errors.js';

/** One line of CSV, without its end. An apostrophe goes before texts that a spreadsheet would run: "this is text". */
export function csvLine(cells: readonly (string | number)[]): string {
  // The library does not know these.
  const guarded = cells.map((cell) =>
    typeof cell === 'string' && /^[\n\uff1d\uff0b\uff0d\uff20]/.test(cell) ? `'${cell}` : cell,
  );
  // Spreadsheets of many countries take the semicolon for the end of a cell.
  const options = { escape_formulas: true, eof: false, quoted_match: /[;\s]/ };
  return stringify([guarded], { ...options, cast: { number: String } });
}

/** A path that no spreadsheet runs, and that still names the same file. */
export function harmlessPath(path: string): string {
  return /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(path) ? `./${path}` : path;
}

/** A row of a list. */
export interface CsvRow {
  readonly cells: readonly string[];
  /** Where it begins, as an editor counts. */
  readonly line: number;
}

/**
 * The rows of a CSV text, the head first, without those that are empty. Cells are parted by what parts the head: a comma, a
 * semicolon or a tab; blanks around them do not count. Throws a UsageError that names the line for quotes out of place and for a
 * row with more cells than the head.
 */
export function parseCsv(text: string, name: string): CsvRow[] {
  const delimiter = delimiterOf(text);
  let rows: readonly Read[];
  try {
    // The library counts \r\n within quotes as two lines.
    rows = parse(text.replace(/\r\n?/g, '\n'), {
      bom: true,
      delimiter,
      info: true,
      raw: true,
      record_delimiter: '\n',
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
    }) as unknown as readonly Read[];
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    const line = typeof cause['lines'] === 'number' ? ` ${cause['lines']}` : '';
    throw new UsageError(
      `${name} is not CSV: line${line} has a quote out of place, or one that is not closed`,
      {
        cause,
      },
    );
  }
  const read = rows
    .map(({ record, raw, info }) => ({ cells: record, line: info.lines - breaksIn(raw.trim()) }))
    .filter(({ cells }) => cells.some((cell) => cell !== ''));
  const [head] = read;
  const wide = read.find(({ cells }) => cells.length > (head?.cells.length ?? 0));
  if (head && wide) {
    throw new UsageError(
      `line ${wide.line} of ${name} has ${wide.cells.length} cells, the head has ${head.cells.length}: ` +
        `put a text with ${delimiter === '\t' ? 'a tab' : `'${delimiter}'`} in it, such as a prompt, in quotes`,
    );
  }
  return read;
}

/** What the library gives for a row. */
interface Read {
  readonly record: readonly string[];
  readonly raw: string;
  readonly info: { readonly lines: number };
}

const breaksIn = (text: string): number => text.split('\n').length - 1;

/** What parts the cells of the head: what it holds most of, outside quotes. */
function delimiterOf(text: string): string {
  const head = /[^\s][^\r\n]*/.exec(text.replace(/^\ufeff/, ''))?.[0].replace(/"[^"]*"/g, '') ?? '';
  const count = (mark: string): number => head.split(mark).length;
  return [',', ';', '\t'].reduce((best, mark) => (count(mark) > count(best) ? mark : best));
}

// CSV as RFC 4180 has it, written so that no spreadsheet takes a cell for a formula, and read.

import { UsageError } from '../core/errors.js';

/** A cell: numbers as they are, texts in quotes where they need them. */
function cell(value: string | number): string {
  if (typeof value === 'number') return String(value);
  return /[",;\s]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

/** One line of CSV, without its end. Texts that a spreadsheet would run as a formula have to be made harmless before. */
export function csvLine(cells: readonly (string | number)[]): string {
  return cells.map(cell).join(',');
}

/** True for texts that spreadsheets take for a formula. */
function isFormula(text: string): boolean {
  return /^[=+\-@\t\r\n]/.test(text);
}

/** A text that no spreadsheet runs: an apostrophe goes before it, which spreadsheets read as "this is text". */
export function harmlessText(text: string): string {
  return isFormula(text) ? `'${text}` : text;
}

/** A path that no spreadsheet runs, and that still names the same file. */
export function harmlessPath(path: string): string {
  return isFormula(path) ? `./${path}` : path;
}

/** The rows of a CSV text, each with its cells. Throws UsageError for quotes that are not closed. */
export function parseCsv(text: string, name: string): string[][] {
  const rows: string[][] = [];
  const pattern = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|\r|$)/gy;
  let row: string[] = [];
  const content = text.replace(/^\ufeff/, '');
  while (pattern.lastIndex < content.length || row.length > 0) {
    const match = pattern.exec(content);
    if (!match) throw new UsageError(`${name} is not CSV: row ${rows.length + 1} has a quote out of place`);
    const [, quoted, bare = '', end] = match;
    row.push(quoted?.replaceAll('""', '"') ?? bare);
    if (end === ',') continue;
    rows.push(row);
    row = [];
  }
  return rows.filter((cells) => cells.some((value) => value !== ''));
}

// Tables for terminals: columns as wide as their widest cell, within the width of the terminal.

import { line, type Output, sizeOf } from './io.js';

type Row = readonly string[];

const GAP = 2;
/** A column of words is not made narrower than this. */
const NARROWEST = 12;

function widthsOf(rows: readonly Row[]): number[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  return widths;
}

const totalOf = (widths: readonly number[]): number =>
  widths.reduce((sum, width) => sum + width, GAP * (widths.length - 1));

function aligned(row: Row, widths: readonly number[], left: readonly number[]): string {
  return row
    .map((cell, i) => (left.includes(i) ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
    .join(' '.repeat(GAP))
    .trimEnd();
}

/** Lines of a table; columns named in `left` are aligned left, all others right. */
export function table(rows: readonly Row[], left: readonly number[] = [0]): string[] {
  const widths = widthsOf(rows);
  return rows.map((row) => aligned(row, widths, left));
}

/**
 * A text in lines of at most so many characters, broken between words; longer ones, such as paths, are cut as well, or stay whole to be
 * copied.
 */
export function wrapped(text: string, width: number, { cut = true } = {}): string[] {
  const lines: string[] = [];
  // A mark or an indent at the beginning stays there.
  let current = /^\s*/.exec(text)?.[0] ?? '';
  let begun = false;
  for (const word of text.trim().split(/\s+/)) {
    let rest = word;
    if (begun && current.length + 1 + rest.length <= width) {
      current += ` ${rest}`;
      continue;
    }
    if (begun) [current, begun] = [(lines.push(current), ''), false];
    while (cut && current.length + rest.length > width && width > current.length) {
      const end = width - current.length;
      lines.push(current + rest.slice(0, end));
      [current, rest] = ['', rest.slice(end)];
    }
    [current, begun] = [current + rest, true];
  }
  return [...lines, current];
}

/** The widths of columns of which those of words give way, the widest first; null where that is not enough. */
function narrowed(widths: readonly number[], left: readonly number[], columns: number): number[] | null {
  const fitted = [...widths];
  while (totalOf(fitted) > columns) {
    const widest = left.reduce(
      (best, i) => ((fitted[i] ?? 0) > (fitted[best] ?? 0) ? i : best),
      left[0] ?? 0,
    );
    if (!left.includes(widest) || (fitted[widest] ?? 0) <= NARROWEST) return null;
    fitted[widest] = (fitted[widest] ?? 0) - 1;
  }
  return fitted;
}

/** Every row as a block of its own: what stands first as a title, and below it name and value a line. */
function stacked([head, ...rows]: readonly Row[], columns: number): string[] {
  const named = (head ?? []).slice(1).map((name, i) => [name.trim(), i + 1] as const);
  const indent = Math.max(0, ...named.map(([name]) => name.length)) + 4;
  return rows.flatMap((row) => [
    ...wrapped(row[0] ?? '', columns),
    ...named.flatMap(([name, i]) => {
      const cell = row[i]?.trim() ?? '';
      if (cell === '') return [];
      const [first = '', ...further] = wrapped(cell, Math.max(8, columns - indent));
      const label = `  ${name}`.padEnd(indent);
      return [`${label}${first}`, ...further.map((text) => ' '.repeat(indent) + text)];
    }),
  ]);
}

/**
 * Lines of a table with a head that has so many characters of width. Where it is too wide, columns of words (`left`) are broken into
 * lines; where that is not enough, every row becomes a block.
 */
export function fittedTable(rows: readonly Row[], left: readonly number[], columns: number): string[] {
  const widths = widthsOf(rows);
  if (totalOf(widths) <= columns) return table(rows, left);
  const fitted = narrowed(widths, left, columns);
  if (!fitted) return stacked(rows, columns);
  return rows.flatMap((row) => {
    const cells = row.map((cell, i) => (left.includes(i) ? wrapped(cell, fitted[i] ?? NARROWEST) : [cell]));
    const height = Math.max(1, ...cells.map(({ length }) => length));
    return Array.from({ length: height }, (_, at) =>
      aligned(
        cells.map((texts) => texts[at] ?? ''),
        fitted,
        left,
      ),
    );
  });
}

/** Prints a table with a head: within the width of a terminal, and whole elsewhere, where programs read it. */
export function printTable(output: Output, rows: readonly Row[], left: readonly number[] = [0]): void {
  const lines = output.isTTY === true ? fittedTable(rows, left, sizeOf(output).columns) : table(rows, left);
  for (const text of lines) line(output, text);
}

/** Prints a sentence: broken between words within the width of a terminal. */
export function printText(output: Output, text: string): void {
  const lines = output.isTTY === true ? wrapped(text, sizeOf(output).columns, { cut: false }) : [text];
  for (const each of lines) line(output, each);
}

import { describe, expect, it } from 'vitest';

import { fittedTable, printTable, table, wrapped } from './table.js';

const ROWS = [
  ['name', 'size', 'good at'],
  ['clip-score', '1.2 GB', 'what is in the picture, less so how many and where'],
  ['oracle', '-', 'counts'],
];

const widest = (lines: readonly string[]): number => Math.max(...lines.map(({ length }) => length));

describe('wrapped', () => {
  it.each([
    ['a b c', 3, ['a b', 'c']],
    ['  a bcd', 6, ['  a', 'bcd']],
    ['abcdefgh ij', 4, ['abcd', 'efgh', 'ij']],
    ['', 5, ['']],
    ['* toybox', 20, ['* toybox']],
  ])('%j in %d', (text, width, lines) => {
    expect(wrapped(text, width)).toEqual(lines);
  });

  it('leaves long words whole where they are to be copied', () => {
    expect(wrapped('in /a/long/path of ours', 8, { cut: false })).toEqual(['in', '/a/long/path', 'of ours']);
  });
});

describe('fittedTable', () => {
  it('leaves a table that fits as it is', () => {
    expect(fittedTable(ROWS, [0, 2], 200)).toEqual(table(ROWS, [0, 2]));
  });

  it('breaks columns of words where it is too wide, and never numbers', () => {
    const lines = fittedTable(ROWS, [0, 2], 50);
    expect(widest(lines)).toBeLessThanOrEqual(50);
    expect(lines.slice(0, 3)).toEqual([
      'name          size  good at',
      'clip-score  1.2 GB  what is in the picture, less',
      '                    so how many and where',
    ]);
  });

  it('makes a block of every row where that is not enough', () => {
    const lines = fittedTable(ROWS, [0, 2], 28);
    expect(widest(lines)).toBeLessThanOrEqual(28);
    expect(lines[0]).toBe('clip-score');
    expect(lines[1]).toBe('  size     1.2 GB');
    expect(lines.join(' ')).toContain('how many and');
    expect(lines).not.toContain('name');
  });

  it.each([120, 80, 40, 30])('loses nothing in %d columns', (columns) => {
    const words = fittedTable(ROWS, [0, 2], columns).join(' ').split(/\s+/);
    for (const row of ROWS.slice(1)) expect(words).toEqual(expect.arrayContaining(row.join(' ').split(' ')));
  });
});

it('is whole where no person reads it', () => {
  const print = (isTTY: boolean): string => {
    let written = '';
    printTable({ write: (text) => (written += text), isTTY, columns: 40 }, ROWS, [0, 2]);
    return written;
  };
  expect(print(false)).toBe(`${table(ROWS, [0, 2]).join('\n')}\n`);
  expect(widest(print(true).split('\n'))).toBeLessThanOrEqual(40);
});

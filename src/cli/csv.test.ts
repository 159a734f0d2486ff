import { describe, expect, it } from 'vitest';

import { csvLine, harmlessPath, harmlessText, parseCsv } from './csv.js';

describe('csvLine', () => {
  it('quotes what has to be, and leaves numbers alone', () => {
    expect(csvLine(['a', 'b c', 'd"e', 'f,g', 'h\ni', 'j;k', '', -1.5])).toBe(
      'a,"b c","d""e","f,g","h\ni","j;k",,-1.5',
    );
  });
});

describe('texts that a spreadsheet would run', () => {
  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1'])('%j', (text) => {
    expect(harmlessText(text)).toBe(`'${text}`);
    expect(harmlessPath(text)).toBe(`./${text}`);
  });

  it('leave others as they are', () => {
    for (const text of ['a=b', "it's", '', '/=1']) {
      expect([harmlessText(text), harmlessPath(text)]).toEqual([text, text]);
    }
  });
});

describe('parseCsv', () => {
  it('reads what csvLine writes', () => {
    const rows = [
      ['a', 'b c', 'd"e', 'f,g', 'h\r\ni', ''],
      ['', '', 'x', '', '', '1'],
    ];
    expect(parseCsv(`${rows.map(csvLine).join('\n')}\n`, 'x')).toEqual(rows);
  });

  it.each([
    [
      'a,b\r\nc,d',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    [
      'a,\nb,c\r',
      [
        ['a', ''],
        ['b', 'c'],
      ],
    ],
    ['\ufeffa\n\n\nb\n', [['a'], ['b']]],
    ['', []],
    ['\n', []],
  ])('%j', (text, rows) => {
    expect(parseCsv(text, 'x')).toEqual(rows);
  });

  it.each(['"a', 'a"b', '"a"b,c'])('refuses %j', (text) => {
    expect(() => parseCsv(`image\n${text}`, 'list.csv')).toThrow(/list\.csv is not CSV: row 2/);
  });
});

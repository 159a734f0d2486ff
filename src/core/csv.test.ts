import { describe, expect, it } from 'vitest';

import { csvLine, harmlessPath, parseCsv } from './csv.js';

describe('csvLine', () => {
  it('quotes what has to be, and leaves numbers alone', () => {
    expect(csvLine(['a', 'b c', 'd"e', 'f,g', 'h\ni', 'j;k', '', -1.5, NaN])).toBe(
      'a,"b c","d""e","f,g","h\ni","j;k",,-1.5,NaN',
    );
  });
});

describe('texts that a spreadsheet would run', () => {
  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', '\uff1d1'])('%j', (text) => {
    expect(csvLine([text]).replace(/^"|"$/g, '')).toBe(`'${text}`);
    expect(harmlessPath(text)).toBe(`./${text}`);
  });

  it('leave others as they are', () => {
    for (const text of ['a=b', "it's", '', '/=1']) {
      expect([csvLine([text]), harmlessPath(text)]).toEqual([text, text]);
    }
  });
});

describe('parseCsv', () => {
  const cellsOf = (text: string): readonly (readonly string[])[] =>
    parseCsv(text, 'list.csv').map(({ cells }) => cells);
  const linesOf = (text: string): readonly number[] => parseCsv(text, 'list.csv').map(({ line }) => line);

  it('reads what csvLine writes', () => {
    const rows = [
      ['a', 'b c', 'd"e', 'f,g', 'h\ni', ''],
      ['', '', 'x', '', '', '1'],
    ];
    expect(cellsOf(`${rows.map(csvLine).join('\n')}\n`)).toEqual(rows);
  });

  it.each([
    ['a,b\r\nc,d', ['a|b', 'c|d']],
    ['a,\nb,c\r', ['a|', 'b|c']],
    ['a,b\nc', ['a|b', 'c']],
    ['\ufeffa\n\n\nb\n', ['a', 'b']],
    ['image, prompt\na.png, a red star', ['image|prompt', 'a.png|a red star']],
    ['image,prompt\n"a.png", "a red star"', ['image|prompt', 'a.png|a red star']],
    ['image , prompt \n "a.png" ,"a, b" ', ['image|prompt', 'a.png|a, b']],
    [
      'image;prompt\na.png;a red star, and a blue circle',
      ['image|prompt', 'a.png|a red star, and a blue circle'],
    ],
    ['image\tprompt\na.png\ta red; star, or so', ['image|prompt', 'a.png|a red; star, or so']],
    ['"a,b;c;d",e\nf,g', ['a,b;c;d|e', 'f|g']],
    ['a,b\n,\n , \nc,d', ['a|b', 'c|d']],
    ['', []],
    ['\n', []],
  ])('%j', (text, rows) => {
    expect(cellsOf(text).map((cells) => cells.join('|'))).toEqual(rows);
  });

  it('counts lines as an editor does', () => {
    expect(linesOf('image,prompt\n\n\na.png,a red star\n\n\nb.png,\n')).toEqual([1, 4, 7]);
    expect(linesOf('a,b\r\n"1\r\n2",3\r\n\r\n4,5\r\n')).toEqual([1, 2, 5]);
    expect(linesOf('\n\na,b\r"x\ny",z\r1,2')).toEqual([3, 4, 6]);
  });

  it('refuses a row with more cells than the head, with its line', () => {
    expect(() => cellsOf('image,prompt\n\na.png,a red star, and a blue circle')).toThrow(
      "line 3 of list.csv has 3 cells, the head has 2: put a text with ',' in it, such as a prompt, in quotes",
    );
    expect(() => cellsOf('image\tprompt\na\tb\t')).toThrow(
      /line 2 of list\.csv has 3 cells.*with a tab in it/,
    );
  });

  it.each(['"a', 'a"b', '"a"b,c'])('refuses %j', (text) => {
    expect(() => cellsOf(`image\n${text}`)).toThrow(/list\.csv is not CSV: line 2 has a quote/);
  });
});

// A report in its three forms: numbers that people read, numbers that programs read, and a page that needs nothing else.

import { describe, expect, it } from 'vitest';

import { readHtml } from '../../../test/fakes/check-html.js';
import { syntheticRun } from '../../../test/fixtures/bench-runs.js';
import { analyse } from '../../benchmarks/analysis/analyse.js';
import type { Table } from '../../benchmarks/analysis/index.js';
import { parsePrimary } from '../../benchmarks/analysis/primary.js';
import { writeDatum, writeEstimate } from '../../benchmarks/analysis/writing.js';
import { parseCsv } from '../../core/csv.js';
import { csvTable } from './csv.js';
import { benchmarkReportFiles } from './files.js';
import { markdownTable } from './markdown.js';
import { tonesOf } from './tones.js';

const parse = (text: string): readonly (readonly string[])[] =>
  parseCsv(text, 'a table').map(({ cells }) => cells);

const TABLE: Pick<Table, 'columns' | 'rows'> = {
  columns: [
    { name: 'prompt', title: 'prompt', as: 'text' },
    { name: 'right', title: 'right', as: 'share' },
    { name: 'gap', title: 'gap', as: 'points' },
  ],
  rows: [
    ['a|b <i> `c`', { value: 0.5, low: 0.4, high: 0.6 }, -0.015],
    ['=1+1', { value: 1 / 3, low: null, high: null }, null],
  ],
};

describe('numbers', () => {
  it.each([
    [0.7249, 'share', '72.5 %'],
    [0.035, 'points', '+3.5'],
    [-0.0001, 'points', '0.0'],
    [1.23456, 'score', '1.23'],
    [-0.000034, 'difference', '0.0000'],
    [1234567, 'large', '1.23 M'],
    [1365, 'count', '1,365'],
    [0.00004, 'probability', '4e-5'],
    [NaN, 'score', '\u2013'],
  ] as const)('%f as %s', (value, as, expected) => {
    expect(writeDatum(value, { as })).toBe(expected);
  });

  it('have their intervals in the same unit', () => {
    expect(writeEstimate({ value: 0.035, low: -0.01, high: 0.08 }, 'points')).toBe(
      '+3.5 [-1.0, +8.0] points',
    );
    expect(writeEstimate({ value: 0.5, low: 0.4, high: 0.6 }, 'share')).toBe('50.0 % [40.0, 60.0]');
  });
});

describe('a table', () => {
  it('is Markdown that no text in it breaks', () => {
    expect(markdownTable(TABLE).split('\n')).toEqual([
      '| prompt | right | gap, points |',
      '| --- | ---: | ---: |',
      '| a\\|b \\<i> \\`c\\` | 50.0 % \\[40.0, 60.0\\] | -1.5 |',
      '| =1+1 | 33.3 % | \u2013 |',
    ]);
  });

  it('is CSV with whole numbers, intervals in columns of their own, and nothing that a spreadsheet runs', () => {
    expect(parse(csvTable(TABLE))).toEqual([
      ['prompt', 'right', 'right_low', 'right_high', 'gap'],
      ['a|b <i> `c`', '0.5', '0.4', '0.6', '-0.015'],
      ["'=1+1", String(1 / 3), '', '', ''],
    ]);
  });
});

describe('colours', () => {
  it('are those of hues, and broken for a second model', () => {
    const random = { name: 'random, a', hue: 'random', kind: 'line', points: [] } as const;
    const other = { ...random, name: 'random, b', broken: true };
    const beam = { ...random, name: 'beam, a', hue: 'beam' };
    const toneOf = tonesOf([random, other, beam]);
    expect([random, other, beam].map(toneOf)).toEqual(['tone-blue', 'tone-blue broken', 'tone-winner']);
  });
});

describe('the files of a report', () => {
  const options = {
    prompts: 8,
    budgets: [35, 105],
    models: ['toybox', 'toybox-flow'],
    juries: ['image-reward', 'coin'],
  };
  const run = syntheticRun(options);
  const hostile = '"><script>alert(1)</script>';
  const pictures = run.pictures.map((each) =>
    each.prompt.index === 0 ? { ...each, prompt: { ...each.prompt, text: hostile } } : each,
  );
  const report = analyse([{ folder: 'run', ...run, pictures, notes: [] }], {
    primary: parsePrimary('beam,random,image-reward,105,toybox'),
    resamples: 100,
  });
  const files = benchmarkReportFiles(report);
  const page = String(files['report.html']);

  it('have the data of every table and figure', () => {
    const names = report.sections.flatMap(({ tables, figures }) =>
      [...tables, ...figures].map(({ name }) => name),
    );
    expect(new Set(names).size).toBe(names.length);
    expect(Object.keys(files).sort()).toEqual(
      ['report.html', 'report.json', 'report.md', ...names.map((name) => `tables/${name}.csv`)].sort(),
    );
    for (const name of names) expect(parse(String(files[`tables/${name}.csv`])).length).toBeGreaterThan(1);
    expect(JSON.parse(String(files['report.json']))).toEqual(JSON.parse(JSON.stringify(report)));
  });

  it('have a page that is well formed, closed to the network, and begins with the answer', () => {
    const tags = readHtml(page);
    const policy = tags.find(({ attributes }) => attributes['http-equiv'] === 'Content-Security-Policy');
    expect(policy?.attributes['content']).toContain("default-src 'none'");
    expect(tags.filter(({ name }) => ['img', 'link', 'iframe'].includes(name))).toEqual([]);
    expect(tags.filter(({ name }) => name === 'script')).toHaveLength(1);
    const links = tags.flatMap(({ name, attributes }) => (name === 'a' ? [attributes['href'] ?? ''] : []));
    for (const link of links.filter((each) => !each.startsWith('#'))) {
      expect(Object.keys(files)).toContain(link);
    }
    const [answer, overview] = ['answer-title', 'overview-title'].map((id) => page.indexOf(id));
    expect(answer).toBeGreaterThan(0);
    expect(answer).toBeLessThan(overview ?? 0);
    expect(page).toContain(report.answer[0]?.slice(0, 60));
    expect(/.{40}(?:NaN|Infinity|undefined)/.exec(page.replace(/<script>.*?<\/script>/s, ''))).toBeNull();
  });

  it('begin in Markdown with the answer too', () => {
    expect(String(files['report.md'])).toMatch(
      /^# toybench-hard\n\nPrimary comparison: beam against random on toybox at 105 NFE/,
    );
  });

  it('draw every figure with numbers', () => {
    const charts = readHtml(page).filter(({ attributes }) => attributes['class'] === 'chart small');
    const numeric = report.sections.flatMap(({ figures }) => figures.filter(({ x }) => !x.ticks));
    expect(numeric.length).toBeGreaterThan(10);
    expect(charts).toHaveLength(numeric.length);
  });
});

// Axes and charts: marks that say their true values, places for all that is drawn, and only finite numbers.

import { renderToString } from 'preact-render-to-string';
import { describe, expect, it } from 'vitest';

import { type AxisOptions, layOutAxis } from './axis.js';
import { Chart, type ChartPoint, type ChartProps, Key, type Series } from './chart.js';

const space = { from: 0, to: 100, count: 4, margin: 0.1 };
const marksOf = (values: readonly number[], options: Partial<AxisOptions> = {}, count = 4): string[] =>
  layOutAxis(values, { label: 'score', ...options }, { ...space, count }).marks.map(({ text }) => text);

describe('an axis', () => {
  it.each([
    [
      [1.5, 2.25],
      ['1.6', '1.8', '2.0', '2.2'],
    ],
    [
      [1.7, 1.8],
      ['1.70', '1.72', '1.74', '1.76', '1.78', '1.80'],
    ],
    [
      [0, 0.004],
      ['0.000', '0.001', '0.002', '0.003', '0.004'],
    ],
    [
      [-5, 5],
      ['-6', '-4', '-2', '0', '2', '4', '6'],
    ],
    [
      [0, 1e-7],
      ['0.00000000', '0.00000002', '0.00000004', '0.00000006', '0.00000008', '0.00000010'],
    ],
    [
      [50e9, 150e9],
      ['40G', '60G', '80G', '100G', '120G', '140G', '160G'],
    ],
    [
      [0, 1e6],
      ['0', '200k', '400k', '600k', '800k', '1M'],
    ],
  ])('over %j has marks with as many digits as they have', (values, expected) => {
    expect(marksOf(values)).toEqual(expected);
  });

  it('has marks that say where they stand', () => {
    for (const high of [0.37, 1.75, 7, 23, 1365, 9999, 12_345, 7.5e12]) {
      for (const { at, text } of layOutAxis([high / 3, high], { label: '' }, space).marks) {
        const [, digits = '', prefix = ''] = /^([\d.]+)([kMGT]?)$/.exec(text) ?? [];
        const power = { k: 1e3, M: 1e6, G: 1e9, T: 1e12 }[prefix] ?? 1;
        expect(Math.abs(Number(digits) * power - at)).toBeLessThan(1e-9 * Math.max(1, at));
      }
    }
  });

  it('leaves no room below 0 for what is nowhere below 0, and none above for what is nowhere above', () => {
    expect(layOutAxis([0, 2], { label: '' }, space).place(0)).toBe(0);
    expect(Number(marksOf([0.01, 2])[0])).toBe(0);
    expect(layOutAxis([0.3, 2], { label: '', fromZero: true }, space).place(0)).toBe(0);
    expect(Number(marksOf([-0.01, 2])[0])).toBeLessThan(0.001);
    expect(layOutAxis([-3, -0.1], { label: '' }, space).place(0)).toBeCloseTo(100);
  });

  it('marks whole numbers only, of what is counted', () => {
    expect(marksOf([1, 2], { whole: true }, 5)).toEqual(['1', '2']);
    expect(marksOf([1, 9], { whole: true }, 5)).toEqual(['2', '4', '6', '8']);
    expect(marksOf([1, 1], { whole: true }, 5)).toEqual(['1']);
  });

  it('writes marks as it is told, and leaves out those without a text', () => {
    expect(marksOf([-10, 0], { write: (value) => (value > -1 ? '' : `#${-value}`) })).toEqual([
      '#10',
      '#8',
      '#6',
      '#4',
      '#2',
    ]);
    expect(marksOf([1, 2], { marks: [{ at: 1, text: 'one' }] })).toEqual(['one']);
  });

  it('may be logarithmic: equal factors take equal room', () => {
    const { place, marks } = layOutAxis(
      [0.01, 100_000],
      { label: '', scale: 'log' },
      { ...space, margin: 0 },
    );
    expect(place(10) - place(1)).toBeCloseTo(place(1000) - place(100));
    expect(marks.map(({ text }) => text)).toEqual(expect.arrayContaining(['0.01', '1', '100', '10k']));
    expect(marksOf([30, 50], { scale: 'log' })).toContain('40');
    expect(() => marksOf([0, 10], { scale: 'log' })).toThrow('no place for 0');
  });
});

describe('a chart', () => {
  const draw = (series: Partial<Series>, props: Partial<ChartProps> = {}): string =>
    renderToString(
      <Chart
        summary="a <summary>"
        x={{ label: 'x' }}
        y={{ label: 'y' }}
        series={[{ name: 's', tone: 'tone-kept', kind: 'steps', points: [], ...series }]}
        {...props}
      />,
    );
  const two: readonly ChartPoint[] = [
    { x: 1, y: 0.5 },
    { x: 2, y: 0.7 },
  ];

  it('draws only finite numbers, whatever the range', () => {
    for (const points of [
      two,
      [{ x: 0, y: 0 }],
      [
        { x: 5, y: -3 },
        { x: 5, y: -3 },
      ],
      [
        { x: 1, y: 1e12 },
        { x: 2e9, y: -1e12 },
      ],
    ]) {
      const svg = draw({ points });
      expect(svg).not.toMatch(/NaN|Infinity/);
      expect(svg.match(/class="line"/g)).toHaveLength(1);
    }
  });

  it('draws steps that hold until the next point, and lines', () => {
    const [, steps = ''] = /class="line" d="([^"]*)"/.exec(draw({ points: two })) ?? [];
    expect(steps.match(/[\d.]+,[\d.]+/g)).toHaveLength(3);
    const [, line = ''] = /class="line" d="([^"]*)"/.exec(draw({ points: two, kind: 'line' })) ?? [];
    expect(line.match(/[\d.]+,[\d.]+/g)).toHaveLength(2);
  });

  it('draws a line through a single point as a dot, and the end of another where that is asked for', () => {
    expect(draw({ points: two.slice(0, 1) }).match(/<circle/g)).toHaveLength(1);
    expect(draw({ points: two })).not.toContain('<circle');
    expect(draw({ points: two, end: true }).match(/<circle/g)).toHaveLength(1);
    expect(draw({ points: two, dots: true }).match(/<circle/g)).toHaveLength(2);
  });

  it('draws intervals as bands and as whiskers, and makes room for them', () => {
    const points = two.map((point) => ({ ...point, low: point.y - 4, high: point.y + 0.1 }));
    expect(draw({ points, kind: 'line' })).toMatch(/class="band" d="M[^"]+Z"/);
    expect(draw({ points, kind: 'dots' })).toMatch(/class="whiskers" d="M[^"]+"/);
    const svg = draw({ points, kind: 'line', interval: 'whiskers' });
    expect(svg).not.toContain('class="band"');
    const lowest = Math.max(...[...svg.matchAll(/V([\d.]+)/g)].map(([, y]) => Number(y)));
    expect(lowest).toBeLessThan(290 - 46);
    expect(draw({ points: two })).not.toMatch(/band|whiskers/);
  });

  it('says in words what there is to see, and draws nothing of nothing', () => {
    expect(draw({ points: two })).toContain('aria-label="a &lt;summary>"');
    expect(draw({ points: [{ x: 1, y: 1, title: '<first>' }] })).toContain('<title>&lt;first>');
    expect(draw({})).toBe('');
  });

  it('has a key', () => {
    expect(renderToString(<Key items={[{ tone: 'tone-blue', words: 'beam' }, { words: 'dashed' }]} />)).toBe(
      '<ul class="key"><li class="tone-blue"><i></i><span>beam</span></li><li><span>dashed</span></li></ul>',
    );
  });
});

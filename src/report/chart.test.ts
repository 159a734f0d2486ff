import { describe, expect, it } from 'vitest';

import { chart, ticks } from './chart.js';

describe('ticks', () => {
  it.each([
    [0, 1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [0.31, 0.89, 4, [0.4, 0.6, 0.8]],
    [-5, 5, 4, [-5, -2.5, 0, 2.5, 5]],
    [0, 1365, 5, [0, 500, 1000]],
    [3, 3, 4, [3]],
  ])('between %d and %d', (low, high, count, expected) => {
    expect(ticks(low, high, count)).toEqual(expected);
  });
});

describe('chart', () => {
  const draw = (points: { x: number; y: number }[]): string =>
    chart({
      summary: 'a <summary>',
      xLabel: 'x',
      yLabel: 'y',
      series: [{ name: 's', tone: 'tone-kept', kind: 'steps', points }],
    }).text;

  it('draws steps, and only finite numbers, whatever the range', () => {
    for (const points of [
      [
        { x: 1, y: 0.5 },
        { x: 2, y: 0.7 },
      ],
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
      const svg = draw(points);
      expect(svg).not.toMatch(/NaN|Infinity/);
      expect(svg.match(/<path d="M[^"]*"/g)).toHaveLength(1);
    }
    expect(
      draw([
        { x: 1, y: 0.5 },
        { x: 2, y: 0.7 },
      ]),
    ).toMatch(/d="M[\d.]+ [\d.]+H[\d.]+V[\d.]+"/);
  });

  it('writes the marks of its side as it is told, and leaves out those without a text', () => {
    const marks = chart({
      summary: '',
      xLabel: 'x',
      yLabel: 'y',
      yTick: (value) => (value > -1 ? '' : `#${-value}`),
      series: [{ name: 's', tone: 'tone-kept', kind: 'dots', points: [0, -10].map((y) => ({ x: 0, y })) }],
    }).text;
    expect([...marks.matchAll(/>(#[^<]*)</g)].map(([, text]) => text)).toEqual(['#10', '#5']);
    expect(marks.match(/class="grid"/g)).toHaveLength(2);
  });

  it.each([
    [1.5, 2.25, ['1.50', '1.75', '2.00', '2.25']],
    [0, 0.004, ['0.000', '0.002', '0.004']],
    [1, 5, ['2', '4']],
    [0, 1e-7, ['0.00000000', '0.00000005', '0.00000010']],
    [50e9, 150e9, ['50G', '100G', '150G']],
    [0, 1e6, ['0', '500k', '1M']],
  ])('writes its marks with as many digits as they have, from %d to %d', (low, high, expected) => {
    const marks = draw([
      { x: 1, y: low },
      { x: 2, y: high },
    ]);
    expect([...marks.matchAll(/class="y"[^>]*>([^<]*)</g)].map(([, text]) => text)).toEqual(expected);
  });

  it('draws a line through a single point as a dot', () => {
    expect(draw([{ x: 1, y: 1 }]).match(/<circle/g)).toHaveLength(1);
    expect(draw([1, 2].map((y) => ({ x: y, y })))).not.toContain('<circle');
  });

  it('says in words what there is to see, and draws nothing of nothing', () => {
    expect(draw([{ x: 1, y: 1 }])).toContain('aria-label="a &lt;summary&gt;"');
    expect(draw([])).toBe('');
  });
});

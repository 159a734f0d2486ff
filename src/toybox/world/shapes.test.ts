import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { SHAPES } from './scene.js';
import { EXTENTS, UNIT_SHAPES, unitDistance } from './shapes.js';

describe('unit shapes', () => {
  it('are the ones that the Python port reads from shapes.json', () => {
    const file = readFileSync(new URL('./shapes.json', import.meta.url), 'utf8');
    expect(JSON.parse(file)).toEqual(UNIT_SHAPES);
  });

  it.each(SHAPES)('give %s an inside, an outside and an outline at its extent', (shape) => {
    const { left, right, up, down } = EXTENTS[shape];
    const inside = shape === 'ring' ? 0.72 : 0;
    expect(unitDistance(shape, inside, 0)).toBeLessThan(-0.1);
    expect(unitDistance(shape, 1.3, 1.3)).toBeGreaterThan(0.3);
    for (const [x, y] of [
      [-left - 0.01, 0],
      [right + 0.01, 0],
      [0, -up - 0.01],
      [0, down + 0.01],
    ] as const) {
      expect(unitDistance(shape, x, y)).toBeGreaterThan(0);
    }
  });

  it('leave a hole in the ring only', () => {
    for (const shape of SHAPES) expect(unitDistance(shape, 0, 0) > 0).toBe(shape === 'ring');
  });
});

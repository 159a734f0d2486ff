// What a cell is compared with.

import { expect, it } from 'vitest';

import type { CellRuns } from './join-runs.js';
import { againstRandom, rivalOf } from './paired.js';

const cellOf = (strategy: string, most: number, more: Partial<CellRuns> = {}): CellRuns =>
  ({ model: 'toybox', jury: 'coin', strategy, budget: { most, unit: 'NFE' }, ...more }) as CellRuns;

it('is the random search of the nearest budget, within 3 % and of the same model, jury and unit', () => {
  const cells = [
    cellOf('random', 98),
    cellOf('random', 101),
    cellOf('random', 103),
    cellOf('random', 100, { jury: 'oracle' }),
    cellOf('random', 100, { model: 'flow' }),
    cellOf('random', 100, { budget: { most: 100, unit: 'seconds' } }),
    cellOf('beam', 100),
  ];
  expect(rivalOf(cellOf('beam', 100), cells)).toBe(cells[1]);
  expect(rivalOf(cellOf('beam', 95), cells)).toBeNull();
  expect(rivalOf(cellOf('random', 100), cells)).toBeNull();
  expect(againstRandom(cells)).toEqual([[cells[6], cells[1]]]);
});

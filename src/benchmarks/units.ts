// The units of work of a run, in the order of the lines of its file: seed by seed and prompt by prompt, so that what an early end leaves
// are whole prompts, all cells of which can be compared in pairs.

import { createHash } from 'node:crypto';

import type { BenchmarkPrompt, Cell, Plan } from './record.js';
import { searchSeedOf } from './search-seed.js';

/** One search. */
export interface Unit {
  /** Its place in the run, from 0. */
  readonly place: number;
  readonly id: string;
  readonly benchmark: string;
  readonly prompt: BenchmarkPrompt;
  /** The repeat. */
  readonly seed: number;
  /** What the search draws by: the same for all cells of a prompt and a repeat, whose first pictures are the same then. */
  readonly searchSeed: number;
  readonly cell: Cell;
  readonly plan: Plan;
}

/** Of what a run is made. */
export interface UnitsOf {
  readonly benchmark: { readonly name: string };
  readonly prompts: readonly BenchmarkPrompt[];
  readonly seeds: readonly number[];
  readonly cells: readonly Cell[];
  readonly plans: readonly Plan[];
}

const hashOf = (...parts: readonly unknown[]): Buffer =>
  createHash('sha256').update(JSON.stringify(parts)).digest();

/** All units of a run. */
export function unitsOf({ benchmark: { name }, prompts, seeds, cells, plans }: UnitsOf): readonly Unit[] {
  const units: Unit[] = [];
  for (const seed of seeds) {
    for (const prompt of prompts) {
      const searchSeed = searchSeedOf(name, prompt, seed);
      for (const [i, cell] of cells.entries()) {
        const plan = plans[i];
        if (!plan) throw new RangeError('a cell has no plan');
        const { model, strategy, jury, budget } = cell;
        const id = hashOf(name, prompt.index, prompt.text, seed, model, strategy, jury, [
          budget.most,
          budget.unit,
        ]);
        units.push({
          place: units.length,
          id: id.toString('hex').slice(0, 16),
          benchmark: name,
          prompt,
          seed,
          searchSeed,
          cell,
          plan,
        });
      }
    }
  }
  return units;
}

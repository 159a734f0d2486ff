// Paired differences: two cells compared prompt by prompt.

import type { BudgetUnit } from '../../run/options.js';
import type { Bootstrap, Estimate } from './bootstrap.js';
import { byPrompt, differences, pairsOf, valuesOf } from './by-prompt.js';
import type { CellRuns } from './join-runs.js';
import type { Metric } from './metrics.js';
import { mean, signTest } from './statistics.js';

/** One cell against another by one measure. */
export interface Comparison {
  readonly metric: Metric;
  readonly cell: CellRuns;
  readonly reference: CellRuns;
  readonly prompts: number;
  /** Of the pairs alone. */
  readonly value: number;
  readonly referenceValue: number;
  readonly difference: Estimate;
  /** Prompts on which it is ahead, behind, level. */
  readonly wins: number;
  readonly losses: number;
  readonly ties: number;
  /** Of the exact sign test over prompts. */
  readonly p: number;
}

/** Compares two cells on the prompts and seeds that both have; null where there are none. */
export function compareCells(
  cell: CellRuns,
  reference: CellRuns,
  { metric, bootstrap }: { readonly metric: Metric; readonly bootstrap: Bootstrap },
): Comparison | null {
  const pairs = pairsOf(cell.pictures, reference.pictures).filter(
    ({ one, other }) => metric.of(one.winner) !== null && metric.of(other.winner) !== null,
  );
  const gaps = valuesOf(differences(pairs, ({ winner }) => metric.of(winner)));
  if (gaps.length === 0) return null;
  const valueOf = (pictures: CellRuns['pictures']): number =>
    mean(valuesOf(byPrompt(pictures, ({ winner }) => metric.of(winner))));
  const wins = gaps.filter((gap) => gap > EQUAL).length;
  const losses = gaps.filter((gap) => gap < -EQUAL).length;
  return {
    metric,
    cell,
    reference,
    prompts: gaps.length,
    value: valueOf(pairs.map(({ one }) => one)),
    referenceValue: valueOf(pairs.map(({ other }) => other)),
    difference: bootstrap.mean(gaps),
    wins,
    losses,
    ties: gaps.length - wins - losses,
    p: signTest(wins, losses),
  };
}

/** Means over seeds are sums of thirds and the like. */
const EQUAL = 1e-12;

/** What all searches are compared with. */
export const REFERENCE = 'random';

/** How far budgets may be apart that count as equal: searches of given sizes have budgets of their own. */
const EQUAL_BUDGETS = 0.03;

/** The random search of the same model and jury whose budget is a cell's, or the nearest within 3 %; null where there is none. */
export function rivalOf(cell: CellRuns, cells: readonly CellRuns[]): CellRuns | null {
  if (cell.strategy === REFERENCE) return null;
  const apart = ({ budget }: CellRuns): number => Math.abs(budget.most / cell.budget.most - 1);
  const rivals = cells.filter(
    (other) =>
      other.strategy === REFERENCE &&
      other.model === cell.model &&
      other.jury === cell.jury &&
      other.budget.unit === cell.budget.unit &&
      apart(other) <= EQUAL_BUDGETS,
  );
  const [first, ...rest] = rivals;
  return first ? rest.reduce((a, b) => (apart(b) < apart(a) ? b : a), first) : null;
}

/** Cells with the random search of the same model, jury and budget. */
export function againstRandom(
  cells: readonly CellRuns[],
): readonly (readonly [cell: CellRuns, reference: CellRuns])[] {
  return cells.flatMap((cell) => {
    const reference = rivalOf(cell, cells);
    return reference ? [[cell, reference] as const] : [];
  });
}

/** A budget in words. */
export function budgetWords({ most, unit }: { readonly most: number; readonly unit: BudgetUnit }): string {
  return unit === 'seconds' ? `${most} s` : `${most.toLocaleString('en-US')} ${unit}`;
}

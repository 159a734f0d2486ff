// What every section of a report is made from, and what their tables have in common.

import type { Bootstrap } from './bootstrap.js';
import type { CellRuns, JoinedRuns } from './join-runs.js';
import { markOf, marksInWords, type Metric, RIGHT } from './metrics.js';
import { budgetWords } from './paired.js';
import type { Column, Datum, FigureSeries } from './tables.js';

/** Runs, and what is made of them. */
export interface Study {
  readonly joined: JoinedRuns;
  /** Those of which something is finished. */
  readonly cells: readonly CellRuns[];
  /** What pictures are measured by: the detector first, where it knows the prompts. */
  readonly metrics: readonly Metric[];
  readonly bootstrap: Bootstrap;
}

/** Whether the detector judges the pictures of a study. */
export const isJudged = ({ metrics }: Study): boolean => metrics.includes(RIGHT);

/** Columns that tell cells apart. */
export const CELL_COLUMNS: readonly Column[] = [
  { name: 'model', title: 'model', as: 'text' },
  { name: 'jury', title: 'guided by', as: 'text' },
  { name: 'mark', title: '', as: 'text' },
  { name: 'budget', title: 'budget', as: 'text' },
  { name: 'strategy', title: 'search', as: 'text' },
];

/** What stands in them. */
export const cellData = (cell: CellRuns): readonly Datum[] => [
  cell.model,
  cell.jury,
  markOf(cell.jury),
  budgetWords(cell.budget),
  cell.strategy,
];

/** A cell in one line of words. */
export function cellWords({ model, jury, budget, strategy }: CellRuns): string {
  return `${strategy} on ${model} guided by ${jury} at ${budgetWords(budget)}`;
}

/** How a cell's search is called and drawn in figures: by its strategy, and by its model where there are several. */
export function seriesHead(
  { model, strategy }: CellRuns,
  { cells }: Study,
): Pick<FigureSeries, 'name' | 'hue' | 'broken'> {
  const models = distinct(cells.map((cell) => cell.model));
  return {
    name: models.length > 1 ? `${strategy}, ${model}` : strategy,
    hue: strategy,
    broken: models.indexOf(model) % 2 === 1,
  };
}

/** The rest of a note: what the marks in a table of some cells mean. */
export function withMarks(note: string, cells: readonly CellRuns[]): string {
  const marks = marksInWords(cells.map(({ jury }) => jury));
  return marks === '' ? note : `${note} ${marks}`;
}

/** The values that a list holds, each once, in their order. */
export const distinct = <T>(values: readonly T[]): readonly T[] => [...new Set(values)];

/** Groups by a text, in the order in which the texts appear. */
export function groupBy<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

/** A part of the name of a file: letters, digits and hyphens. */
export function fileWord(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
}

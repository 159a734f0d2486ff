// The benchmark's own categories: where a search helps and where it does not.

import { byPrompt, valuesOf } from './by-prompt.js';
import type { CellRuns } from './join-runs.js';
import { judgesOf, markOf, type Metric, RIGHT, scoreOf } from './metrics.js';
import { compareCells, rivalOf } from './paired.js';
import {
  CELL_COLUMNS,
  cellData,
  distinct,
  fileWord,
  groupBy,
  isJudged,
  seriesHead,
  type Study,
  withMarks,
} from './study.js';
import type { Datum, Figure, Section, Table } from './tables.js';

/** The part of a cell that is of one kind. */
const ofKind = (cell: CellRuns, kind: string): CellRuns => ({
  ...cell,
  pictures: cell.pictures.filter(({ prompt }) => prompt.kind === kind),
});

/** What a cell is measured by: the detector's verdict, or its only judge where there is none. */
export function mainMetric(cell: CellRuns, study: Study): Metric | null {
  if (isJudged(study)) return RIGHT;
  const [judge, ...others] = judgesOf(cell.jury);
  return judge !== undefined && others.length === 0 ? scoreOf(judge) : null;
}

function tableOf(study: Study, kinds: readonly string[]): Table {
  const { cells, bootstrap } = study;
  const judged = isJudged(study);
  const rows = cells.flatMap((cell) => {
    const metric = mainMetric(cell, study);
    if (!metric) return [];
    const reference = rivalOf(cell, cells);
    return kinds.flatMap((kind): (readonly Datum[])[] => {
      const own = ofKind(cell, kind);
      const values = valuesOf(byPrompt(own.pictures, ({ winner }) => metric.of(winner)));
      if (values.length === 0) return [];
      const compared = reference ? compareCells(own, ofKind(reference, kind), { metric, bootstrap }) : null;
      const { difference = null, wins = null, losses = null } = compared ?? {};
      return [[...cellData(cell), kind, values.length, bootstrap.mean(values), difference, wins, losses]];
    });
  });
  return {
    name: 'kinds',
    title: 'By kind of prompt',
    note: withMarks(
      `${judged ? 'Right pictures' : 'Scores of the guide'} by kind, and the paired difference to random search at the same budget. ` +
        'Kinds are small samples: the intervals are wide, and one in twenty is beside the truth.',
      judged ? cells : [],
    ),
    columns: [
      ...CELL_COLUMNS,
      { name: 'kind', title: 'kind', as: 'text' },
      { name: 'prompts', title: 'prompts', as: 'count' },
      { name: 'value', title: judged ? RIGHT.title : 'score', as: judged ? 'share' : 'score' },
      { name: 'difference', title: 'against random', as: judged ? 'points' : 'difference' },
      { name: 'wins', title: 'won', as: 'count' },
      { name: 'losses', title: 'lost', as: 'count' },
    ],
    rows,
  };
}

/** Cells of each guide at its largest budget. */
export function atLargestBudget(cells: readonly CellRuns[]): ReadonlyMap<string, readonly CellRuns[]> {
  const searched = cells.filter(({ strategy }) => strategy !== 'single');
  const byJury = groupBy(searched, ({ jury, budget }) => JSON.stringify([jury, budget.unit]));
  return new Map(
    [...byJury.values()].flatMap((group) => {
      const most = Math.max(...group.map(({ budget }) => budget.most));
      const [first] = group;
      if (!first) return [];
      const { jury, budget } = first;
      const name = budget.unit === 'NFE' ? jury : `${jury} ${budget.unit}`;
      return [[name, group.filter((cell) => cell.budget.most === most)] as const];
    }),
  );
}

function figuresOf(study: Study, kinds: readonly string[]): readonly Figure[] {
  return [...atLargestBudget(study.cells)].flatMap(([name, cells]): Figure[] => {
    const [first] = cells;
    const metric = first ? mainMetric(first, study) : null;
    if (!first || !metric) return [];
    return [
      {
        name: `kinds-${fileWord(name)}`,
        title: `${metric.title}${metric === RIGHT ? markOf(first.jury) : ''} by kind, guided by ${name}, at the largest budget`,
        x: { label: '', logarithmic: false, ticks: kinds },
        y: { label: metric.title, as: metric.as },
        series: cells.map((cell) => ({
          ...seriesHead(cell, study),
          kind: 'dots',
          points: kinds.flatMap((kind, x) => {
            const pictures = ofKind(cell, kind).pictures;
            const values = valuesOf(byPrompt(pictures, ({ winner }) => metric.of(winner)));
            if (values.length === 0) return [];
            const { value, low, high } = study.bootstrap.mean(values);
            return [{ x, y: value, low, high }];
          }),
        })),
      },
    ];
  });
}

/** The section of kinds; nothing where all prompts are of one. */
export function kindsSection(study: Study): Section | null {
  const kinds = distinct(study.joined.prompts.map(({ kind }) => kind));
  if (kinds.length < 2) return null;
  const table = tableOf(study, kinds);
  if (table.rows.length === 0) return null;
  return { name: 'kinds', title: 'By kind', words: [], figures: figuresOf(study, kinds), tables: [table] };
}

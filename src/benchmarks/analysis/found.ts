// Where in the search the winner was found, and how often others had its score.

import { byPrompt, valuesOf } from './by-prompt.js';
import type { CellRuns } from './join-runs.js';
import { atLargestBudget } from './kinds.js';
import { CELL_COLUMNS, cellData, fileWord, seriesHead, type Study } from './study.js';
import type { Datum, Figure, Section, Table } from './tables.js';

const roundsOf = ({ pictures }: CellRuns): number => Math.max(...pictures.map(({ found }) => found.rounds));

function foundTable({ bootstrap }: Study, cells: readonly CellRuns[]): Table {
  return {
    name: 'found',
    title: 'Where the winner was found',
    note: 'Rounds are counted from 1. A winner of the first round owes nothing to the election of prefixes. Tied: other pictures of the search have the score of the winner, which is then the one that came first.',
    columns: [
      ...CELL_COLUMNS,
      { name: 'rounds', title: 'rounds', as: 'count' },
      { name: 'mean_round', title: 'mean round', as: 'score' },
      { name: 'first_round', title: 'in the first', as: 'share' },
      { name: 'last_round', title: 'in the last', as: 'share' },
      { name: 'tied', title: 'tied', as: 'share' },
      { name: 'mean_tied', title: 'pictures with its score', as: 'score' },
    ],
    rows: cells.map((cell): readonly Datum[] => {
      const estimate = (of: Parameters<typeof byPrompt>[1]): Datum =>
        bootstrap.mean(valuesOf(byPrompt(cell.pictures, of)));
      return [
        ...cellData(cell),
        roundsOf(cell),
        estimate(({ found }) => found.round),
        estimate(({ found }) => Number(found.round === 1)),
        estimate(({ found }) => Number(found.round === found.rounds)),
        estimate(({ found }) => Number(found.tied > 1)),
        estimate(({ found }) => found.tied),
      ];
    }),
  };
}

interface Bar {
  readonly cell: CellRuns;
  readonly round: number;
  /** The steps that the most winners of the round fix. */
  readonly step: number;
  readonly share: ReturnType<Study['bootstrap']['mean']>;
}

function barsOf(cell: CellRuns, { bootstrap }: Study): readonly Bar[] {
  return Array.from({ length: roundsOf(cell) }, (_, i) => {
    const round = i + 1;
    const share = bootstrap.mean(
      valuesOf(byPrompt(cell.pictures, ({ found }) => Number(found.round === round))),
    );
    const step = cell.pictures.find(({ found }) => found.round === round)?.found.step ?? round;
    return { cell, round, step, share };
  });
}

function histogramTable(study: Study, cells: readonly CellRuns[]): Table {
  return {
    name: 'found-rounds',
    title: 'Winners by round',
    note: 'The share of searches whose winner was found in the round.',
    columns: [
      ...CELL_COLUMNS,
      { name: 'round', title: 'round', as: 'count' },
      { name: 'step', title: 'steps fixed', as: 'count' },
      { name: 'share', title: 'winners', as: 'share' },
    ],
    folded: true,
    rows: cells.flatMap((cell) =>
      barsOf(cell, study).map(({ round, step, share }) => [...cellData(cell), round, step, share]),
    ),
  };
}

function figuresOf(study: Study): readonly Figure[] {
  return [...atLargestBudget(study.cells)].flatMap(([name, all]): Figure[] => {
    const cells = all.filter((cell) => roundsOf(cell) > 1);
    if (cells.length === 0) return [];
    const rounds = Math.max(...cells.map(roundsOf));
    return [
      {
        name: `found-${fileWord(name)}`,
        title: `Winners by round, guided by ${name}, at the largest budget`,
        x: {
          label: 'round',
          logarithmic: false,
          ticks: Array.from({ length: rounds }, (_, i) => String(i + 1)),
        },
        y: { label: 'winners', as: 'share' },
        series: cells.map((cell) => ({
          ...seriesHead(cell, study),
          kind: 'dots',
          points: barsOf(cell, study).map(({ round, share: { value, low, high } }) => ({
            x: round - 1,
            y: value,
            low,
            high,
          })),
        })),
      },
    ];
  });
}

/** The section of rounds; nothing where no search has more than one picture. */
export function foundSection(study: Study): Section | null {
  const searched = study.cells.filter(({ strategy }) => strategy !== 'single');
  if (searched.length === 0) return null;
  const several = searched.filter((cell) => roundsOf(cell) > 1);
  return {
    name: 'found',
    title: 'Where the winner was found',
    words: [],
    figures: figuresOf(study),
    tables: [foundTable(study, searched), ...(several.length > 0 ? [histogramTable(study, several)] : [])],
  };
}

// What runs there are, how much of them is finished, and what each cell reached and spent.

import { flopsOf } from '../../core/ledger.js';
import type { PictureRecord } from '../record.js';
import { byPrompt, valuesOf } from './by-prompt.js';
import type { CellRuns, JoinedRuns } from './join-runs.js';
import { judgesOf, RIGHT, scoreOf } from './metrics.js';
import { mean } from './statistics.js';
import { CELL_COLUMNS, cellData, isJudged, type Study, withMarks } from './study.js';
import type { Column, Datum, Section, Table } from './tables.js';

const shortHash = (hash: string): string => hash.slice(0, 12);

function runsTable({ runs }: JoinedRuns): Table {
  return {
    name: 'runs',
    title: 'Runs',
    note: 'One row a run: its identity, what it measures, how much is finished, and where it was made.',
    columns: [
      { name: 'folder', title: 'folder', as: 'text' },
      { name: 'manifest', title: 'manifest', as: 'text' },
      { name: 'measures', title: 'measures', as: 'text' },
      { name: 'finished', title: 'finished', as: 'count' },
      { name: 'planned', title: 'planned', as: 'count' },
      { name: 'share', title: 'share', as: 'share' },
      { name: 'model_options', title: 'options of the models', as: 'text' },
      { name: 'processor', title: 'processor', as: 'text' },
      { name: 'cores', title: 'cores', as: 'count' },
      { name: 'versions', title: 'versions', as: 'text' },
    ],
    rows: runs.map(({ folder, manifest, pictures, speeds }): readonly Datum[] => {
      const { hash, measures, prompts, seeds, cells, modelOptions, versions, environment } = manifest;
      const finished = measures === 'quality' ? pictures.length : speeds.length;
      const planned = prompts.length * seeds.length * cells.length;
      const listed = (values: Readonly<Record<string, unknown>>): string =>
        Object.entries(values)
          .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
          .join(', ');
      return [
        folder,
        shortHash(hash),
        measures,
        finished,
        planned,
        planned > 0 ? finished / planned : null,
        listed(modelOptions),
        environment.processor,
        environment.cores,
        `node ${environment.node}, ${listed(versions)}`,
      ];
    }),
  };
}

const meanOf = (cell: CellRuns, of: (picture: PictureRecord) => number): number =>
  mean(valuesOf(byPrompt(cell.pictures, of)));

/** What a search of a cell spends in the mean, and what its budget was. */
export const SPENT = {
  NFE: (cell: CellRuns): number => meanOf(cell, ({ spent }) => spent.nfe),
  forwards: (cell: CellRuns): number => meanOf(cell, ({ spent }) => spent.forwards),
  tokens: (cell: CellRuns): number => meanOf(cell, ({ spent }) => spent.tokens),
  FLOPs: (cell: CellRuns): number => meanOf(cell, ({ spent }) => flopsOf(spent)),
  seconds: (cell: CellRuns): number | null => cell.seconds,
} as const;

/** What budgets and axes count. */
export type Cost = keyof typeof SPENT;

/** The share of its budget that a cell leaves unspent; null where the budget is not of counts. */
function unusedShare(cell: CellRuns): number | null {
  const { most, unit } = cell.budget;
  const spent = SPENT[unit](cell);
  return spent === null || most === 0 ? null : 1 - spent / most;
}

const RIGHT_COLUMNS: readonly Column[] = [
  { name: 'right', title: 'right pictures', as: 'share' },
  { name: 'first_right', title: 'of first pictures', as: 'share' },
];

function cellsTable(study: Study): Table {
  const { cells, bootstrap } = study;
  const judged = isJudged(study);
  return {
    name: 'cells',
    title: 'Cells',
    note: withMarks(
      'One row a cell: pictures are averaged over the seeds of a prompt, then over prompts; intervals of 95 % by bootstrap over prompts. ' +
        'The score is that of the verifier that guides. What was spent is the mean of a search.',
      cells,
    ),
    columns: [
      ...CELL_COLUMNS,
      { name: 'prompts', title: 'prompts', as: 'count' },
      { name: 'searches', title: 'searches', as: 'count' },
      { name: 'planned', title: 'planned', as: 'count' },
      ...(judged ? RIGHT_COLUMNS : []),
      { name: 'score', title: 'score', as: 'score' },
      { name: 'nfe', title: 'NFE', as: 'count' },
      { name: 'unused', title: 'unused budget', as: 'share' },
      { name: 'forwards', title: 'forwards', as: 'count' },
      { name: 'tokens', title: 'tokens', as: 'large' },
      { name: 'flops', title: 'FLOPs', as: 'large' },
      { name: 'seconds', title: 'seconds', as: 'score' },
    ],
    rows: cells.map((cell): readonly Datum[] => {
      const { pictures, planned, jury } = cell;
      const right = byPrompt(pictures, ({ winner }) => RIGHT.of(winner));
      const first = byPrompt(pictures, (picture) => RIGHT.of(picture.first));
      const [judge, ...others] = judgesOf(jury);
      // Scores of several judges have no common unit.
      const own = judge === undefined || others.length > 0 ? null : scoreOf(judge);
      const scores = own ? valuesOf(byPrompt(pictures, ({ winner }) => own.of(winner))) : [];
      const estimate = (values: readonly number[]): Datum =>
        values.length > 0 ? bootstrap.mean(values) : null;
      return [
        ...cellData(cell),
        byPrompt(pictures, () => 0).size,
        pictures.length,
        planned,
        ...(judged ? [estimate(valuesOf(right)), estimate(valuesOf(first))] : []),
        estimate(scores),
        SPENT.NFE(cell),
        unusedShare(cell),
        SPENT.forwards(cell),
        SPENT.tokens(cell),
        SPENT.FLOPs(cell),
        SPENT.seconds(cell),
      ];
    }),
  };
}

/** How much there is, in words. */
function progressWords({ joined }: Study): readonly string[] {
  const { cells, benchmark, prompts } = joined;
  const planned = cells.reduce((sum, cell) => sum + cell.planned, 0);
  const finished = cells.reduce((sum, cell) => sum + cell.pictures.length, 0);
  const empty = cells.filter(({ pictures }) => pictures.length === 0).length;
  const count = (number: number): string => number.toLocaleString('en-US');
  const all = `${benchmark.name}, ${count(prompts.length)} prompts, ${count(cells.length)} cells`;
  if (finished >= planned) return [`${all}: all ${count(planned)} searches are finished.`];
  return [
    `${all}: unfinished, ${count(finished)} of ${count(planned)} searches are there (${((100 * finished) / planned).toFixed(0)} %)` +
      `${empty > 0 ? `, and of ${count(empty)} cells none` : ''}. Comparisons are made of the prompts and seeds that both sides have.`,
  ];
}

/** The section of runs and cells. */
export function overviewSection(study: Study): Section {
  const { joined, cells } = study;
  const timed = cells.filter(({ seconds }) => seconds !== null).length;
  const times =
    timed === cells.length
      ? 'Seconds are those of runs that measure speed alone, verification included.'
      : timed === 0
        ? 'No run measured speed: there are no seconds here.'
        : `Seconds were measured for ${timed} of ${cells.length} cells, in runs of their own, verification included.`;
  return {
    name: 'overview',
    title: 'What there is',
    words: [...progressWords(study), ...joined.notes, times],
    figures: [],
    tables: [cellsTable(study), runsTable(joined)],
  };
}

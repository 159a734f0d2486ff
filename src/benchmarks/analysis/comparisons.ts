// Every search against random search at the same budget, prompt by prompt.

import { judgesOf, markOf, type Metric, RIGHT } from './metrics.js';
import { againstRandom, budgetWords, compareCells, type Comparison } from './paired.js';
import { CELL_COLUMNS, cellData, groupBy, type Study, withMarks } from './study.js';
import type { Datum, Figure, Section, Table } from './tables.js';

/** Every measure that a cell can be compared by: the detector, the verifiers that guided it, the held-out ones. */
function comparisonsOf({ cells, metrics, bootstrap }: Study): readonly Comparison[] {
  return metrics.flatMap((metric) =>
    againstRandom(cells).flatMap(
      ([cell, reference]) => compareCells(cell, reference, { metric, bootstrap }) ?? [],
    ),
  );
}

const roleOf = ({ name }: Metric, jury: string): string =>
  name === RIGHT.name ? 'detector' : judgesOf(jury).includes(name) ? 'guide' : 'held out';

const COLUMNS = (metric: Metric): Table['columns'] => [
  ...CELL_COLUMNS,
  { name: 'role', title: 'this measure', as: 'text' },
  { name: 'prompts', title: 'prompts', as: 'count' },
  { name: 'value', title: metric.title, as: metric.as },
  { name: 'random', title: 'random search', as: metric.as },
  { name: 'difference', title: 'difference', as: metric.differenceAs },
  { name: 'wins', title: 'won', as: 'count' },
  { name: 'losses', title: 'lost', as: 'count' },
  { name: 'ties', title: 'tied', as: 'count' },
  { name: 'p', title: 'p', as: 'probability' },
];

function tableOf(metric: Metric, comparisons: readonly Comparison[]): Table {
  const isRight = metric === RIGHT;
  return {
    name: isRight ? 'paired-right' : `paired-${metric.name}`,
    title: isRight ? 'Right pictures against random search' : `${metric.name} against random search`,
    note: withMarks(
      'Differences by prompt (seeds averaged) to random search of the same model, guide and budget, with intervals of 95 % by bootstrap over prompts; ' +
        'prompts won, lost and tied; p of the exact sign test over prompts' +
        `${isRight ? ' (with one seed: McNemar)' : ''}. Not corrected for the number of comparisons.`,
      isRight ? comparisons.map(({ cell }) => cell) : [],
    ),
    columns: COLUMNS(metric),
    folded: !isRight,
    rows: comparisons.map((each): readonly Datum[] => [
      ...cellData(each.cell),
      roleOf(metric, each.cell.jury),
      each.prompts,
      each.value,
      each.referenceValue,
      each.difference,
      each.wins,
      each.losses,
      each.ties,
      each.p,
    ]),
  };
}

/** Differences by budget, a series for each search and guide. */
function figureOf(metric: Metric, comparisons: readonly Comparison[]): Figure | null {
  const unit = comparisons[0]?.cell.budget.unit;
  const alike = comparisons.filter(({ cell }) => cell.budget.unit === unit);
  if (alike.length < 2) return null;
  const rows = alike.map(({ cell, difference }) => ({
    name: `${cell.model}, ${cell.jury}${markOf(cell.jury)}, ${cell.strategy}, ${budgetWords(cell.budget)}`,
    ...difference,
  }));
  return {
    name: 'paired-right-figure',
    title: 'Difference to random search at the same budget',
    x: { label: '', logarithmic: false, ticks: rows.map(({ name }) => name) },
    y: { label: `difference in ${metric.title}`, as: metric.differenceAs },
    series: [
      {
        name: 'difference',
        kind: 'dots',
        points: rows.map(({ value, low, high }, i) => ({ x: i, y: value, low, high })),
      },
    ],
  };
}

/** The section of paired differences; nothing where no search has a random search beside it. */
export function comparisonsSection(study: Study): Section | null {
  const comparisons = comparisonsOf(study);
  if (comparisons.length === 0) return null;
  const groups = [...groupBy(comparisons, ({ metric }) => metric.name).values()];
  const judged = comparisons.filter(({ metric }) => metric === RIGHT);
  const figure = figureOf(RIGHT, judged);
  return {
    name: 'paired',
    title: 'Against random search',
    words: [
      'Both searches have the same model, guide, budget, prompts and seeds. A prompt counts once, whatever the number of its seeds.',
    ],
    figures: figure ? [figure] : [],
    tables: groups.flatMap((group) => (group[0] ? [tableOf(group[0].metric, group)] : [])),
  };
}

// The primary comparison: the one that was named before the runs, answered in words; and the coin, which must gain nothing.

import { UsageError } from '../../core/errors.js';
import type { BudgetUnit } from '../../run/options.js';
import { type Estimate, sideOf } from './bootstrap.js';
import { coinChecks, coinWords } from './control.js';
import type { CellRuns, JoinedRuns } from './join-runs.js';
import { mainMetric } from './kinds.js';
import { marksInWords, RIGHT } from './metrics.js';
import { budgetWords, compareCells, type Comparison } from './paired.js';
import { cellWords, distinct, type Study } from './study.js';
import { writeEstimate, writeProbability, writeValue } from './writing.js';

/** A comparison that was named. */
export interface Primary {
  readonly strategy: string;
  readonly reference: string;
  readonly jury: string;
  readonly budget: { readonly most: number; readonly unit: BudgetUnit };
  /** Where there are several. */
  readonly model?: string;
}

const EXAMPLE = "such as 'beam,random,image-reward,315' or 'beam,random,image-reward,315 NFE,toybox'";
const UNITS: Readonly<Record<string, BudgetUnit>> = {
  nfe: 'NFE',
  flops: 'FLOPs',
  seconds: 'seconds',
  s: 'seconds',
};

/** A strategy's own options may have commas, before digits: 'beam:candidates=9,7,5'. */
const PRIMARY =
  /^\s*(?<strategy>[a-z].*?)\s*,\s*(?<reference>[a-z].*?)\s*,\s*(?<jury>[a-z][^,]*?)\s*,\s*(?<most>\d[\d.]*(?:e\+?\d+)?)\s*(?<unit>[a-z]*)\s*(?:,\s*(?<model>\S.*?)\s*)?$/i;

/** Reads 'strategy,reference,jury,budget' or 'strategy,reference,jury,budget,model'. Throws a UsageError. */
export function parsePrimary(text: string): Primary {
  const {
    strategy = '',
    reference = '',
    jury = '',
    most,
    unit = '',
    model,
  } = PRIMARY.exec(text)?.groups ?? {};
  const known = UNITS[unit === '' ? 'nfe' : unit.toLowerCase()];
  if (!(Number(most) > 0) || known === undefined) {
    throw new UsageError(
      `option 'primary' (--primary) has to be search, reference, guide, budget and, where there are several, model, ${EXAMPLE}; got '${text}'`,
    );
  }
  return {
    strategy,
    reference,
    jury: jury.split('+').sort().join('+'),
    budget: { most: Number(most), unit: known },
    ...(model === undefined ? {} : { model }),
  };
}

/** The two cells that a primary comparison names. Throws a UsageError that says what there is. */
export function findPrimary(
  primary: Primary,
  { cells }: JoinedRuns,
): readonly [cell: CellRuns, reference: CellRuns] {
  const { budget, jury, model } = primary;
  const of = (strategy: string): CellRuns => {
    const found = cells.filter(
      (cell) =>
        cell.strategy === strategy &&
        cell.jury === jury &&
        cell.budget.most === budget.most &&
        cell.budget.unit === budget.unit &&
        (model === undefined || cell.model === model || cell.plainModel === model),
    );
    const [first, ...more] = found;
    if (!first) {
      const where = model === undefined ? '' : ` on ${model}`;
      throw new UsageError(
        `option 'primary' (--primary) names ${strategy}${where} guided by ${jury} at ${budgetWords(budget)}, which no run has; there are: ` +
          cells.map((cell) => cellWords(cell)).join('; '),
      );
    }
    if (more.length > 0) {
      throw new UsageError(
        `option 'primary' (--primary) fits several models (${found.map((cell) => cell.model).join(', ')}): name one of them at its end`,
      );
    }
    return first;
  };
  return [of(primary.strategy), of(primary.reference)];
}

/** A comparison as plain data. */
export interface PrimaryFigures {
  readonly model: string;
  readonly jury: string;
  readonly budget: string;
  readonly strategy: string;
  readonly reference: string;
  readonly metric: string;
  readonly prompts: number;
  readonly value: number;
  readonly referenceValue: number;
  readonly difference: Estimate;
  readonly wins: number;
  readonly losses: number;
  readonly ties: number;
  readonly p: number;
}

/** An answer: sentences, and the figures in them; null where no comparison was named or nothing of it is finished. */
export interface Answer {
  readonly words: readonly string[];
  readonly primary: PrimaryFigures | null;
}

function figuresOf({ cell, reference, metric, ...figures }: Comparison): PrimaryFigures {
  const { model, jury, budget, strategy } = cell;
  return {
    ...{
      model,
      jury,
      budget: budgetWords(budget),
      strategy,
      reference: reference.strategy,
      metric: metric.name,
    },
    ...figures,
  };
}

function verdictOf({ cell, reference, difference }: Comparison): string {
  const side = sideOf(difference);
  if (difference.low === null) return 'There are too few prompts for an interval.';
  if (side === 'both') {
    return `The interval holds 0: no difference is shown between ${cell.strategy} and ${reference.strategy}.`;
  }
  return side === 'above'
    ? `The interval lies above 0: ${cell.strategy} is ahead of ${reference.strategy}.`
    : `The interval lies below 0: ${cell.strategy} is behind ${reference.strategy}.`;
}

/** The prompts of a comparison, and whether that is all of them. */
function extent({ cell, reference, prompts }: Comparison): string {
  const seeds = distinct(cell.pictures.map(({ seed }) => seed)).length;
  const repeats = seeds > 1 ? `, ${seeds} seeds each averaged` : '';
  const planned = Math.max(cell.planned, reference.planned);
  const finished = Math.min(cell.pictures.length, reference.pictures.length);
  const part = finished < planned ? `, unfinished: ${finished} of ${planned} searches` : '';
  return `${prompts} prompts${repeats}${part}`;
}

/** A comparison in a few sentences. */
export function comparisonWords(comparison: Comparison): readonly string[] {
  const { cell, reference, metric, value, referenceValue, difference, wins, losses, ties, p } = comparison;
  const judge = metric === RIGHT ? 'judged by the detector' : `judged by ${metric.name}, which guided both`;
  const { as, differenceAs } = metric;
  return [
    `${cell.strategy} against ${reference.strategy} on ${cell.model} at ${budgetWords(cell.budget)}, guided by ${cell.jury}, ${judge}: ` +
      `${writeValue(value, as)} against ${writeValue(referenceValue, as)} ${metric.title}, a difference of ${writeEstimate(difference, differenceAs)} ` +
      `(${extent(comparison)}).`,
    `${wins} prompts won, ${losses} lost, ${ties} tied (exact sign test: p = ${writeProbability(p)}).`,
    verdictOf(comparison),
    ...(metric === RIGHT ? [marksInWords([cell.jury])].filter((words) => words !== '') : []),
  ];
}

/** The first lines of a report: the primary comparison, and what the coin does there. */
export function answerOf(study: Study, primary: Primary | null): Answer {
  if (!primary) {
    return {
      words: [
        'No primary comparison was named: all that follows is exploratory.',
        coinWords(coinChecks(study), null),
      ],
      primary: null,
    };
  }
  const [cell, reference] = findPrimary(primary, study.joined);
  const control = coinWords(coinChecks(study), cell);
  const metric = mainMetric(cell, study);
  const compared = metric ? compareCells(cell, reference, { metric, bootstrap: study.bootstrap }) : null;
  const words = compared
    ? comparisonWords(compared)
    : [`${cellWords(cell)}, against ${reference.strategy}: nothing is finished yet on both sides.`];
  const [first = '', ...rest] = words;
  return {
    words: [`Primary comparison: ${first}`, ...rest, control],
    primary: compared ? figuresOf(compared) : null,
  };
}

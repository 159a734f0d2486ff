// What is reached against what is spent: a point for every budget, and the way of the searches of the largest one.

import type { CurvePoint, PictureRecord } from '../record.js';
import type { Estimate } from './bootstrap.js';
import { byPrompt, valuesOf } from './by-prompt.js';
import type { CellRuns } from './join-runs.js';
import { judgesOf, markOf, type Metric, NO_JURY, RIGHT, scoreOf } from './metrics.js';
import { type Cost, SPENT } from './overview.js';
import { mean } from './statistics.js';
import { distinct, fileWord, groupBy, isJudged, seriesHead, type Study } from './study.js';
import type { Figure, FigurePoint, FigureSeries, Section } from './tables.js';

const COSTS = Object.keys(SPENT) as readonly Cost[];

const groupOf = (jury: string): string => `guided by ${jury}${markOf(jury)}`;

/** Cells that a guide's figures show: its own, and single pictures, which nobody guides. */
function cellsOfJury({ cells }: Study, jury: string): readonly CellRuns[] {
  return cells.filter((cell) => cell.jury === jury || cell.jury === NO_JURY);
}

/** What the cells of a guide reach by one measure. */
interface Reached {
  readonly jury: string;
  readonly metric: Metric;
  readonly cells: readonly { readonly cell: CellRuns; readonly value: Estimate }[];
}

function reachedBy(study: Study, jury: string, metric: Metric): Reached {
  const cells = cellsOfJury(study, jury).flatMap((cell) => {
    const values = valuesOf(byPrompt(cell.pictures, ({ winner }) => metric.of(winner)));
    return values.length === 0 ? [] : [{ cell, value: study.bootstrap.mean(values) }];
  });
  return { jury, metric, cells };
}

function budgetFigure({ jury, metric, cells }: Reached, cost: Cost, study: Study): Figure | null {
  const groups = groupBy(cells, ({ cell: { model, strategy } }) => JSON.stringify([model, strategy]));
  const series = [...groups.values()].flatMap((group): FigureSeries[] => {
    const [first] = group;
    const points = group.flatMap(({ cell, value: { value, low, high } }): FigurePoint[] => {
      const x = SPENT[cost](cell);
      return x === null || x <= 0 ? [] : [{ x, y: value, low, high }];
    });
    return first && points.length > 0
      ? [{ ...seriesHead(first.cell, study), kind: 'measured', points: points.sort((a, b) => a.x - b.x) }]
      : [];
  });
  if (series.length === 0) return null;
  return {
    name: `cost-${fileWord(jury)}-${fileWord(metric.name)}-${cost.toLowerCase()}`,
    title: `${metric.title}${metric === RIGHT ? markOf(jury) : ''} against ${cost}`,
    group: groupOf(jury),
    x: { label: cost, logarithmic: true },
    y: { label: metric.title, as: metric.as },
    series,
  };
}

const CURVE_COSTS = {
  NFE: ({ nfe }: CurvePoint): number => nfe,
  tokens: ({ tokens }: CurvePoint): number => tokens,
  FLOPs: ({ flops }: CurvePoint): number => flops,
} as const;

/** Places on a logarithmic axis. */
const PLACES = 33;

/**
 * What the best until then was, in the mean over prompts, when so much was spent: from where every search had a picture to where the
 * longest one ended.
 */
export function anytime(
  pictures: readonly PictureRecord[],
  costOf: (point: CurvePoint) => number,
  endOf: (picture: PictureRecord) => number,
  valueOf: (point: CurvePoint) => number | null,
): readonly FigurePoint[] {
  const known = pictures.filter(({ curve }) => curve.length > 0);
  const from = Math.max(...known.map(({ curve }) => (curve[0] ? costOf(curve[0]) : 0)));
  const until = Math.max(...known.map(endOf));
  if (!(from > 0 && until > from)) return [];
  return Array.from({ length: PLACES }, (_, i) => {
    const x = i === 0 ? from : Number((from * (until / from) ** (i / (PLACES - 1))).toPrecision(4));
    const values = valuesOf(
      byPrompt(known, ({ curve }) => {
        const point = curve.findLast((each) => costOf(each) <= x);
        return point ? valueOf(point) : null;
      }),
    );
    return { x, y: values.length > 0 ? mean(values) : NaN };
  }).filter(({ y }) => Number.isFinite(y));
}

function anytimeFigure(study: Study, jury: string, cost: keyof typeof CURVE_COSTS): Figure | null {
  const cells = study.cells.filter((cell) => cell.jury === jury && cell.strategy !== 'single');
  const groups = groupBy(cells, ({ model, strategy, budget }) =>
    JSON.stringify([model, strategy, budget.unit]),
  );
  const series = [...groups.values()].flatMap((group): FigureSeries[] => {
    const largest = group.reduce((a, b) => (b.budget.most > a.budget.most ? b : a));
    const { pictures } = largest;
    const points = anytime(
      pictures,
      CURVE_COSTS[cost],
      ({ spent }) =>
        cost === 'NFE'
          ? spent.nfe
          : cost === 'tokens'
            ? spent.tokens
            : spent.transformerFlops + spent.decoderFlops + spent.verifierFlops,
      ({ right }) => (right === null ? null : Number(right)),
    );
    return points.length > 1 ? [{ ...seriesHead(largest, study), kind: 'steps', points }] : [];
  });
  if (series.length === 0) return null;
  return {
    name: `anytime-${fileWord(jury)}-${cost.toLowerCase()}`,
    title: `right pictures${markOf(jury)}, ended at so many ${cost}`,
    group: groupOf(jury),
    x: { label: cost, logarithmic: true },
    y: { label: RIGHT.title, as: RIGHT.as },
    series,
  };
}

/** The section of cost. */
export function costsSection(study: Study): Section | null {
  const juries = distinct(study.cells.map(({ jury }) => jury)).filter((jury) => jury !== NO_JURY);
  const judged = isJudged(study);
  const figures = juries.flatMap((jury) => {
    const [judge, ...others] = judgesOf(jury);
    const own =
      judge !== undefined && others.length === 0
        ? study.metrics.find(({ name }) => name === judge)
        : undefined;
    const metrics = [...(judged ? [RIGHT] : []), ...(own ? [scoreOf(own.name)] : [])];
    const budgets = metrics.flatMap((metric) => {
      const reached = reachedBy(study, jury, metric);
      return COSTS.map((cost) => budgetFigure(reached, cost, study));
    });
    const ways = judged
      ? (Object.keys(CURVE_COSTS) as (keyof typeof CURVE_COSTS)[]).map((cost) =>
          anytimeFigure(study, jury, cost),
        )
      : [];
    return [...budgets, ...ways].filter((figure) => figure !== null);
  });
  if (figures.length === 0) return null;
  return {
    name: 'cost',
    title: 'Score against cost',
    words: [
      'Every budget is a point at what its searches spent in the mean, on a logarithmic axis, with its interval of 95 % by bootstrap over prompts. ' +
        'The steps show the best so far within the searches of the largest budget: a search that was planned for less may do better at that point.',
    ],
    figures,
    tables: [],
  };
}

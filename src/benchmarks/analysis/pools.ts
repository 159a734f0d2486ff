// What the pools held: how often a right picture was there to be chosen, and what random search of every size would have found.

import type { PictureRecord } from '../record.js';
import { bestOfK, holdsRight, logFit, sizesUpTo } from './best-of-k.js';
import { type Estimate, weightedMean } from './bootstrap.js';
import { byPrompt, common, valuesOf } from './by-prompt.js';
import type { CellRuns } from './join-runs.js';
import { COIN, judgesOf, markOf, RIGHT } from './metrics.js';
import { REFERENCE } from './paired.js';
import { mean } from './statistics.js';
import { CELL_COLUMNS, cellData, fileWord, groupBy, isJudged, type Study, withMarks } from './study.js';
import type { Datum, Figure, FigureSeries, Section, Table } from './tables.js';

/** Right pictures of a pool. */
const rightsIn = ({ right }: PictureRecord['pool']): number => right.split('1').length - 1;

const isKnown = ({ pool }: PictureRecord): boolean => pool.right !== '' && !pool.right.includes('?');

const held = (picture: PictureRecord): number | null =>
  isKnown(picture) ? Number(picture.pool.right.includes('1')) : null;

const rightShare = (picture: PictureRecord): number | null =>
  isKnown(picture) ? rightsIn(picture.pool) / picture.pool.right.length : null;

/** The share of its searches with a right picture in the pool whose winner is right. */
function chosenShare(cell: CellRuns, { bootstrap }: Study): Estimate | null {
  const [held_, right] = common(
    byPrompt(cell.pictures, held),
    byPrompt(cell.pictures, (picture) => (held(picture) === 1 ? RIGHT.of(picture.winner) : held(picture))),
  );
  if (!held_ || !right || held_.every((value) => value === 0)) return null;
  return bootstrap.estimate(
    held_.length,
    (weights) => weightedMean(right, weights) / weightedMean(held_, weights),
  );
}

function poolsTable(study: Study, cells: readonly CellRuns[]): Table {
  const { bootstrap } = study;
  return {
    name: 'pools',
    title: 'What was there to choose from',
    note: withMarks(
      'The share of right pictures in the pool; the share of prompts whose pool held at least one (no guide can do better); and of ' +
        'those pools the share whose right picture was chosen: what is missing there is the fault of the guide, not of the search.',
      cells,
    ),
    columns: [
      ...CELL_COLUMNS,
      { name: 'pool', title: 'pictures', as: 'count' },
      { name: 'right_in_pool', title: 'right in the pool', as: 'share' },
      { name: 'held', title: 'pool held a right one', as: 'share' },
      { name: 'chosen', title: 'chosen where held', as: 'share' },
      { name: 'right', title: 'winner right', as: 'share' },
    ],
    rows: cells.map((cell): readonly Datum[] => {
      const estimate = (of: (picture: PictureRecord) => number | null): Datum =>
        bootstrap.mean(valuesOf(byPrompt(cell.pictures, of)));
      return [
        ...cellData(cell),
        mean(valuesOf(byPrompt(cell.pictures, ({ pool }) => pool.scores.length))),
        estimate(rightShare),
        estimate(held),
        chosenShare(cell, study),
        estimate((picture) => (isKnown(picture) ? RIGHT.of(picture.winner) : null)),
      ];
    }),
  };
}

/** The curves of a random search by size, one for each prompt. */
export interface Curves {
  readonly ks: readonly number[];
  /** By prompt, then by size. */
  readonly curves: readonly (readonly number[])[];
}

/** Curves over the sizes that every pool has, averaged over the seeds of a prompt. */
function curvesOf(
  pictures: readonly PictureRecord[],
  curveOf: (picture: PictureRecord, ks: readonly number[]) => readonly number[],
): Curves {
  const ks = sizesUpTo(Math.min(...pictures.map(({ pool }) => pool.scores.length)));
  const own = new Map(pictures.map((picture) => [picture, curveOf(picture, ks)]));
  const bySize = ks.map((_, i) => valuesOf(byPrompt(pictures, (picture) => own.get(picture)?.[i] ?? null)));
  const prompts = bySize[0]?.length ?? 0;
  return {
    ks,
    curves: Array.from({ length: prompts }, (_, prompt) => bySize.map((values) => values[prompt] ?? NaN)),
  };
}

const scoreCurves = (pictures: readonly PictureRecord[]): Curves =>
  curvesOf(pictures, ({ pool }, ks) =>
    bestOfK(
      pool.scores.map((score) => ({ score, value: score })),
      ks,
    ),
  );

const rightCurves = (pictures: readonly PictureRecord[]): Curves =>
  curvesOf(pictures.filter(isKnown), ({ pool }, ks) =>
    bestOfK(
      pool.scores.map((score, i) => ({ score, value: Number(pool.right[i] === '1') })),
      ks,
    ),
  );

const heldCurves = (pictures: readonly PictureRecord[]): Curves =>
  curvesOf(pictures.filter(isKnown), ({ pool }, ks) => {
    const right = rightsIn(pool);
    return ks.map((k) => holdsRight(pool.right.length, right, k));
  });

/** Mean over prompts at every size. */
const meanCurve = ({ ks, curves }: Curves): readonly number[] =>
  ks.map((_, i) => mean(curves.map((curve) => curve[i] ?? NaN)));

const lineOf = (name: string, given: Curves, { bootstrap }: Study): FigureSeries => ({
  name,
  kind: 'line',
  points: given.ks.map((k, i) => {
    const { value, low, high } = bootstrap.mean(given.curves.map((curve) => curve[i] ?? NaN));
    return { x: k, y: value, low, high };
  }),
});

/** The fit of one cell: E[max of k scores] = a * ln(k) + b. */
export interface LogFit {
  readonly a: Estimate;
  readonly b: Estimate;
  readonly r2: Estimate;
  /** The largest distance of the mean curve from the line. */
  readonly worst: number;
}

/** The fit to the mean curve, with intervals by bootstrap over prompts; null for fewer than three sizes. */
export function fitOf({ ks, curves }: Curves, { bootstrap }: Pick<Study, 'bootstrap'>): LogFit | null {
  if (ks.length < 3 || curves.length === 0) return null;
  // The mean curve's slope and intercept are the means of those of the prompts: least squares are linear in what is fitted.
  const lines = curves.map((curve) => logFit(ks, curve));
  const columns = ks.map((_, i) => curves.map((curve) => curve[i] ?? NaN));
  const r2 = (weights: Uint16Array): number =>
    logFit(
      ks,
      columns.map((column) => weightedMean(column, weights)),
    )?.r2 ?? NaN;
  const a = bootstrap.mean(lines.map((line) => line?.slope ?? NaN));
  const b = bootstrap.mean(lines.map((line) => line?.intercept ?? NaN));
  const curve = meanCurve({ ks, curves });
  return {
    a,
    b,
    r2: bootstrap.estimate(curves.length, r2),
    worst: Math.max(...curve.map((y, i) => Math.abs(y - (a.value * Math.log(ks[i] ?? NaN) + b.value)))),
  };
}

/** The random search with the largest pool of each model and guide. */
function largestRandom({ cells }: Study): readonly CellRuns[] {
  const random = cells.filter(({ strategy }) => strategy === REFERENCE);
  const groups = groupBy(random, ({ model, jury }) => JSON.stringify([model, jury]));
  return [...groups.values()].flatMap((group) => {
    const size = ({ pictures }: CellRuns): number => pictures[0]?.pool.scores.length ?? 0;
    const [first, ...rest] = group;
    return first ? [rest.reduce((a, b) => (size(b) > size(a) ? b : a), first)] : [];
  });
}

function fitsTable(study: Study, cells: readonly CellRuns[]): Table {
  const fits = cells.flatMap((cell) => {
    const curves = scoreCurves(cell.pictures);
    const fit = fitOf(curves, study);
    return fit ? [{ cell, fit, largest: curves.ks.at(-1) ?? 0 }] : [];
  });
  return {
    name: 'log-fit',
    title: 'The law of random search: E[best of k scores] = a ln(k) + b',
    note:
      'Least squares through the mean curve at sizes that stand evenly on a logarithmic axis. The expected best of k is averaged over all ' +
      'choices of k pictures of the pool. Intervals of 95 % by bootstrap over prompts; the last column is the largest distance of the curve from the line.',
    columns: [
      ...CELL_COLUMNS,
      { name: 'largest_k', title: 'k up to', as: 'count' },
      { name: 'a', title: 'a', as: 'score' },
      { name: 'b', title: 'b', as: 'score' },
      { name: 'r2', title: 'R\u00b2', as: 'score' },
      { name: 'worst', title: 'off by at most', as: 'score' },
    ],
    rows: fits.map(({ cell, fit, largest }): readonly Datum[] => [
      ...cellData(cell),
      largest,
      fit.a,
      fit.b,
      fit.r2,
      fit.worst,
    ]),
  };
}

function fitFigure(study: Study, cell: CellRuns): Figure | null {
  const curves = scoreCurves(cell.pictures);
  const fit = fitOf(curves, study);
  if (!fit) return null;
  return {
    name: `best-of-k-${fileWord(cell.model)}-${fileWord(cell.jury)}`,
    title: `Expected best of k by ${cell.jury}, ${cell.model}`,
    x: { label: 'k, pictures', logarithmic: true },
    y: { label: `score of ${cell.jury}`, as: 'score' },
    series: [
      lineOf('best of k', curves, study),
      {
        name: 'a ln(k) + b',
        kind: 'dotted',
        points: curves.ks.map((k) => ({ x: k, y: fit.a.value * Math.log(k) + fit.b.value })),
      },
    ],
  };
}

function rightFigures(study: Study, cells: readonly CellRuns[]): readonly Figure[] {
  return [...groupBy(cells, ({ model }) => model)].flatMap(([model, group]): Figure[] => {
    const known = group.filter(({ pictures }) => pictures.some(isKnown));
    const guided = known.map(({ jury, pictures }) =>
      lineOf(`${jury}${markOf(jury)}`, rightCurves(pictures), study),
    );
    const [first] = known;
    if (!first) return [];
    return [
      {
        name: `right-of-k-${fileWord(model)}`,
        title: `Right pictures by the best of k, ${model}`,
        x: { label: 'k, pictures', logarithmic: true },
        y: { label: RIGHT.title, as: RIGHT.as },
        series: [
          ...guided,
          { ...lineOf('pool held a right one', heldCurves(first.pictures), study), kind: 'dotted' },
        ],
      },
    ];
  });
}

/** The section of pools. */
export function poolsSection(study: Study): Section | null {
  const judged = study.cells.filter(
    ({ pictures, strategy }) => strategy !== 'single' && pictures.some(isKnown),
  );
  const random = largestRandom(study);
  const alone = random.filter(({ jury }) => judgesOf(jury).length === 1 && jury !== COIN);
  const fits = fitsTable(study, alone);
  const tables = [
    ...(isJudged(study) && judged.length > 0 ? [poolsTable(study, judged)] : []),
    ...(fits.rows.length > 0 ? [fits] : []),
  ];
  if (tables.length === 0) return null;
  return {
    name: 'pools',
    title: 'Pools, and the law of random search',
    words: [
      'The pool of a search is every complete picture that it judged. From the pool of the largest random search follows, without any further picture, ' +
        'what every smaller one would have found.',
    ],
    figures: [
      ...(isJudged(study) ? rightFigures(study, random) : []),
      ...alone.flatMap((cell) => fitFigure(study, cell) ?? []),
    ],
    tables,
  };
}

// Two models, each with its searches: what search gains on either at equal cost, and the ratio. The paper's figure is 1.3 to 3.1.

import { type Bootstrap, type Estimate, sideOf, weightedMean } from './bootstrap.js';
import { type ByPrompt, byPrompt, common } from './by-prompt.js';
import type { CellRuns } from './join-runs.js';
import { mainMetric } from './kinds.js';
import { judgesOf, markOf, type Metric, RIGHT, scoreOf } from './metrics.js';
import { type Cost, SPENT } from './overview.js';
import { distinct, groupBy, isJudged, type Study, withMarks } from './study.js';
import type { Datum, Section, Table } from './tables.js';

/** The gain of a search by prompt, at what it spends. */
export interface GainAt {
  readonly cost: number;
  readonly gains: ByPrompt;
}

/** The gains by prompt at a cost between two budgets, on a straight line over its logarithm; null outside of them. */
export function gainsAt(points: readonly GainAt[], cost: number): ByPrompt | null {
  const sorted = [...points].sort((a, b) => a.cost - b.cost);
  const exact = sorted.find((point) => Math.abs(point.cost - cost) <= 1e-9 * cost);
  if (exact) return exact.gains;
  const above = sorted.findIndex((point) => point.cost > cost);
  const [low, high] = [sorted[above - 1], sorted[above]];
  if (!low || !high) return null;
  const part = Math.log(cost / low.cost) / Math.log(high.cost / low.cost);
  return new Map(
    [...high.gains].flatMap(([prompt, gain]) => {
      const before = low.gains.get(prompt);
      return before === undefined ? [] : [[prompt, before + part * (gain - before)] as const];
    }),
  );
}

/** Gains of two arms on the prompts that both have, and their ratio: null where the second's is not shown to be above 0. */
export interface Ratio {
  readonly prompts: number;
  readonly one: Estimate;
  readonly other: Estimate;
  readonly ratio: Estimate | null;
}

/** The ratio of two gains; prompts are resampled together. */
export function ratioOf(ones: ByPrompt, others: ByPrompt, bootstrap: Bootstrap): Ratio | null {
  const [a = [], b = []] = common(ones, others);
  if (a.length === 0) return null;
  const other = bootstrap.mean(b);
  const ratio = (weights: Uint16Array): number => weightedMean(a, weights) / weightedMean(b, weights);
  return {
    prompts: a.length,
    one: bootstrap.mean(a),
    other,
    ratio: sideOf(other) === 'above' ? bootstrap.estimate(a.length, ratio) : null,
  };
}

/** Cells of one model, guide and strategy. */
interface Arm {
  readonly model: string;
  readonly strategy: string;
  readonly cells: readonly CellRuns[];
}

const gainsOfCell = ({ pictures }: CellRuns, metric: Metric): ByPrompt =>
  byPrompt(pictures, ({ first, winner }) => {
    const [before, after] = [metric.of(first), metric.of(winner)];
    return before === null || after === null ? null : after - before;
  });

interface Equal {
  readonly cost: Cost;
  readonly at: number;
  readonly how: string;
  readonly one: ByPrompt;
  readonly other: ByPrompt;
}

/** Budgets that both arms were given. */
function atSameBudgets(one: Arm, other: Arm, metric: Metric): readonly Equal[] {
  return one.cells.flatMap((cell) => {
    const rival = other.cells.find(
      ({ budget }) => budget.most === cell.budget.most && budget.unit === cell.budget.unit,
    );
    if (!rival) return [];
    const { unit: cost, most: at } = cell.budget;
    return [
      { cost, at, how: 'same budget', one: gainsOfCell(cell, metric), other: gainsOfCell(rival, metric) },
    ];
  });
}

/** What an arm gains at what it spends, from one picture on, where a cell of single pictures says what that costs. */
function pointsOf(
  arm: Arm,
  study: Study,
  { metric, cost }: { readonly metric: Metric; readonly cost: Cost },
): readonly GainAt[] {
  const points = arm.cells.flatMap((cell): GainAt[] => {
    const spent = SPENT[cost](cell);
    return spent === null || spent <= 0 ? [] : [{ cost: spent, gains: gainsOfCell(cell, metric) }];
  });
  const single = study.cells.find(({ model, strategy }) => model === arm.model && strategy === 'single');
  const least = single ? SPENT[cost](single) : null;
  const [first] = points;
  if (least === null || !first || points.some((point) => point.cost <= least)) return points;
  const nothing = new Map([...first.gains.keys()].map((prompt) => [prompt, 0] as const));
  return [{ cost: least, gains: nothing }, ...points];
}

/** The largest cost that both arms reach, where it is not a budget that both were given. */
function betweenBudgets(one: Arm, other: Arm, study: Study, metric: Metric): readonly Equal[] {
  return (['NFE', 'FLOPs', 'seconds'] as const).flatMap((cost) => {
    const [a, b] = [one, other].map((arm) => pointsOf(arm, study, { metric, cost }));
    if (!a || !b || a.length === 0 || b.length === 0) return [];
    const most = (points: readonly GainAt[]): number => Math.max(...points.map((point) => point.cost));
    const at = Math.min(most(a), most(b));
    const [ones, others] = [gainsAt(a, at), gainsAt(b, at)];
    const how = 'between budgets';
    return ones && others ? [{ cost, at, how, one: ones, other: others }] : [];
  });
}

function pairsOfArms(study: Study): readonly (readonly [jury: string, one: Arm, other: Arm])[] {
  const searched = study.cells.filter(({ strategy }) => strategy !== 'single');
  return [...groupBy(searched, ({ jury }) => jury)].flatMap(([jury, cells]) => {
    const arms = [
      ...groupBy(cells, ({ model, strategy }) => JSON.stringify([model, strategy])).values(),
    ].flatMap((group): Arm[] => {
      const [first] = group;
      return first ? [{ model: first.model, strategy: first.strategy, cells: group }] : [];
    });
    return arms.flatMap((one, i) =>
      arms
        .slice(i + 1)
        .filter(({ model }) => model !== one.model)
        .map((other) => [jury, one, other] as const),
    );
  });
}

function rowsOf(study: Study): readonly (readonly [metric: Metric, row: readonly Datum[]])[] {
  return pairsOfArms(study).flatMap(([jury, one, other]) => {
    const [first] = one.cells;
    const [judge, ...more] = judgesOf(jury);
    const metric = first ? mainMetric(first, study) : null;
    const own = judge !== undefined && more.length === 0 && isJudged(study) ? [scoreOf(judge)] : [];
    return [...(metric ? [metric] : []), ...own].flatMap((measure) => {
      const same = atSameBudgets(one, other, measure);
      const between = betweenBudgets(one, other, study, measure).filter(
        ({ cost, at }) => !same.some((each) => each.cost === cost && Math.abs(each.at / at - 1) < 0.03),
      );
      return [...same, ...between].flatMap((equal): (readonly [Metric, readonly Datum[]])[] => {
        const found = ratioOf(equal.one, equal.other, study.bootstrap);
        if (!found) return [];
        const mark = measure === RIGHT ? markOf(jury) : '';
        const names = [one, other].map(({ model, strategy }) => `${strategy} on ${model}`);
        const [a = '', b = ''] = names;
        return [
          [
            measure,
            [
              jury,
              mark,
              equal.cost,
              equal.at,
              equal.how,
              a,
              b,
              found.prompts,
              found.one,
              found.other,
              found.ratio,
            ],
          ],
        ];
      });
    });
  });
}

function tableOf(metric: Metric, rows: readonly (readonly Datum[])[], study: Study): Table {
  return {
    name: metric === RIGHT ? 'arms-right' : `arms-${metric.name}`,
    title: `Gains of both arms at equal cost: ${metric.title}`,
    note: withMarks(
      'Gain from the first picture to the winner, of the prompts that both arms have, and the ratio of the gains (first arm to second); intervals of 95 % by bootstrap, ' +
        "prompts resampled together. There is no ratio where the second arm's gain is not shown to be above 0. Between budgets: on a straight line over the logarithm of the cost, " +
        'at the most that both arms spend.',
      metric === RIGHT ? study.cells : [],
    ),
    columns: [
      { name: 'jury', title: 'guided by', as: 'text' },
      { name: 'mark', title: '', as: 'text' },
      { name: 'cost', title: 'equal', as: 'text' },
      { name: 'at', title: 'at', as: 'large' },
      { name: 'how', title: 'how', as: 'text' },
      { name: 'one', title: 'first arm', as: 'text' },
      { name: 'other', title: 'second arm', as: 'text' },
      { name: 'prompts', title: 'prompts', as: 'count' },
      { name: 'gain_one', title: 'gain of the first', as: metric.differenceAs },
      { name: 'gain_other', title: 'of the second', as: metric.differenceAs },
      { name: 'ratio', title: 'ratio', as: 'ratio' },
    ],
    rows,
  };
}

/** The section of both arms; nothing where there is one model. */
export function armsSection(study: Study): Section | null {
  const rows = rowsOf(study);
  const groups = groupBy(rows, ([metric]) => metric.name);
  const tables = [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first
      ? [
          tableOf(
            first[0],
            group.map(([, row]) => row),
            study,
          ),
        ]
      : [];
  });
  if (tables.length === 0) return null;
  const models = distinct(study.cells.map(({ model }) => model));
  return {
    name: 'arms',
    title: 'Both arms at equal cost',
    words: [
      `What search gains on ${models.join(' and on ')}. The paper reports gains that are 1.3 to 3.1 times larger for the autoregressive model.`,
    ],
    figures: [],
    tables,
  };
}

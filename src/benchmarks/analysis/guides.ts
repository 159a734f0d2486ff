// Verifier hacking: what the guide gains against what held-out verifiers and the detector gain, from the first picture to the winner.

import type { PictureRecord } from '../record.js';
import { type Estimate, sideOf } from './bootstrap.js';
import { byPrompt, valuesOf } from './by-prompt.js';
import type { CellRuns } from './join-runs.js';
import { atLargestBudget } from './kinds.js';
import { judgesOf, markOf, type Metric, ORACLE, RIGHT } from './metrics.js';
import { deviation, mean } from './statistics.js';
import { CELL_COLUMNS, cellData, fileWord, groupBy, seriesHead, type Study, withMarks } from './study.js';
import type { Datum, Figure, Section, Table } from './tables.js';

/** How a measure of first pictures varies: the unit of gains. */
export interface Spread {
  readonly deviation: number;
  /** Between pictures of one prompt, or between those of all prompts where there is one picture of each. */
  readonly within: boolean;
}

/** Degrees of freedom below which the spread within prompts is not known well enough. */
const LEAST_FREEDOM = 20;

/** The spread of a measure among the first pictures of some searches; null where they are all the same. */
export function spreadOf(pictures: readonly PictureRecord[], metric: Metric): Spread | null {
  // Searches with the same seed may begin with the same picture.
  const firsts = new Map<number, Set<number>>();
  const seen = new Map<number, number[]>();
  for (const { prompt, seed, first } of pictures) {
    const value = metric.of(first);
    const seeds = firsts.get(prompt.index) ?? new Set();
    firsts.set(prompt.index, seeds);
    if (value === null || seeds.has(seed)) continue;
    seeds.add(seed);
    seen.set(prompt.index, [...(seen.get(prompt.index) ?? []), value]);
  }
  const groups = [...seen.values()];
  const freedom = groups.reduce((sum, values) => sum + values.length - 1, 0);
  const within = freedom >= LEAST_FREEDOM;
  const squares = groups.reduce((sum, values) => {
    const centre = mean(values);
    return sum + values.reduce((all, value) => all + (value - centre) ** 2, 0);
  }, 0);
  const found = within ? Math.sqrt(squares / freedom) : deviation(groups.flat());
  return found !== null && found > 0 ? { deviation: found, within } : null;
}

/** The part that a measure has in a search. */
export type Role = 'guide' | 'held out' | 'detector';

/** What one measure gains in a cell, in spreads. */
export interface Gain {
  readonly cell: CellRuns;
  readonly metric: Metric;
  readonly role: Role;
  /** In the measure's own unit. */
  readonly plain: Estimate;
  readonly inSpreads: Estimate;
  readonly byPrompt: readonly number[];
}

function roleOf({ name }: Metric, jury: string): Role {
  // The oracle is the detector's own number.
  if (name === RIGHT.name || (name === ORACLE && !judgesOf(jury).includes(ORACLE))) return 'detector';
  return judgesOf(jury).includes(name) ? 'guide' : 'held out';
}

/** The spreads of all measures, by model. */
type Spreads = ReadonlyMap<string, ReadonlyMap<Metric, Spread | null>>;

function spreadsOf({ cells, metrics }: Study): Spreads {
  return new Map(
    [...groupBy(cells, ({ model }) => model)].map(([model, group]) => {
      const pictures = group.flatMap((cell) => cell.pictures);
      return [model, new Map(metrics.map((metric) => [metric, spreadOf(pictures, metric)]))] as const;
    }),
  );
}

/** The gains of all measures in a cell. */
function gainsOf(cell: CellRuns, study: Study, spreads: Spreads): readonly Gain[] {
  return study.metrics.flatMap((metric): Gain[] => {
    const spread = spreads.get(cell.model)?.get(metric) ?? null;
    const gains = valuesOf(
      byPrompt(cell.pictures, ({ first, winner }) => {
        const [before, after] = [metric.of(first), metric.of(winner)];
        return before === null || after === null ? null : after - before;
      }),
    );
    if (!spread || gains.length === 0) return [];
    const plain = study.bootstrap.mean(gains);
    const scaled = (value: number | null): number | null =>
      value === null ? null : value / spread.deviation;
    return [
      {
        cell,
        metric,
        role: roleOf(metric, cell.jury),
        plain,
        inSpreads: {
          value: plain.value / spread.deviation,
          low: scaled(plain.low),
          high: scaled(plain.high),
        },
        byPrompt: gains.map((gain) => gain / spread.deviation),
      },
    ];
  });
}

const MOVES = { above: 'rises', below: 'falls', both: 'no change shown' } as const;

/** What a cell's gains say of its guide. */
export type Finding = 'hacked' | 'helps' | 'open' | 'nothing to gain';

/** Held out from the search: the verifiers, or the detector alone where there is none. */
function joined(gains: readonly Gain[], study: Study): Estimate | null {
  const [first] = gains;
  if (!first || gains.some((gain) => gain.byPrompt.length !== first.byPrompt.length)) return null;
  return study.bootstrap.mean(
    first.byPrompt.map((_, i) => mean(gains.map((gain) => gain.byPrompt[i] ?? NaN))),
  );
}

/** The sign of hacking: the guide rises while detector or held-out verifiers fall. */
export function findingOf(guide: Estimate | null, others: readonly (Estimate | null)[]): Finding {
  if (!guide || sideOf(guide) !== 'above') return 'nothing to gain';
  const sides = others.flatMap((each) => (each ? [sideOf(each)] : []));
  if (sides.includes('below')) return 'hacked';
  return sides.length > 0 && sides.every((side) => side === 'above') ? 'helps' : 'open';
}

const FINDINGS: Readonly<Record<Finding, string>> = {
  hacked: 'hacked: the guide rises, others fall',
  helps: 'all rise',
  open: 'not shown for all',
  'nothing to gain': 'the guide does not rise',
};

function hackingTable(study: Study, all: readonly (readonly Gain[])[]): Table {
  const rows = all.flatMap((gains): (readonly Datum[])[] => {
    const [first] = gains;
    if (!first) return [];
    const of = (role: Role): readonly Gain[] => gains.filter((gain) => gain.role === role);
    const [guide, held] = [joined(of('guide'), study), joined(of('held out'), study)];
    const detector = gains.find(({ metric }) => metric === RIGHT)?.inSpreads ?? null;
    return [[...cellData(first.cell), guide, held, detector, FINDINGS[findingOf(guide, [held, detector])]]];
  });
  return {
    name: 'hacking',
    title: 'Guide against held-out verifiers and detector',
    note: withMarks(
      'Mean gain from the first picture of a search to its winner, in spreads (standard deviations among first pictures), with intervals of 95 % by bootstrap over prompts. ' +
        'Spreads are those within prompts where there are several seeds, or else those over all prompts. Several verifiers are averaged. A guide that rises while others fall is hacked.',
      all.flatMap((gains) => gains.map(({ cell }) => cell)),
    ),
    columns: [
      ...CELL_COLUMNS,
      { name: 'guide', title: 'guide', as: 'difference' },
      { name: 'held_out', title: 'held out', as: 'difference' },
      { name: 'detector', title: 'detector', as: 'difference' },
      { name: 'finding', title: 'finding', as: 'text' },
    ],
    rows,
  };
}

function gainsTable(all: readonly Gain[]): Table {
  return {
    name: 'gains',
    title: 'Gain of every verifier',
    note: withMarks(
      'From the first picture to the winner: in spreads, and in the unit of the verifier.',
      all.map(({ cell }) => cell),
    ),
    columns: [
      ...CELL_COLUMNS,
      { name: 'verifier', title: 'by', as: 'text' },
      { name: 'role', title: 'part', as: 'text' },
      { name: 'gain', title: 'gain in spreads', as: 'difference' },
      { name: 'plain', title: 'in its unit', as: 'difference' },
      { name: 'sign', title: 'sign', as: 'text' },
    ],
    folded: true,
    rows: all.map(({ cell, metric, role, plain, inSpreads }): readonly Datum[] => [
      ...cellData(cell),
      metric.name,
      role,
      inSpreads,
      plain,
      MOVES[sideOf(plain)],
    ]),
  };
}

function figuresOf(study: Study, all: readonly Gain[]): readonly Figure[] {
  return [...atLargestBudget(study.cells)].flatMap(([name, cells]): Figure[] => {
    const gains = all.filter(({ cell }) => cells.includes(cell));
    const [first] = cells;
    if (!first || gains.length === 0) return [];
    const metrics = study.metrics.filter((metric) => gains.some((gain) => gain.metric === metric));
    const ticks = metrics.map((metric) => {
      const role = roleOf(metric, first.jury);
      const title = metric === RIGHT ? `detector${markOf(first.jury)}` : metric.name;
      return role === 'guide' ? `${title} (guide)` : title;
    });
    return [
      {
        name: `gains-${fileWord(name)}`,
        title: `Gain of every verifier, guided by ${name}, at the largest budget`,
        x: { label: '', logarithmic: false, ticks },
        y: { label: 'gain in spreads', as: 'difference' },
        series: cells.map((cell) => ({
          ...seriesHead(cell, study),
          kind: 'dots',
          points: metrics.flatMap((metric, x) => {
            const gain = gains.find((each) => each.cell === cell && each.metric === metric);
            if (!gain) return [];
            const { value, low, high } = gain.inSpreads;
            return [{ x, y: value, low, high }];
          }),
        })),
      },
    ];
  });
}

/** The section of guides and held-out verifiers. */
export function guidesSection(study: Study): Section | null {
  const searched = study.cells.filter(({ strategy }) => strategy !== 'single');
  const spreads = spreadsOf(study);
  const all = searched.map((cell) => gainsOf(cell, study, spreads));
  const gains = all.flat();
  if (gains.length === 0) return null;
  return {
    name: 'guides',
    title: 'Guide against held-out verifiers',
    words: [
      'The first picture is what one gets without a search. The guide gains by construction; whether the picture is better is what the others say.',
    ],
    figures: figuresOf(study, gains),
    tables: [hackingTable(study, all), gainsTable(gains)],
  };
}

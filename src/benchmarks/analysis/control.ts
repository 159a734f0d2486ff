// The negative control: a coin is a verifier that knows nothing, and a search that it guides must gain nothing.

import { type Estimate, sideOf } from './bootstrap.js';
import { byPrompt, valuesOf } from './by-prompt.js';
import type { CellRuns } from './join-runs.js';
import { COIN, type Metric, RIGHT } from './metrics.js';
import { budgetWords, compareCells, rivalOf } from './paired.js';
import { CELL_COLUMNS, cellData, isJudged, type Study } from './study.js';
import type { Datum, Section } from './tables.js';
import { writeEstimate } from './writing.js';

/** What a coin gains, or seems to. */
export interface CoinCheck {
  readonly cell: CellRuns;
  readonly against: 'first picture' | 'random search';
  readonly metric: Metric;
  readonly gain: Estimate;
}

/** The gain of the winners of a coin over first pictures, and of its searches over its random search. */
export function coinChecks(study: Study): readonly CoinCheck[] {
  const coins = study.cells.filter(({ jury, strategy }) => jury === COIN && strategy !== 'single');
  const metrics = isJudged(study) ? [RIGHT] : study.metrics;
  return coins.flatMap((cell) =>
    metrics.flatMap((metric): CoinCheck[] => {
      const gains = valuesOf(
        byPrompt(cell.pictures, ({ first, winner }) => {
          const [before, after] = [metric.of(first), metric.of(winner)];
          return before === null || after === null ? null : after - before;
        }),
      );
      const reference = rivalOf(cell, study.cells);
      const compared = reference
        ? compareCells(cell, reference, { metric, bootstrap: study.bootstrap })
        : null;
      const check = (against: CoinCheck['against'], gain: Estimate): CoinCheck => ({
        cell,
        against,
        metric,
        gain,
      });
      return [
        ...(gains.length > 0 ? [check('first picture', study.bootstrap.mean(gains))] : []),
        ...(compared ? [check('random search', compared.difference)] : []),
      ];
    }),
  );
}

/** Whether two cells have model and budget in common. */
const isBeside = (one: CellRuns, other: CellRuns): boolean =>
  one.model === other.model && budgetWords(one.budget) === budgetWords(other.budget);

/** What the coin does, in one sentence: beside a cell where it was tossed there, or else everywhere. */
export function coinWords(checks: readonly CoinCheck[], beside: CellRuns | null): string {
  if (checks.length === 0) return 'Negative control: none of these runs is guided by a coin.';
  const near = beside ? checks.filter(({ cell }) => isBeside(cell, beside)) : [];
  const told = (near.length > 0 ? near : checks).slice(0, 4).map(({ cell, against, metric, gain }) => {
    const where =
      near.length > 0 ? cell.strategy : `${cell.strategy} on ${cell.model} at ${budgetWords(cell.budget)}`;
    return `${where} against ${against} ${writeEstimate(gain, metric.differenceAs)}`;
  });
  const odd = checks.filter(({ gain }) => sideOf(gain) !== 'both').length;
  const all = checks.length === 1 ? 'the interval holds 0' : `all ${checks.length} intervals hold 0`;
  const verdict =
    odd === 0
      ? `it is not shown to gain anything, as it should be (${all})`
      : `${odd} of ${checks.length} intervals do not hold 0; one in twenty may by chance, more are a fault of the measurement`;
  const unfinished = checks.filter(({ cell }) => cell.pictures.length < cell.planned).length;
  const part = unfinished > 0 ? ' Its runs are unfinished.' : '';
  return `Negative control, a coin as the guide: ${verdict}. ${told.join('; ')}.${part}`;
}

/** The section of the control; nothing where no coin was tossed. */
export function controlSection(study: Study): Section | null {
  const checks = coinChecks(study);
  if (checks.length === 0) return null;
  const [first] = checks;
  const as = first?.metric.differenceAs ?? 'difference';
  return {
    name: 'control',
    title: 'Negative control',
    words: [
      'The coin scores by a number that says nothing about the picture. What a search seems to gain by it is the error of the whole measurement.',
    ],
    figures: [],
    tables: [
      {
        name: 'coin',
        title: 'What the coin gains',
        note: 'Winner against the first picture of the same search, and against random search with the same coin; intervals of 95 % by bootstrap over prompts.',
        columns: [
          ...CELL_COLUMNS,
          { name: 'measure', title: 'measure', as: 'text' },
          { name: 'against', title: 'against', as: 'text' },
          { name: 'gain', title: 'gain', as },
          { name: 'holds_zero', title: 'interval holds 0', as: 'text' },
        ],
        rows: checks.map(({ cell, metric, against, gain }): readonly Datum[] => [
          ...cellData(cell),
          metric.name,
          against,
          gain,
          gain.low === null ? null : sideOf(gain) === 'both' ? 'yes' : 'no',
        ]),
      },
    ],
  };
}

// What searches would cost, as tables: nothing is loaded and nothing computed.

import { UsageError } from '../core/errors.js';
import { formatCount, formatLarge } from '../core/format.js';
import { titleOf } from '../core/options.js';
import type { Schedule } from '../models/contract.js';
import { describeSchedule, describeSearch } from '../report/words.js';
import type { Foreseen, ForeseenSearch } from '../run/foresee.js';
import type { Budget } from '../run/options.js';
import type { Estimate } from '../search/cost.js';
import { RANDOM } from '../search/random.js';
import {
  estimate,
  findStrategy,
  type ResolvedSearch,
  resolveSearch,
  type SearchOptions,
} from '../search/registry.js';
import type { CliIo } from './io.js';
import { line } from './io.js';
import { withFlags } from './names.js';
import { describeUnused } from './summary.js';
import { printTable, printText } from './table.js';

/** A search in words and in numbers. */
export interface CostRow extends Estimate {
  readonly what: string;
  readonly search: ResolvedSearch;
}

/** One search with its cost. */
export function rowOf(options: SearchOptions, schedule: Schedule, note = ''): CostRow {
  const search = resolveSearch(options, schedule);
  const cost = estimate(search, schedule);
  const unused = describeUnused(budgetOf(options), cost);
  const what = `${describeSearch(search)}${note}${unused === '' ? '' : ` (${unused.replace(/:.*/, '')})`}`;
  return { what, search, ...cost };
}

const budgetOf = (options: SearchOptions): number | undefined =>
  'budget' in options ? options.budget : undefined;

/** The search that was asked for first, then what it can be measured against: pictures drawn without any search. */
export function costRows(options: SearchOptions, schedule: Schedule): CostRow[] {
  const asked = rowOf(options, schedule);
  const random = (sizes: { readonly images: number } | { readonly budget: number }, note: string): CostRow =>
    rowOf({ strategy: RANDOM.name, ...sizes }, schedule, note);
  const rows = [
    asked,
    ...('rollout' in options ? attempt({ ...options, rollout: 'full' }, schedule) : []),
    ...switched(asked.search, schedule),
    random({ budget: asked.nfe }, ' (the same NFE)'),
    random({ images: asked.images }, ' (as many pictures)'),
    random({ images: 1 }, ' (no search)'),
  ];
  const keys = rows.map(({ search }) => JSON.stringify(search));
  return rows.filter((_, i) => keys.indexOf(keys[i] ?? '') === i);
}

/** The same search with each of its switches the other way round. */
function switched(search: ResolvedSearch, schedule: Schedule): CostRow[] {
  const { options } = findStrategy(search.strategy);
  return Object.entries(search).flatMap(([name, on]) =>
    options[name]?.kind === 'switch' ? attempt({ ...search, [name]: on !== true }, schedule) : [],
  );
}

/** A search to measure another against; none where such a one cannot be, since not every option goes with every size. */
function attempt(options: SearchOptions, schedule: Schedule): CostRow[] {
  try {
    return [rowOf(options, schedule)];
  } catch (error) {
    if (error instanceof UsageError) return [];
    throw error;
  }
}

const nameOf = ({ what, exact }: CostRow): string => (exact ? what : `${what} (at most)`);

const numbersOf = ({ nfe, forwards, tokens, flops, images }: Estimate): string[] => [
  ...[nfe, forwards, tokens].map(formatCount),
  formatLarge(flops).trimEnd(),
  formatCount(images),
];

const HEAD = ['', 'NFE', 'forward passes', 'tokens', 'FLOPs', 'pictures'];

/** Prints costs: a table for people, JSON for programs. */
export function printCosts(rows: readonly CostRow[], schedule: Schedule, io: CliIo, json: boolean): void {
  if (json) {
    line(io.stdout, JSON.stringify({ format: 2, schedule, runs: rows }, null, 2));
    return;
  }
  const cells = rows.map((row) => [nameOf(row), ...numbersOf(row)]);
  line(io.stdout, describeSchedule(schedule));
  printTable(io.stdout, [HEAD, ...cells]);
  printText(
    io.stdout,
    'NFE as the paper counts; forward passes are those really run, since nothing is computed twice; FLOPs are theirs.',
  );
}

/** What a comparison would run on a model, as a program reads it. */
interface ForeseenJson extends Omit<Foreseen, 'searches'> {
  readonly runs: readonly (CostRow & Pick<ForeseenSearch, 'flopsInAll' | 'drawing' | 'limit' | 'unfit'>)[];
}

function asJson({ searches, ...rest }: Foreseen): ForeseenJson {
  const runs = searches.map(({ search, cost, strategy: _, ...more }) => {
    const drawn = Object.entries(more.drawing ?? {}).map(
      ([name, value]) => `, ${titleOf(name)} ${String(value)}`,
    );
    return { what: `${describeSearch(search)}${drawn.join('')}`, search, ...cost, ...more };
  });
  return { ...rest, runs };
}

/** Prints what a comparison would run: a table a model for people, JSON for programs. */
export function printForeseen(
  found: readonly Foreseen[],
  { unit, most: budget }: Budget,
  io: CliIo,
  json: boolean,
): void {
  const models = found.map(asJson);
  if (json) {
    line(io.stdout, JSON.stringify({ format: 2, budget, unit, models }, null, 2));
    return;
  }
  const sentence = (text: string): void => {
    printText(io.stdout, withFlags(text, { words: [], positional: [] }));
  };
  for (const { model, schedule, runs, skipped, uncounted } of models) {
    sentence(`${model}: ${describeSchedule(schedule)}`);
    const cells = runs.map((row) => [
      nameOf(row),
      ...numbersOf(row),
      row.flopsInAll === null ? '?' : formatLarge(row.flopsInAll).trimEnd(),
    ]);
    if (cells.length > 0) printTable(io.stdout, [[...HEAD, 'FLOPs in all'], ...cells]);
    for (const { search, limit, unfit } of runs) {
      if (unfit !== undefined) sentence(`${search.strategy} would not run: ${unfit}`);
      if (limit !== undefined) sentence(`${search.strategy} gets less than the budget: ${limit}`);
    }
    for (const { strategy, why } of skipped) sentence(`${strategy} is left out: ${why}`);
    if (uncounted.length > 0) {
      sentence(`Not counted, since loading alone tells what it costs: ${uncounted.join(', ')}.`);
    }
    line(io.stdout);
  }
  sentence(
    'NFE as the paper counts; FLOPs are those of the passes really run, in all with decoder and verifiers; for a prompt of usual length.',
  );
}

// What searches would cost, as tables: nothing is loaded and nothing computed.

import { UsageError } from '../core/errors.js';
import { formatCount, formatLarge } from '../core/format.js';
import type { Schedule } from '../models/contract.js';
import { describeSchedule, describeSearch } from '../report/words.js';
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

const HEAD = ['', 'NFE', 'forward passes', 'tokens', 'FLOPs', 'pictures'];

/** Prints costs: a table for people, JSON for programs. */
export function printCosts(rows: readonly CostRow[], schedule: Schedule, io: CliIo, json: boolean): void {
  if (json) {
    line(io.stdout, JSON.stringify({ format: 2, schedule, runs: rows }, null, 2));
    return;
  }
  const cells = rows.map(({ what, nfe, forwards, tokens, flops, images, exact }) => [
    exact ? what : `${what} (at most)`,
    ...[nfe, forwards, tokens].map(formatCount),
    formatLarge(flops).trimEnd(),
    formatCount(images),
  ]);
  line(io.stdout, describeSchedule(schedule));
  printTable(io.stdout, [HEAD, ...cells]);
  printText(
    io.stdout,
    'NFE as the paper counts; forward passes are those really run, since nothing is computed twice; FLOPs are theirs.',
  );
}

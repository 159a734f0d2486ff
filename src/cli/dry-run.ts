// What searches would cost, as tables: nothing is loaded and nothing computed.

import { UsageError } from '../core/errors.js';
import { formatCount } from '../core/format.js';
import type { Scale } from '../models/contract.js';
import { officialSchedule } from '../models/infinity/schedule.js';
import { describeScale, describeSearch } from '../report/words.js';
import type { Estimate, ResolvedSearch, SearchOptions } from '../search/registry.js';
import { estimate, resolveSearch } from '../search/registry.js';
import type { CliIo } from './io.js';
import { line } from './io.js';
import { table } from './table.js';

/** The official square schedule of so many scales. */
export function firstScales(count: number): readonly Scale[] {
  const { scales } = officialSchedule('1M');
  if (count >= 1 && count <= scales.length) return scales.slice(0, count);
  throw new UsageError(`--scales must be 1 to ${scales.length}, got ${count}`);
}

/** A search in words and in numbers. */
export interface CostRow extends Estimate {
  readonly what: string;
  readonly search: ResolvedSearch;
}

/** One search with its cost. */
export function rowOf(options: SearchOptions, scales: readonly Scale[], note = ''): CostRow {
  const search = resolveSearch(options, scales);
  return { what: `${describeSearch(search)}${note}`, search, ...estimate(search, scales) };
}

/** The search that was asked for first, then what it can be measured against. */
export function costRows(options: SearchOptions, scales: readonly Scale[]): CostRow[] {
  const asked = rowOf(options, scales);
  const { search } = asked;
  const random = (images: number, note: string): CostRow =>
    rowOf({ strategy: 'random', images }, scales, note);
  if (search.strategy === 'random') return [asked, ...(search.images > 1 ? [random(1, ', no search')] : [])];
  const keepable = !search.keepElected && search.candidates.some((count) => count > 1) && scales.length > 1;
  return [
    asked,
    ...(keepable ? [rowOf({ ...search, keepElected: true }, scales)] : []),
    random(Math.max(1, Math.floor(asked.nfe / scales.length)), ' (the same NFE)'),
    random(asked.images, ' (as many pictures)'),
    random(1, ' (no search)'),
  ];
}

const HEAD = ['', 'NFE', 'forward passes', 'tokens', 'pictures'];

/** Prints costs: a table for people, JSON for programs. */
export function printCosts(
  rows: readonly CostRow[],
  scales: readonly Scale[],
  io: CliIo,
  json: boolean,
): void {
  if (json) {
    line(io.stdout, JSON.stringify({ format: 1, scales, runs: rows }, null, 2));
    return;
  }
  const cells = rows.map(({ what, nfe, forwards, tokens, images }) => [
    what,
    ...[nfe, forwards, tokens, images].map(formatCount),
  ]);
  const last = scales.at(-1);
  line(io.stdout, `${scales.length} scales, the last of ${last ? describeScale(last) : ''} tokens`);
  for (const text of table([HEAD, ...cells])) line(io.stdout, text);
  line(
    io.stdout,
    'NFE as the paper counts; forward passes are those really run, since nothing is computed twice.',
  );
}

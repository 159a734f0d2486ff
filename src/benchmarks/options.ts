// The options of a run of a benchmark: one table, from which types, checks, flags and words follow.

import { UsageError } from '../core/errors.js';
import {
  checkOptions,
  choice,
  isText,
  type OptionsOf,
  type OptionTable,
  type OptionValues,
  pick,
  SIGNAL,
  text,
  value,
  whole,
} from '../core/options.js';
import { firstRepeated } from '../core/repeated.js';
import { OPEN_OPTIONS } from '../engine/options.js';
import { MODEL_OPTIONS } from '../models/options.js';
import type { Budget, BudgetUnit } from '../run/options.js';
import { parseTime } from '../run/time.js';
import { exclusive } from '../search/sizes.js';
import { EXPORTS } from './exports.js';

const areBudgets = (given: unknown): boolean =>
  Array.isArray(given) &&
  given.length > 0 &&
  given.every((each) => Number.isFinite(each) && Number(each) > 0);

const budgets = (words: string, placeholder: string, usual?: string) =>
  value<readonly number[]>(words, areBudgets, 'a list of numbers above 0', {
    kind: 'list',
    placeholder,
    ...(usual === undefined ? {} : { usual }),
  });

const names = (words: string, usual: string) =>
  value<string>(words, isText, 'names parted by commas', { kind: 'names', usual });

/** What is measured in a run. */
export const MEASURES = ['quality', 'speed'] as const;

const { threads, memory, ensemble, device } = OPEN_OPTIONS;

/** What a run is told besides the options of the models. */
export const BENCH_ONLY = {
  models: names('models: a,b', 'toybox'),
  strategies: names(
    'strategies, and variants of them with options after colons: single,random,beam:width=2:paper',
    'single,random,gto,beam',
  ),
  verifiers: names(
    'verifiers that guide, one jury after the other: a,b+c (+ joins a jury; coin is a control that scores at random)',
    "the first model's",
  ),
  holdOut: names(
    "verifiers that score what was found, and guide nothing but where they are named; 'none' for none",
    'all installed ones for such pictures but the oracle',
  ),
  budgets: budgets('function evaluations that each search may spend: 84,315', 'nfe', '315'),
  budgetFlops: budgets(
    'operations that each may spend in their place, decoder and verifiers included: 1e11,2e11',
    'flops',
  ),
  budgetSeconds: budgets(
    'seconds that each may spend in their place, decoder and verifiers included, as the models are timed here',
    's',
  ),
  seeds: text('repeats of every prompt: 1-3 or 1,2,5', 'whole numbers such as 1-3 or 1,2,5', {
    usual: '1',
    placeholder: 'list',
  }),
  prompts: text(
    'how many prompts, each kind in its share: 100, or which of that order, from 0: 100-199',
    'a number, or whole numbers such as 100-199',
    { usual: 'all', placeholder: 'list' },
  ),
  measure: choice(
    'quality: what pictures are worth; speed: how long searches take, in a run of its own',
    MEASURES,
    {
      usual: 'quality',
      placeholder: 'what',
    },
  ),
  export: choice(
    'layout in which the winners’ pictures are kept, as an official evaluator reads them',
    EXPORTS,
    {
      usual: "the benchmark's",
      placeholder: 'layout',
    },
  ),
  maxTime: value<number | string>(
    'time after which the run ends, such as 90min; the same command goes on',
    (given) => parseTime(given) !== null,
    "milliseconds, or a time such as '90min'",
    { kind: 'text', placeholder: 'time' },
  ),
  workers: whole('processes that work at the same time, each with its share of the threads', 1, {
    to: 256,
    usual: '1',
  }),
  ensemble,
  device,
  threads,
  memory,
};

/** What a caller may say about a run. */
export type BenchOptions = {
  /** A benchmark's name, or the path of a file of prompts. */
  readonly benchmark: string;
  /** The folder that the run is kept in: the same options go on with it. */
  readonly out: string;
} & OptionsOf<typeof BENCH_ONLY> &
  OptionsOf<typeof MODEL_OPTIONS> & { readonly signal?: AbortSignal | undefined };

const anything = (_: unknown): _ is unknown => true;
const TABLE: OptionTable = {
  benchmark: text('', 'the name of a benchmark, or of a file of prompts'),
  out: text('', 'the path of a folder'),
  ...Object.fromEntries(
    Object.entries(MODEL_OPTIONS).map(([name, option]) => [name, { ...option, check: anything }]),
  ),
  ...BENCH_ONLY,
  signal: SIGNAL,
};

/** Checks the options of a run; throws a UsageError that names the first fault. */
export function checkBenchOptions(options: BenchOptions): BenchOptions {
  checkOptions(options, TABLE, { required: ['benchmark', 'out'] });
  const { budgets: budget, budgetFlops, budgetSeconds } = options;
  exclusive({ budgets: budget, budgetFlops, budgetSeconds });
  if (options.measure === 'speed' && (options.workers ?? 1) > 1) {
    throw new UsageError("option 'workers' is for quality: searches that are timed run alone");
  }
  return options;
}

/** The members of a list with commas, or what else parts it; a UsageError for one that is empty or there twice. */
export function listOf(given: string, what: string, comma: string | RegExp = ','): readonly string[] {
  const list = given.split(comma).map((name) => name.trim());
  if (list.includes('')) {
    throw new UsageError(`option '${what}' names nothing at one place: part names by single commas`);
  }
  const twice = firstRepeated(list);
  if (twice !== undefined) throw new UsageError(`option '${what}' has '${twice}' twice`);
  return list;
}

/** The budgets with their unit. */
export function budgetsOf({ budgets: nfe, budgetFlops, budgetSeconds }: BenchOptions): readonly Budget[] {
  const of = (unit: BudgetUnit, list: readonly number[]): readonly Budget[] =>
    [...new Set(list)].map((most) => ({ unit, most }));
  if (budgetFlops) return of('FLOPs', budgetFlops);
  return budgetSeconds ? of('seconds', budgetSeconds) : of('NFE', nfe ?? [DEFAULT_BUDGET]);
}

const DEFAULT_BUDGET = 315;

/** The options of models among those of a run. */
export function modelOptionsOf(options: BenchOptions): OptionValues {
  return pick(options, MODEL_OPTIONS);
}

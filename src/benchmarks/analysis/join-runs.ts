// Joins runs of one benchmark: what they measured of a cell is put together where it was measured under the same conditions, and
// kept apart by the model's name where the models' options differ.

import { isDeepStrictEqual } from 'node:util';

import { UsageError } from '../../core/errors.js';
import type { BenchmarkPrompt, Cell, Manifest, PictureRecord, SpeedRecord } from '../record.js';
import { cellKey } from './checks.js';
import type { RunFolder } from './read-run.js';

/** A cell with all that was measured of it. */
export interface CellRuns extends Cell {
  readonly key: string;
  /** The model by its own name: `model` tells other options too, where runs differ in them. */
  readonly plainModel: string;
  /** All that the model runs with. */
  readonly modelOptions: Manifest['modelOptions'];
  /** By prompt, then by seed. */
  readonly pictures: readonly PictureRecord[];
  /** Mean time of a search, in seconds; null where no run measured it. */
  readonly seconds: number | null;
  /** Searches that the runs are to do. */
  readonly planned: number;
}

/** Runs as one. */
export interface JoinedRuns {
  readonly benchmark: Manifest['benchmark'];
  readonly runs: readonly RunFolder[];
  readonly prompts: readonly BenchmarkPrompt[];
  readonly cells: readonly CellRuns[];
  readonly notes: readonly string[];
}

/** Throws where runs do not belong together. */
function checkAlike(runs: readonly RunFolder[]): void {
  const [first, ...others] = runs;
  for (const other of others) {
    const [a, b] = [first?.manifest, other.manifest];
    if (!a) continue;
    const both = `${first?.folder} and ${other.folder}`;
    const [one, two] = [a.benchmark, b.benchmark];
    if (one.name !== two.name || one.sha256 !== two.sha256) {
      const what = one.name === two.name ? `other lists of ${one.name}` : `${one.name} and ${two.name}`;
      throw new UsageError(`${both} are of different benchmarks (${what}): make a report of each`);
    }
    const differs = (field: 'variants' | 'weights'): string | undefined =>
      Object.keys(a[field]).find(
        (name) => name in b[field] && !isDeepStrictEqual(a[field][name], b[field][name]),
      );
    const [variant, weights] = [differs('variants'), differs('weights')];
    if (variant !== undefined) {
      throw new UsageError(`${both} mean other options by '${variant}': make a report of each`);
    }
    if (weights !== undefined) {
      throw new UsageError(`${both} were made with other files of ${weights}: make a report of each`);
    }
  }
}

/** Throws where a cell of two runs stands for other searches: what made them had other defaults. Seconds buy what they buy. */
function checkSearches(runs: readonly RunFolder[]): void {
  const found = new Map<string, { readonly search: unknown; readonly folder: string }>();
  for (const { manifest, folder } of runs) {
    for (const [i, cell] of manifest.cells.entries()) {
      const search = manifest.plans[i]?.search;
      if (cell.budget.unit === 'seconds' || search === undefined) continue;
      const key = `${cellKey(cell)} ${JSON.stringify(manifest.modelOptions)}`;
      const before = found.get(key);
      if (!before) found.set(key, { search, folder });
      else if (!isDeepStrictEqual(before.search, search)) {
        throw new UsageError(
          `${before.folder} and ${folder} mean other searches by '${cell.strategy}' at ${cell.budget.most} ${cell.budget.unit}: ` +
            'versions with other defaults made them; make a report of each',
        );
      }
    }
  }
}

/** What a run's models are called: by the options too in which the runs differ. */
function labelOf({ modelOptions }: Manifest, runs: readonly RunFolder[]): (model: string) => string {
  const all = runs.map(({ manifest }) => manifest.modelOptions);
  const names = [...new Set(all.flatMap((each) => Object.keys(each)))].sort();
  const differing = names.filter(
    (name) => !all.every((each) => isDeepStrictEqual(each[name], all[0]?.[name])),
  );
  const words = differing.map((name) => `${name} ${written(modelOptions[name])}`);
  return (model) => (words.length === 0 ? model : `${model} (${words.join(', ')})`);
}

const written = (value: unknown): string =>
  value === undefined ? 'usual' : typeof value === 'string' ? value : JSON.stringify(value);

interface Gathered {
  readonly cell: Cell;
  readonly plainModel: string;
  readonly modelOptions: Manifest['modelOptions'];
  readonly pictures: Map<string, PictureRecord>;
  readonly speeds: Map<string, SpeedRecord>;
  readonly planned: Set<string>;
}

const unitOf = ({ prompt, seed }: PictureRecord | SpeedRecord): string => `${prompt.index} ${seed}`;

/** Puts records under their units and gives how many stood there before with another content. */
function gather<T extends PictureRecord | SpeedRecord>(
  into: Map<string, T>,
  records: readonly T[],
  differ: (one: T, other: T) => boolean,
): number {
  let different = 0;
  for (const record of records) {
    const before = into.get(unitOf(record));
    if (!before) into.set(unitOf(record), record);
    else if (differ(before, record)) different++;
  }
  return different;
}

function groupByCell<T extends Cell>(records: readonly T[]): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const record of records) {
    const key = cellKey(record);
    const group = groups.get(key);
    if (group) group.push(record);
    else groups.set(key, [record]);
  }
  return groups;
}

const sorted = <T extends PictureRecord | SpeedRecord>(records: Iterable<T>): readonly T[] =>
  [...records].sort((a, b) => a.prompt.index - b.prompt.index || a.seed - b.seed);

/** Mean over prompts of the mean over seeds, so that prompts count alike. */
function secondsOf(records: readonly SpeedRecord[]): number | null {
  if (records.length === 0) return null;
  const sums = new Map<number, readonly [sum: number, count: number]>();
  for (const { prompt, milliseconds } of sorted(records)) {
    const [sum, count] = sums.get(prompt.index) ?? [0, 0];
    sums.set(prompt.index, [sum + milliseconds, count + 1]);
  }
  const means = [...sums.values()].map(([sum, count]) => sum / count);
  return means.reduce((sum, each) => sum + each, 0) / means.length / 1000;
}

/** Joins runs. Throws a UsageError where they are of different benchmarks, models or variants, or where nothing is finished. */
export function joinRuns(given: readonly RunFolder[]): JoinedRuns {
  const [first] = given;
  if (!first) {
    throw new UsageError("give the folder of a run, or several: those that 'varsearch bench' wrote");
  }
  checkAlike(given);
  checkSearches(given);
  const cells = new Map<string, Gathered>();
  const prompts = new Map<number, BenchmarkPrompt>();
  const notes = given.flatMap((run) => run.notes);
  let different = 0;
  for (const { manifest, pictures, speeds } of given) {
    const label = labelOf(manifest, given);
    for (const prompt of manifest.prompts) prompts.set(prompt.index, prompt);
    const [drawn, timed] = [groupByCell(pictures), groupByCell(speeds)];
    for (const [i, cell] of manifest.cells.entries()) {
      const named = { ...cell, model: label(cell.model) };
      const key = cellKey(named);
      const into: Gathered = cells.get(key) ?? {
        cell: named,
        plainModel: cell.model,
        modelOptions: manifest.plans[i]?.modelOptions ?? manifest.modelOptions,
        pictures: new Map(),
        speeds: new Map(),
        planned: new Set(),
      };
      cells.set(key, into);
      const own = cellKey(cell);
      different += gather(into.pictures, drawn.get(own) ?? [], (a, b) => a.pixels !== b.pixels);
      gather(into.speeds, timed.get(own) ?? [], () => false);
      if (manifest.measures !== 'quality') continue;
      for (const { index } of manifest.prompts) {
        for (const seed of manifest.seeds) into.planned.add(`${index} ${seed}`);
      }
    }
  }
  if (different > 0) {
    notes.push(
      `${different} searches came out different in two of the runs: those of the run named first are taken.`,
    );
  }
  const all = [...cells].map(([key, { cell, plainModel, modelOptions, ...found }]): CellRuns => {
    const { planned, pictures, speeds } = found;
    return {
      ...cell,
      key,
      plainModel,
      modelOptions,
      pictures: sorted(pictures.values()),
      seconds: secondsOf([...speeds.values()]),
      planned: planned.size,
    };
  });
  if (all.every(({ pictures }) => pictures.length === 0)) {
    const names = given.map(({ folder }) => folder).join(', ');
    const onlyTimes = given.every(({ manifest }) => manifest.measures === 'speed');
    throw new UsageError(
      onlyTimes
        ? `${names}: only times were measured; add the folder of a run that measures quality`
        : `${names}: nothing is finished yet, not a single search; wait for the run, or go on with it`,
    );
  }
  return {
    benchmark: first.manifest.benchmark,
    runs: given,
    prompts: [...prompts.values()].sort((a, b) => a.index - b.index),
    cells: all.sort(byName),
    notes,
  };
}

/** By model, jury, budget and strategy, random search first: it is what others are compared with. */
function byName(a: CellRuns, b: CellRuns): number {
  const rank = ({ strategy }: Cell): number => (strategy === 'single' ? 0 : strategy === 'random' ? 1 : 2);
  return (
    compareTexts(a.model, b.model) ||
    compareTexts(a.jury, b.jury) ||
    compareTexts(a.budget.unit, b.budget.unit) ||
    a.budget.most - b.budget.most ||
    rank(a) - rank(b) ||
    compareTexts(a.strategy, b.strategy)
  );
}

const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

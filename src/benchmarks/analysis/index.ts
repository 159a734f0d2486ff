// The door of the analysis: folders of runs in, a report as data out.

import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { UsageError } from '../../core/errors.js';
import { cannotRead } from '../../core/file-faults.js';
import { analyse, type BenchmarkReport } from './analyse.js';
import { parsePrimary, type Primary } from './primary.js';
import { readRun } from './read-run.js';

export type { BenchmarkReport } from './analyse.js';
export type { Estimate } from './bootstrap.js';
export type { Column, Datum, Figure, FigurePoint, FigureSeries, Section, Table, Writing } from './tables.js';

/** What a report is made of. */
export interface ReportOptions {
  /** Folders of runs of one benchmark. */
  readonly runs: readonly string[];
  /**
   * The comparison that was named before the runs: search, reference, guide and budget, as 'beam,random,image-reward,315', and the
   * model where there are several. @default the first line of primary.txt in the folder of a run, where there is one
   */
  readonly primary?: string | undefined;
  /** The folder that relative paths start from. @default the current one */
  readonly cwd?: string | undefined;
  /** Resamples of every interval. @default 2000 */
  readonly resamples?: number | undefined;
}

/** Where a folder of a run may name the primary comparison. */
export const PRIMARY_FILE = 'primary.txt';

async function primaryIn(folder: string): Promise<string | null> {
  const path = join(folder, PRIMARY_FILE);
  try {
    const [first = ''] = (await readFile(path, 'utf8')).trim().split(/\r?\n/);
    return first;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw cannotRead(path, error);
  }
}

/** The comparison that was named, or that a folder names. */
async function primaryOf(given: string | undefined, folders: readonly string[]): Promise<Primary | null> {
  if (given !== undefined) return parsePrimary(given);
  const found = [...new Set((await Promise.all(folders.map(primaryIn))).filter((text) => text !== null))];
  const [first, second] = found;
  if (second !== undefined) {
    throw new UsageError(
      `the runs name several primary comparisons in ${PRIMARY_FILE} ('${String(first)}', '${second}'): name one by option 'primary'`,
    );
  }
  return first === undefined ? null : parsePrimary(first);
}

/**
 * Makes a report of benchmark runs, finished or not, as data. Throws a UsageError for folders that are no runs or do not belong
 * together, and where nothing is finished.
 */
export async function reportBenchmarks(options: ReportOptions): Promise<BenchmarkReport> {
  const { runs, primary, cwd = process.cwd(), resamples } = options;
  const paths = runs.map((run) => resolve(cwd, run));
  const twice = runs.find((_, i) => paths.indexOf(paths[i] ?? '') !== i);
  if (twice !== undefined) throw new UsageError(`the run ${twice} is named twice: name each once`);
  // Read first: what is no run at all is told before what is wrong about the comparison.
  const read = await Promise.all(runs.map((run, i) => readRun(run.replace(/(?<=.)\/+$/, ''), paths[i])));
  return analyse(read, {
    primary: await primaryOf(primary, paths),
    ...(resamples === undefined ? {} : { resamples }),
  });
}

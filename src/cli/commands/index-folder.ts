// varsearch index: the page over a folder of runs, from what their result.json say.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Command } from 'commander';

import { UsageError } from '../../core/errors.js';
import { fileFault } from '../../core/file-faults.js';
import { decodePicture } from '../../core/image-file.js';
import { isSyntaxError } from '../../core/realm.js';
import type { CompareJson } from '../../report/files.js';
import { FILE_NAMES } from '../../report/files.js';
import { indexReport, type IndexRow } from '../../report/index-report.js';
import type { ResultJson } from '../../run/result.js';
import { type CliIo, line } from '../io.js';
import { openFolder } from '../output-folder.js';
import { shownPath } from '../summary.js';

/** The result.json of a folder; null where the file is of something else. Throws where it cannot be read. */
function readResult(path: string): ResultJson | CompareJson | null {
  const found = JSON.parse(readFileSync(path, 'utf8')) as Partial<ResultJson & CompareJson> | null;
  if (found?.format !== 2) return null;
  return Array.isArray(found.results) || found.options?.search ? (found as ResultJson | CompareJson) : null;
}

/** The number that a run's picture was judged by: its standing, or the score of its only judge. */
function scoreOf({ standing }: ResultJson): number {
  if ('rank' in standing) return standing.rank;
  return 'zScore' in standing ? standing.zScore : standing.score;
}

const timeOf = ({ milliseconds, ledger }: ResultJson): number => milliseconds - ledger.milliseconds.load;

/** A run, or a comparison by all that it spent and by its best. */
function rowOf(folder: string, result: ResultJson | CompareJson): IndexRow & { readonly file: string } {
  const runs = 'results' in result ? result.results : [result];
  const best =
    'results' in result
      ? (runs.find(({ picture }) => picture.startsWith(`${result.best}/`)) ?? runs[0])
      : result;
  if (!best) throw new Error('it compares nothing');
  const { prompt, jury, search } = best.options;
  const names = [...new Set(runs.map(({ options }) => options.model))];
  const rule = jury.rule === 'score' ? '' : ` (${jury.rule})`;
  return {
    href: `${encodeURIComponent(folder)}/${FILE_NAMES.page}`,
    prompt,
    what: 'results' in result ? `${runs.length} compared` : search.strategy,
    model: names.join(', '),
    judges: `${jury.judges.join(', ')}${rule}`,
    score: scoreOf(best),
    nfe: runs.reduce((sum, { ledger }) => sum + ledger.nfe, 0),
    milliseconds: runs.reduce((sum, each) => sum + timeOf(each), 0),
    file: join(folder, best.picture),
  };
}

/** The row of a run with its picture; null where there is no result in the folder. */
async function findRun(root: string, folder: string): Promise<IndexRow | null> {
  const path = join(root, folder, FILE_NAMES.result);
  if (!existsSync(path)) return null;
  const result = readResult(path);
  if (!result) return null;
  const { file, ...row } = rowOf(folder, result);
  const picture = join(root, file);
  if (!existsSync(picture)) return row;
  return { ...row, picture: (await decodePicture(readFileSync(picture), picture)).image };
}

async function run(given: string, io: CliIo): Promise<void> {
  const root = resolve(io.cwd, given);
  if (!existsSync(root)) throw new UsageError(`there is no folder ${root}`);
  if (existsSync(join(root, FILE_NAMES.result))) {
    throw new UsageError(
      `${root} holds a run, whose page is ${FILE_NAMES.page}: name the folder that runs are in, such as out`,
    );
  }
  const rows: IndexRow[] = [];
  for (const { name } of readdirSync(root, { withFileTypes: true }).filter((each) => each.isDirectory())) {
    try {
      const row = await findRun(root, name);
      if (row) rows.push(row);
    } catch (error) {
      const why = isSyntaxError(error) ? 'it is damaged' : fileFault(error);
      line(io.stderr, `varsearch: ${join(given, name, FILE_NAMES.result)} is left out: ${why}`);
    }
  }
  if (rows.length === 0) throw new UsageError(`there are no runs in ${root}`);
  const folder = openFolder(root);
  try {
    rows.sort((a, b) => a.prompt.localeCompare(b.prompt, 'en') || a.href.localeCompare(b.href, 'en'));
    folder.write({ [FILE_NAMES.page]: await indexReport(basename(root), rows) });
  } finally {
    folder.close();
  }
  line(
    io.stdout,
    `${rows.length === 1 ? 'one run' : `${rows.length} runs`}: ${shownPath(join(root, FILE_NAMES.page), io.cwd)}`,
  );
}

/** Adds the command to the program. */
export function addIndex(program: Command, io: CliIo): void {
  program
    .command('index')
    .description('make a page over a folder of runs')
    .argument('[folder]', 'folder that the folders of runs are in', 'out')
    .action(async (folder: string) => {
      await run(folder, io);
    });
}

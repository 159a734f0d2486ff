// What is printed when a search has ended.

import { relative } from 'node:path';

import { formatCount, formatDuration, formatGain, formatLarge, formatScore } from '../core/format.js';
import { flopsOf } from '../core/ledger.js';
import {
  describeJudged,
  describeRule,
  describeScores,
  describeSearch,
  describeSizes,
  describeStanding,
  describeUnfinished,
  isJoined,
  shortStanding,
} from '../report/words.js';
import type { CompareResult } from '../run/compare.js';
import { heldOutNames, type ObserverReport } from '../run/observers.js';
import type { GenerateResult } from '../run/result.js';
import { previewOf, standingsOf } from '../run/standings.js';
import type { Candidate } from '../search/contract.js';
import { heightOf } from '../verifiers/jury.js';
import type { CliIo } from './io.js';
import { line, plain, sizeOf } from './io.js';
import { previewLines } from './preview.js';
import { printTable, printText } from './table.js';
import { coloursOf } from './terminal.js';

/** A path as the user would type it: relative where it is below the current folder. */
export function shownPath(path: string, cwd: string): string {
  const below = relative(cwd, path);
  return plain(below !== '' && !below.startsWith('..') ? below : path);
}

/** Shows the picture where the terminal can, or where somebody wants it, with so many lines to be printed below it. */
export async function showPreview(
  result: Pick<GenerateResult, 'image'>,
  io: CliIo,
  { wanted, below = 6 }: { readonly wanted?: boolean | undefined; readonly below?: number } = {},
): Promise<void> {
  const { stdout, env } = io;
  const colours = coloursOf(stdout, env, wanted);
  if (colours === null) return;
  const { columns, rows } = sizeOf(stdout);
  // The summary below the picture and the prompt line that follows have to stay on the screen as well.
  const lines = await previewLines(result.image, {
    columns: Math.min(64, columns),
    rows: Math.max(4, rows - below),
    colours,
  });
  for (const text of lines) line(stdout, text);
}

/** What beside the winner's scores tells what they are: those of the preview that it was, and of the first picture. */
function describeOthers({ candidates, winner, schedule }: GenerateResult, preview: Candidate | null): string {
  const scores = (of: Candidate): string =>
    Object.values(of.scores)
      .map((each) => formatScore(each))
      .join(', ');
  const [first] = candidates;
  const others = [
    preview ? `its ${describeJudged(preview, schedule)}: ${scores(preview)}` : '',
    first && ![winner.id, preview?.id].includes(first.id)
      ? `the first ${describeJudged(first, schedule)}: ${scores(first)}`
      : '',
  ].filter((text) => text !== '');
  return others.length === 0 ? '' : ` (${others.join('; ')})`;
}

/** What of a budget a search has left, since it buys no further candidate; nothing where there is none. */
export function describeUnused(budget: number | undefined, { nfe }: { readonly nfe: number }): string {
  return budget === undefined || nfe >= budget
    ? ''
    : `${formatCount(budget - nfe)} of ${formatCount(budget)} NFE unused: they buy no further candidate`;
}

/** What a summary says besides the result. */
export interface SummaryContext {
  readonly folder: string;
  readonly budget: number | undefined;
  /** What was written. */
  readonly files: readonly string[];
}

/** Says what one search has found and what it cost. */
export function printSummary(
  result: GenerateResult,
  { folder, budget, files }: SummaryContext,
  io: CliIo,
): void {
  const { ledger, options, milliseconds, winner, standing, report } = result;
  const preview = previewOf(result.candidates, winner);
  printText(io.stdout, `${describeScores(winner)}${describeOthers(result, preview)}`);
  if (isJoined(options.jury)) {
    const { jury } = options;
    const text = preview
      ? `${describeStanding(standingsOf([result.candidates], jury)(preview), jury)} as a preview`
      : describeStanding(standing, jury);
    printText(io.stdout, text);
  }
  const unfinished = describeUnfinished(result);
  printText(
    io.stdout,
    `${describeSearch(options.search)}: ${formatCount(ledger.imagesDecoded)} pictures${unfinished === '' ? '' : ` (${unfinished})`}, ` +
      `${formatCount(ledger.nfe)} NFE, ${formatCount(ledger.forwards)} forward passes, ${formatDuration(milliseconds)}, seed ${options.seed}`,
  );
  if (result.endedBy === 'search') {
    const unused = describeUnused(budget, ledger);
    if (unused !== '') printText(io.stdout, unused);
  }
  if (result.endedBy === 'time') line(io.stdout, 'the time was up: this is the best until then');
  if (result.endedBy === 'score') line(io.stdout, 'the score was reached: the search ended there');
  if (report) printReport(report, io);
  printText(io.stdout, `written to ${shownPath(folder, io.cwd)}: ${files.join(', ')}`);
}

/** Shows what the verifiers say of a winner, those that did not guide the search apart. */
export function printReport(report: ObserverReport, io: CliIo): void {
  const rows = report.rows.map(({ verifier, role, mean, deviation, first, winner, gain }) => [
    verifier,
    role,
    `${formatScore(mean)} +- ${deviation === null ? '?' : formatScore(deviation)}`,
    formatScore(first),
    formatScore(winner),
    formatGain(gain),
  ]);
  const round = `first round (${formatCount(report.pictures)})`;
  const head = ['verifier', 'role', round, 'first picture', 'winner', 'gain'];
  printTable(io.stdout, [head, ...rows], [0, 1]);
  printText(io.stdout, report.message);
}

/** What a held-out verifier gives a winner, with its gain over the first round. */
function heldOutCell({ report }: GenerateResult, name: string): string {
  const row = report?.rows.find(({ verifier }) => verifier === name);
  return row ? `${formatScore(row.winner)} (${formatGain(row.gain)})` : '-';
}

const nameOf = ({ options }: GenerateResult, several: boolean): string =>
  several ? `${options.model}, ${options.search.strategy}` : options.search.strategy;

/** Puts the searches of a comparison side by side. */
export function printComparison(compared: CompareResult, folder: string, io: CliIo): void {
  const { results, standings, best, several } = compared;
  const { jury } = best.options;
  // A judge alone has its scores in the column of the standings.
  const names = isJoined(jury) ? jury.judges : [];
  const heights = standings.map(heightOf);
  const held = heldOutNames(results.map(({ report }) => report));
  const rows = results.map((result, i) => [
    `${heights[i] === Math.max(...heights) ? '*' : ' '} ${nameOf(result, several)}`,
    describeSizes(result.options.search),
    standings[i] ? shortStanding(standings[i]) : '',
    ...names.map((name) => formatScore(result.winner.scores[name] ?? NaN)),
    ...held.map((name) => heldOutCell(result, name)),
    formatCount(result.ledger.nfe),
    formatCount(result.ledger.forwards),
    several ? formatLarge(flopsOf(result.ledger)).trimEnd() : formatCount(result.ledger.tokens),
    formatCount(result.ledger.imagesDecoded),
    formatDuration(result.milliseconds - result.ledger.milliseconds.load),
  ]);
  const judged = [describeRule(jury), ...names, ...held.map((name) => `${name} (held out)`)];
  const work = several ? 'FLOPs' : 'tokens';
  const name = several ? '  model, strategy' : '  strategy';
  const head = [name, 'sizes', ...judged, 'NFE', 'forward passes', work, 'pictures', 'time'];
  printTable(io.stdout, [head, ...rows], [0, 1]);
  for (const result of results) {
    if (result.report) printText(io.stdout, `${nameOf(result, several)}: ${result.report.message}`);
  }
  for (const { complete, endedBy, options, ledger } of results) {
    const counted = complete && endedBy === 'search' && compared.unit === 'NFE';
    const unused = counted ? describeUnused(compared.budget, ledger) : '';
    if (unused !== '') printText(io.stdout, `${options.search.strategy}: ${unused}`);
  }
  printText(
    io.stdout,
    `written to ${shownPath(folder, io.cwd)}: index.html, result.json, and a folder per ${several ? 'search' : 'strategy'}; seed ${best.options.seed}`,
  );
}

// What is printed when a search has ended.

import { relative } from 'node:path';

import type { CompareResult } from '../run/compare.js';
import { describeSearch, describeSizesBriefly } from '../run/describe.js';
import { formatCount, formatDuration, formatScore } from '../run/format.js';
import type { GenerateResult } from '../run/result.js';
import type { CliIo } from './io.js';
import { line, plain, sizeOf } from './io.js';
import { hasTrueColour, previewLines } from './preview.js';
import { table } from './table.js';

/** A path as the user would type it: relative where it is below the current folder. */
export function shownPath(path: string, cwd: string): string {
  const below = relative(cwd, path);
  return plain(below !== '' && !below.startsWith('..') ? below : path);
}

/** Shows the picture where the terminal can. */
export function showPreview(result: GenerateResult, io: CliIo): void {
  const { stdout, env } = io;
  if (!hasTrueColour(stdout, env)) return;
  const { columns, rows } = sizeOf(stdout);
  // The summary below the picture and the prompt line that follows have to stay on the screen as well.
  const lines = previewLines(result.image, Math.min(64, columns), Math.max(4, rows - 6));
  for (const text of lines) line(stdout, text);
}

/** Says what one search has found and what it cost. */
export function printSummary(result: GenerateResult, folder: string, io: CliIo): void {
  const { ledger, options, milliseconds, score } = result;
  const [first] = result.tree.nodes;
  const before =
    first && first.id !== result.winner.id ? ` (the first picture: ${formatScore(first.score)})` : '';
  line(io.stdout, `${options.verifier} ${formatScore(score)}${before}`);
  line(
    io.stdout,
    `${describeSearch(options.search)}: ${formatCount(ledger.imagesVerified)} pictures, ${formatCount(ledger.nfe)} NFE, ` +
      `${formatCount(ledger.forwards)} forward passes, ${formatDuration(milliseconds)}`,
  );
  line(io.stdout, `written to ${shownPath(folder, io.cwd)}: picture.png, result.json, index.html`);
}

/** Puts the strategies of a comparison side by side. */
export function printComparison(compared: CompareResult, folder: string, io: CliIo): void {
  const rows = compared.results.map((result) => [
    `${result.score === compared.best.score ? '*' : ' '} ${result.options.search.strategy}`,
    describeSizesBriefly(result.options.search),
    formatScore(result.score),
    formatCount(result.ledger.nfe),
    formatCount(result.ledger.forwards),
    formatCount(result.ledger.tokens),
    formatCount(result.ledger.imagesVerified),
    formatDuration(result.milliseconds - result.ledger.milliseconds.load),
  ]);
  const head = ['  strategy', 'sizes', 'score', 'NFE', 'forward passes', 'tokens', 'pictures', 'time'];
  for (const text of table([head, ...rows], [0, 1])) line(io.stdout, text);
  line(
    io.stdout,
    `written to ${shownPath(folder, io.cwd)}: index.html, result.json, and a folder per strategy`,
  );
}

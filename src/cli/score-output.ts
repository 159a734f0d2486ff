// Scores of pictures as a table, as JSON, as CSV, or only the best one's path.

import { formatScore } from '../core/format.js';
import { describeAmong, describeRule, isJoined, shortStanding } from '../report/words.js';
import { scoreJson } from '../score/json.js';
import type { ScoredFile, ScoreResult } from '../score/score.js';
import { heightOf, type Standing } from '../verifiers/jury.js';
import { csvLine, harmlessPath } from '../core/csv.js';
import type { CliIo } from './io.js';
import { line, plain } from './io.js';
import { table } from './table.js';

/** The pictures to print: the n best of each prompt, best first or in the order given. */
export function selected(
  { pictures }: ScoreResult,
  { sort, top = Infinity }: { readonly sort: boolean; readonly top?: number | undefined },
): readonly ScoredFile[] {
  const places = new Map<string, number>();
  const kept = pictures.filter(({ prompt }) => {
    const place = (places.get(prompt) ?? 0) + 1;
    places.set(prompt, place);
    return place <= top;
  });
  return sort ? kept : kept.sort((a, b) => a.index - b.index);
}

const countPrompts = ({ pictures }: ScoreResult): number =>
  new Set(pictures.map(({ prompt }) => prompt)).size;

const PROMPT_WIDTH = 40;

function brief(prompt: string): string {
  const text = plain(prompt);
  return text.length > PROMPT_WIDTH ? `${text.slice(0, PROMPT_WIDTH - 1)}\u2026` : text;
}

/** A standing under the title of the rule: "1.75 of 15". */
function standingCell(standing: Standing): string {
  return `${shortStanding(standing)} ${describeAmong(standing)}`.trimEnd();
}

/** The number of a standing; a mean rank as it is counted, from 1 for the best. */
function numberOf(standing: Standing): number {
  return 'rank' in standing ? standing.rank : heightOf(standing);
}

/** A table; the best picture of every prompt has a star. */
export function printTable(result: ScoreResult, pictures: readonly ScoredFile[], { stdout }: CliIo): void {
  const { jury } = result;
  const { judges } = jury;
  // A judge alone has its scores in its own column.
  const joined = isJoined(jury);
  const prompts = countPrompts(result) > 1;
  const head = [
    '  #',
    'picture',
    ...(joined ? [describeRule(jury)] : []),
    ...judges,
    ...(prompts ? ['prompt'] : []),
  ];
  const rows = pictures.map(({ image, prompt, place, best, standing, scores }) => [
    `${best ? '*' : ' '} ${place}`,
    plain(image),
    ...(joined ? [standingCell(standing)] : []),
    ...judges.map((name) => formatScore(scores[name] ?? NaN)),
    ...(prompts ? [brief(prompt)] : []),
  ]);
  const left = [0, 1, ...(prompts ? [head.length - 1] : [])];
  for (const text of table([head, ...rows], left)) line(stdout, text);
}

/** JSON with everything that is known. */
export function printJson(result: ScoreResult, pictures: readonly ScoredFile[], { stdout }: CliIo): void {
  line(stdout, JSON.stringify(scoreJson(result, pictures), null, 2));
}

/** Control characters written out, as \\x1b: a cell must neither steer a terminal nor hide what it says. */
function visible(text: string): string {
  // eslint-disable-next-line no-control-regex -- exactly the control characters are meant
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (character) => {
    const code = character.charCodeAt(0);
    return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
  });
}

/** CSV: image, prompt, place, the number that decides, and a column per judge. */
export function printCsv(result: ScoreResult, pictures: readonly ScoredFile[], { stdout }: CliIo): void {
  const { judges } = result.jury;
  line(stdout, csvLine(['image', 'prompt', 'place', 'standing', ...judges]));
  for (const { image, prompt, place, standing, scores } of pictures) {
    const numbers = [numberOf(standing), ...judges.map((name) => scores[name] ?? NaN)];
    line(stdout, csvLine([harmlessPath(visible(image)), visible(prompt), place, ...numbers]));
  }
}

/** The path of the best picture, one line per prompt, and nothing else: for other programs to read. */
export function printBest({ pictures }: ScoreResult, { stdout }: CliIo): void {
  for (const { image, best } of pictures) if (best) line(stdout, image);
}

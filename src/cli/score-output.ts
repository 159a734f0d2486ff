// Scores of pictures as a table, as JSON, as CSV, or only the best one's path.

import { formatScore } from '../core/format.js';
import { VERSION } from '../engine/versions.js';
import type { ScoredFile, ScoreResult } from '../score/score.js';
import { csvLine, harmlessPath, harmlessText } from './csv.js';
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

/** A table; the best picture of every prompt has a star. */
export function printTable(result: ScoreResult, pictures: readonly ScoredFile[], { stdout }: CliIo): void {
  const { verifiers, ensemble } = result;
  const joined = ensemble !== null;
  const prompts = countPrompts(result) > 1;
  const head = [
    '  #',
    'picture',
    ...(joined ? [`score (${ensemble})`] : []),
    ...verifiers,
    ...(prompts ? ['prompt'] : []),
  ];
  const rows = pictures.map(({ image, prompt, rank, best, score, scores }) => [
    `${best ? '*' : ' '} ${rank}`,
    plain(image),
    ...(joined ? [formatScore(score)] : []),
    ...verifiers.map((name) => formatScore(scores[name] ?? NaN)),
    ...(prompts ? [brief(prompt)] : []),
  ]);
  const left = [0, 1, ...(prompts ? [head.length - 1] : [])];
  for (const text of table([head, ...rows], left)) line(stdout, text);
}

/** JSON with everything that is known. */
export function printJson(result: ScoreResult, pictures: readonly ScoredFile[], { stdout }: CliIo): void {
  const { verifiers, ensemble, ledger } = result;
  line(
    stdout,
    JSON.stringify(
      {
        format: 1,
        varsearch: VERSION,
        verifiers,
        ensemble,
        pictures: pictures.map(({ image, prompt, rank, best, score, scores }) => ({
          image,
          prompt,
          rank,
          best,
          score,
          scores,
        })),
        ledger,
      },
      null,
      2,
    ),
  );
}

/** CSV: image, prompt, rank, the score that decides, and a column per verifier. */
export function printCsv(result: ScoreResult, pictures: readonly ScoredFile[], { stdout }: CliIo): void {
  const { verifiers } = result;
  line(stdout, csvLine(['image', 'prompt', 'rank', 'score', ...verifiers]));
  for (const { image, prompt, rank, score, scores } of pictures) {
    const numbers = [score, ...verifiers.map((name) => scores[name] ?? NaN)];
    line(stdout, csvLine([harmlessPath(image), harmlessText(prompt), rank, ...numbers]));
  }
}

/** The path of the best picture, one line per prompt, and nothing else: for other programs to read. */
export function printBest({ pictures }: ScoreResult, { stdout }: CliIo): void {
  for (const { image, best } of pictures) if (best) line(stdout, image);
}

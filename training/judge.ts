// Judges pictures that Python drew: npx tsx training/judge.ts FOLDER, with prompts.json ([{prompt, kind}]) and
// pictures.bin (64 x 64 RGB bytes each) in it. Prints the share of correct pictures by kind as JSON.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { createImage } from '../src/core/image.js';
import { judgePicture } from '../src/toybox/judge/judge.js';
import { parsePrompt } from '../src/toybox/world/parser.js';

const SIDE = 64;
const folder = process.argv[2] ?? '.';
const prompts = JSON.parse(readFileSync(join(folder, 'prompts.json'), 'utf8')) as {
  prompt: string;
  kind: string;
}[];
const pictures = new Uint8Array(readFileSync(join(folder, 'pictures.bin')));
const size = SIDE * SIDE * 3;
const verdicts = prompts.map(({ prompt, kind }, i) => {
  const image = createImage(SIDE, SIDE, pictures.slice(i * size, (i + 1) * size));
  return { prompt, kind, ...judgePicture(parsePrompt(prompt), image) };
});
writeFileSync(join(folder, 'verdicts.json'), JSON.stringify(verdicts, null, 1));
const share = (rows: typeof verdicts): number => rows.filter((row) => row.correct).length / rows.length;
const kinds = [...new Set(verdicts.map(({ kind }) => kind))];
const table = Object.fromEntries(
  kinds.map((kind) => [kind, share(verdicts.filter((row) => row.kind === kind))]),
);
const score = verdicts.reduce((sum, row) => sum + row.score, 0) / verdicts.length;
console.log(JSON.stringify({ overall: share(verdicts), score, ...table }));

// Labels pictures with the detector: groups come on standard input, labels go out on standard output, in the layout of
// on-policy-parts.ts. A group is its record and its pictures, 64 x 64 RGB bytes each; what comes back is the labels of each.
// First of all the header of a part goes out. training/draw.py runs some of these, bundled into one file, beside a GPU:
//   npx esbuild training/label.ts --bundle --platform=node --format=esm --outfile=.work/label.mjs

import { createImage } from '../src/core/image.js';
import { VOCABULARY } from '../src/toybox/world/grammar.js';
import { parsePrompt } from '../src/toybox/world/parser.js';
import { GROUP, header, LABELS, packLabels, PICTURES, WORDS } from './on-policy-parts.js';

const SIDE = 64;
const PIXELS = SIDE * SIDE * 3;
const SIZE = GROUP + PICTURES * PIXELS;

function label(group: Buffer): Uint8Array {
  const words = [...group.subarray(0, WORDS)].filter((id) => id > 0).map((id) => VOCABULARY[id - 1] ?? '');
  const prompt = parsePrompt(words.join(' ').replaceAll(' ,', ','));
  const labels = new Uint8Array(PICTURES * LABELS);
  for (let i = 0; i < PICTURES; i++) {
    const pixels = group.subarray(GROUP + i * PIXELS, GROUP + (i + 1) * PIXELS);
    packLabels(prompt, createImage(SIDE, SIDE, pixels), labels.subarray(i * LABELS, (i + 1) * LABELS));
  }
  return labels;
}

process.stdout.write(header(0));
let held: Buffer = Buffer.alloc(0);
for await (const chunk of process.stdin) {
  held = held.length === 0 ? (chunk as Buffer) : Buffer.concat([held, chunk as Buffer]);
  while (held.length >= SIZE) {
    process.stdout.write(label(held.subarray(0, SIZE)));
    held = held.subarray(SIZE);
  }
}
if (held.length > 0) throw new RangeError(`${held.length} bytes are left over: a group has ${SIZE}`);

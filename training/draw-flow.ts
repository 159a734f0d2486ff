// Draws the held-out prompts with an exported toybox-flow, by the code that ships, and judges them:
//   npx tsx training/draw-flow.ts FOLDER HELDOUT.json [--limit 200] [--steps 28] [--cfg 3] [--seed 0] [--out FOLDER]
// Prints the share of correct pictures by kind as JSON; with --out also prompts.json, pictures.bin and verdicts.json.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import type { Image } from '../src/core/image.js';
import { Ledger } from '../src/core/ledger.js';
import { RandomKey } from '../src/core/random.js';
import type { Generator, Prefix } from '../src/models/contract.js';
import { fluxFolder } from '../src/models/flux/folder.js';
import { openFlux } from '../src/models/flux/model.js';
import { createRuntime } from '../src/runtime/index.js';
import { judgePicture } from '../src/toybox/judge/judge.js';
import { parsePrompt } from '../src/toybox/world/parser.js';

interface HeldOut {
  readonly prompt: string;
  readonly kind: string;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    limit: { type: 'string', default: '200' },
    steps: { type: 'string' },
    cfg: { type: 'string' },
    seed: { type: 'string', default: '0' },
    threads: { type: 'string', default: '1' },
    out: { type: 'string' },
  },
});
const [folder = '', heldOut = ''] = positionals;
const all = (JSON.parse(readFileSync(heldOut, 'utf8')) as { prompts: HeldOut[] }).prompts;
const limit = Math.min(Number(values.limit), all.length);
const prompts = Array.from({ length: limit }, (_, i) => {
  return all[Math.round((i * (all.length - 1)) / Math.max(limit - 1, 1))] as HeldOut;
});

/** One picture, from noise to the end. */
async function draw(generator: Generator, key: RandomKey): Promise<Image> {
  let prefix: Prefix = generator.begin();
  for (let step = 1; step <= generator.schedule.steps.length; step++) {
    const [next] = await generator.extend([{ prefix, draw: key.fold(step) }]);
    prefix.release();
    prefix = next as Prefix;
  }
  const [image] = await generator.decode([prefix], 'own');
  prefix.release();
  return image as Image;
}

const runtime = await createRuntime({ threads: Number(values.threads) });
const model = await openFlux(runtime, fluxFolder(folder, 'toybox-flow'));
const options = {
  ...(values.steps === undefined ? {} : { steps: Number(values.steps) }),
  ...(values.cfg === undefined ? {} : { cfg: Number(values.cfg) }),
};
const ledger = new Ledger();
const root = RandomKey.fromSeed(Number(values.seed));
const images: Image[] = [];
for (const [i, { prompt }] of prompts.entries()) {
  const generator = await model.prepare(prompt, ledger, options);
  images.push(await draw(generator, root.fold(i)));
  generator.close();
}
await model.close();
await runtime.close();

const verdicts = prompts.map(({ prompt, kind }, i) => ({
  prompt,
  kind,
  ...judgePicture(parsePrompt(prompt), images[i] as Image),
}));
const share = (rows: typeof verdicts): number =>
  Math.round((1000 * rows.filter(({ correct }) => correct).length) / rows.length) / 1000;
const kinds = [...new Set(verdicts.map(({ kind }) => kind))];
const { milliseconds, ...counts } = ledger.record();
console.log(
  JSON.stringify({
    ...model.resolve(options),
    n: prompts.length,
    overall: share(verdicts),
    ...Object.fromEntries(kinds.map((kind) => [kind, share(verdicts.filter((row) => row.kind === kind))])),
    flopsPerPicture: counts.transformerFlops / prompts.length,
    milliseconds,
  }),
);
if (values.out !== undefined) {
  mkdirSync(values.out, { recursive: true });
  writeFileSync(join(values.out, 'prompts.json'), JSON.stringify(prompts));
  writeFileSync(join(values.out, 'pictures.bin'), Buffer.concat(images.map(({ data }) => data)));
  writeFileSync(join(values.out, 'verdicts.json'), JSON.stringify(verdicts, null, 1));
}

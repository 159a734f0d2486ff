// How far the detector can be trusted: freshly drawn scenes, as they are, blurred with noise, and after the VAE, judged against
// the prompt they were drawn for and against prompts with one thing changed.
//   npx tsx bench/judge.ts [--count 2000] [--seed 1000] [--blur 0.7] [--noise 6] [--vae assets/toybox/vae.pth]

import { parseArgs } from 'node:util';

import { assetPath } from '../src/core/assets.js';
import { RandomKey } from '../src/core/random.js';
import { readInfinityConfig } from '../src/models/infinity/folder.js';
import { openVaeRoundTrip } from '../src/models/vae/round-trip.js';
import { createRuntime } from '../src/runtime/index.js';
import {
  degradePicture,
  type Tally,
  validateJudge,
  type ValidationOptions,
} from '../training/scenes/validate.js';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1000' },
    blur: { type: 'string', default: '0.7' },
    noise: { type: 'string', default: '6' },
    vae: { type: 'string', default: assetPath('toybox', 'vae.pth') },
  },
});
const count = Number(values.count);
const seed = Number(values.seed);

const percent = ({ right, all }: Tally): string => `${((100 * right) / all).toFixed(2)} % of ${all}`;

async function report(title: string, options: ValidationOptions): Promise<void> {
  const { accepted, refused, acceptedByKind, misjudged } = await validateJudge({ count, seed, ...options });
  console.log(
    `${title}: accepted for their prompt ${percent(accepted)}, refused for a wrong one ${percent(refused)}`,
  );
  for (const [kind, tally] of acceptedByKind) console.log(`  ${kind.padEnd(13)} ${percent(tally)}`);
  for (const { drawnFor, judgedAgainst, reasons } of misjudged.slice(0, 5)) {
    console.log(
      `  for instance "${drawnFor}" against "${judgedAgainst}": ${reasons.join('; ') || 'accepted'}`,
    );
  }
}

const runtime = await createRuntime();
const { scales } = readInfinityConfig(assetPath('toybox', 'config.json')).schedule;
const vae = await openVaeRoundTrip(runtime, values.vae, scales);
await report('as drawn', {});
const noiseKey = RandomKey.fromSeed(seed).fold(1);
await report(`blurred by ${values.blur}, with noise of ${values.noise}`, {
  roundTrip: (image, scene) =>
    degradePicture(image, Number(values.blur), Number(values.noise), noiseKey.fold(scene)),
});
await report('through the VAE', { roundTrip: vae.reconstruct });
vae.close();
await runtime.close();

// Command line: measures the judge on freshly drawn scenes, sharp and blurred with noise (a stand-in for a VAE).
//   npx tsx src/toybox/validate-report.ts [--count 2000] [--seed 1000] [--blur 0.7] [--noise 6]

import { parseArgs } from 'node:util';

import { RandomKey } from '../core/random.js';
import {
  degradePicture,
  type JudgeValidation,
  type RoundTrip,
  type Tally,
  validateJudge,
} from './validate.js';

const percent = ({ right, all }: Tally): string => `${((100 * right) / all).toFixed(2)}% of ${String(all)}`;

function print(title: string, validation: JudgeValidation): void {
  const { accepted, refused, acceptedByKind, misjudged } = validation;
  const kinds = [...acceptedByKind].map(([kind, tally]) => `${kind} ${percent(tally)}`).join(', ');
  const lines = [
    `${title}: accepted for their prompt ${percent(accepted)}, refused for a changed prompt ${percent(refused)}`,
    `  ${kinds}`,
    ...misjudged.slice(0, 10).map((entry) => `  misjudged ${JSON.stringify(entry)}`),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1000' },
    blur: { type: 'string', default: '0.7' },
    noise: { type: 'string', default: '6' },
  },
});
const count = Number(values.count);
const seed = Number(values.seed);
print('sharp', await validateJudge({ count, seed }));
const noiseKey = RandomKey.fromSeed(seed).fold(1);
const roundTrip: RoundTrip = (image, scene) =>
  degradePicture(image, Number(values.blur), Number(values.noise), noiseKey.fold(scene));
print(`blur ${values.blur}, noise ${values.noise}`, await validateJudge({ count, seed, roundTrip }));

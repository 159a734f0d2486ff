// What a precision costs in accuracy: logits and bits against float32, scale by scale, on the embedded model and on fixtures of the
// official layout, and the share of right pictures of the embedded model.
//   npx tsx bench/precision.ts [--precision int8,float16] [--prompts 200] [--seeds 1] [--cfg 3] [--temperature 1] [--file out/precision.jsonl] [FIXTURE ...]
// A fixture is a folder as conformance/ reads it (config.json, transformer.pth, vae.pth, reference.safetensors). Bits are flipped
// where the same random numbers draw another value from the logits of the same prefix, the one that float32 has drawn.

import { mkdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

import { assetPath } from '../src/core/assets.js';
import { readJsonFile } from '../src/core/json-file.js';
import { Ledger, RandomKey } from '../src/index.js';
import { infinityFolder, parseInfinityConfig } from '../src/models/infinity/folder.js';
import type { InfinityGenerator } from '../src/models/infinity/generator.js';
import { type InfinityModel, openInfinity } from '../src/models/infinity/model.js';
import { sampleBits } from '../src/models/infinity/sampling.js';
import { type Precision, PRECISIONS } from '../src/runtime/graph/index.js';
import { createRuntime, type Runtime } from '../src/runtime/index.js';
import { openWeights } from '../src/runtime/weights/index.js';
import { judgePicture } from '../src/toybox/judge/judge.js';
import { benchmarkPrompts } from '../src/toybox/world/benchmark-prompts.js';
import { parsePrompt } from '../src/toybox/world/parser.js';
import { machine } from './measure.js';
import { bootstrap, inPercent, mean, Resumed } from './resumed.js';

const { values, positionals: fixtures } = parseArgs({
  allowPositionals: true,
  options: {
    precision: { type: 'string', default: PRECISIONS.join(',') },
    prompts: { type: 'string', default: '200' },
    seeds: { type: 'string', default: '1' },
    cfg: { type: 'string', default: '3' },
    temperature: { type: 'string', default: '1' },
    file: { type: 'string', default: 'out/precision.jsonl' },
  },
});
const temperature = Number(values.temperature);
const OPTIONS = { cfg: Number(values.cfg), temperature };
/** Prompts whose logits are compared. */
const COMPARED = 16;

/** One scale of one picture. */
interface ScaleError {
  /** Of float32's logits and the other's. */
  readonly cosine: number;
  /** Length of the other's over that of float32's: sharper logits draw as a lower temperature does. */
  readonly length: number;
  /** Share of bits that come out otherwise. */
  readonly flipped: number;
}

function compare(a: Float32Array, b: Float32Array): Pick<ScaleError, 'cosine' | 'length'> {
  let [dot, aa, bb] = [0, 0, 0];
  a.forEach((x, i) => {
    const y = b[i] ?? NaN;
    dot += x * y;
    aa += x * x;
    bb += y * y;
  });
  return { cosine: dot / Math.sqrt(aa * bb), length: Math.sqrt(bb / aa) };
}

/** Draws a picture in `exact` and computes the logits of each of its prefixes in `other` too. */
async function compareLogits(
  exact: InfinityGenerator,
  other: InfinityGenerator,
  { draw, temperature }: { readonly draw: RandomKey; readonly temperature: number },
): Promise<ScaleError[]> {
  const errors: ScaleError[] = [];
  let prefixes = [exact.begin(), other.begin()] as const;
  for (let scale = 0; scale < exact.scales.length; scale++) {
    await exact.computeForwards([prefixes[0]]);
    await other.computeForwards([prefixes[1]]);
    const [a, b] = prefixes.map(({ forward }) => forward?.logits ?? new Float32Array()) as [
      Float32Array,
      Float32Array,
    ];
    const sampling = { temperature, topK: 0, topP: 0 };
    const bits = sampleBits(a, draw.fold(scale), sampling);
    const others = sampleBits(b, draw.fold(scale), sampling);
    const flipped = bits.filter((bit, i) => bit !== others[i]).length / bits.length;
    errors.push({ ...compare(a, b), flipped });
    const next = [exact.force(prefixes[0], bits), other.force(prefixes[1], bits)] as const;
    for (const prefix of prefixes) prefix.release();
    prefixes = next;
  }
  for (const prefix of prefixes) prefix.release();
  return errors;
}

/** The rows of one model: scale by scale the mean over its pictures. */
function printScales(name: string, precision: Precision, pictures: readonly (readonly ScaleError[])[]): void {
  console.log(
    `${name}, ${precision} against float32, ${pictures.length} pictures: cosine of the logits, their length, flipped bits`,
  );
  for (const scale of pictures[0]?.keys() ?? []) {
    const errors = pictures.flatMap((picture) => picture[scale] ?? []);
    const worst = Math.min(...errors.map((error) => error.cosine));
    console.log(
      `  scale ${String(scale + 1).padStart(2)}  ${mean(errors.map((error) => error.cosine)).toFixed(6)} (least ${worst.toFixed(6)})  ${mean(errors.map((error) => error.length)).toFixed(4)}  ` +
        `${(100 * mean(errors.map((error) => error.flipped))).toFixed(2)} %`,
    );
  }
}

async function compareFixture(runtime: Runtime, folder: string, precision: Precision): Promise<void> {
  const configPath = join(folder, 'config.json');
  const config = readJsonFile(configPath);
  const run = parseInfinityConfig(config, configPath);
  const reference = openWeights(join(folder, 'reference.safetensors'));
  const features = reference.read('text_features');
  const channels = reference.info('text_features').shape[1] ?? 0;
  reference.close();
  const files = { transformer: join(folder, 'transformer.pth'), vae: join(folder, 'vae.pth') };
  const open = (precision: Precision): Promise<InfinityModel> =>
    openInfinity(runtime, { name: folder, ...files, ...run, precision });
  const models = [await open('float32'), await open(precision)] as const;
  const pictures: ScaleError[][] = [];
  let start = 0;
  for (const [prompt, tokens] of (config['text_lengths'] as number[]).entries()) {
    const states = { states: features.subarray(start * channels, (start + tokens) * channels), tokens };
    start += tokens;
    const exact = await models[0].prepareStates(states, new Ledger());
    const other = await models[1].prepareStates(states, new Ledger());
    const draw = RandomKey.fromSeed(prompt);
    pictures.push(
      await compareLogits(exact, other, { draw, temperature: [run.defaults.temperature].flat()[0] ?? 1 }),
    );
    exact.close();
    other.close();
  }
  for (const model of models) await model.close();
  printScales(basename(folder), precision, pictures);
}

type Toyboxes = Readonly<Record<Precision, InfinityModel>>;

async function openToyboxes(runtime: Runtime): Promise<Toyboxes> {
  const options = infinityFolder(assetPath('toybox'), 'toybox');
  const opened = PRECISIONS.map(
    async (precision) => [precision, await openInfinity(runtime, { ...options, precision })] as const,
  );
  return Object.fromEntries(await Promise.all(opened)) as Toyboxes;
}

async function compareToybox(models: Toyboxes, precision: Precision): Promise<void> {
  const pictures: ScaleError[][] = [];
  const every = benchmarkPrompts(COMPARED / 8);
  for (const [seed, { prompt }] of every.entries()) {
    const exact = await models.float32.prepare(prompt, new Ledger(), OPTIONS);
    const other = await models[precision].prepare(prompt, new Ledger(), OPTIONS);
    pictures.push(await compareLogits(exact, other, { draw: RandomKey.fromSeed(seed), temperature }));
    exact.close();
    other.close();
  }
  printScales('toybox', precision, pictures);
}

/** Whether the picture of a prompt and a seed is right. */
async function isRight(model: InfinityModel, prompt: string, seed: number): Promise<boolean> {
  const generator = await model.prepare(prompt, new Ledger(), OPTIONS);
  let prefix = generator.begin();
  for (const scale of generator.scales.keys()) {
    const [next] = await generator.extend([{ prefix, draw: RandomKey.fromSeed(seed).fold(scale) }]);
    prefix.release();
    if (!next) throw new RangeError('no prefix');
    prefix = next;
  }
  const [image] = await generator.decode([prefix], 'own');
  prefix.release();
  generator.close();
  if (!image) throw new RangeError('no picture');
  return judgePicture(parsePrompt(prompt), image).correct;
}

interface Outcome {
  readonly right: boolean;
}

async function compareRight(models: Toyboxes, precision: Precision): Promise<void> {
  mkdirSync(dirname(values.file), { recursive: true });
  const file = new Resumed<Outcome>(values.file);
  const count = Number(values.prompts);
  const pairs: { readonly exact: number; readonly other: number }[] = [];
  const prompts = benchmarkPrompts(Math.ceil(count / 8)).slice(0, count);
  for (const [index, { prompt }] of prompts.entries()) {
    const shares = { exact: 0, other: 0 };
    for (let round = 0; round < Number(values.seeds); round++) {
      // A prompt has seeds of its own: pictures of one seed have something in common.
      const seed = index + round * 10_000;
      // In turn, so that a resumed run has pairs.
      for (const [which, name] of [
        ['exact', 'float32'],
        ['other', precision],
      ] as const) {
        const key = JSON.stringify([name, prompt, seed, OPTIONS]);
        const { right } = await file.once(key, async () => ({
          right: await isRight(models[name], prompt, seed),
        }));
        shares[which] += Number(right) / Number(values.seeds);
      }
    }
    pairs.push(shares);
  }
  const figure = (pick: (pair: (typeof pairs)[number]) => number): string =>
    inPercent(bootstrap(pairs, (some) => mean(some.map(pick))));
  console.log(
    `toybox, right pictures of ${pairs.length} held-out prompts, ${values.seeds} each, cfg ${OPTIONS.cfg}, temperature ${temperature} ` +
      `(with 95% intervals over prompts): float32 ${figure(({ exact }) => exact)} %, ${precision} ${figure(({ other }) => other)} %, ` +
      `difference ${figure(({ exact, other }) => other - exact)} points`,
  );
}

console.log(machine());
const runtime = await createRuntime();
const toyboxes = await openToyboxes(runtime);
const wanted = values.precision.split(',');
for (const precision of PRECISIONS.filter((each) => each !== 'float32' && wanted.includes(each))) {
  for (const folder of fixtures) await compareFixture(runtime, folder, precision);
  await compareToybox(toyboxes, precision);
  await compareRight(toyboxes, precision);
}
for (const model of Object.values(toyboxes)) await model.close();
await runtime.close();

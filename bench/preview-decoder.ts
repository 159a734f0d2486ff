// What it costs to decode previews in 8 bits: on the embedded model, in int8 throughout, the same previews decoded in float32 and in
// int8, their distance and their scores against the spread between seeds, and the share of right pictures of searches that are
// guided by either, in pairs.
//   npx tsx bench/preview-decoder.ts [--prompts 200] [--pictures 4] [--searches 60] [--strategy beam] [--budget 300] [--until 5]
//       [--verifiers clip-score,image-reward,aesthetic] [--guide image-reward] [--setting hard] [--out .work/preview-decoder.jsonl]
// Resumes from --out when killed.

import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';

import { deviation } from '../src/benchmarks/analysis/statistics.js';
import { assetPath } from '../src/core/assets.js';
import { psnr } from '../src/core/image.js';
import { type Image, Ledger, openVarsearch, RandomKey, type Verifier } from '../src/index.js';
import { infinityFolder } from '../src/models/infinity/folder.js';
import { type InfinityModel, openInfinity } from '../src/models/infinity/model.js';
import { createRuntime } from '../src/runtime/index.js';
import type { SearchOptions } from '../src/search/registry.js';
import { findVerifier } from '../src/verifiers/catalog.js';
import { guideOf, isRight } from './guides.js';
import { machine } from './measure.js';
import { bootstrap, inPercent, mean, Resumed } from './resumed.js';
import { findSetting } from './settings.js';

const { values } = parseArgs({
  options: {
    setting: { type: 'string', default: 'hard' },
    prompts: { type: 'string', default: '200' },
    pictures: { type: 'string', default: '4' },
    searches: { type: 'string', default: '60' },
    strategy: { type: 'string', default: 'beam' },
    budget: { type: 'string', default: '300' },
    until: { type: 'string', default: '5' },
    verifiers: { type: 'string', default: 'clip-score,image-reward,aesthetic' },
    guide: { type: 'string', default: 'image-reward' },
    out: { type: 'string', default: '.work/preview-decoder.jsonl' },
  },
});
const setting = findSetting(values.setting);
const { cfg, temperature } = setting;
const DECODERS = ['float32', 'int8'] as const;
type Decoder = (typeof DECODERS)[number];

const runtime = await createRuntime({ threads: 1 });
const open = (previews: Decoder): Promise<InfinityModel> =>
  openInfinity(runtime, { ...infinityFolder(assetPath('toybox'), 'toybox'), precision: 'int8', previews });
const models: Readonly<Record<Decoder, InfinityModel>> = {
  float32: await open('float32'),
  int8: await open('int8'),
};

/** The previews of a prompt as each decoder makes them. */
async function previewsOf(prompt: string, seed: number): Promise<Record<Decoder, Image[]>> {
  const exact = await models.float32.prepare(prompt, new Ledger(), { cfg, temperature });
  const other = await models.int8.prepare(prompt, new Ledger(), { cfg, temperature });
  let prefixes = Array.from({ length: Number(values.pictures) }, () => exact.begin());
  for (let step = 1; step <= Number(values.until); step++) {
    const draw = RandomKey.fromSeed(seed);
    const next = await exact.extend(prefixes.map((prefix, i) => ({ prefix, draw: draw.fold(i).fold(step) })));
    for (const prefix of prefixes) prefix.release();
    prefixes = next;
  }
  const copies = prefixes.map((prefix) => other.unpack(exact.pack(prefix)));
  const pictures = { float32: await exact.decode(prefixes, 'own'), int8: await other.decode(copies, 'own') };
  for (const prefix of [...prefixes, ...copies]) prefix.release();
  exact.close();
  other.close();
  return pictures;
}

interface Preview {
  readonly psnr: readonly number[];
  /** Scores by verifier and decoder, in the order of the pictures. */
  readonly scores: Readonly<Record<string, Readonly<Record<Decoder, readonly number[]>>>>;
}

async function judgePreviews(prompt: string, seed: number, verifiers: readonly Verifier[]): Promise<Preview> {
  const pictures = await previewsOf(prompt, seed);
  const scores: Record<string, Record<Decoder, number[]>> = {};
  for (const verifier of verifiers) {
    const judge = await verifier.prepare(prompt, new Ledger());
    scores[verifier.name] = {
      float32: await judge.score(pictures.float32),
      int8: await judge.score(pictures.int8),
    };
    judge.close();
  }
  return { psnr: pictures.float32.map((image, i) => psnr(image, pictures.int8[i] as Image)), scores };
}

async function compareScores(store: Resumed<Preview>): Promise<void> {
  const verifiers = await Promise.all(
    values.verifiers.split(',').map((name) => findVerifier(name).load({ threads: 1 })),
  );
  const found: Preview[] = [];
  for (const [seed, { prompt }] of setting.prompts(Number(values.prompts)).entries()) {
    const key = ['scores', values.setting, prompt, seed, values.until, values.pictures].join('|');
    found.push(await store.once(key, () => judgePreviews(prompt, seed, verifiers)));
  }
  for (const verifier of verifiers) await verifier.close();
  const distances = found.flatMap(({ psnr: each }) => each).sort((a, b) => a - b);
  console.log(
    `${found.length} prompts, ${values.pictures} previews of ${values.until} steps each: PSNR ${mean(distances).toFixed(1)} dB, least ${distances[0]?.toFixed(1)}`,
  );
  console.log(
    '| verifier | mean shift | root mean square of it | spread between seeds | ratio | same best |',
  );
  console.log('| --- | ---: | ---: | ---: | ---: | ---: |');
  for (const name of Object.keys(found[0]?.scores ?? {})) {
    const each = found.flatMap(({ scores }) => scores[name] ?? []);
    const shifts = each.flatMap(({ float32, int8 }) => int8.map((score, i) => score - (float32[i] ?? NaN)));
    const size = Math.sqrt(mean(shifts.map((shift) => shift ** 2)));
    const spread = Math.sqrt(mean(each.map(({ float32 }) => (deviation(float32) ?? NaN) ** 2)));
    const best = (list: readonly number[]): number => list.indexOf(Math.max(...list));
    const same = mean(each.map(({ float32, int8 }) => Number(best(float32) === best(int8))));
    const cells = [
      name,
      mean(shifts).toExponential(1),
      size.toExponential(1),
      spread.toExponential(1),
      (size / spread).toFixed(4),
      `${(100 * same).toFixed(1)} %`,
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
}

interface Outcome {
  readonly right: boolean;
  /** Where in the tree the winner was drawn. */
  readonly path: string;
}

async function compareSearches(store: Resumed<Outcome>): Promise<void> {
  const opened = await Promise.all(
    DECODERS.map((decoder) => openVarsearch({ model: models[decoder], verifier: guideOf(values.guide) })),
  );
  const search = {
    strategy: values.strategy,
    rollout: `preview:${values.until}`,
    budget: Number(values.budget),
  } as SearchOptions;
  const pairs: Outcome[][] = [];
  for (const [seed, { prompt }] of setting.prompts(Number(values.searches)).entries()) {
    const pair: Outcome[] = [];
    for (const [i, decoder] of DECODERS.entries()) {
      const key = [
        'search',
        values.setting,
        prompt,
        seed,
        values.guide,
        JSON.stringify(search),
        decoder,
      ].join('|');
      const outcome = await store.once(key, async () => {
        const run = opened[i]?.generate({ prompt, seed, cfg, temperature, ...search });
        if (!run) throw new RangeError('nothing was opened');
        const { image, winner } = await run.result;
        return { right: isRight(prompt, image), path: winner.path.join('.') };
      });
      pair.push(outcome);
    }
    pairs.push(pair);
  }
  for (const each of opened) await each.close();
  const share = (i: number): string =>
    inPercent(bootstrap(pairs, (some) => mean(some.map((pair) => Number(pair[i]?.right)))));
  const won = pairs.filter(([a, b]) => !a?.right && b?.right).length;
  const lost = pairs.filter(([a, b]) => a?.right && !b?.right).length;
  const same = pairs.filter(([a, b]) => a?.path === b?.path).length;
  const difference = bootstrap(pairs, (some) =>
    mean(some.map(([a, b]) => Number(b?.right) - Number(a?.right))),
  );
  console.log(
    `${values.strategy}, preview:${values.until}, ${values.budget} NFE, guided by ${values.guide}, right pictures of ${pairs.length} prompts: ` +
      `float32 ${share(0)} %, int8 ${share(1)} %, difference ${inPercent(difference)} points, ${won} won, ${lost} lost; the same winner in ${same}`,
  );
}

console.log(`${machine()}; ${values.setting} setting: cfg ${cfg}, temperature ${temperature}`);
mkdirSync(dirname(values.out), { recursive: true });
if (Number(values.prompts) > 0) await compareScores(new Resumed(values.out));
if (Number(values.searches) > 0) await compareSearches(new Resumed(values.out));
for (const model of Object.values(models)) await model.close();
await runtime.close();

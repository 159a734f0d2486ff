// `npm run bench:real`: a model of full size made of random numbers, from its files to a picture, by phase and against the floor:
// the arithmetic over the rate of matrix products that is measured in the same minutes, in each precision.
//   npm run bench:real -- [--model 125m|2b-4|2b] [--precision float32,int8,float16] [--size 0.06M] [--cfg 3] [--pictures 3] [--no-text]
//                         [--folder .work/real] [--keep] [--profile] [--no-starts]
//                         [--search WIDTHxCANDIDATES [--rollout preview:7]]
// With --profile it prints what each operator took, with --pictures 0 the phases of one picture only. With --search it plays a beam
// search, judged by a coin, in place of pictures.
// It makes the checkpoints (125m: 1 GB, 2b: 9 GB, the text encoder: 4.9 GB more) and their ready graphs (as much again, a quarter of
// it in int8) in the folder, and removes the graphs at the end, all of it without --keep. Text is 16 tokens without a tokenizer.

import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { type Ledger, Ledger as NewLedger, RandomKey } from '../src/index.js';
import type { InfinityGenerator } from '../src/models/infinity/generator.js';
import { type InfinityModel, openInfinity } from '../src/models/infinity/model.js';
import { openT5Weights, type T5Encoder } from '../src/models/t5/text-encoder.js';
import { type Precision, PRECISIONS } from '../src/runtime/graph/index.js';
import { createRuntime, GraphCache, measureMatMulRate, type Runtime } from '../src/runtime/index.js';
import type { Rollout } from '../src/search/rollout.js';
import { machine, median } from './measure.js';
import { makeReal, type RealFiles } from './real/checkpoints.js';
import { productSeconds } from './real/products.js';
import { printOperators } from './real/profile.js';
import { searchOnce } from './real/search.js';
import { dropFromPageCache, memory, type Phase, phase, printPhase } from './real/watch.js';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: '125m' },
    precision: { type: 'string', default: 'float32,int8' },
    size: { type: 'string', default: '0.06M' },
    cfg: { type: 'string', default: '3' },
    pictures: { type: 'string', default: '3' },
    'no-text': { type: 'boolean', default: false },
    folder: { type: 'string', default: '.work/real' },
    keep: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    'no-starts': { type: 'boolean', default: false },
    search: { type: 'string' },
    rollout: { type: 'string', default: 'full' },
  },
});
const TOKENS = 16;
const TEXT_WIDTH = 2048;

interface Loaded {
  readonly model: InfinityModel;
  readonly text: T5Encoder | null;
}

async function load(runtime: Runtime, files: RealFiles, precision: Precision): Promise<Loaded> {
  const { transformer, vae, textEncoder } = files;
  const run = { schedule: 'official', defaults: { cfg: Number(values.cfg), temperature: 1 } } as const;
  const [model, text] = await Promise.all([
    openInfinity(runtime, { name: values.model, transformer, vae, precision, ...run }),
    values['no-text'] ? null : openT5Weights(runtime, textEncoder, precision),
  ]);
  return { model, text };
}

async function prepare({ model, text }: Loaded, ledger: Ledger): Promise<InfinityGenerator> {
  const ids = Int32Array.from({ length: TOKENS }, (_, i) => 100 + 7 * i);
  const states = text
    ? await ledger.time('text', () => text.states({ ids, length: TOKENS }))
    : new Float32Array(TOKENS * TEXT_WIDTH).fill(0.1);
  return model.prepareStates({ states, tokens: TOKENS }, ledger, { size: values.size });
}

/** Plays a search, told round by round. */
async function search(loaded: Loaded, asked: string): Promise<void> {
  const [width = NaN, candidates = NaN] = asked.split('x').map(Number);
  const ledger = new NewLedger();
  const generator = await prepare(loaded, ledger);
  const told = (words: string): void => {
    const { own, mapped } = memory();
    const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`;
    console.log(`  ${words} (now ${gigabytes(own)}, with mapped files ${gigabytes(own + mapped)})`);
  };
  const options = { strategy: 'beam', width, candidates, rollout: values.rollout as Rollout } as const;
  printPhase('search', await phase(() => searchOnce(generator, ledger, { options, told })));
  generator.close();
}

/** Draws one picture; its ledger has the time by phase. `told` is told of each phase. */
async function draw(
  { model, text }: Loaded,
  seed: number,
  told: (what: string, phase: Phase<unknown>) => void = () => undefined,
): Promise<Ledger> {
  const ledger = new NewLedger();
  const run = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    const done = await phase(work);
    told(what, done);
    return done.result;
  };
  const generator = await run('text', () => prepare({ model, text }, ledger));
  let prefix = generator.begin();
  for (const [scale, { height, width }] of generator.scales.entries()) {
    const [next] = await run(`scale ${scale + 1}, ${height} x ${width} tokens`, () =>
      generator.extend([{ prefix, draw: RandomKey.fromSeed(seed).fold(scale) }]),
    );
    prefix.release();
    if (!next) throw new RangeError('no prefix');
    prefix = next;
  }
  await run('decoder', () => generator.decode([prefix], 'own'));
  prefix.release();
  generator.close();
  return ledger;
}

/** Opens the model three times: converting, from the page cache, and from the disk. */
async function starts(files: RealFiles, precision: Precision, cache: GraphCache): Promise<void> {
  for (const start of ['first start (converts)', 'second start, warm', 'third start, cold']) {
    if (start.endsWith('cold')) dropFromPageCache(cache.folder);
    const runtime = await createRuntime({ cache });
    printPhase(start, await phase(async () => load(runtime, files, precision)));
    await runtime.close();
  }
}

async function measure(files: RealFiles, precision: Precision): Promise<void> {
  console.log(`${values.model}, ${precision}, ${values.size}, cfg ${values.cfg}`);
  const cache = new GraphCache(join(values.folder, 'graphs'));
  if (!values['no-starts']) await starts(files, precision, cache);
  const runtime = await createRuntime({ cache });
  const loaded = await load(runtime, files, precision);
  if (values.search !== undefined) {
    await search(loaded, values.search);
  } else {
    printPhase('first picture', await phase(() => draw(loaded, 0, printPhase)));
    if (Number(values.pictures) > 0) await repeated(runtime, loaded, precision);
  }
  await runtime.close();
  if (values.profile) await profiled(files, precision, cache);
  if (!values.keep) await cache.clear();
}

/** Draws more pictures and prints phases against their floors. */
async function repeated(runtime: Runtime, loaded: Loaded, precision: Precision): Promise<void> {
  const ledgers: ReturnType<Ledger['record']>[] = [];
  const rates: number[] = [];
  for (let i = 1; i <= Number(values.pictures); i++) {
    rates.push(await measureMatMulRate(runtime, { precision }));
    ledgers.push((await draw(loaded, i)).record());
  }
  const exact = precision === 'float32' ? rates : [await measureMatMulRate(runtime)];
  const rate = Math.max(...rates);
  const times = (name: string): number =>
    median(
      ledgers.map(({ milliseconds }) => (milliseconds as Readonly<Record<string, number>>)[name] ?? NaN),
    ) / 1000;
  const { transformerFlops = NaN, decoderFlops = NaN } = ledgers[0] ?? {};
  const row = (name: string, flops: number, speed: number): void => {
    const floor = flops / speed;
    console.log(
      `  ${name.padEnd(36)} ${times(name).toFixed(2).padStart(8)} s  floor ${floor.toFixed(2)} s (${(flops / 1e9).toFixed(0)} GFLOP at ` +
        `${(speed / 1e9).toFixed(0)} GFLOP/s): ${(times(name) / floor).toFixed(2)} times`,
    );
  };
  console.log(`  ${'text'.padEnd(36)} ${times('text').toFixed(2).padStart(8)} s`);
  row('transformer', transformerFlops, rate);
  const { width, hidden, blocks } = loaded.model.core.config;
  const branches = Number(values.cfg) === 1 ? 1 : 2;
  const rows = loaded.model
    .scales({ size: values.size })
    .map((scale) => branches * scale.height * scale.width);
  const products = await productSeconds(runtime, { width, hidden, blocks: blocks.length, rows }, precision);
  console.log(
    `  ${'  its linear layers by themselves'.padEnd(36)} ${products.toFixed(2).padStart(8)} s: the transformer is ` +
      `${(times('transformer') / products).toFixed(2)} times that`,
  );
  row('decoder', decoderFlops, Math.max(...exact));
}

/** One picture with a trace of the engine: what each operator takes. */
async function profiled(files: RealFiles, precision: Precision, cache: GraphCache): Promise<void> {
  const folder = join(values.folder, 'traces');
  mkdirSync(folder, { recursive: true });
  const runtime = await createRuntime({ cache, profile: `${folder}/` });
  const loaded = await load(runtime, files, precision);
  await draw(loaded, 0);
  await loaded.model.close();
  loaded.text?.close();
  await runtime.close();
  printOperators('transformer', folder, 'infinity-step');
  printOperators('decoder', folder, 'vae');
  rmSync(folder, { recursive: true, force: true });
}

console.log(machine());
const made = await phase(() => Promise.resolve(makeReal(values.folder, values.model, !values['no-text'])));
console.log(`checkpoints of random numbers in ${values.folder} (${made.seconds.toFixed(0)} s)`);
try {
  for (const precision of PRECISIONS.filter((each) => values.precision.split(',').includes(each))) {
    await measure(made.result, precision);
  }
} finally {
  if (!values.keep) rmSync(values.folder, { recursive: true, force: true });
}

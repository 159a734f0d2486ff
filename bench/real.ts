// `npm run bench:real`: a model of full size made of random numbers, from its files to a picture, by phase and against the floor:
// the arithmetic over the rate of matrix products that is measured in the same minutes, in each precision.
//   npm run bench:real -- [--model 125m|2b-4|2b] [--precision float32,int8] [--size 0.06M] [--cfg 3] [--pictures 3] [--no-text]
//                         [--folder .work/real] [--keep]
// It makes the checkpoints (125m: 1 GB, 2b: 9 GB, the text encoder: 4.9 GB more) and their ready graphs (as much again, a quarter of
// it in int8) in the folder, and removes the graphs at the end, all of it without --keep. Text is 16 tokens without a tokenizer.

import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { type Ledger, Ledger as NewLedger, RandomKey } from '../src/index.js';
import { type InfinityModel, openInfinity } from '../src/models/infinity/model.js';
import { openT5Weights, type T5Encoder } from '../src/models/t5/text-encoder.js';
import { type Precision, PRECISIONS } from '../src/runtime/graph/index.js';
import { createRuntime, GraphCache, measureMatMulRate, type Runtime } from '../src/runtime/index.js';
import { machine, median } from './measure.js';
import { makeReal, type RealFiles } from './real/checkpoints.js';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: '125m' },
    precision: { type: 'string', default: PRECISIONS.join(',') },
    size: { type: 'string', default: '0.06M' },
    cfg: { type: 'string', default: '3' },
    pictures: { type: 'string', default: '3' },
    'no-text': { type: 'boolean', default: false },
    folder: { type: 'string', default: '.work/real' },
    keep: { type: 'boolean', default: false },
  },
});
const TOKENS = 16;
const TEXT_WIDTH = 2048;

/** Memory of this process in bytes: what is its own, and what of it is files that are mapped. Linux only. */
function memory(): { readonly own: number; readonly mapped: number } {
  const status = readFileSync('/proc/self/status', 'utf8');
  const kilobytes = (name: string): number =>
    Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? NaN);
  return { own: kilobytes('RssAnon') * 1024, mapped: kilobytes('RssFile') * 1024 };
}

interface Phase<T> {
  readonly result: T;
  readonly seconds: number;
  /** Of processors: what stays the same when others want them too. */
  readonly cpu: number;
  /** Most memory of its own during the phase beyond what it was before. */
  readonly grown: number;
  readonly peak: number;
}

/** Runs a phase and watches time and memory. */
async function phase<T>(work: () => Promise<T>): Promise<Phase<T>> {
  const before = memory().own;
  let peak = before;
  const watch = setInterval(() => (peak = Math.max(peak, memory().own)), 20);
  const start = performance.now();
  const used = process.cpuUsage();
  try {
    const result = await work();
    peak = Math.max(peak, memory().own);
    const { user, system } = process.cpuUsage(used);
    const seconds = (performance.now() - start) / 1000;
    return { result, seconds, cpu: (user + system) / 1e6, grown: peak - before, peak };
  } finally {
    clearInterval(watch);
  }
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`;

function print(what: string, { seconds, cpu, grown, peak }: Phase<unknown>, note = ''): void {
  console.log(
    `  ${what.padEnd(36)} ${seconds.toFixed(2).padStart(8)} s (${cpu.toFixed(2)} s of processors)  own memory +${gigabytes(grown)}, peak ${gigabytes(peak)}${note}`,
  );
}

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

/** Draws one picture; its ledger has the time by phase. */
async function draw({ model, text }: Loaded, seed: number): Promise<Ledger> {
  const ledger = new NewLedger();
  const ids = Int32Array.from({ length: TOKENS }, (_, i) => 100 + 7 * i);
  const states = text
    ? await ledger.time('text', () => text.states({ ids, length: TOKENS }))
    : new Float32Array(TOKENS * TEXT_WIDTH).fill(0.1);
  const generator = await model.prepareStates({ states, tokens: TOKENS }, ledger, { size: values.size });
  let prefix = generator.begin();
  for (const scale of generator.scales.keys()) {
    const [next] = await generator.extend([{ prefix, draw: RandomKey.fromSeed(seed).fold(scale) }]);
    prefix.release();
    if (!next) throw new RangeError('no prefix');
    prefix = next;
  }
  await generator.decode([prefix], 'own');
  prefix.release();
  generator.close();
  return ledger;
}

async function measure(files: RealFiles, precision: Precision): Promise<void> {
  console.log(`${values.model}, ${precision}, ${values.size}, cfg ${values.cfg}`);
  const cache = new GraphCache(join(values.folder, 'graphs'));
  for (const start of ['first start (converts)', 'second start']) {
    const runtime = await createRuntime({ cache });
    print(start, await phase(async () => load(runtime, files, precision)));
    await runtime.close();
  }
  const runtime = await createRuntime({ cache });
  const loaded = await load(runtime, files, precision);
  const ledgers: ReturnType<Ledger['record']>[] = [];
  const first = await phase(() => draw(loaded, 0));
  print('first picture', first, `, mapped ${gigabytes(memory().mapped)}`);
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
  row('decoder', decoderFlops, Math.max(...exact));
  await runtime.close();
  await cache.clear();
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

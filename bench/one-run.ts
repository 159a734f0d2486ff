// Whole pictures of toybox in one run of the transformer against step by step, on the processor, in turn: how much processor time
// that takes, and whether the bits are the same. npx tsx bench/one-run.ts [SEEDS] [PICTURES,...] [PRECISION]

import { readFileSync } from 'node:fs';

import { assetPath } from '../src/core/assets.js';
import { Ledger } from '../src/core/ledger.js';
import { type Draw, RandomKey } from '../src/core/random.js';
import type { Generator, Prefix } from '../src/models/contract.js';
import { parseInfinityConfig } from '../src/models/infinity/folder.js';
import { openInfinity } from '../src/models/infinity/model.js';
import { type Precision, PRECISIONS } from '../src/runtime/graph/index.js';
import { createRuntime } from '../src/runtime/index.js';
import { median } from './measure.js';

const [seeds = '24', counts = '1,4', asked = 'float32'] = process.argv.slice(2);
const precision = PRECISIONS.find((each) => each === asked);
if (!precision) throw new Error(`the precision is one of ${PRECISIONS.join(', ')}`);

const runtime = await createRuntime({ cache: null });

async function open(of: Precision, oneRun: boolean): Promise<Generator> {
  const file = assetPath('toybox', 'config.json');
  const model = await openInfinity(runtime, {
    name: 'toybox',
    transformer: assetPath('toybox', 'transformer.pth'),
    vae: assetPath('toybox', 'vae.pth'),
    textEncoder: assetPath('toybox', 'text-encoder'),
    ...parseInfinityConfig(JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>, file),
    precision: of,
    oneRun,
  });
  return model.prepare('three red stars left of a blue circle', new Ledger());
}

async function draw(generator: Generator, draws: readonly Draw[]): Promise<Prefix[]> {
  const until = generator.schedule.steps.length;
  if (generator.rollOut) return generator.rollOut(draws, until);
  const root = generator.begin();
  let prefixes: Prefix[] = draws.map(() => root.retain());
  root.release();
  for (let step = 1; step <= until; step++) {
    const requests = draws.map((each, i) => ({ prefix: prefixes[i] as Prefix, draw: each.fold(step) }));
    const next = await generator.extend(requests);
    for (const prefix of prefixes) prefix.release();
    prefixes = next;
  }
  return prefixes;
}

interface Measured {
  readonly wall: number;
  readonly processor: number;
  readonly states: readonly string[];
}

async function measured(generator: Generator, draws: readonly Draw[]): Promise<Measured> {
  const start = performance.now();
  const before = process.cpuUsage();
  const prefixes = await draw(generator, draws);
  const { user, system } = process.cpuUsage(before);
  const wall = performance.now() - start;
  const states = prefixes.map((prefix) => Buffer.from(generator.pack(prefix)).toString('hex'));
  for (const prefix of prefixes) prefix.release();
  return { wall, processor: (user + system) / 1000, states };
}

const steps = await open(precision, false);
const whole = await open(precision, true);
const first = await measured(whole, [RandomKey.fromSeed(0)]);
console.log(`first run, with loading: ${first.processor.toFixed(0)} ms of processor time`);
await measured(steps, [RandomKey.fromSeed(0)]);
for (const count of counts.split(',').map(Number)) {
  const pairs: { readonly one: Measured; readonly by: Measured }[] = [];
  for (let seed = 0; seed < Number(seeds); seed++) {
    const draws = Array.from({ length: count }, (_, i) => RandomKey.fromSeed(seed).fold(i));
    const early = seed % 2 === 0 ? await measured(whole, draws) : null;
    const by = await measured(steps, draws);
    pairs.push({ one: early ?? (await measured(whole, draws)), by });
  }
  const differing = pairs.flatMap(({ one, by }) => one.states.filter((state, i) => state !== by.states[i]));
  const ratio = (of: 'wall' | 'processor'): string =>
    median(pairs.map(({ one, by }) => one[of] / by[of])).toFixed(2);
  console.log(
    `${count} together: processor ${ratio('processor')}, wall ${ratio('wall')}, ` +
      `${differing.length} of ${count * pairs.length} pictures differ`,
  );
}
await runtime.close();

// The engine in a child process against the engine in a worker thread, from the compiled package, in pairs one after the other:
//   npm run build && npx tsx bench/carriers.ts [--pairs 7]

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

import { packageRoot } from '../src/core/assets.js';
import { GraphBuilder, identity } from '../src/runtime/graph/index.js';
import type * as runtimes from '../src/runtime/index.js';
import type { Carrier } from '../src/runtime/rpc/index.js';
import { machine, median } from './measure.js';

const { values } = parseArgs({ options: { pairs: { type: 'string', default: '7' } } });
const PAIRS = Number(values.pairs);
const CARRIERS: readonly Carrier[] = ['thread', 'process'];
const REPEATS = 20;
const dist = join(packageRoot(), 'dist', 'src');
if (!existsSync(dist)) throw new Error(`${dist} is missing: run npm run build first`);
const { createRuntime, float32Tensor } = (await import(
  pathToFileURL(join(dist, 'runtime', 'index.js')).href
)) as typeof runtimes;

type Times = Record<string, number>;

/** Milliseconds until a runtime answers, and of tensors there and back. */
async function measureRuntime(carrier: Carrier): Promise<Times> {
  const times: Times = {};
  const start = performance.now();
  const runtime = await createRuntime({ threads: 1, carrier });
  await runtime.stats();
  times['ready'] = performance.now() - start;
  const g = new GraphBuilder('there-and-back');
  g.output('y', identity(g.input('x', 'float32', ['N'])));
  const session = await runtime.load(g.build());
  for (const [name, size] of [
    ['4 B there and back', 1],
    ['4 MB there and back', 2 ** 20],
  ] as const) {
    // prettier-ignore
    const x = float32Tensor(new Float32Array(size), [size]);
    const runs: number[] = [];
    for (let i = 0; i < REPEATS; i++) {
      const before = performance.now();
      await session.run({ x });
      runs.push(performance.now() - before);
    }
    times[name] = median(runs);
  }
  const before = performance.now();
  await runtime.close();
  times['closed'] = performance.now() - before;
  return times;
}

/** Milliseconds of a whole command. */
function measureGenerate(carrier: Carrier, out: string): number {
  const words = ['generate', 'three red stars', '--strategy', 'random', '--images', '2', '--seed', '7'];
  const start = performance.now();
  const { status, stderr } = spawnSync(
    process.execPath,
    [join(dist, 'cli', 'main.js'), ...words, '--out', join(out, carrier), '--quiet'],
    { env: { ...process.env, VARSEARCH_ENGINE: carrier }, encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(stderr);
  return performance.now() - start;
}

const found: Record<Carrier, Times[]> = { thread: [], process: [] };
const out = mkdtempSync(join(tmpdir(), 'varsearch-bench-'));
for (let pair = 0; pair < PAIRS; pair++) {
  // Who comes first changes, since the machine may be slower a moment later.
  for (const carrier of pair % 2 === 0 ? CARRIERS : CARRIERS.toReversed()) {
    found[carrier].push({
      ...(await measureRuntime(carrier)),
      'varsearch generate': measureGenerate(carrier, join(out, String(pair))),
    });
  }
}
rmSync(out, { recursive: true, force: true });
console.log(`${machine()}, ${PAIRS} pairs, medians`);
for (const name of Object.keys(found.thread[0] ?? {})) {
  const of = (carrier: Carrier): number[] => found[carrier].map((times) => times[name] ?? Number.NaN);
  const ratios = of('process').map((time, i) => time / (of('thread')[i] ?? Number.NaN));
  const [thread, child] = [median(of('thread')).toFixed(2), median(of('process')).toFixed(2)];
  console.log(
    `${name.padEnd(20)} thread ${thread} ms, process ${child} ms, ratio ${median(ratios).toFixed(2)}`,
  );
}

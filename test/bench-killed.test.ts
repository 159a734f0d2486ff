// A run of a benchmark that is killed at random moments, again and again, and gone on with is, byte for byte, the one that nobody disturbed.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { runBenchmark } from '../src/benchmarks/index.js';
import { fakeCatalogs } from './fakes/catalogs.js';

/** VARSEARCH_TEST_KILLS=50 asks for more. */
const KILLS = Number(process.env['VARSEARCH_TEST_KILLS'] ?? 16);
/** Runs that are killed at the same time, each in a folder of its own. */
const CHAINS = 4;

const root = fileURLToPath(new URL('..', import.meta.url));
let folder = '';
let program = '';

beforeAll(async () => {
  // Within the package, since what it imports from others is found from there.
  folder = mkdtempSync(join(root, 'node_modules', '.bench-killed-'));
  program = join(folder, 'main.mjs');
  // One file starts ten times as fast as TypeScript does.
  await build({
    entryPoints: [join(root, 'test/fakes/bench-main.ts')],
    outfile: program,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    define: { 'import.meta.url': JSON.stringify(new URL('../src/core/assets.ts', import.meta.url).href) },
  });
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const optionsOf = (out: string) => ({
  benchmark: 'toybench',
  out,
  // Its pictures are none of the detector's, which would take most of the time.
  models: 'large',
  strategies: 'single,random,beam',
  verifiers: 'coin,clip-score-l14',
  budgets: [40],
  prompts: '12',
  seeds: '1-3',
});

const picturesIn = (out: string): string => readFileSync(join(out, 'pictures.jsonl'), 'utf8');

/** Starts the run, and kills it some time after so many events; 0 is before anything is loaded. */
async function killed(out: string, events: number): Promise<void> {
  const child = spawn(process.execPath, [program, JSON.stringify(optionsOf(out))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const over = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let seen = 0;
  const reached = new Promise<void>((resolve) => {
    child.stdout.on('data', (letters: Buffer) => {
      seen += letters.length;
      if (seen >= events) resolve();
    });
  });
  if (events > 0) await Promise.race([reached, over]);
  await setTimeout(Math.random() * 20);
  child.kill('SIGKILL');
  await over;
}

it('loses nothing and doubles nothing, however often it is killed', { timeout: 300_000 }, async () => {
  const whole = join(folder, 'whole');
  await runBenchmark(optionsOf(whole), { catalogs: fakeCatalogs() }).result;
  const expected = picturesIn(whole);
  const chains = Array.from({ length: CHAINS }, async (_, chain) => {
    const out = join(folder, `chain-${chain}`);
    const lengths: number[] = [];
    for (let kill = chain; kill < KILLS; kill += CHAINS) {
      await killed(out, Math.floor(Math.random() * 8));
      lengths.push(lengthOf(out));
    }
    await runBenchmark(optionsOf(out), { catalogs: fakeCatalogs() }).result;
    return { pictures: picturesIn(out), lengths };
  });
  for (const { pictures, lengths } of await Promise.all(chains)) {
    expect(pictures).toBe(expected);
    // It was in the middle of the work.
    expect(lengths.some((length) => length > 0 && length < expected.length)).toBe(true);
    expect(lengths).toEqual(lengths.toSorted((a, b) => a - b));
  }
});

function lengthOf(out: string): number {
  try {
    return picturesIn(out).length;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}

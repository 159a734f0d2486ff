// A whole `varsearch generate`, process start included, as a user waits for it.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { packageRoot } from '../src/core/assets.js';
import { type BenchLine, median, repeat } from './measure.js';

const REPEATS = 3;

function generateOnce(program: string, out: string): Promise<number> {
  const options = [
    '--strategy',
    'beam',
    '--width',
    '3',
    '--candidates',
    '5',
    '--verifier',
    'clip-score',
    '--seed',
    '7',
  ];
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [program, 'generate', 'three red stars left of a blue circle', ...options, '--out', out, '--quiet'],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    child.on('error', reject);
    child.on('exit', (code) => {
      if (code === 0) resolve((performance.now() - start) / 1000);
      else reject(new Error(`varsearch generate ended with ${String(code)}`));
    });
  });
}

/** The command line from start to files on disk. */
export const generateBenchmark = {
  name: 'varsearch generate, w = 3, c = 5, process start included',
  run: async (): Promise<readonly BenchLine[]> => {
    const program = join(packageRoot(), 'dist', 'src', 'cli', 'main.js');
    if (!existsSync(program)) throw new Error(`${program} is missing: run npm run build first`);
    const out = mkdtempSync(join(tmpdir(), 'varsearch-bench-'));
    try {
      const times = await repeat(REPEATS, () => generateOnce(program, join(out, 'run')));
      return [{ what: 'whole command', value: median(times), unit: 's', goal: 6 }];
    } finally {
      rmSync(out, { recursive: true, force: true });
    }
  },
};

// The JavaScript of README and docs runs as it stands, against the sources.

import { execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';

import { packageRoot } from '../src/core/assets.js';

const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const library = pathToFileURL(join(packageRoot(), 'src', 'index.ts')).href;
const pages = ['README.md', 'docs/library.md'].map((page) => readFileSync(join(packageRoot(), page), 'utf8'));
const examples = pages.flatMap((page) =>
  [...page.matchAll(/```js\n([^]*?)```/g)].map(([, code = '']) => code),
);
const folder = mkdtempSync(join(tmpdir(), 'varsearch-readme-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Writes an example as a program against the sources. */
function write(code: string, name: string): string {
  const file = join(folder, `${name}.mjs`);
  writeFileSync(file, code.replaceAll("from 'varsearch'", `from '${library}'`));
  return file;
}

/** Runs an example in a folder of its own and gives what it prints. */
async function run(code: string, name: string): Promise<string> {
  const file = write(code, name);
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', tsx, file], { cwd: folder });
  return stdout.trim();
}

describe('the JavaScript of README and docs', () => {
  it('is a library example, a verifier, an open varsearch and a strategy', () => {
    expect(examples.map((code) => /const (\w+) =/.exec(code)?.[1])).toEqual([
      'controller',
      'bright',
      'varsearch',
      'coarse',
    ]);
  });

  it('searches and writes files', async () => {
    const lines = (await run(examples[0] ?? '', 'library')).split('\n');
    expect(lines[0]).toBe('14 pictures to judge');
    expect(lines.at(-1)).toMatch(/^\{ 'clip-score': [\d.]+ \} 54 41$/);
    const result = JSON.parse(readFileSync(join(folder, 'out', 'example', 'result.json'), 'utf8')) as object;
    expect(result).toMatchObject({ format: 2, options: { seed: 7, search: { strategy: 'beam', width: 2 } } });
  });

  it.skipIf(process.platform === 'win32')('keeps the best picture on Ctrl-C', async () => {
    // So many candidates that it cannot be through before.
    const code = (examples[0] ?? '').replace('candidates: 2', 'candidates: 2000');
    const file = write(code, 'interrupted');
    const here = join(folder, 'interrupted');
    mkdirSync(here);
    const child = spawn(process.execPath, ['--import', tsx, file], {
      cwd: here,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const written = { stdout: '', stderr: '' };
    child.stderr.setEncoding('utf8').on('data', (text: string) => (written.stderr += text));
    let asked = false;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      written.stdout += text;
      if (asked || !written.stdout.includes('is the best so far')) return;
      asked = true;
      child.kill('SIGINT');
    });
    const exit = await new Promise((resolve) => child.on('close', resolve));
    expect([exit, written.stderr]).toEqual([0, '']);
    expect(written.stdout.trim().split('\n').at(-1)).toMatch(/^\{ 'clip-score': [\d.]+ \} \d+ \d+$/);
    const result = JSON.parse(readFileSync(join(here, 'out', 'example', 'result.json'), 'utf8')) as object;
    expect(result).toMatchObject({ incomplete: true });
  });

  it("takes a verifier of one's own", async () => {
    const score = Number(await run(examples[1] ?? '', 'verifier'));
    expect(score).toBeGreaterThan(0);
    expect(score).toBeLessThan(255);
  });

  it('keeps a varsearch open, and redraws', async () => {
    // 2 candidates at each of 6 scales.
    expect(await run(examples[2] ?? '', 'open')).toBe('12 64 x 64');
  });

  it("takes a strategy of one's own", async () => {
    // 4 pictures of 6 scales, and the 5 scales after the first once more.
    expect(await run(examples[3] ?? '', 'strategy')).toMatch(/^\{ score: [\d.]+ \} 29$/);
  });
});

// The README's JavaScript runs as it stands, against the sources.

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';

import { packageRoot } from '../src/core/assets.js';

const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const library = pathToFileURL(join(packageRoot(), 'src', 'index.ts')).href;
const readme = readFileSync(join(packageRoot(), 'README.md'), 'utf8');
const examples = [...readme.matchAll(/```js\n([^]*?)```/g)].map(([, code = '']) => code);
const folder = mkdtempSync(join(tmpdir(), 'varsearch-readme-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Runs an example in a folder of its own and gives what it prints. */
async function run(code: string, name: string): Promise<string> {
  const file = join(folder, `${name}.mjs`);
  writeFileSync(file, code.replaceAll("from 'varsearch'", `from '${library}'`));
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', tsx, file], { cwd: folder });
  return stdout.trim();
}

describe("the README's JavaScript", () => {
  it('is a library example, a verifier and a strategy', () => {
    expect(examples.map((code) => /const (\w+) =/.exec(code)?.[1])).toEqual([
      'controller',
      'bright',
      'coarse',
    ]);
  });

  it('searches and writes files', async () => {
    const lines = (await run(examples[0] ?? '', 'library')).split('\n');
    expect(lines[0]).toBe('24 pictures to judge');
    expect(lines.at(-1)).toMatch(/^\{ 'clip-score': [\d.]+ \} 84 61$/);
    const result = JSON.parse(readFileSync(join(folder, 'out', 'example', 'result.json'), 'utf8')) as object;
    expect(result).toMatchObject({ format: 2, options: { seed: 7, search: { strategy: 'beam', width: 2 } } });
  });

  it("takes a verifier of one's own", async () => {
    const score = Number(await run(examples[1] ?? '', 'verifier'));
    expect(score).toBeGreaterThan(0);
    expect(score).toBeLessThan(255);
  });

  it("takes a strategy of one's own", async () => {
    // 4 pictures of 6 scales, and the 5 scales after the first once more.
    expect(await run(examples[2] ?? '', 'strategy')).toMatch(/^\{ score: [\d.]+ \} 29$/);
  });
});

// varsearch score as a real process with the embedded CLIP: what pipelines see, and signals.

import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

import { type CliOutcome, temporaryFolder } from './fakes/cli.js';
import { plainPicture } from './fakes/score-bench.js';
import { encodePng } from './fixtures/write-png.js';

const MAIN = join(dirname(fileURLToPath(import.meta.url)), '..', 'src', 'cli', 'main.ts');

/** Runs the command to its end; `onError` sees stderr as it comes and may send a signal. */
function run(
  cwd: string,
  words: readonly string[],
  onError?: (kill: (signal: NodeJS.Signals) => void) => void,
): Promise<CliOutcome> {
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), MAIN, ...words], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const written = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (written.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    written.stderr += text;
    onError?.((signal) => child.kill(signal));
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ code: code ?? -1, ...written });
    });
  });
}

describe('the varsearch score process', () => {
  it('prints the path of the best, and nothing else', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'red.png'), encodePng(plainPicture(214, 39, 40, 64)));
    writeFileSync(join(folder, 'blue.png'), encodePng(plainPicture(40, 90, 214, 64)));
    const words = ['score', '*.png', '--prompt', 'a blue square', '--best', '--threads', '1'];
    expect(await run(folder, words)).toEqual({ code: 0, stdout: 'blue.png\n', stderr: '' });
  });

  it('ends with 130 on SIGINT, and prints nothing half done', async () => {
    const folder = temporaryFolder();
    // The warning about their size comes before anything is loaded.
    for (let i = 0; i < 50; i++) {
      writeFileSync(join(folder, `${i}.png`), encodePng(plainPicture(i, 0, 0, 32)));
    }
    const { code, stdout } = await run(folder, ['score', '.', '--prompt', 'a red star'], (kill) => {
      kill('SIGINT');
    });
    expect([code, stdout]).toEqual([130, '']);
  });
});

// The command as a real process: exit codes, signals, pipes.

import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

import { decodePicture } from '../src/core/image-file.js';
import { type CliOutcome, temporaryFolder } from './fakes/cli.js';

const HERE = dirname(fileURLToPath(import.meta.url));

interface Running {
  readonly ended: Promise<CliOutcome>;
  /** Resolves as soon as stderr contains a text. */
  readonly says: (text: string) => Promise<void>;
  readonly signal: (name: NodeJS.Signals) => void;
}

function start(cwd: string, words: readonly string[], delay = 0, side = 0): Running {
  const program = join(HERE, 'fakes', 'fake-main.ts');
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), program, ...words], {
    cwd,
    env: { ...process.env, FAKE_DELAY: String(delay), FAKE_SIDE: String(side) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const written = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (written.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (written.stderr += text));
  const ended = new Promise<CliOutcome>((resolve) => {
    // As a shell says it of a process that a signal has ended.
    child.on('close', (code, signal) =>
      resolve({ code: code ?? 128 + (signal ? constants.signals[signal] : 0), ...written }),
    );
  });
  const says = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (written.stderr.includes(text)) resolve();
      };
      child.stderr.on('data', look);
      child.on('close', () => reject(new Error(`ended without saying ${text}: ${written.stderr}`)));
      look();
    });
  return { ended, says, signal: (name) => child.kill(name) };
}

describe('the varsearch process', () => {
  it('exits 0, 1 and 2 as it went', async () => {
    const folder = temporaryFolder();
    const runs = [
      start(folder, ['generate', 'red', '--candidates', '1', '--out', 'here']),
      start(folder, ['replay', 'nothing.png']),
      start(folder, ['generate', 'red', '--width', 'x']),
    ];
    const [fine, failed, wrong] = await Promise.all(runs.map(({ ended }) => ended));
    expect(fine).toMatchObject({ code: 0, stdout: expect.stringContaining('written to here') });
    expect(failed).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'varsearch: cannot read nothing.png: no such file or folder\n',
    });
    expect(wrong).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^varsearch: [^\n]*\n$/),
    });
  });

  it('keeps the best picture on SIGINT and ends with 130', async () => {
    const folder = temporaryFolder();
    const run = start(folder, ['generate', 'red', '--out', 'here'], 20);
    await run.says('scale 2/4');
    // As under `npm run`: from the terminal, and once more from npm.
    run.signal('SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 5));
    run.signal('SIGINT');
    const { code, stderr, stdout } = await run.ended;
    expect([code, stdout]).toEqual([130, '']);
    expect(stderr.trim().split('\n').at(-1)).toBe(
      'varsearch: interrupted; the best picture so far is here/picture.png',
    );
    expect(readdirSync(join(folder, 'here')).sort()).toEqual(['index.html', 'picture.png', 'result.json']);
    expect(JSON.parse(readFileSync(join(folder, 'here', 'result.json'), 'utf8'))).toMatchObject({
      incomplete: true,
    });
  });

  it(
    'hears a signal while it shrinks and encodes large pictures, and keeps the best',
    { timeout: 180_000 },
    async () => {
      const folder = temporaryFolder();
      const words = ['generate', 'red', '--strategy', 'gto', '--candidates', '2', '--out', 'here'];
      const run = start(folder, words, 0, 2000);
      await run.says('scale 1/4');
      run.signal('SIGINT');
      const { code, stderr } = await run.ended;
      expect(code).toBe(130);
      expect(stderr).toContain('interrupted; the best picture so far is here/picture.png');
      const { image } = await decodePicture(readFileSync(join(folder, 'here', 'picture.png')), 'picture.png');
      expect([image.width, image.height]).toEqual([2000, 2000]);
    },
  );

  it('ends at once on the second SIGINT, with no half-written file', async () => {
    const folder = temporaryFolder();
    const run = start(folder, ['generate', 'red', '--candidates', '1', '--out', 'here'], 600_000);
    await run.says('a long forward pass');
    // On a busy machine two signals may arrive as one key press: the one that counts may be the third.
    const ended = run.ended.then(() => true);
    const second = (): Promise<false> =>
      new Promise((resolve) => {
        setTimeout(() => {
          resolve(false);
        }, 1000);
      });
    do run.signal('SIGINT');
    while (!(await Promise.race([ended, second()])));
    expect(await run.ended).toMatchObject({ code: 130, stdout: '' });
    // The system has ended it: what stands there is its lock, which the next run takes over.
    expect(readdirSync(join(folder, 'here'))).toEqual(['.varsearch.lock']);
    const next = start(folder, ['generate', 'red', '--candidates', '1', '--out', 'here', '--quiet']);
    expect(await next.ended).toMatchObject({ code: 0, stderr: '' });
    expect(readdirSync(join(folder, 'here')).sort()).toEqual(['index.html', 'picture.png', 'result.json']);
  });
});

// One line where something is wrong, of a sensible length, whatever is written to or comes from somebody else.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

import { reportError } from '../src/cli/exit.js';
import type { CliIo } from '../src/cli/io.js';
import { printCsv } from '../src/cli/score-output.js';
import { UsageError } from '../src/core/errors.js';
import type { ScoreResult } from '../src/score/score.js';
import { cliBench, temporaryFolder } from './fakes/cli.js';

const MAIN = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
const TSX = fileURLToPath(new URL('../node_modules/tsx/dist/cli.mjs', import.meta.url));

function collected(): CliIo & { readonly written: { stdout: string; stderr: string } } {
  const written = { stdout: '', stderr: '' };
  return {
    written,
    stdout: { write: (text) => (written.stdout += text) },
    stderr: { write: (text) => (written.stderr += text) },
    env: {},
    cwd: '/',
    catalogs: () => Promise.reject(new Error('none')),
    onInterrupt: () => () => undefined,
  };
}

describe('a failure', () => {
  it('is one line of a sensible length, however long its message is', () => {
    for (const error of [new UsageError('x'.repeat(5_000_000)), new Error('y\n'.repeat(2_500_000))]) {
      const io = collected();
      reportError(error, io);
      expect(io.written.stderr.length).toBeLessThan(2100);
      expect(io.written.stderr.trimEnd()).not.toContain('\n');
    }
  });

  it.skipIf(!existsSync('/dev/full'))('to write on a full disk is one line and exit code 1', () => {
    const command = `"${process.execPath}" "${TSX}" "${MAIN}" verifiers > /dev/full`;
    const { status, stderr } = spawnSync('sh', ['-c', command], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([1, 'varsearch: cannot write the output: the disk is full\n']);
  });

  it.skipIf(process.platform === 'win32')('of a current folder that was deleted is one line', () => {
    const folder = join(temporaryFolder(), 'gone');
    mkdirSync(folder);
    const command = `rmdir "${folder}"; "${process.execPath}" --import "${join(TSX, '..', 'loader.mjs')}" "${MAIN}" replay x.png`;
    const { status, stderr } = spawnSync('sh', ['-c', command], { encoding: 'utf8', cwd: folder });
    if (existsSync(folder)) rmdirSync(folder);
    expect(status).not.toBe(0);
    expect(stderr).not.toContain('unexpected failure');
  });
});

it('keeps the best picture when the terminal goes away', async () => {
  const bench = cliBench({ interruptAt: 30, interruptBy: 'SIGHUP' });
  expect((await bench.run('generate', 'red', '--out', 'here', '--quiet')).code).toBe(129);
  expect(existsSync(join(bench.folder, 'here', 'picture.png'))).toBe(true);
});

describe('what is written for others', () => {
  it('has no control characters in a CSV', () => {
    const io = collected();
    const scored = { image: 'a\u001b[2J\nb.png', prompt: 'red\u0007\u009b', place: 1, index: 0, best: true };
    const pictures = [{ ...scored, standing: { score: 1 }, scores: { judge: 1 } }];
    printCsv({ jury: { judges: ['judge'] } } as unknown as ScoreResult, pictures, io);
    expect(io.written.stdout.split('\n')[1]).toBe('a\\x1b[2J\\x0ab.png,red\\x07\\x9b,1,1,1');
  });
});

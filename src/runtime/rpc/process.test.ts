// What becomes of a child process and of its parent when one of them dies, and what they keep from each other.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { RuntimeError, UsageError } from '../../core/errors.js';
import type { TestMethods } from './fixtures/methods.js';
import { type Carrier, elsewhere, Line } from './index.js';

const WORDS = { worker: 'The helper', closed: 'The helper has been closed.', remedy: 'Start another.' };

const opened: Line<TestMethods>[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const line of opened.splice(0)) await line.close();
});

function start(carrier?: Carrier): Line<TestMethods> {
  const line = new Line<TestMethods>(elsewhere(import.meta.url, 'fixtures/worker', carrier), WORDS);
  opened.push(line);
  return line;
}

/** False as well for what is dead and waits for somebody to look at it. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch (error) {
    return !['ESRCH', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '');
  }
}

const gone = (pid: number): Promise<void> =>
  vi.waitFor(
    () => {
      expect(isAlive(pid)).toBe(false);
    },
    { timeout: 30_000, interval: 50 },
  );

describe('a child process that dies', () => {
  it('is one error of all who wait, and the next one works', async () => {
    const line = start('process');
    const { process: pid } = await line.call('facts');
    const calls = [line.call('block', { milliseconds: 60_000 }), line.call('notes')];
    process.kill(pid, 'SIGKILL');
    for (const call of calls) {
      const error: unknown = await call.catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(RuntimeError);
      expect(String(error)).toBe(
        'RuntimeError: The helper was ended by SIGKILL, as the system does when memory runs out.',
      );
    }
    await expect(line.call('notes')).rejects.toThrow(/Start another/);
    await line.close();
    expect(await start('process').call('add', { a: 1, b: 2 })).toBe(3);
  });

  it.each([
    ['abort', /^The helper was ended by SIGABRT/],
    ['memory', /^The helper was ended by SIG(ABRT|TRAP|ILL|SEGV): FATAL ERROR: .*heap out of memory/],
  ] as const)('of itself (%s) says how', async (how, says) => {
    vi.stubEnv('NODE_OPTIONS', '--inspect=0 --max-old-space-size=50');
    const line = start('process');
    await expect(line.call('break', { how })).rejects.toThrow(says);
  });

  it('at its end is no error, and gives all back', async () => {
    const line = start('process');
    const { process: pid } = await line.call('facts');
    expect(pid).not.toBe(process.pid);
    await line.close();
    expect(isAlive(pid)).toBe(false);
  });
});

describe('a child process', () => {
  it.skipIf(process.platform === 'win32')('leaves signals to its parent', async () => {
    const line = start('process');
    const { process: pid } = await line.call('facts');
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.kill(pid, signal);
    expect(await line.call('add', { a: 1, b: 2 })).toBe(3);
    // And what the terminal sends to the whole group does not reach it.
    if (process.platform === 'linux') {
      const group = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ')[2];
      expect(Number(group)).toBe(pid);
    }
  });

  it('has telemetry off, unless the user wants it, and sets nothing here', async () => {
    vi.stubEnv('ORT_DISABLE_TELEMETRY', undefined);
    expect((await start('process').call('facts')).telemetry).toBe('1');
    expect(process.env).not.toHaveProperty('ORT_DISABLE_TELEMETRY');
    vi.stubEnv('ORT_DISABLE_TELEMETRY', '0');
    expect((await start('process').call('facts')).telemetry).toBe('0');
    expect((await start('thread').call('facts')).telemetry).toBe('0');
  });

  it('does not hold the folder that its parent is in', async () => {
    expect((await start('process').call('facts')).folder).not.toBe(process.cwd());
  });

  it('finds the folders that the environment names from the folder of its parent', async () => {
    vi.stubEnv('VARSEARCH_MODELS', 'models');
    vi.stubEnv('VARSEARCH_CACHE', 'off');
    const { models, cache } = await start('process').call('facts');
    expect(models).toBe(join(process.cwd(), 'models'));
    expect(cache).toBe('off');
  });

  it('is a thread where the user says so, or where no process can be started', async () => {
    vi.stubEnv('VARSEARCH_ENGINE', 'thread');
    expect((await start().call('facts')).process).toBe(process.pid);
    vi.stubEnv('VARSEARCH_ENGINE', 'process');
    expect((await start().call('facts')).process).not.toBe(process.pid);
    vi.stubEnv('VARSEARCH_ENGINE', 'fibre');
    expect(() => start()).toThrow(UsageError);
    vi.stubEnv('VARSEARCH_ENGINE', undefined);
    expect((await start().call('facts')).process).toBe(process.pid);
    vi.stubEnv('VARSEARCH_ENGINE', 'process');
    const { execPath } = process;
    try {
      for (const path of ['/nowhere/node', '/nowhere/application']) {
        process.execPath = path;
        expect((await start().call('facts')).process).toBe(process.pid);
      }
    } finally {
      process.execPath = execPath;
    }
  });
});

/** A parent with two children, an idle one and one that sees and hears nothing; ends as it is told. */
const PARENT = `
  const { elsewhere, Line } = await import('${new URL('index.ts', import.meta.url).href}');
  const open = () => new Line(elsewhere('${import.meta.url}', 'fixtures/worker', 'process'), ${JSON.stringify(WORDS)});
  const lines = [open(), open()];
  const pids = await Promise.all(lines.map(async (line) => (await line.call('facts')).process));
  lines[0].call('block', { milliseconds: 600_000 }).catch(() => undefined);
  process.on('message', (code) => eval(code));
  process.send(pids);
`;

interface Family {
  readonly parent: ReturnType<typeof spawn>;
  readonly pids: readonly number[];
}

async function family(): Promise<Family> {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const parent = spawn(process.execPath, ['--import', tsx, '--input-type=module', '--eval', PARENT], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const pids = await new Promise<readonly number[]>((resolve, reject) => {
    parent.once('message', (message) => {
      resolve(message as readonly number[]);
    });
    parent.once('exit', (code) => {
      reject(new Error(`ended with ${String(code)}`));
    });
  });
  return { parent, pids };
}

const FAMILIES = Number(process.env['VARSEARCH_TEST_KILLS'] ?? '10') / 2;

describe('a parent that dies', () => {
  it('takes its children along', { timeout: 60_000 * Math.max(1, FAMILIES / 5) }, async () => {
    for (let i = 0; i < FAMILIES; i++) {
      const { parent, pids } = await family();
      expect(pids.every(isAlive)).toBe(true);
      parent.kill('SIGKILL');
      await Promise.all(pids.map(gone));
    }
  });

  it.each([
    ['by an error', "setImmediate(() => { throw new Error('mine'); })", 1],
    ['by process.exit', 'process.exit(3)', 3],
  ])('%s keeps its exit code, and takes them along at once', async (_, code, expected) => {
    const { parent, pids } = await family();
    const exit = new Promise((resolve) => parent.once('exit', resolve));
    parent.send(code);
    expect(await exit).toBe(expected);
    await Promise.all(pids.map(gone));
  });
});

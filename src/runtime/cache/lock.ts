// A lock between processes: a file that one of them makes. It keeps two of them from making the same thing at the same time, and
// nothing depends on it for being right: a lock whose owner is gone is taken over.

import { open, readFile, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

import { isRunning } from '../../core/is-running.js';

/** The owner shows this often that it lives. */
const BEAT_MS = 5_000;
/** An owner on another machine that has been silent for so long is gone. */
const SILENCE_MS = 60_000;
const POLL_MS = 100;

/** Runs `work` while no other process runs its own under the same path. */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  while (!(await acquire(path))) {
    if (await isAbandoned(path)) await rm(path, { force: true });
    else await sleep(POLL_MS);
  }
  const beat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined); // taken away by somebody: the work does not depend on it
  }, BEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(beat);
    await rm(path, { force: true });
  }
}

async function acquire(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    await file.writeFile(JSON.stringify({ host: hostname(), pid: process.pid }));
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function isAbandoned(path: string): Promise<boolean> {
  try {
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > SILENCE_MS) return true;
    const { host, pid } = JSON.parse(await readFile(path, 'utf8')) as { host: string; pid: number };
    return host === hostname() && !isRunning(pid);
  } catch {
    return false; // released meanwhile, or not written yet
  }
}

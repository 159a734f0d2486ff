// One process at a time: a lock is a file that was created exclusively, says who holds it, and is touched while it is held.
// It is not the lock of huggingface_hub, whose files (flock, left behind empty) mean nothing to a program without flock: so a
// half-fetched file has a name of ours as well, and two programs can at worst fetch the same file twice.

import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { isRunning } from '../core/is-running.js';

/** How locks are waited for. */
export interface LockTiming {
  /** Milliseconds between two looks at a lock that another holds. */
  readonly poll: number;
  /** Milliseconds without a touch after which a holder counts as dead. */
  readonly stale: number;
}

const USUAL: LockTiming = { poll: 500, stale: 60_000 };

/** What a lock's file says. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly id: string;
}

/** Ways to wait for a lock. */
export interface LockOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timing?: LockTiming | undefined;
  /** Called once where another holds it. */
  readonly onWait?: ((holder: string) => void) | undefined;
}

/** Does `work` while holding the lock of a path. */
export async function locked<T>(
  path: string,
  work: () => Promise<T>,
  { signal, timing = USUAL, onWait }: LockOptions = {},
): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const id = randomUUID();
  for (let told = false; !(await take(path, id));) {
    signal?.throwIfAborted();
    const holder = await readHolder(path);
    if (await isDead(path, holder, timing)) await removeDead(path, holder);
    else {
      if (!told) onWait?.(holder ? `process ${holder.pid} on ${holder.host}` : 'another process');
      told = true;
      await sleep(timing.poll, undefined, signal ? { signal } : {});
    }
  }
  const touch = setInterval(() => {
    const now = new Date();
    // Whoever took the file away believes that we are dead; what we write is checked before it counts.
    utimes(path, now, now).catch(() => undefined);
  }, timing.stale / 6);
  try {
    return await work();
  } finally {
    clearInterval(touch);
    if ((await readHolder(path))?.id === id) await rm(path, { force: true });
  }
}

async function take(path: string, id: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    try {
      const holder: Holder = { pid: process.pid, host: hostname(), id };
      await file.writeFile(JSON.stringify(holder));
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Who holds a lock; null where its file is gone, or not written yet. */
async function readHolder(path: string): Promise<Holder | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Holder;
  } catch {
    return null;
  }
}

async function isDead(path: string, holder: Holder | null, { stale }: LockTiming): Promise<boolean> {
  if (holder?.host === hostname() && !isRunning(holder.pid)) return true;
  const age = await stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  );
  return age > stale;
}

/** Takes the file of a dead holder away; one that somebody else has made meanwhile is put back. */
async function removeDead(path: string, dead: Holder | null): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  const moved = await readHolder(aside);
  if (moved && moved.id !== dead?.id) await rename(aside, path);
  else await rm(aside, { force: true });
}

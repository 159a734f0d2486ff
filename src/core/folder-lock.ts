// A folder that one run at a time writes to. The lock is a folder within it that holds one file, named after its owner: it comes
// into being whole, by a rename, and a rename never takes the place of a folder that has something in it. So of two runs one gets it,
// and that of a process that is no more can be taken over by nobody but one.

import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

import { VarsearchError } from './errors.js';
import { isRunning } from './is-running.js';

/** This machine, in names of files. */
export const HOST = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);

const NAME = '.varsearch.lock';
const OWNER = /^([0-9a-f]{8})-(\d+)-[0-9a-f]{32}$/;

/** The locks that this process holds, by the names of their owners, and what gives each back. */
const own = new Map<string, () => void>();

function unlockAll(): void {
  for (const unlock of own.values()) unlock();
}

/** Whether an owner of this machine is no more; one that has our number and is not ours had it before us. */
function isGone(owner: string): boolean {
  const [, host, pid] = OWNER.exec(owner) ?? [];
  if (host !== HOST) return false;
  return Number(pid) === process.pid ? !own.has(owner) : !isRunning(Number(pid));
}

function ownersIn(lock: string): string[] {
  try {
    return readdirSync(lock);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function occupied(folder: string, owner: string): VarsearchError {
  const [, host, pid] = OWNER.exec(owner) ?? [];
  const who = host === HOST ? `by process ${pid}` : 'from another machine';
  return new VarsearchError(
    `another run is writing to ${folder} (${who}): choose another folder with --out, or wait for it; ` +
      `where there is none any more, delete ${join(folder, NAME)}`,
  );
}

/** Takes a folder for this run; gives what gives it back. Throws a VarsearchError where another run has it. */
export function lockFolder(folder: string): () => void {
  const lock = join(folder, NAME);
  const owner = `${HOST}-${process.pid}-${randomBytes(16).toString('hex')}`;
  const prepared = join(folder, `.varsearch-${owner}.tmp`);
  mkdirSync(prepared);
  try {
    writeFileSync(join(prepared, owner), '');
    for (const each of ownersIn(lock)) {
      if (!isGone(each)) throw occupied(folder, each);
      // By its own name: where another run has taken the lock over by now, nothing of it is touched.
      rmSync(join(lock, each), { force: true });
    }
    renameInto(prepared, lock);
  } catch (error) {
    rmSync(prepared, { recursive: true, force: true });
    const [other] = error instanceof VarsearchError ? [] : ownersIn(lock);
    throw other === undefined ? error : occupied(folder, other);
  }
  const unlock = (): void => {
    if (!own.delete(owner)) return;
    if (own.size === 0) process.off('exit', unlockAll);
    rmSync(join(lock, owner), { force: true });
    removeEmpty(lock);
  };
  if (own.size === 0) process.once('exit', unlockAll);
  own.set(owner, unlock);
  return unlock;
}

function renameInto(prepared: string, lock: string): void {
  try {
    renameSync(prepared, lock);
  } catch (error) {
    // Windows does not put a folder in the place of an empty one.
    if (process.platform !== 'win32' || ownersIn(lock).length > 0) throw error;
    removeEmpty(lock);
    renameSync(prepared, lock);
  }
}

/** Removes a folder that has nothing in it; one that has stays. */
function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

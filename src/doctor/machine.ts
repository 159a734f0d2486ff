// What this machine is and has, as far as it matters to a search.

import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import { dirname } from 'node:path';

import { modelsFolder } from '../core/assets.js';
import { readVersions, type Versions } from '../engine/versions.js';
import { hubCache } from '../hub/index.js';

/** A folder with the room on its disk. */
export interface Disk {
  readonly folder: string;
  /** Bytes; null where the system does not tell. */
  readonly free: number | null;
}

/** The facts. */
export interface Machine {
  readonly versions: Versions;
  readonly processor: string;
  readonly cores: number;
  /** Bytes, those of a container's limit where there is one. */
  readonly memory: number;
  readonly freeMemory: number;
  /** The cache of Hub files that programs share. */
  readonly cache: Disk;
  /** The folder of files that the user has put there. */
  readonly models: Disk;
}

/** Looks at the machine. */
export async function lookAtMachine(): Promise<Machine> {
  // Without a limit Node.js gives 0, or more than there is.
  const limit = process.constrainedMemory();
  const total = totalmem();
  const memory = limit > 0 && limit < total ? limit : total;
  return {
    versions: readVersions(),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memory,
    freeMemory: Math.min(freemem(), memory),
    cache: await diskOf(hubCache()),
    models: await diskOf(modelsFolder()),
  };
}

/** The room where a folder is, or would be. */
async function diskOf(folder: string): Promise<Disk> {
  let there = folder;
  while (!existsSync(there) && dirname(there) !== there) there = dirname(there);
  return await statfs(there).then(
    ({ bavail, bsize }) => ({ folder, free: bavail * bsize }),
    () => ({ folder, free: null }),
  );
}

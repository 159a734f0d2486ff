// Hashes of large files, kept: hashing a model of gigabytes takes longer than opening it. A file is the same as long as its
// place on the disk, its size and the times of its last change are; the system sets the last of these itself (ctime).

import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import { cacheFolder } from './cache-folder.js';
import { isObject } from './json-file.js';

/** Smaller files are hashed each time. */
const KEPT_FROM = 2 ** 26;

/** The hash of a file as `compute` gives it, or as it was given for the same unchanged file before. */
export async function keptHash(
  path: string,
  compute: () => Promise<string>,
  {
    folder = cacheFolder(),
    from = KEPT_FROM,
  }: { readonly folder?: string | null; readonly from?: number } = {},
): Promise<string> {
  const { size, mtimeNs, ctimeNs, dev, ino } = await stat(path, { bigint: true });
  if (folder === null || size < from) return compute();
  const state = [resolve(path), size, mtimeNs, ctimeNs, dev, ino].map(String);
  const name = createHash('sha256')
    .update(state[0] ?? '')
    .digest('hex');
  const place = join(folder, 'hashes', `${name.slice(0, 32)}.json`);
  const known = await read(place);
  if (known && JSON.stringify(known.state) === JSON.stringify(state)) return known.sha256;
  const sha256 = await compute();
  const now = await stat(path, { bigint: true });
  // Changed while it was read: nobody knows which state the hash belongs to.
  if (now.mtimeNs === mtimeNs && now.ctimeNs === ctimeNs) await write(place, { state, sha256 });
  return sha256;
}

interface Kept {
  readonly state: readonly string[];
  readonly sha256: string;
}

async function read(place: string): Promise<Kept | null> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(place, 'utf8'));
  } catch {
    return null; // not there, or damaged: hashed anew
  }
  return isObject(value) && typeof value['sha256'] === 'string' && Array.isArray(value['state'])
    ? (value as unknown as Kept)
    : null;
}

/** A cache that cannot be written costs time, and nothing else. */
async function write(place: string, kept: Kept): Promise<void> {
  const partial = `${place}.${randomUUID()}`;
  try {
    await mkdir(dirname(place), { recursive: true });
    await writeFile(partial, JSON.stringify(kept));
    await rename(partial, place);
  } catch {
    await rm(partial, { force: true }).catch(() => undefined);
  }
}

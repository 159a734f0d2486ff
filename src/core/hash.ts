// Hashes of model files and settings: a result names the very weights that made it.

import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';

import { keptHash } from './hash-memo.js';
import { checkRegularFile } from './regular-file.js';

/** SHA-256 of files by their name. */
export type FileHashes = Readonly<Record<string, string>>;

/** The SHA-256 of a file, in hexadecimal; read in pieces, between which everything else goes on. A large file's is kept. */
export async function fileHash(path: string): Promise<string> {
  checkRegularFile(path);
  return keptHash(path, async () => {
    const hash = createHash('sha256');
    await pipeline(createReadStream(path), hash);
    return hash.digest('hex');
  });
}

/**
 * The files of an opened checkpoint: its own; where that is an index, each shard that it names as well, or those with tensors whose
 * names begin as one of `tensors` does.
 */
export async function checkpointFiles(file: string, tensors: readonly string[] = ['']): Promise<string[]> {
  if (!file.endsWith('.index.json')) return [file];
  // It was read and checked when the checkpoint was opened.
  const { weight_map: map = {} } = JSON.parse(await readFile(file, 'utf8')) as {
    readonly weight_map?: Readonly<Record<string, string>>;
  };
  const needed = Object.entries(map).filter(([tensor]) => tensors.some((start) => tensor.startsWith(start)));
  const shards = [...new Set(needed.map(([, shard]) => shard))].sort();
  return [file, ...shards.map((shard) => join(dirname(file), basename(shard)))];
}

/**
 * The hashes of an opened checkpoint: of its file under `name`; where that is an index, of each shard that it names as well,
 * as name/shard: all, or those with tensors whose names begin as one of `tensors` does. What else lies in the folder does not count.
 */
export async function checkpointHashes(
  name: string,
  file: string,
  tensors?: readonly string[],
): Promise<FileHashes> {
  const [first, ...shards] = await checkpointFiles(file, tensors);
  const hashes: Record<string, string> = { [name]: await fileHash(first ?? file) };
  for (const shard of shards) hashes[`${name}/${basename(shard)}`] = await fileHash(shard);
  return hashes;
}

/** The hashes of those of some files that are there, by the names that they are given. */
export async function presentHashes(files: Readonly<Record<string, string>>): Promise<FileHashes> {
  const hashes: Record<string, string> = {};
  for (const [name, file] of Object.entries(files)) {
    if (existsSync(file)) hashes[name] = await fileHash(file);
  }
  return hashes;
}

/** The SHA-256 of a text in UTF-8, in hexadecimal. */
export function textHash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

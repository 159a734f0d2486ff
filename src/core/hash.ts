// Hashes of model files and settings: a result names the very weights that made it.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** SHA-256 of files by their name. */
export type FileHashes = Readonly<Record<string, string>>;

/** The SHA-256 of a file, or of all files of a folder in the order of their names, in hexadecimal. */
export async function fileHash(path: string): Promise<string> {
  const hash = createHash('sha256');
  for (const file of await filesOf(path)) await pipeline(createReadStream(file), hash, { end: false });
  return hash.digest('hex');
}

/** The SHA-256 of a text in UTF-8, in hexadecimal. */
export function textHash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

async function filesOf(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const names = await readdir(path);
  return names.sort().map((name) => join(path, name));
}

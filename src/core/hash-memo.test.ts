import { appendFileSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

import { cacheFolder } from './cache-folder.js';
import { keptHash } from './hash-memo.js';

let folder: string;
let file: string;
let computed: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'varsearch-test-'));
  file = join(folder, 'file');
  writeFileSync(file, 'content');
  computed = 0;
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const hash = (options: { folder?: string | null; from?: number } = {}): Promise<string> =>
  keptHash(file, () => Promise.resolve(`hash ${++computed}`), { folder, from: 0, ...options });

it('is computed once for an unchanged file', async () => {
  expect([await hash(), await hash()]).toEqual(['hash 1', 'hash 1']);
});

it('is computed again when the file changes, though size and time are as before', async () => {
  utimesSync(file, new Date(), new Date(1e12));
  expect(await hash()).toBe('hash 1');
  writeFileSync(file, 'CONTENT');
  utimesSync(file, new Date(), new Date(1e12));
  expect(await hash()).toBe('hash 2');
});

it('is not kept of a file that changes while it is read, of a small one, and where nothing is kept', async () => {
  const changing = (): Promise<string> => {
    appendFileSync(file, 'more');
    return Promise.resolve('mixed');
  };
  await keptHash(file, changing, { folder, from: 0 });
  await hash({ from: 1000 });
  await hash({ folder: null });
  expect(readdirSync(folder)).toEqual(['file']);
});

it('does without a folder that cannot be written, and without a damaged entry', async () => {
  expect(await hash({ folder: file })).toBe('hash 1');
  expect(await hash()).toBe('hash 2');
  const hashes = join(folder, 'hashes');
  writeFileSync(join(hashes, readdirSync(hashes)[0] ?? ''), '{');
  expect(await hash()).toBe('hash 3');
});

it.each([
  [{ VARSEARCH_CACHE: '/c' }, '/c'],
  [{ VARSEARCH_CACHE: 'off', XDG_CACHE_HOME: '/x' }, null],
  [{ XDG_CACHE_HOME: '/x' }, join('/x', 'varsearch')],
  [{ XDG_CACHE_HOME: 'relative' }, expect.stringMatching(/\.cache.varsearch$/)],
  [{}, expect.stringMatching(/\.cache.varsearch$/)],
])('the folder with %j is %s', (env, expected) => {
  expect(cacheFolder(env)).toEqual(expected);
});

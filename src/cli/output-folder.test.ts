import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { chooseFolder, folderName, openFolder } from './output-folder.js';

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'varsearch-folder-'));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

describe('an output folder', () => {
  it('is made with its parents, replaces files in one step, and leaves nothing else behind', () => {
    const folder = openFolder(join(base, 'a', 'b'));
    folder.write({ 'x.txt': 'old', 'below/y.txt': Uint8Array.of(65) });
    folder.write({ 'x.txt': 'new' });
    expect(readdirSync(folder.path).sort()).toEqual(['below', 'x.txt']);
    expect(readdirSync(join(folder.path, 'below'))).toEqual(['y.txt']);
    expect(readFileSync(join(folder.path, 'x.txt'), 'utf8')).toBe('new');
  });

  it('never changes a file in place: who has the old one keeps it whole', () => {
    const folder = openFolder(base);
    folder.write({ 'x.txt': 'old and longer' });
    linkSync(join(base, 'x.txt'), join(base, 'held'));
    folder.write({ 'x.txt': 'new' });
    expect(readFileSync(join(base, 'held'), 'utf8')).toBe('old and longer');
    expect(readFileSync(join(base, 'x.txt'), 'utf8')).toBe('new');
  });

  it('goes away again with what was made for it, if it stayed empty', () => {
    mkdirSync(join(base, 'mine'));
    openFolder(join(base, 'mine', 'a', 'b')).discard();
    expect(readdirSync(base)).toEqual(['mine']);
    expect(readdirSync(join(base, 'mine'))).toEqual([]);
    const kept = openFolder(join(base, 'kept'));
    kept.write({ 'x.txt': '' });
    kept.discard();
    expect(existsSync(join(base, 'kept', 'x.txt'))).toBe(true);
    openFolder(join(base, 'mine')).discard();
    expect(existsSync(join(base, 'mine'))).toBe(true);
  });

  it('is refused when it is a file, or below one, or no name at all', () => {
    writeFileSync(join(base, 'file'), '');
    expect(() => openFolder(join(base, 'file'))).toThrow(
      /cannot write to the output folder .*file: it is a file; choose/,
    );
    expect(() => openFolder(join(base, 'file', 'a'))).toThrow(/a part of the path is a file/);
    expect(() => openFolder(join(base, 'x'.repeat(300)))).toThrow(/the name is too long/);
  });

  it('leaves the old file whole when the new one cannot take its place', () => {
    const folder = openFolder(base);
    mkdirSync(join(base, 'x.txt', 'full'), { recursive: true });
    expect(() => folder.write({ 'x.txt': 'new' })).toThrow(/cannot write/);
    expect(readdirSync(base)).toEqual(['x.txt']);
  });

  it('has a name of its own below ./out', () => {
    const paths = [1, 2, 3].map(() => chooseFolder(base, undefined, 'stars').path);
    expect(paths).toEqual(['stars', 'stars-2', 'stars-3'].map((name) => join(base, 'out', name)));
    expect(chooseFolder(base, 'named', 'stars').path).toBe(join(base, 'named'));
  });
});

describe('folderName', () => {
  it.each([
    ['Three red stars!', 'three-red-stars-beam'],
    ['../../etc/passwd', 'etc-passwd-beam'],
    ['\u661f', 'picture-beam'],
    ['x'.repeat(100), `${'x'.repeat(60)}-beam`],
    [`${'x'.repeat(59)} y`, `${'x'.repeat(59)}-beam`],
  ])('%s', (prompt, expected) => {
    expect(folderName(prompt, 'beam')).toBe(expected);
  });
});

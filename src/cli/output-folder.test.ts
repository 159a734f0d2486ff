import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
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

  it('never has a result beside the picture of another run, wherever a run is killed', () => {
    const folder = openFolder(base);
    const set = (run: string): Record<string, string> =>
      Object.fromEntries(['picture.png', 'result.json', 'index.html'].map((name) => [name, run]));
    // A page that cannot be replaced ends the writing in the middle, as a kill would.
    folder.write({ ...set('old'), 'index.html': '' });
    rmSync(join(base, 'index.html'));
    mkdirSync(join(base, 'index.html', 'full'), { recursive: true });
    expect(() => folder.write(set('new'))).toThrow(/cannot write/);
    expect(readdirSync(base).sort()).toEqual(['index.html', 'picture.png']);
    // A part of a comparison that changes makes the comparison invalid.
    const other = openFolder(join(base, 'compared'));
    other.write({ 'result.json': 'old', 'beam/result.json': 'old', 'beam/picture.png': 'old' });
    other.write({ 'beam/result.json': 'new', 'beam/picture.png': 'new' });
    expect(readdirSync(other.path)).toEqual(['beam']);
    expect(readdirSync(join(other.path, 'beam')).sort()).toEqual(['picture.png', 'result.json']);
  });

  it('takes away what a dead process left, and nothing of a living one', () => {
    openFolder(base);
    const host = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
    const { pid: dead } = spawnSync(process.execPath, ['-e', '']);
    const named = (pid: number): string => `.varsearch-${host}-${pid}-${'a'.repeat(32)}.tmp`;
    const others = [named(process.pid), named(dead).replace(host, '0'.repeat(8)), 'mine.tmp'];
    for (const name of [named(dead), ...others]) writeFileSync(join(base, name), '');
    openFolder(base);
    expect(readdirSync(base).sort()).toEqual(others.sort());
  });

  it('follows no link that somebody has put in its way', () => {
    const elsewhere = join(base, 'elsewhere');
    mkdirSync(elsewhere);
    writeFileSync(join(elsewhere, 'x.txt'), 'theirs');
    const folder = openFolder(join(base, 'mine'));
    symlinkSync(join(elsewhere, 'x.txt'), join(folder.path, 'x.txt'));
    symlinkSync(elsewhere, join(folder.path, 'beam'));
    folder.write({ 'x.txt': 'ours' });
    expect(readFileSync(join(elsewhere, 'x.txt'), 'utf8')).toBe('theirs');
    expect(() => folder.write({ 'beam/y.txt': 'ours' })).toThrow(/beam is a link, which is not followed/);
    expect(readdirSync(elsewhere)).toEqual(['x.txt']);
    expect(readdirSync(folder.path).sort()).toEqual(['beam', 'x.txt']);
  });

  it('is never shared by runs that begin at once', async () => {
    const script = join(base, 'race.ts');
    const source = new URL('output-folder.ts', import.meta.url).pathname;
    writeFileSync(
      script,
      `import { chooseFolder } from ${JSON.stringify(source)};
       while (Date.now() < Number(process.argv[2]));
       for (let i = 0; i < 20; i++) console.log(chooseFolder(${JSON.stringify(base)}, undefined, 'stars').path);`,
    );
    const at = String(Date.now() + 3000);
    const tsx = new URL('../../node_modules/tsx/dist/cli.mjs', import.meta.url).pathname;
    const runs = Array.from({ length: 3 }, () => promisify(execFile)(process.execPath, [tsx, script, at]));
    const paths = (await Promise.all(runs)).flatMap(({ stdout }) => stdout.trim().split('\n'));
    expect(new Set(paths).size).toBe(60);
  }, 60_000);

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

import { execFile, spawn, spawnSync } from 'node:child_process';
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

/** What lies in a folder besides the lock of whoever writes to it. */
const listed = (path: string): string[] =>
  readdirSync(path)
    .filter((name) => name !== '.varsearch.lock')
    .sort();

describe('an output folder', () => {
  it('is made with its parents, replaces files in one step, and leaves nothing else behind', () => {
    const folder = openFolder(join(base, 'a', 'b'));
    folder.write({ 'x.txt': 'old', 'below/y.txt': Uint8Array.of(65) });
    folder.write({ 'x.txt': 'new' });
    expect(listed(folder.path)).toEqual(['below', 'x.txt']);
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
    expect(listed(base)).toEqual(['x.txt']);
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
    expect(listed(base)).toEqual(['index.html', 'picture.png']);
    // A part of a comparison that changes makes the comparison invalid.
    const other = openFolder(join(base, 'compared'));
    other.write({ 'result.json': 'old', 'beam/result.json': 'old', 'beam/picture.png': 'old' });
    other.write({ 'beam/result.json': 'new', 'beam/picture.png': 'new' });
    expect(listed(other.path)).toEqual(['beam']);
    expect(readdirSync(join(other.path, 'beam')).sort()).toEqual(['picture.png', 'result.json']);
  });

  it('takes away what a dead process left, and nothing of a living one', () => {
    openFolder(base).close();
    const host = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
    const { pid: dead } = spawnSync(process.execPath, ['-e', '']);
    const named = (pid: number): string => `.varsearch-${host}-${pid}-${'a'.repeat(32)}.tmp`;
    const others = [named(process.pid), named(dead).replace(host, '0'.repeat(8)), 'mine.tmp'];
    for (const name of [named(dead), ...others]) writeFileSync(join(base, name), '');
    openFolder(base).close();
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
    expect(listed(folder.path)).toEqual(['beam', 'x.txt']);
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

  it("is one run's at a time, and of nobody who is no more", () => {
    const first = openFolder(base);
    const busy = /^another run is writing to .* \(by process \d+\): choose another folder with --out/;
    expect(() => openFolder(base)).toThrow(busy);
    // Nothing is left of the one that was refused, and the first goes on.
    expect(readdirSync(base)).toEqual(['.varsearch.lock']);
    first.write({ 'x.txt': 'first' });
    first.close();
    first.close();
    expect(readdirSync(base)).toEqual(['x.txt']);
    const host = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
    const { pid: dead } = spawnSync(process.execPath, ['-e', '']);
    const lockOf = (owner: string): void => {
      rmSync(join(base, '.varsearch.lock'), { recursive: true, force: true });
      mkdirSync(join(base, '.varsearch.lock'));
      writeFileSync(join(base, '.varsearch.lock', owner), '');
    };
    // One that was killed, and one that had the number that is ours now.
    for (const pid of [dead, process.pid]) {
      lockOf(`${host}-${pid}-${'a'.repeat(32)}`);
      openFolder(base).close();
      expect(readdirSync(base)).toEqual(['x.txt']);
    }
    lockOf(`${'0'.repeat(8)}-${dead}-${'a'.repeat(32)}`);
    expect(() => openFolder(base)).toThrow(/from another machine.*delete .*\.varsearch\.lock/);
    lockOf(`${host}-${process.ppid}-${'a'.repeat(32)}`);
    expect(() => openFolder(base)).toThrow(busy);
  });

  it("goes to one of those who ask at once, a dead one's too", async () => {
    const script = join(base, 'race.ts');
    const source = new URL('output-folder.ts', import.meta.url).pathname;
    writeFileSync(
      script,
      `import { openFolder } from ${JSON.stringify(source)};
       import { mkdirSync } from 'node:fs';
       const at = Number(process.argv[2]);
       for (let i = 0; i < 30; i++) {
         while (Date.now() < at + 40 * i);
         const path = ${JSON.stringify(base)} + '/' + i;
         try { openFolder(path); console.log(i); } catch (error) {
           if (!/another run is writing/.test(String(error))) console.log('fault', String(error));
         }
       }
       console.log('through');
       process.stdin.resume();`,
    );
    const { pid: dead } = spawnSync(process.execPath, ['-e', '']);
    const host = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
    for (let i = 0; i < 30; i += 2) {
      mkdirSync(join(base, String(i), '.varsearch.lock'), { recursive: true });
      writeFileSync(join(base, String(i), '.varsearch.lock', `${host}-${dead}-${'b'.repeat(32)}`), '');
    }
    const at = String(Date.now() + 3000);
    const runs = Array.from({ length: 3 }, () =>
      spawn(process.execPath, ['--import', import.meta.resolve('tsx'), script, at]),
    );
    // None of them ends before all are through: a lock of one that is no more may be taken.
    const printed = await Promise.all(
      runs.map(async ({ stdout }) => {
        let text = '';
        for await (const part of stdout.setEncoding('utf8')) {
          text += part as string;
          if (text.includes('through')) break;
        }
        return text;
      }),
    );
    for (const run of runs) run.kill('SIGKILL');
    const winners = printed.flatMap((text) => text.replace('through', '').trim().split('\n').filter(Boolean));
    expect(winners.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, i) => i));
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

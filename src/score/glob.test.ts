import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { expandBraces, expandPattern, isPattern } from './glob.js';

let cwd: string;

beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'varsearch-glob-'));
  for (const name of [
    'a.png',
    'b.png',
    'ab.png',
    'a[1].png',
    'a*.png',
    '\u{1f7e5}.png',
    '.secret.png',
    'one/x.png',
    'one/two/x.png',
    'one/two/three/y.png',
    '.hid/x.png',
    `${'a'.repeat(200)}.txt`,
  ]) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true });
    writeFileSync(join(cwd, name), '');
  }
  symlinkSync(cwd, join(cwd, 'one', 'loop'));
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const found = async (pattern: string): Promise<string[]> => (await expandPattern(pattern, { cwd })).sort();

describe('expandPattern', () => {
  it.each([
    ['?.png', ['a.png', 'b.png', '\u{1f7e5}.png']],
    ['a*.png', ['a*.png', 'a.png', 'a[1].png', 'ab.png']],
    ['[a-b].png', ['a.png', 'b.png']],
    ['[!a].png', ['b.png', '\u{1f7e5}.png']],
    ['[^a-b].png', ['\u{1f7e5}.png']],
    ['a[[]1].png', ['a[1].png']],
    ['a[1.png', []],
    ['a\\*.png', ['a*.png']],
    ['{a,b}.png', ['a.png', 'b.png']],
    ['{a,one/x}.png', ['a.png', 'one/x.png']],
    ['{a,{b,ab}}.png', ['a.png', 'ab.png', 'b.png']],
    ['.*.png', ['.secret.png']],
    ['one/*.png', ['one/x.png']],
    ['*/x.png', ['one/x.png']],
    ['.hid/*', ['.hid/x.png']],
    ['**/x.png', ['one/two/x.png', 'one/x.png']],
    ['one/**/*.png', ['one/two/three/y.png', 'one/two/x.png', 'one/x.png']],
    ['one/two/**', ['one/two/three', 'one/two/three/y.png', 'one/two/x.png']],
    ['./one/../[b].png', ['b.png']],
    ['a.png/*', []],
    ['nowhere/*', []],
    ['b.png', ['b.png']],
  ])('%s', async (pattern, expected) => {
    expect(await found(pattern)).toEqual(expected);
  });

  it('takes absolute patterns', async () => {
    expect(await found(join(cwd, '[ab].png'))).toEqual([join(cwd, 'a.png'), join(cwd, 'b.png')]);
  });

  it('takes no time for patterns with many stars', async () => {
    expect(await found(`${'*a'.repeat(60)}*b`)).toEqual([]);
  });

  it('can be cancelled', async () => {
    await expect(expandPattern('**', { cwd, signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
  });

  it.skipIf(process.getuid?.() === 0)('does not pass over folders that are closed to it', async () => {
    const closed = join(cwd, 'closed');
    mkdirSync(closed, { mode: 0 });
    try {
      await expect(found('**/x.png')).rejects.toThrow(/EACCES/);
    } finally {
      chmodSync(closed, 0o700);
    }
  });
});

describe('expandBraces', () => {
  it.each([
    ['a', ['a']],
    ['{a}', ['{a}']],
    ['{a,', ['{a,']],
    ['{a,b}{c,d}', ['ac', 'ad', 'bc', 'bd']],
    ['x{,y}', ['x', 'xy']],
    ['\\{a,b}', ['\\{a,b}']],
    ['{a}{b,c}', ['{a}b', '{a}c']],
  ])('%s', (pattern, expected) => {
    expect(expandBraces(pattern)).toEqual(expected);
  });

  it('refuses more alternatives than can be meant', () => {
    expect(() => expandBraces('{a,b}'.repeat(40))).toThrow(/more than 1000 alternatives/);
  });
});

describe('isPattern', () => {
  it('knows plain paths', () => {
    expect(['a.png', 'a b/c', 'a*', 'a?', '[a]', '{a,b}'].map(isPattern)).toEqual([
      false,
      false,
      true,
      true,
      true,
      true,
    ]);
  });
});

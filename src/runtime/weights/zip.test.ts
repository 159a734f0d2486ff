import { describe, expect, it } from 'vitest';

import { CheckpointError } from '../../core/errors.js';
import { memoryBytes } from './byte-source.js';
import type { ZipPart, ZipStyle } from './fixtures/zip-builder.js';
import { buildZip } from './fixtures/zip-builder.js';
import { readZipEntries } from './zip.js';

const parts: ZipPart[] = [
  { name: 'm/data.pkl', data: new Uint8Array([1, 2, 3]) },
  { name: 'm/data/0', data: new Uint8Array(100).fill(7) },
  { name: 'm/version', data: new Uint8Array([0x33, 0x0a]) },
];

function list(bytes: Uint8Array): [string, Uint8Array][] {
  return [...readZipEntries(memoryBytes('some.pth', bytes)).values()].map((entry) => [
    entry.name,
    bytes.slice(entry.offset, entry.offset + entry.size),
  ]);
}

describe('readZipEntries', () => {
  const styles: [string, ZipStyle][] = [
    ['a plain archive', {}],
    ["torch's layout", { wideEnd: true, descriptors: true, alignment: 64 }],
    ['zip64 entries', { wideEntries: true, wideEnd: true }],
    ['zip64 entries with descriptors', { wideEntries: true, wideEnd: true, descriptors: true }],
    ['a comment', { comment: 'made by hand' }],
  ];
  it.each(styles)('finds the contents in %s', (_, style) => {
    expect(list(buildZip(parts, style))).toEqual(parts.map(({ name, data }) => [name, data]));
  });

  const [first, second, third] = parts as [ZipPart, ZipPart, ZipPart];
  const bad: [string, ZipPart[], string][] = [
    ['a name twice', [first, second, first], 'twice'],
    ['an entry compressed otherwise', [{ ...first, method: 14 }], 'compressed by method 14'],
    ['a folder with something in it', [{ ...first, name: 'm/' }], 'a folder with 3 bytes'],
    ['a folder without a name', [{ name: '/', data: new Uint8Array(0) }], 'unsafe name'],
    ['an encrypted entry', [{ ...first, flags: 0x801 }], 'encrypted'],
    ['an entry larger than the file', [{ ...first, size: 1e6 }], 'overlaps'],
    ['an entry that reaches into the next', [{ ...first, size: 20 }, second], 'overlaps'],
    ['two entries over the same bytes', [first, { ...second, headerOffset: 0 }], 'overlaps'],
    ['an entry without a local header', [{ ...second, headerOffset: 5 }], 'no local header'],
    ['another name in the local header', [{ ...first, localName: 'm/data.pkx' }, second], 'another name'],
    ['another size in the local header', [{ ...second, size: 99 }], 'another size'],
    ['a path upwards', [{ ...first, name: 'm/../x' }], 'unsafe name'],
    ['an absolute path', [{ ...first, name: '/etc/x' }], 'unsafe name'],
    ['a control character', [{ ...first, name: 'm/\u0000x' }, third], 'unsafe name'],
  ];
  it.each(bad)('refuses %s', (_, entries, fault) => {
    const read = () => list(buildZip(entries));
    expect(read).toThrow(CheckpointError);
    expect(read).toThrow(fault);
  });

  it('passes over folders, and over bytes behind the end', () => {
    const folders = ['m/', 'm/data/'].map((name) => ({ name, data: new Uint8Array(0) }));
    const bytes = buildZip([...folders, ...parts], { comment: 'made by hand' });
    expect(list(new Uint8Array([...bytes, ...Buffer.from('rest')]))).toEqual(
      parts.map(({ name, data }) => [name, data]),
    );
  });

  it('refuses an archive with foreign bytes before it, or too many behind it', () => {
    const bytes = buildZip(parts);
    expect(() => list(new Uint8Array([0, ...bytes]))).toThrow('does not end at');
    expect(() => list(new Uint8Array([...bytes, ...new Uint8Array(70_000)]))).toThrow(
      'no directory at its end',
    );
  });

  it('refuses directory records that lie', () => {
    const wide = buildZip(parts, { wideEnd: true });
    const end64 = wide.length - 22 - 20 - 56;
    const lie = (at: number, value: number): Uint8Array => {
      const out = wide.slice();
      out[at] = value;
      return out;
    };
    expect(() => list(lie(end64 + 32, 200))).toThrow('contradict');
    expect(() => list(lie(end64 + 48, 1))).toThrow(CheckpointError);
    expect(() => list(lie(end64 + 20 + 36 + 8, 9))).toThrow('not where its locator says');
    expect(() => list(lie(wide.length - 22 - 4, 2))).toThrow('several disks');
    const narrow = buildZip(parts);
    narrow[narrow.length - 12] = 2;
    narrow[narrow.length - 14] = 2;
    expect(() => list(narrow)).toThrow('belong to no entry');
    narrow[narrow.length - 11] = 9;
    narrow[narrow.length - 13] = 9;
    expect(() => list(narrow)).toThrow('claims 2306 zip entries');
  });
});

import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { CheckpointError } from '../../core/errors.js';
import { memoryBytes } from './byte-source.js';
import { describeSource, expectedTensors, fixtureBytes, fixturePath } from './fixtures/fixtures.js';
import type { ZipPart, ZipStyle } from './fixtures/zip-builder.js';
import { buildZip, takeApart } from './fixtures/zip-builder.js';
import type { TorchSource } from './torch-zip.js';
import { openTorchZip } from './torch-zip.js';
import { readZipEntries } from './zip.js';

function openParts(parts: readonly ZipPart[], style?: ZipStyle): TorchSource {
  return openTorchZip(memoryBytes('some.pth', buildZip(parts, style)));
}

/** A fixture with some entries replaced, or dropped when the change gives undefined. */
function changed(name: string, change: (part: ZipPart) => ZipPart | undefined): ZipPart[] {
  return takeApart(fixtureBytes(name)).flatMap((part) => change(part) ?? []);
}

describe('openTorchZip', () => {
  it.each(['dtypes.pth', 'views.pth', 'nested.pth', 'protocol4.pth', 'lone.pt'])(
    'reads %s as PyTorch does',
    (name) => {
      const source = openTorchZip(fixturePath(name));
      expect(describeSource(source)).toEqual(expectedTensors(name));
      source.close();
    },
  );

  it('shows what else was saved, and takes no key for more than a key', () => {
    const { tree } = openTorchZip(memoryBytes('x', fixtureBytes('nested.pth')));
    const trainer = (tree as Map<string, unknown>).get('trainer');
    expect(trainer).toEqual(
      new Map<unknown, unknown>([
        ['step', 1200],
        ['lr', 1e-4],
        ['seed', 2n ** 80n],
        ['done', false],
        ['note', 'naïve'],
        ['none', null],
        [7, 'seven'],
      ]),
    );
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('reads a storage when one of its tensors is asked for', () => {
    const bytes = memoryBytes('lazy', fixtureBytes('dtypes.pth'));
    let reads = 0;
    const counted = {
      ...bytes,
      read: (offset: number, length: number) => (reads++, bytes.read(offset, length)),
    };
    const source = openTorchZip(counted);
    const before = reads;
    source.info('F32');
    expect(reads).toBe(before);
    source.read('F32');
    expect(reads).toBe(before + 1);
  });

  it('reads an archive that another tool packed again', () => {
    const parts = takeApart(fixtureBytes('views.pth'));
    for (const style of [{}, { wideEntries: true, wideEnd: true }, { descriptors: true, alignment: 64 }]) {
      expect(describeSource(openParts(parts, style))).toEqual(expectedTensors('views.pth'));
    }
  });

  it('reads deflated entries, and what shares one from one unpacking', () => {
    const parts = takeApart(fixtureBytes('views.pth'));
    for (const style of [
      { deflate: true },
      { deflate: true, descriptors: true },
      { deflate: true, wideEntries: true },
    ]) {
      expect(describeSource(openParts(parts, style))).toEqual(expectedTensors('views.pth'));
    }
    const beside = [{ name: '__MACOSX/._archive', data: new Uint8Array(3) }, ...parts];
    expect(describeSource(openParts(beside, { deflate: true }))).toEqual(expectedTensors('views.pth'));
  });

  it('notices deflated contents that are damaged, or not of the size that is claimed', () => {
    const bytes = buildZip(takeApart(fixtureBytes('views.pth')), { deflate: true });
    const parts = takeApart(fixtureBytes('views.pth')).map((part) =>
      part.name.endsWith('/data/0') ? { ...part, crc: 7 } : part,
    );
    expect(() => openParts(parts, { deflate: true }).read('base')).toThrow('does not match its checksum');
    const [, storage] = [...readZipEntries(memoryBytes('x', bytes)).values()];
    bytes.fill(0xff, storage?.offset, (storage?.offset ?? 0) + 4);
    expect(() => openTorchZip(memoryBytes('bad.pth', bytes)).read('base')).toThrow(
      /bad\.pth: is damaged: '\w+\/data\/0' cannot be unpacked/,
    );
  });

  it('refuses a malicious pickle by name, and runs nothing', () => {
    const open = () => openTorchZip(fixturePath('malicious.pth'));
    expect(open).toThrow(CheckpointError);
    expect(open).toThrow("'posix.system', which is refused");
    expect(existsSync('/tmp/varsearch-was-here')).toBe(false);
  });

  it('says how to convert a TorchScript program', () => {
    const stored = [
      ...takeApart(fixtureBytes('lone.pt')),
      { name: 'lone/constants.pkl', data: new Uint8Array(1) },
    ];
    expect(() => openParts(stored)).toThrow('torch.jit.load(file).state_dict()');
    expect(() => openTorchZip(fixturePath('torchscript.pt'))).toThrow('torch.jit.load(file).state_dict()');
  });

  it('notices damaged contents by their checksum', () => {
    const bytes = fixtureBytes('views.pth');
    const data = Buffer.from(new Float32Array([5, 6, 7]).buffer);
    const at = Buffer.from(bytes).indexOf(data);
    bytes[at + 2]!++;
    const source = openTorchZip(memoryBytes('damaged.pth', bytes));
    for (const name of ['base', 'row', 'transposed']) {
      expect(() => source.read(name)).toThrow(
        /damaged\.pth: is damaged: '\w+\/data\/0' does not match its checksum/,
      );
    }
    expect(source.readBigIntegers('wide_transposed')).toHaveLength(12);
  });

  it('does without a checksum where the writer made none', () => {
    const parts = changed('dtypes.pth', (part) => ({ ...part, crc: 0 }));
    expect(describeSource(openParts(parts))).toEqual(expectedTensors('dtypes.pth'));
  });

  it('refuses storages that are missing or of another size', () => {
    const without = changed('dtypes.pth', (part) => (part.name.endsWith('/data/1') ? undefined : part));
    expect(() => openParts(without)).toThrow("tensor 'F32' lacks its storage '1'");
    const short = changed('dtypes.pth', (part) =>
      part.name.endsWith('/data/1') ? { ...part, data: part.data.slice(0, 20) } : part,
    );
    expect(() => openParts(short)).toThrow('storage of 20 bytes where 6 elements of F32');
  });

  it('refuses an expanded view of absurd size', () => {
    // expanded: shape (3, 2), strides (0, 1); make it (0x7fffff00, 2)
    const parts = changed('views.pth', (part) => {
      if (!part.name.endsWith('data.pkl')) return part;
      const text = Buffer.from(part.data).toString('latin1');
      const at = text.indexOf('expanded');
      const edited = text.slice(0, at) + text.slice(at).replace('K\x03K\x02', 'J\0\xff\xff\x7fK\x02');
      expect(edited).not.toBe(text);
      return { ...part, data: new Uint8Array(Buffer.from(edited, 'latin1')) };
    });
    expect(() => openParts(parts)).toThrow("tensor 'expanded' has the absurd shape [2147483392, 2]");
  });

  it('refuses big-endian files and takes little-endian ones', () => {
    const order = (text: string): ZipPart[] => [
      ...takeApart(fixtureBytes('lone.pt')),
      { name: 'lone/byteorder', data: new TextEncoder().encode(text) },
    ];
    expect([...openParts(order('little')).read('tensor')]).toEqual([1.5, -2]);
    expect(() => openParts(order('big'))).toThrow("byte order 'big'");
  });

  it('refuses other zip archives', () => {
    const data = new Uint8Array(3);
    expect(() => openParts([{ name: 'readme.txt', data }])).toThrow('not one that torch.save wrote');
    expect(() =>
      openParts([
        { name: 'a/data.pkl', data },
        { name: 'b/data.pkl', data },
      ]),
    ).toThrow('torch.save');
    expect(() => openParts([])).toThrow('torch.save');
  });
});

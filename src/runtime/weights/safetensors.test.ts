import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CheckpointError } from '../../core/errors.js';
import { memoryBytes } from './byte-source.js';
import { describeSource, expectedTensors, fixtureBytes, fixturePath } from './fixtures/fixtures.js';
import { openSafetensors } from './safetensors.js';
import { encodeSafetensors, writeSafetensors } from './safetensors-writer.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'varsearch-safetensors-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** A file of a given header text and so many bytes of data. */
function file(header: string, dataBytes = 0): Uint8Array {
  const text = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return new Uint8Array(Buffer.concat([length, text, Buffer.alloc(dataBytes)]));
}

const entry = (dtype: string, shape: string, offsets: string): string =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`;

describe('openSafetensors', () => {
  it('reads what PyTorch wrote, in every dtype', () => {
    const source = openSafetensors(fixturePath('dtypes.safetensors'));
    expect(describeSource(source)).toEqual(expectedTensors('dtypes.safetensors'));
    expect(source.metadata.get('note')).toBe('made by make-fixtures.py');
    source.close();
  });

  it('reads bytes only when they are asked for, and never after closing', () => {
    const bytes = memoryBytes('lazy', fixtureBytes('dtypes.safetensors'));
    const reads: number[] = [];
    const counted = {
      ...bytes,
      read: (offset: number, length: number) => (reads.push(length), bytes.read(offset, length)),
    };
    const source = openSafetensors(counted);
    expect(reads).toHaveLength(2); // the header's size and the header
    source.read('F16');
    expect(reads.slice(2)).toEqual([12]);
    source.close();
    source.close();
    expect(() => source.read('F16')).toThrow(CheckpointError);
  });

  it('names an unknown tensor and the file', () => {
    const source = openSafetensors(memoryBytes('some.safetensors', fixtureBytes('dtypes.safetensors')));
    expect(() => source.info('absent')).toThrow("some.safetensors: has no tensor 'absent'");
    expect(() => source.read('I64')).toThrow("'I64' holds I64, not floating point");
    expect(source.has('toString')).toBe(false);
  });

  it('gives arrays that the caller may change', () => {
    const source = openSafetensors(memoryBytes('x', fixtureBytes('dtypes.safetensors')));
    source.read('F32').fill(0);
    source.readRaw('F32').fill(0);
    expect(source.read('F32')[1]).toBe(-2.5);
  });

  it.each([
    ['an empty file', new Uint8Array(0), '0 bytes'],
    ['a header larger than the file', new Uint8Array([255, 0, 0, 0, 0, 0, 0, 0, 123]), 'truncated'],
    [
      'a header of absurd size',
      new Uint8Array([255, 255, 255, 255, 255, 255, 255, 127]),
      'at most 16777216 are read',
    ],
    ['no JSON', file('{"a":'), 'not valid JSON'],
    ['no UTF-8', file('{"a\u00ff":1}').map((byte) => (byte === 0xc3 ? 0xff : byte)), 'not valid UTF-8'],
    ['an array', file('[]'), 'not an object'],
    ['deep nesting', file('['.repeat(1e5)), 'nested deeper'],
    ['an entry that is a number', file('{"a":1}'), "tensor 'a' has no description"],
    ['a missing field', file('{"a":{"dtype":"F32","shape":[]}}'), 'data_offsets'],
    [
      'an unknown field',
      file('{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4],"x":1}}', 4),
      "unknown field 'x'",
    ],
    ['an unknown dtype', file(`{"a":${entry('F9', '[1]', '[0,1]')}}`, 1), "'F9'"],
    ['a negative size', file(`{"a":${entry('U8', '[-1]', '[0,1]')}}`, 1), 'no list of sizes'],
    ['a fraction', file(`{"a":${entry('U8', '[0.5]', '[0,1]')}}`, 1), 'no list of sizes'],
    ['an absurd shape', file(`{"a":${entry('U8', '[1e9,1e9,1e9]', '[0,1]')}}`, 1), 'absurd shape'],
    ['an absurd shape made empty', file(`{"a":${entry('U8', '[1e9,1e9,0]', '[0,0]')}}`), 'absurd shape'],
    ['offsets that do not fit the shape', file(`{"a":${entry('F32', '[2]', '[0,4]')}}`, 4), 'needs 8 bytes'],
    ['offsets in reverse', file(`{"a":${entry('U8', '[4]', '[4,0]')}}`, 4), 'give -4'],
    ['offsets out of range', file(`{"a":${entry('U8', '[8]', '[0,8]')}}`, 4), 'truncated or its header lies'],
    [
      'an overlap',
      file(`{"a":${entry('U8', '[4]', '[0,4]')},"b":${entry('U8', '[4]', '[2,6]')}}`, 6),
      'overlaps',
    ],
    ['a hole', file(`{"a":${entry('U8', '[4]', '[1,5]')}}`, 5), 'hole'],
    ['bytes left over', file(`{"a":${entry('U8', '[4]', '[0,4]')}}`, 5), 'belong to no tensor'],
    [
      'a name twice',
      file(`{"a":${entry('U8', '[4]', '[0,4]')},"\\u0061" : ${entry('U8', '[2,2]', '[0,4]')}}`, 4),
      "'a' twice",
    ],
    ['metadata that is no text', file('{"__metadata__":{"a":1}}'), "'a' is not a string"],
  ])('refuses %s', (_, bytes, fault) => {
    const open = () => openSafetensors(memoryBytes('bad.safetensors', bytes));
    expect(open).toThrow(CheckpointError);
    expect(open).toThrow(fault);
    expect(open).toThrow('bad.safetensors: ');
  });

  it('takes null for no metadata, as the official reader does', () => {
    const header = `{"__metadata__":null,"a":${entry('U8', '[1]', '[0,1]')}}`;
    const source = openSafetensors(memoryBytes('x', file(header, 1)));
    expect([source.metadata.size, ...source.readIntegers('a')]).toEqual([0, 0]);
  });

  it.each([
    ['C64', '[2]', '[1,17]'],
    ['U16', '[3]', '[1,7]'],
    ['U64', '[1]', '[1,9]'],
    ['F4', '[2,2]', '[1,3]'],
    ['F8_E8M0', '[5]', '[1,6]'],
  ])('knows a tensor of %s, which fails only when it is asked for', (dtype, shape, offsets) => {
    const header = `{"a":${entry('U8', '[1]', '[0,1]')},"odd":${entry(dtype, shape, offsets)}}`;
    const end = Number(/,(\d+)\]/.exec(offsets)?.[1]);
    const source = openSafetensors(memoryBytes('x.safetensors', file(header, end)));
    expect(source.names).toEqual(['a', 'odd']);
    expect([...source.readIntegers('a')]).toEqual([0]);
    expect(source.info('odd').byteLength).toBe(end - 1);
    for (const read of ['read', 'readRaw', 'readIntegers', 'readBigIntegers'] as const) {
      expect(() => source[read]('odd')).toThrow(
        `x.safetensors: 'odd' is of type ${dtype}, which is not read`,
      );
    }
  });

  it('refuses elements that fill no whole bytes', () => {
    expect(() => openSafetensors(memoryBytes('x', file(`{"a":${entry('F4', '[3]', '[0,1]')}}`, 1)))).toThrow(
      'absurd shape',
    );
  });

  it('takes names that are special to JavaScript as names', () => {
    const source = openSafetensors(memoryBytes('x', file(`{"__proto__":${entry('U8', '[1]', '[0,1]')}}`, 1)));
    expect(source.names).toEqual(['__proto__']);
    expect([...source.readIntegers('__proto__')]).toEqual([0]);
  });
});

describe('writeSafetensors', () => {
  const tensors = {
    small: { dtype: 'U8', shape: [3], data: new Uint8Array([1, 2, 3]) },
    half: { dtype: 'F16', shape: [2], data: new Uint16Array([0x3c00, 0xc000]) },
    weight: { dtype: 'F32', shape: [2, 2], data: new Float32Array([1, -2, 3.5, 0]) },
    count: { dtype: 'I64', shape: [], data: new BigInt64Array([2n ** 60n]) },
    none: { dtype: 'F32', shape: [0, 4], data: new Float32Array(0) },
  } as const;

  it('writes what the reader reads, every tensor aligned to its type', () => {
    const path = join(folder, 'out.safetensors');
    writeSafetensors(path, tensors, { recipe: '{"seed":7}' });
    const source = openSafetensors(path);
    expect([...source.names].sort()).toEqual(Object.keys(tensors).sort());
    expect([...source.read('weight')]).toEqual([1, -2, 3.5, 0]);
    expect([...source.read('half')]).toEqual([1, -2]);
    expect([...source.readBigIntegers('count')]).toEqual([2n ** 60n]);
    expect(source.info('none')).toEqual({ dtype: 'F32', shape: [0, 4], byteLength: 0 });
    expect(source.metadata.get('recipe')).toBe('{"seed":7}');
    source.close();
    const bytes = readFileSync(path);
    expect(Number(bytes.readBigUInt64LE(0)) % 8).toBe(0);
    expect(new Uint8Array(bytes)).toEqual(
      encodeSafetensors(new Map(Object.entries(tensors)), { recipe: '{"seed":7}' }),
    );
    expect(readdirSync(folder)).toEqual(['out.safetensors']);
  });

  it('refuses data that does not fit its shape, and leaves no file behind', () => {
    const path = join(folder, 'wrong.safetensors');
    const wrong = { a: { dtype: 'F32', shape: [3], data: new Float32Array(2) } } as const;
    expect(() => {
      writeSafetensors(path, wrong);
    }).toThrow("cannot write 'a': F32 [3] does not fit 8 bytes");
    expect(readdirSync(folder)).not.toContain('wrong.safetensors');
  });

  it('says that a folder is missing', () => {
    const path = join(folder, 'absent', 'a.safetensors');
    expect(() => {
      writeSafetensors(path, {});
    }).toThrow(`${path}: does not exist`);
  });

  it('replaces an older file as a whole', () => {
    const path = join(folder, 'again.safetensors');
    writeFileSync(path, 'old');
    writeSafetensors(path, { a: { dtype: 'U8', shape: [1], data: new Uint8Array([9]) } });
    const source = openSafetensors(path);
    expect([...source.readRaw('a')]).toEqual([9]);
    source.close();
  });
});

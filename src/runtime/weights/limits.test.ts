// Small files that ask for much: each is refused, or read, in little time and memory.

import { describe, expect, it } from 'vitest';

import { bounded } from '../../../test/fixtures/bounded.js';
import { CheckpointError } from '../../core/errors.js';
import { buildDecoder } from '../../models/vae/graph.js';
import { memoryBytes } from './byte-source.js';
import { buildZip, type ZipPart, type ZipStyle } from './fixtures/zip-builder.js';
import { LIMITS } from './limits.js';
import { openSafetensors } from './safetensors.js';
import type { TensorSource } from './tensor-source.js';
import { openTorchZip } from './torch-zip.js';

/** Measured on an idle machine: a second and 100 MB at most. */
const BOUNDS = { seconds: 10, megabytes: 500 };

const latin = (text: string): Buffer => Buffer.from(text, 'latin1');
const word = (value: number): string => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes.toString('latin1');
};
const text = (value: string): string => `X${word(value.length)}${value}`;
/** A tensor over the one storage of some floats; `strides` of 0 expand it. */
const tensor = (floats: number, size: number, stride: number): string =>
  `ctorch._utils\n_rebuild_tensor_v2\n((${text('storage')}ctorch\nFloatStorage\n${text('0')}${text('cpu')}J${word(floats)}tQ` +
  `K\0J${word(size)}\x85J${word(stride)}\x85\x89NtR`;

function openPickle(pickle: string, style: ZipStyle = {}, floats = 1): TensorSource {
  const parts: ZipPart[] = [
    { name: 'a/data.pkl', data: latin(`\x80\x02${pickle}.`) },
    { name: 'a/data/0', data: new Uint8Array(4 * floats) },
  ];
  return openTorchZip(memoryBytes('bomb.pth', buildZip(parts, style)));
}

function openHeader(header: string): TensorSource {
  const body = latin(header);
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(body.length));
  return openSafetensors(memoryBytes('bomb.safetensors', new Uint8Array(Buffer.concat([size, body]))));
}

const many = (count: number, make: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => make(i)).join('');
/** LONG_BINPUT of so many slots. */
function memo(count: number): string {
  const bytes = Buffer.alloc(5 * count, 'r');
  for (let i = 0; i < count; i++) bytes.writeUInt32LE(i, 5 * i + 1);
  return bytes.toString('latin1');
}

/** An archive whose records tell of so many entries. */
function claimedEntries(count: number): Uint8Array {
  const bytes = Buffer.from(buildZip([], { wideEnd: true }));
  const record = bytes.indexOf('PK\x06\x06', 0, 'latin1');
  for (const at of [24, 32]) bytes.writeBigUInt64LE(BigInt(count), record + at);
  return new Uint8Array(bytes);
}

/** Lists that hold the one before ten or more times each. */
const nested = (inner: string, levels: number, times: number): string =>
  `(${inner}q\0${many(levels, (i) => `](${`h${String.fromCharCode(i)}`.repeat(times)}eq${String.fromCharCode(i + 1)}`)}t`;

describe('a small file that asks for much', { timeout: 300_000 }, () => {
  const bombs: readonly (readonly [string, string, () => unknown])[] = [
    [
      'views that are sane one by one',
      'tensors of 6710886400 bytes in all over storages of 4',
      () => openPickle(`}(${many(100, (i) => text(`n${i}`) + tensor(1, 2 ** 24, 0))}u`),
    ],
    [
      'a million names of one tensor',
      `more than ${LIMITS.tensors} tensors`,
      () => openPickle(nested(tensor(1, 1, 1), 6, 10)),
    ],
    [
      'one long list again and again',
      'unfolds into too many values',
      () => openPickle(nested(`](${'N'.repeat(400_000)}e`, 4, 100)),
    ],
    [
      'long names',
      'a name of more than',
      () => openPickle(`}${text('a'.repeat(LIMITS.nameLength + 1))}${tensor(1, 1, 1)}s`),
    ],
    ['a stack without end', 'too large', () => openPickle(`(${']'.repeat(2_000_000)}t`)],
    ['a memo without end', 'too large', () => openPickle(`N${memo(1_100_000)}`)],
    [
      'a pickle of absurd size',
      `at most ${LIMITS.pickleBytes} are read`,
      () => openPickle('N'.repeat(LIMITS.pickleBytes), { deflate: true }),
    ],
    [
      'an archive of a hundred thousand entries',
      'claims 100000 zip entries',
      () => openTorchZip(memoryBytes('bomb.pth', claimedEntries(100_000))),
    ],
    [
      'compressed zeros',
      'compressed entries of ',
      () => openPickle(`}${text('n')}${tensor(2 ** 26, 2 ** 26, 1)}s`, { deflate: true }, 2 ** 26),
    ],
    [
      'a header of absurd size',
      `at most ${LIMITS.headerBytes} are read`,
      () => openHeader(' '.repeat(LIMITS.headerBytes + 1)),
    ],
    [
      'a header of empty lists',
      'more than 1000000 values',
      () => openHeader(`{"a":[${'[],'.repeat(5_000_000)}[]]}`),
    ],
    [
      'a header of too many tensors',
      `more than ${LIMITS.tensors} tensors`,
      () =>
        openHeader(
          `{${many(LIMITS.tensors + 1, (i) => `${i ? ',' : ''}"${i}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`)}}`,
        ),
    ],
  ];
  it.each(bombs)('is refused: %s', (_, fault, open) => {
    const error = bounded(BOUNDS, () => {
      try {
        return open();
      } catch (thrown) {
        return thrown;
      }
    });
    expect(error).toBeInstanceOf(CheckpointError);
    expect((error as Error).message).toContain(fault);
  });

  it('is read as far as it goes: as many tensors as there may be, and questions to all of them', () => {
    bounded(BOUNDS, () => {
      const names = Array.from({ length: LIMITS.tensors }, (_, i) => `decoder.up.${i}.x.${'y'.repeat(40)}`);
      const source = openHeader(
        `{${names.map((name) => `"${name}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`).join(',')}}`,
      );
      expect(source.names).toHaveLength(LIMITS.tensors);
      expect(() => buildDecoder(source)).toThrow("has no 'decoder.conv_in'");
    });
  });

  it('is not unpacked again and again', () => {
    // Two storages, read in turn: each time the other one has to be unpacked.
    const one = tensor(2 ** 24, 1, 1);
    const two = one.replaceAll(text('0'), text('1'));
    const parts = ['0', '1'].map((key) => ({ name: `a/data/${key}`, data: new Uint8Array(2 ** 26) }));
    const pickle = { name: 'a/data.pkl', data: latin(`\x80\x02}(${text('a')}${one}${text('b')}${two}u.`) };
    const source = openTorchZip(memoryBytes('bomb.pth', buildZip([pickle, ...parts], { deflate: true })));
    bounded({ seconds: 30, megabytes: 500 }, () => {
      expect(() => {
        for (let i = 0; i < 1000; i++) source.read(i % 2 === 0 ? 'a' : 'b');
      }).toThrow('would be unpacked again and again');
    });
  });
});

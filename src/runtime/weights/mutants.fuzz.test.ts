// Checkpoints made wrong by their structure, thousands of each kind: archives of lying entries, pickles of lost and exchanged
// operations, headers of other JSON. Each is refused with a CheckpointError, or read as it says, in little time and memory.

import { describe, expect, it } from 'vitest';

import { bounded, type Bounds } from '../../../test/fixtures/bounded.js';
import { mutateJson } from '../../../test/fixtures/mutate-json.js';
import { CheckpointError } from '../../core/errors.js';
import { memoryBytes } from './byte-source.js';
import { isReadDtype } from './dtypes.js';
import { expectedTensors, fixtureBytes } from './fixtures/fixtures.js';
import { choose, pick, seededRandom } from './fixtures/mutate.js';
import { mutatePickle, operationsOf } from './fixtures/pickle-parts.js';
import { buildZip, takeApart, type ZipPart, type ZipStyle } from './fixtures/zip-builder.js';
import { openSafetensors } from './safetensors.js';
import type { TensorSource } from './tensor-source.js';
import { openTorchZip } from './torch-zip.js';

const FILES = 4_000;
/** Seconds of the processor for all of a kind: a few on an idle machine. */
const BOUNDS: Bounds = { seconds: 60, megabytes: 500 };

/** What a step gives, or undefined where it is refused in the right way. */
function refusable<T>(what: string, step: () => T): T | undefined {
  try {
    return step();
  } catch (error) {
    if (error instanceof CheckpointError) return undefined;
    throw new Error(`${what} threw no CheckpointError`, { cause: error });
  }
}

/** Reads every tensor; true where all are there and of the size that is said. */
function readAll(what: string, source: TensorSource): boolean {
  let whole = true;
  for (const name of source.names) {
    const info = refusable(what, () => source.info(name));
    const raw = refusable(what, () => source.readRaw(name));
    if (!info || !raw) whole = false;
    else if (raw.length !== info.byteLength || !isReadDtype(info.dtype)) {
      throw new Error(`${what}: '${name}' is inconsistent`);
    }
  }
  return whole;
}

describe('archives of lying entries', () => {
  const base = takeApart(fixtureBytes('views.pth'));
  const right = openTorchZip(memoryBytes('base', fixtureBytes('views.pth')));
  const values = new Map(
    Object.keys(expectedTensors('views.pth')).map((name) => [name, right.readRaw(name)]),
  );

  function lyingPart(part: ZipPart, random: () => number): ZipPart[] {
    const number = (): number =>
      choose(random, [0, 1, 30, part.data.length - 1, part.data.length + 1, 65_535, 2 ** 31, 2 ** 32 - 1]);
    switch (pick(random, 12)) {
      case 0:
        return [{ ...part, crc: choose(random, [0, 1, 2 ** 32 - 1]) }];
      case 1:
        return [{ ...part, method: choose(random, [0, 8, 9, 12, 14, 93]) }];
      case 2:
        return [{ ...part, flags: choose(random, [1, 8, 0x800, 0x2000, 0xffff]) }];
      case 3:
        return [{ ...part, localName: `${part.name}x` }];
      case 4:
        return [{ ...part, size: number() }];
      case 5:
        return [{ ...part, headerOffset: number() }];
      case 6:
        return [part, part];
      case 7:
        return [];
      case 8:
        return [
          {
            ...part,
            name: choose(random, ['../x', '/x', 'a\\b', 'x/', part.name.toUpperCase(), '__proto__/data.pkl']),
          },
        ];
      case 9:
        return [part, { name: `${part.name}/`, data: new Uint8Array(pick(random, 2)) }];
      case 10:
        return [{ ...part, data: part.data.slice(0, pick(random, part.data.length + 1)) }];
      default:
        return [{ ...part, data: new Uint8Array([...part.data, 0]) }];
    }
  }

  it(`are refused, or hold what they held, ${FILES} of them`, () => {
    const random = seededRandom(31);
    let taken = 0;
    bounded(BOUNDS, () => {
      for (let i = 0; i < FILES; i++) {
        const flag = (): boolean => pick(random, 2) === 0;
        const style: ZipStyle = {
          wideEntries: flag(),
          wideEnd: flag(),
          descriptors: flag(),
          deflate: flag(),
          ...(flag() ? { alignment: 64 } : {}),
          ...(flag() ? { comment: 'PK\x05\x06'.slice(0, pick(random, 4)) } : {}),
        };
        const target = choose(random, base);
        const parts = base.flatMap((part) => (part === target ? lyingPart(part, random) : [part]));
        if (pick(random, 4) === 0) parts.reverse();
        const bytes = new Uint8Array([
          ...buildZip(parts, style),
          ...new Uint8Array(choose(random, [0, 0, 1, 100])),
        ]);
        const source = refusable(`mutant ${i}`, () => openTorchZip(memoryBytes(`mutant ${i}`, bytes)));
        if (!source) continue;
        taken++;
        for (const name of source.names) {
          const raw = refusable(`mutant ${i}`, () => source.readRaw(name));
          // A storage without a checksum may be a damaged one: no mutant changes bytes without changing their number.
          if (raw && !Buffer.from(raw).equals(values.get(name) ?? Buffer.alloc(0))) {
            throw new Error(`mutant ${i}: '${name}' is wrong`);
          }
        }
      }
    });
    expect(taken).toBeGreaterThan(FILES / 20);
    expect(taken).toBeLessThan((FILES * 3) / 4);
  }, 300_000);
});

describe('pickles of lost and exchanged operations', () => {
  it.each(['views.pth', 'nested.pth', 'protocol4.pth'])(
    'are refused, or give tensors of the size that they say: of %s',
    (file) => {
      const parts = takeApart(fixtureBytes(file));
      const pickle = parts.find((part) => part.name.endsWith('/data.pkl'))?.data ?? new Uint8Array(0);
      const operations = operationsOf(pickle);
      expect(Buffer.concat(operations).equals(pickle)).toBe(true);
      const random = seededRandom(32);
      let taken = 0;
      let whole = 0;
      bounded(BOUNDS, () => {
        for (let i = 0; i < FILES / 2; i++) {
          const data = mutatePickle(operations, random);
          const bytes = buildZip(parts.map((part) => (part.data === pickle ? { ...part, data } : part)));
          const source = refusable(`mutant ${i}`, () => openTorchZip(memoryBytes(`mutant ${i}`, bytes)));
          if (!source) continue;
          taken++;
          if (readAll(`mutant ${i}`, source)) whole++;
        }
      });
      expect(taken).toBeGreaterThan(FILES / 100);
      expect(taken).toBeLessThan(FILES / 4);
      expect(whole).toBeGreaterThan(0);
    },
    300_000,
  );
});

describe('headers of other JSON', () => {
  const base = fixtureBytes('dtypes.safetensors');
  const length = Number(new DataView(base.buffer, base.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(Buffer.from(base.subarray(8, 8 + length)).toString()) as object;

  it(`are refused, or give tensors of the size that they say, ${FILES} of them`, () => {
    const random = seededRandom(33);
    let taken = 0;
    bounded(BOUNDS, () => {
      for (let i = 0; i < FILES; i++) {
        const text = Buffer.from(JSON.stringify(mutateJson(header, random)));
        const size = Buffer.alloc(8);
        size.writeBigUInt64LE(BigInt(text.length));
        const bytes = new Uint8Array(Buffer.concat([size, text, base.subarray(8 + length)]));
        const source = refusable(`mutant ${i}`, () => openSafetensors(memoryBytes(`mutant ${i}`, bytes)));
        if (!source) continue;
        taken++;
        readAll(`mutant ${i}`, source);
      }
    });
    expect(taken).toBeGreaterThan(FILES / 200);
    expect(taken).toBeLessThan(FILES / 2);
  }, 300_000);
});

// Thousands of damaged PyTorch checkpoints, and as many whose pickle alone is damaged behind a right checksum: each is refused
// with a CheckpointError, or read rightly as far as it is undamaged.

import { describe, expect, it } from 'vitest';

import { CheckpointError } from '../../core/errors.js';
import { memoryBytes } from './byte-source.js';
import { DTYPE_BITS } from './dtypes.js';
import { fixtureBytes } from './fixtures/fixtures.js';
import { flipBits, mutate, pick, seededRandom } from './fixtures/mutate.js';
import { buildZip, takeApart } from './fixtures/zip-builder.js';
import type { TorchSource } from './torch-zip.js';
import { openTorchZip } from './torch-zip.js';

const FILES = 4_000;

describe('damaged PyTorch checkpoints', () => {
  it(`gives an error or exactly the right tensors for ${FILES} of them`, () => {
    const bases = ['dtypes.pth', 'views.pth']
      .map(fixtureBytes)
      .map((bytes) => ({ bytes, values: rawTensors(bytes) }));
    const random = seededRandom(2);
    let right = 0;
    for (let i = 0; i < FILES; i++) {
      const { bytes, values } = bases[i % 2]!;
      const mutant = mutate(bytes, random);
      const source = open(mutant, i);
      if (source === undefined) continue;
      // The checksums guard the contents: whatever is still read must be what was saved.
      if (source.names.join() !== [...values.keys()].join()) throw new Error(`mutant ${i} has other names`);
      for (const [name, value] of values) {
        const raw = readOrRefuse(source, name, i);
        if (raw === undefined) continue;
        if (!Buffer.from(raw).equals(value)) throw new Error(`mutant ${i}: '${name}' is wrong`);
        right++;
      }
    }
    expect(right).toBeGreaterThan(FILES / 2);
  }, 300_000);

  it(`gives an error or right tensors for ${FILES} damaged pickles in sound archives`, () => {
    const base = fixtureBytes('dtypes.pth');
    const parts = takeApart(base);
    const pickle = parts.find((part) => part.name.endsWith('/data.pkl'))!.data;
    const spans = findSpans(pickle);
    const values = rawTensors(base);
    const random = seededRandom(3);
    let accepted = 0;
    for (let i = 0; i < FILES; i++) {
      const damaged = pick(random, 2) === 0 ? flipBits(pickle, random) : mutate(pickle, random);
      const mutant = buildZip(
        parts.map((part) => (part.data === pickle ? { ...part, data: damaged } : part)),
      );
      const source = open(mutant, i);
      if (source === undefined) continue;
      accepted++;
      checkConsistent(source, i);
      for (const { name, start, end } of spans) {
        if (!source.has(name) || !sameAt(pickle, damaged, start, end)) continue;
        const raw = readOrRefuse(source, name, i);
        if (raw !== undefined && !Buffer.from(raw).equals(values.get(name)!)) {
          throw new Error(`mutant ${i}: '${name}' is wrong`);
        }
      }
    }
    expect(accepted).toBeGreaterThan(FILES / 100);
  }, 300_000);

  it('refuses every truncation', () => {
    const base = fixtureBytes('views.pth');
    for (let length = 0; length < base.length; length++) {
      if (open(base.subarray(0, length), length) !== undefined) throw new Error(`accepted ${length} bytes`);
    }
  });
});

function open(bytes: Uint8Array, seed: number): TorchSource | undefined {
  return refusable(seed, () => openTorchZip(memoryBytes(`mutant ${seed}`, bytes)));
}

function readOrRefuse(source: TorchSource, name: string, seed: number): Uint8Array | undefined {
  return refusable(seed, () => source.readRaw(name));
}

function refusable<T>(seed: number, step: () => T): T | undefined {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof CheckpointError)) {
      throw new Error(`mutant ${seed} threw no CheckpointError`, { cause: error });
    }
    return undefined;
  }
}

function checkConsistent(source: TorchSource, seed: number): void {
  for (const name of source.names) {
    const { dtype, shape, byteLength } = source.info(name);
    const size = shape.reduce((product, n) => product * n, DTYPE_BITS[dtype] / 8);
    const raw = readOrRefuse(source, name, seed);
    if (size !== byteLength || (raw !== undefined && raw.length !== byteLength)) {
      throw new Error(`mutant ${seed}: '${name}' is inconsistent`);
    }
  }
}

function rawTensors(bytes: Uint8Array): Map<string, Uint8Array> {
  const source = openTorchZip(memoryBytes('base', bytes));
  return new Map(source.names.map((name) => [name, source.readRaw(name)]));
}

/** The part of the pickle that describes each tensor: from its name to the next one. */
function findSpans(pickle: Uint8Array): { name: string; start: number; end: number }[] {
  const names = [...rawTensors(fixtureBytes('dtypes.pth')).keys()];
  const starts = names.map((name) => {
    const key = Buffer.from(`X\0\0\0\0${name}`);
    key.writeUInt32LE(name.length, 1);
    return Buffer.from(pickle).indexOf(key);
  });
  return names.map((name, i) => ({ name, start: starts[i]!, end: starts[i + 1] ?? pickle.length }));
}

/** Whether a range was spared, at the same place. */
function sameAt(before: Uint8Array, after: Uint8Array, start: number, end: number): boolean {
  return Buffer.from(before.subarray(start, end)).equals(after.subarray(start, end));
}

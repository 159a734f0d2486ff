// Thousands of damaged safetensors files: each is refused with a CheckpointError, or read rightly as far as it is undamaged.

import { describe, expect, it } from 'vitest';

import { CheckpointError } from '../../core/errors.js';
import { memoryBytes } from './byte-source.js';
import { DTYPE_BITS } from './dtypes.js';
import { fixtureBytes } from './fixtures/fixtures.js';
import { choose, mutate, pick, seededRandom } from './fixtures/mutate.js';
import { openSafetensors } from './safetensors.js';

const FILES = 4_000;
const base = fixtureBytes('dtypes.safetensors');
const baseHeader = headerText(base);

describe('damaged safetensors files', () => {
  it(`gives an error or right tensors for ${FILES} of them`, () => {
    const random = seededRandom(1);
    let accepted = 0;
    for (let i = 0; i < FILES; i++) {
      const bytes = i % 2 === 0 ? mutate(base, random) : editHeader(random);
      if (check(bytes, i)) accepted++;
    }
    // Both outcomes have to occur, or the test tests nothing.
    expect(accepted).toBeGreaterThan(FILES / 20);
    expect(accepted).toBeLessThan(FILES / 2);
  }, 300_000);

  it('refuses every truncation and every appended byte', () => {
    for (let length = 0; length < base.length; length++) {
      if (check(base.subarray(0, length), length)) throw new Error(`accepted ${length} bytes`);
    }
    const longer = new Uint8Array([...base, 0]);
    expect(() => openSafetensors(memoryBytes('longer', longer))).toThrow('belong to no tensor');
  });
});

/** Opens and reads a file; true when it was accepted. Anything but a CheckpointError or a right tensor fails the test. */
function check(bytes: Uint8Array, seed: number): boolean {
  let source;
  try {
    source = openSafetensors(memoryBytes(`mutant ${seed}`, bytes));
  } catch (error) {
    if (!(error instanceof CheckpointError)) {
      throw new Error(`mutant ${seed} threw no CheckpointError`, { cause: error });
    }
    return false;
  }
  for (const name of source.names) {
    const { dtype, shape, byteLength } = source.info(name);
    const size = shape.reduce((product, n) => product * n, DTYPE_BITS[dtype] / 8);
    if (size !== byteLength || source.readRaw(name).length !== byteLength || byteLength > bytes.length) {
      throw new Error(`mutant ${seed}: '${name}' is inconsistent`);
    }
    const count =
      dtype === 'BF16' || dtype.startsWith('F')
        ? source.read(name).length
        : source.readBigIntegers(name).length;
    if (count * DTYPE_BITS[dtype] !== 8 * byteLength) {
      throw new Error(`mutant ${seed}: '${name}' has ${count} values`);
    }
  }
  // A tensor whose description and bytes were spared has to come out as before.
  const header = headerText(bytes);
  for (const { name, text, start, end } of entries) {
    if (!header.includes(text)) continue;
    const at = 8 + header.length;
    const before = base.subarray(8 + baseHeader.length + start, 8 + baseHeader.length + end);
    if (!Buffer.from(bytes.subarray(at + start, at + end)).equals(before)) continue;
    if (!Buffer.from(source.readRaw(name)).equals(before)) {
      throw new Error(`mutant ${seed}: '${name}' is wrong`);
    }
  }
  return true;
}

function headerText(bytes: Uint8Array): string {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  return Buffer.from(bytes.subarray(8, 8 + length)).toString('latin1');
}

/** Each entry of the undamaged header: its text, and its place in the data. */
const entries = [
  ...baseHeader.matchAll(
    /"(\w+)": \{"dtype": "\w+", "shape": \[[\d, ]*\], "data_offsets": \[(\d+), (\d+)\]\}/g,
  ),
].map(([text, name, start, end]) => ({ text, name: name!, start: Number(start), end: Number(end) }));

/** A header with a few edits that keep it readable, framed with its right length: these get past the outer checks. */
function editHeader(random: () => number): Uint8Array {
  let text = baseHeader;
  const edits = choose(random, [1, 1, 2, 3]);
  for (let i = 0; i < edits; i++) text = editOnce(text, random);
  const header = Buffer.from(text, 'latin1');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length + (pick(random, 20) === 0 ? pick(random, 40) - 20 : 0)));
  return new Uint8Array(Buffer.concat([length, header, base.subarray(8 + baseHeader.length)]));
}

function editOnce(text: string, random: () => number): string {
  const entry = choose(random, entries);
  const other = choose(random, entries);
  switch (pick(random, 9)) {
    case 0:
      return replaceOne(text, /\d+/g, random, [
        '0',
        '1',
        '-1',
        '1e300',
        '4.5',
        '9007199254740993',
        '12',
        '24',
        '48',
        'null',
      ]);
    case 1:
      return replaceOne(text, /"(?:[FIU]\d+|BF16|BOOL)"(?=,)/g, random, [
        '"F8_E4M3"',
        '"F32"',
        '"I64"',
        '"U8"',
        '17',
        '"__proto__"',
      ]);
    case 2:
      return replaceOne(text, /"\w+"(?=: \{)/g, random, [
        '"__proto__"',
        '"constructor"',
        '"F32"',
        '"__metadata__"',
        '""',
      ]);
    case 3:
      return text.replace(entry.text, `${entry.text}, ${other.text}`);
    case 4:
      return text.replace(`${entry.text}, `, '');
    case 5:
      return replaceOne(text, /\[[\d, ]*\]/g, random, [
        '[]',
        '[0]',
        '[1e9, 1e9, 1e9]',
        '[[1]]',
        '{}',
        '[3, 2]',
        '[6]',
      ]);
    case 6:
      return text.replace(
        entry.text,
        entry.text.replace(`[${entry.start}, ${entry.end}]`, `[${other.start}, ${other.end}]`),
      );
    case 7:
      return ' '.repeat(pick(random, 9)) + text;
    default:
      return replaceOne(text, /[{}[\]",:]/g, random, ['{', '}', '[', ']', '"', ',', ':', '\\', '\u00ff']);
  }
}

function replaceOne(text: string, pattern: RegExp, random: () => number, by: readonly string[]): string {
  const matches = [...text.matchAll(pattern)];
  if (matches.length === 0) return text;
  const match = choose(random, matches);
  return text.slice(0, match.index) + choose(random, by) + text.slice(match.index + match[0].length);
}

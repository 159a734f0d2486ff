// Lines in the order of the units, whoever is through first and wherever the process is killed.

import { appendFileSync, existsSync, mkdtempSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { OrderedLines } from './ordered-lines.js';
import type { Unit } from './units.js';

const units = ['a', 'b', 'c', 'd'].map((id, place) => ({ id, place }) as Unit);
const lineOf = (place: number) => ({ id: units[place]?.id ?? '', text: 'x'.repeat(place + 1) });
const wholeText = units.map(({ place }) => `${JSON.stringify(lineOf(place))}\n`).join('');

function open(folder = mkdtempSync(join(tmpdir(), 'bench-lines-'))) {
  return { folder, file: join(folder, 'lines.jsonl'), lines: new OrderedLines(folder, 'lines.jsonl', units) };
}

it('keeps what comes before its turn, also over an end, and writes it in its turn', () => {
  const { folder, file, lines } = open();
  lines.add(2, lineOf(2));
  lines.add(1, lineOf(1));
  expect(readFileSync(file, 'utf8')).toBe('');
  // Nothing is closed: the process is gone.
  const again = open(folder).lines;
  expect([0, 1, 2, 3].map((place) => again.has(place))).toEqual([false, true, true, false]);
  again.add(0, lineOf(0));
  expect(again.done).toBe(3);
  again.add(3, lineOf(3));
  again.close();
  expect(readFileSync(file, 'utf8')).toBe(wholeText);
});

it('goes on from any torn end', () => {
  for (let bytes = 0; bytes <= wholeText.length; bytes++) {
    const { folder, file } = open();
    writeFileSync(file, wholeText);
    truncateSync(file, bytes);
    const { lines } = open(folder);
    for (const { place } of units) if (!lines.has(place)) lines.add(place, lineOf(place));
    lines.close();
    expect(readFileSync(file, 'utf8')).toBe(wholeText);
  }
});

it('doubles nothing that was written while it still waited', () => {
  const { folder, file, lines } = open();
  lines.add(1, lineOf(1));
  // Killed between the two files.
  appendFileSync(
    file,
    wholeText
      .split('\n')
      .slice(0, 2)
      .map((line) => `${line}\n`)
      .join(''),
  );
  const again = open(folder).lines;
  // What waited has had its turn, and waits no more.
  expect(again.done).toBe(2);
  expect(readFileSync(join(folder, 'ahead.jsonl'), 'utf8')).toBe('');
  again.add(2, lineOf(2));
  again.add(3, lineOf(3));
  again.close();
  expect(readFileSync(file, 'utf8')).toBe(wholeText);
  expect(existsSync(join(folder, 'ahead.jsonl'))).toBe(false);
});

it('lets lines of other units that waited go', () => {
  const { folder, file } = open();
  writeFileSync(join(folder, 'ahead.jsonl'), `${JSON.stringify({ id: 'of another run' })}\n`);
  const { lines } = open(folder);
  expect([lines.done, [0, 1, 2, 3].some((place) => lines.has(place))]).toEqual([0, false]);
  for (const { place } of units) lines.add(place, lineOf(place));
  lines.close();
  expect(readFileSync(file, 'utf8')).toBe(wholeText);
  expect(existsSync(join(folder, 'ahead.jsonl'))).toBe(false);
});

it('refuses a file with other lines, and touches nothing of it', () => {
  const { folder, file } = open();
  writeFileSync(file, `${JSON.stringify(lineOf(1))}\n`);
  expect(() => open(folder)).toThrow(/line 1 of .* is not the run's/);
  writeFileSync(file, 'no JSON\n');
  expect(() => open(folder)).toThrow(/line 1 of .* is not JSON/);
  expect(readFileSync(file, 'utf8')).toBe('no JSON\n');
});

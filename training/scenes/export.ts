// Command line: writes what the training code reads.
//   npx tsx src/toybox/export.ts --count 1000000 --seed 1 --out FILE     scenes and captions, 42 bytes each
//   npx tsx src/toybox/export.ts --count 32 --render --out FILE          the same, then the rendered pictures
//   npx tsx src/toybox/export.ts --heldout --out FILE.json               the benchmark's prompts
//   npx tsx src/toybox/export.ts --shapes --out FILE.json                the unit shapes (src/toybox/shapes.json)
// Every file is written under a temporary name and renamed when it is complete.

import { closeSync, openSync, renameSync, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { UsageError } from '../../src/core/errors.js';
import { RandomKey } from '../../src/core/random.js';
import { BENCHMARK_SEED, benchmarkPrompts } from '../../src/toybox/world/benchmark-prompts.js';
import { renderScene } from '../../src/toybox/world/renderer.js';
import { UNIT_SHAPES } from '../../src/toybox/world/shapes.js';
import { generateSample } from './generate.js';
import { exportHeader, RECORD_BYTES, writeRecord } from './record.js';

const CHUNK = 4096;

function writeSamples(file: number, count: number, seed: number, render: boolean): void {
  const root = RandomKey.fromSeed(seed);
  writeSync(file, exportHeader(count, seed));
  for (let first = 0; first < count; first += CHUNK) {
    const size = Math.min(CHUNK, count - first);
    const records = new Uint8Array(size * RECORD_BYTES);
    for (let i = 0; i < size; i++) {
      writeRecord(generateSample(root.fold(first + i)), records, i * RECORD_BYTES);
    }
    writeSync(file, records);
  }
  if (!render) return;
  for (let i = 0; i < count; i++) writeSync(file, renderScene(generateSample(root.fold(i)).scene).data);
}

function wholeNumber(text: string, name: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new UsageError(`--${name} must be a whole number, got "${text}"`);
  }
  return value;
}

function main(): void {
  const { values } = parseArgs({
    options: {
      out: { type: 'string' },
      count: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: '1' },
      render: { type: 'boolean', default: false },
      heldout: { type: 'boolean', default: false },
      shapes: { type: 'boolean', default: false },
    },
  });
  if (values.out === undefined) throw new UsageError('name the file to write: --out FILE');
  const partial = `${values.out}.partial`;
  const file = openSync(partial, 'w');
  if (values.shapes) writeSync(file, `${JSON.stringify(UNIT_SHAPES)}\n`);
  else if (values.heldout) {
    const prompts = benchmarkPrompts();
    writeSync(file, `${JSON.stringify({ version: 1, seed: BENCHMARK_SEED, prompts }, null, 1)}\n`);
  } else {
    writeSamples(file, wholeNumber(values.count, 'count'), wholeNumber(values.seed, 'seed'), values.render);
  }
  closeSync(file);
  renameSync(partial, values.out);
}

main();

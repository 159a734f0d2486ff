import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

import { writeSafetensors } from '../src/runtime/weights/index.js';
import { compareOutputs, openReference } from './compare.js';

const folder = mkdtempSync(join(tmpdir(), 'varsearch-test-'));
const path = join(folder, 'reference.safetensors');
const values = Float32Array.from({ length: 1000 }, (_, i) => Math.sin(i));
writeSafetensors(path, {
  logits: { dtype: 'F32', shape: [10, 100], data: values },
  bits: { dtype: 'U8', shape: [4], data: Uint8Array.of(0, 1, 1, 0) },
});
const reference = openReference(path);
afterAll(() => {
  reference.source.close();
  rmSync(folder, { recursive: true });
});

const verdict = (name: string, ours: ArrayLike<number>): boolean | undefined =>
  compareOutputs(new Map([[name, ours]]), reference)[0]?.passes;
const moved = (index: number, by: number): Float32Array => values.map((x, i) => (i === index ? x + by : x));

describe('comparing outputs', () => {
  it('passes small errors and fails one value that is off', () => {
    expect(
      verdict(
        'logits',
        values.map((x) => x * (1 + 1e-6)),
      ),
    ).toBe(true);
    expect(verdict('logits', moved(7, 6e-5))).toBe(true);
    expect(verdict('logits', moved(7, 8e-5))).toBe(false);
  });

  it('fails what is not a number, another size, and any wrong bit', () => {
    expect(verdict('logits', moved(3, Number.NaN))).toBe(false);
    expect(verdict('logits', values.subarray(1))).toBe(false);
    expect(verdict('bits', [0, 1, 1, 0])).toBe(true);
    expect(verdict('bits', [0, 1, 1, 1])).toBe(false);
  });

  it('reports errors over the deviation of the reference', () => {
    const [found] = compareOutputs(new Map([['logits', moved(7, 0.01)]]), reference);
    expect(found?.absolute).toBeCloseTo(0.01, 6);
    expect(found?.relative).toBeCloseTo(0.01 / Math.SQRT1_2, 3);
  });
});

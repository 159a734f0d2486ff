import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

import { tinyAestheticTensors } from '../../test/fixtures/tiny-image-reward.js';
import { writeTorchFile } from '../../test/fixtures/torch-file.js';
import { CheckpointError } from '../core/errors.js';
import { openWeights } from '../runtime/weights/index.js';
import { type LinearHead, readLinearHead } from './linear-head.js';

const folder = mkdtempSync(join(tmpdir(), 'head-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

type Tensors = ReturnType<typeof tinyAestheticTensors>;

function readHead(tensors: Tensors): LinearHead {
  const file = join(folder, 'head.pth');
  writeTorchFile(file, tensors);
  const source = openWeights(file);
  try {
    return readLinearHead(source);
  } finally {
    source.close();
  }
}

/** Layer by layer, as the official code runs it. */
function layerByLayer(tensors: Tensors, row: readonly number[]): number {
  const output = [0, 2, 4, 6, 7].reduce<readonly number[]>((x, layer) => {
    const weight = tensors.get(`layers.${layer}.weight`)?.data ?? [];
    const bias = tensors.get(`layers.${layer}.bias`)?.data ?? [];
    return Array.from(bias, (b, out) =>
      x.reduce((sum, value, i) => sum + value * (weight[out * x.length + i] ?? 0), b),
    );
  }, row);
  return output[0] ?? NaN;
}

describe('a linear head', () => {
  const rows = Float32Array.from({ length: 48 }, (_, i) => Math.sin(3 * i));

  it('gives what its layers give one after the other', () => {
    const tensors = tinyAestheticTensors(24);
    const scores = readHead(tensors).apply(rows);
    expect(scores.length).toBe(2);
    scores.forEach((score, n) => {
      expect(score).toBeCloseTo(layerByLayer(tensors, [...rows.subarray(24 * n, 24 * n + 24)]), 10);
    });
    expect(scores[0]).not.toBeCloseTo(scores[1] ?? NaN, 3);
  });

  it('may have any depth and order of its tensors', () => {
    const one = { shape: [1, 2], data: Float32Array.of(2, 3) };
    expect([...readHead(new Map([['layers.0.bias', { shape: [1], data: Float32Array.of(1) }], ['layers.0.weight', one]])).apply(Float32Array.of(1, 10))]).toEqual([33]); // prettier-ignore
    const shuffled = new Map([...tinyAestheticTensors(24)].reverse());
    expect(readHead(shuffled).apply(rows)).toEqual(readHead(tinyAestheticTensors(24)).apply(rows));
  });

  it('is refused when its layers do not follow one another', () => {
    const without = (name: string): Tensors =>
      new Map([...tinyAestheticTensors(24)].filter(([key]) => key !== name));
    expect(() => readHead(without('layers.4.weight'))).toThrow(CheckpointError);
    expect(() => readHead(without('layers.4.weight'))).toThrow(
      /layers\.2 .*4 outputs|layers\.2 .*8 outputs/s,
    );
    expect(() => readHead(without('layers.4.bias'))).toThrow(/no tensor 'layers\.4\.bias'/);
    expect(() => readHead(without('layers.7.weight'))).toThrow(/do not follow one another down to one score/);
    expect(() => readHead(new Map())).toThrow(/has no linear head/);
  });

  it('is read under the prefixes of training scripts', () => {
    const row = Float32Array.from({ length: 24 }, (_, i) => i / 24);
    const plain = tinyAestheticTensors(24);
    for (const prefix of ['state_dict.', 'module.']) {
      const wrapped = new Map([...plain].map(([name, each]) => [prefix + name, each]));
      expect(readHead(wrapped).apply(row)).toEqual(readHead(plain).apply(row));
    }
  });

  it("is refused with activations between its layers, as far as their numbers tell: LAION's reluMSE", () => {
    const numbers: Readonly<Record<string, number>> = { 0: 0, 2: 3, 4: 6, 6: 9, 7: 11 };
    const relu = new Map(
      [...tinyAestheticTensors(24)].map(([name, each]) => [
        name.replace(/\d+/, (number) => String(numbers[number])),
        each,
      ]),
    );
    expect([...relu.keys()]).toContain('layers.11.weight');
    expect(() => readHead(relu)).toThrow(CheckpointError);
    expect(() => readHead(relu)).toThrow(
      'more than a dropout between layers.0 and layers.3: it is a head with activations',
    );
  });

  it('takes whole rows only', () => {
    expect(() => readHead(tinyAestheticTensors(24)).apply(new Float32Array(25))).toThrow(RangeError);
  });
});

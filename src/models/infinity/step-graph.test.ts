// What the step's graph tells the engine.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { writeTinyInfinity } from '../../../test/fakes/tiny-infinity.js';
import { decodeModel } from '../../runtime/graph/onnx-schema.js';
import { openWeights } from '../../runtime/weights/index.js';
import { infinityConfig } from './config.js';
import { buildStepGraph } from './step-graph.js';

it('is the size of every result of two axes within a block, or opening a large model takes seconds more', () => {
  const folder = mkdtempSync(join(tmpdir(), 'varsearch-test-'));
  const weights = openWeights(writeTinyInfinity(folder).transformer);
  const plan = { afterBlocks: [], onLogits: true };
  const config = infinityConfig(weights);
  const { graph } = decodeModel(buildStepGraph({ config, weights, plan, precision: 'int8' }).proto);
  weights.close();
  rmSync(folder, { recursive: true });
  const told = new Map(graph.value_info.map(({ name, type }) => [name, type.tensor_type.shape.dim]));
  const rows = graph.node
    .filter(({ op_type: op }) => ['Div', 'QuantizeLinear', 'MatMulIntegerToFloat'].includes(op))
    // Keys and values are quantised in blocks, and have three axes.
    .filter(({ attribute }) => !attribute.some(({ name }) => name === 'block_size'))
    .flatMap(({ output }) => output);
  expect(rows.length).toBeGreaterThan(15);
  expect(rows.filter((name) => told.get(name)?.length !== 2)).toEqual([]);
});

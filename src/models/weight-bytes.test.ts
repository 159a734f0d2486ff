import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { writeTinyInfinity } from '../../test/fakes/tiny-infinity.js';
import { assetPath } from '../core/assets.js';
import type { Precision } from '../runtime/graph/index.js';
import { openWeights } from '../runtime/weights/index.js';
import { findModel } from './catalog.js';
import { infinityConfig } from './infinity/config.js';
import { blockMatrices } from './infinity/cost.js';
import { buildStepGraph } from './infinity/step-graph.js';
import { buildTextGraph } from './infinity/text-graph.js';
import { readT5Config } from './t5/config.js';
import { t5Matrices } from './t5/files.js';
import { buildT5Encoder } from './t5/graph.js';
import { savedBytes } from './weight-bytes.js';

it('of a precision are those of the graphs', () => {
  const folder = mkdtempSync(join(tmpdir(), 'varsearch-test-'));
  const weights = openWeights(writeTinyInfinity(folder).transformer);
  const config = infinityConfig(weights);
  const plan = { afterBlocks: [], onLogits: true };
  const infinity = (precision: Precision): number =>
    buildStepGraph({ config, weights, plan, precision }).weightBytes +
    buildTextGraph(config, weights, precision).weightBytes;
  expect(infinity('float32') - infinity('int8')).toBe(savedBytes(blockMatrices(config), 'int8'));
  const text = assetPath('toybox', 'text-encoder');
  const encoder = openWeights(text);
  const t5 = readT5Config(text);
  const sizes = { layers: t5.layers, width: t5.width, hidden: t5.hidden };
  const bytes = (precision: Precision): number => buildT5Encoder(t5, encoder, precision).weightBytes;
  expect(bytes('float32') - bytes('int8')).toBe(savedBytes(t5Matrices(sizes), 'int8'));
  for (const source of [weights, encoder]) source.close();
  rmSync(folder, { recursive: true });
});

it('of the official models are a third in int8, and those of a checkpoint in float32', () => {
  const bytes = (name: string, precision: Precision): number =>
    (findModel(name).weightBytes?.(precision) ?? NaN) / 1e9;
  // 2.15 GB of the blocks' matrices, 0.2 of what else is in it, 1.16 and 0.26 of the text encoder, 0.25 of the VAE.
  expect(bytes('infinity-2b', 'float32')).toBeCloseTo(8.82 + 0.25 + 4.89, 1);
  expect(bytes('infinity-2b', 'int8')).toBeCloseTo(4.05, 1);
  expect(bytes('flux1-dev', 'float32')).toBeCloseTo(67.8, 1);
  expect(bytes('flux1-dev', 'int8')).toBeCloseTo(67.8 - 47.6 + 12.1 - 13.9, 0);
});

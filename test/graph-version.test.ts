// Ready graphs are found by what they were made from, and one thing of that is a number that people raise: this fails when the
// elements of weights change though names, shapes and graphs stay the same. Then GRAPH_VERSION goes up, and its hash is written here.
// A weight more or less changes the hash as well; the number may stay then.

import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { assetPath } from '../src/core/assets.js';
import { infinityConfig } from '../src/models/infinity/config.js';
import { buildStepGraph } from '../src/models/infinity/step-graph.js';
import { buildTextGraph } from '../src/models/infinity/text-graph.js';
import { readT5Config } from '../src/models/t5/config.js';
import { buildT5Encoder } from '../src/models/t5/graph.js';
import { buildDecoder } from '../src/models/vae/graph.js';
import { GRAPH_VERSION } from '../src/runtime/cache/entry.js';
import { type GraphModel, PRECISIONS } from '../src/runtime/graph/index.js';
import { openWeights } from '../src/runtime/weights/index.js';
import { writeTinyInfinity } from './fakes/tiny-infinity.js';

const HASHES: Readonly<Record<number, string>> = {
  1: 'ca41820944662b13c452f8b96e1d652b161b2ded4eb3815aa4d31179f3abce2e',
};

it('of the graph builder stands for the elements of its weights', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'varsearch-test-'));
  const files = writeTinyInfinity(folder);
  const encoder = assetPath('toybox', 'text-encoder');
  const [transformer, vae, text] = [files.transformer, files.vae, encoder].map((path) => openWeights(path));
  if (!transformer || !vae || !text) throw new Error('no weights');
  const config = infinityConfig(transformer);
  const models: GraphModel[] = [buildDecoder(vae).model, buildDecoder(vae, { precision: 'int8' }).model];
  for (const precision of PRECISIONS) {
    models.push(buildTextGraph(config, transformer, precision));
    const plan = { afterBlocks: [], onLogits: true };
    models.push(buildStepGraph({ config, weights: transformer, plan, precision }));
    models.push(buildT5Encoder(readT5Config(encoder), text, precision));
  }
  // Each weight by its name: their order is no matter.
  const hashes: string[] = [];
  for (const model of models) {
    for (const weight of model.weights) {
      const { buffer, byteOffset, byteLength } = await weight.read();
      const bytes = new Uint8Array(buffer, byteOffset, byteLength);
      hashes.push(`${model.name} ${weight.name} ${createHash('sha256').update(bytes).digest('hex')}`);
    }
  }
  for (const source of [transformer, vae, text]) source.close();
  rmSync(folder, { recursive: true });
  const whole = createHash('sha256').update(hashes.sort().join('\n')).digest('hex');
  expect(whole).toBe(HASHES[GRAPH_VERSION]);
});

// Runs a fixture of the aesthetic head: CLIP embeddings to normalised ones and to scores.

import { join } from 'node:path';

import { CheckpointError } from '../src/core/errors.js';
import type { JsonObject } from '../src/core/json-file.js';
import { normalizeRows } from '../src/models/clip/similarity.js';
import { aestheticScores, readAestheticHead } from '../src/verifiers/aesthetic.js';
import type { Outputs, Reference } from './compare.js';

/** True for the config.json of an aesthetic head: layers by number, and no tower. */
export function isAestheticFixture(config: JsonObject): boolean {
  return 'layer_indices' in config && 'input_size' in config && !('visual_encoder' in config);
}

/** Computes the fixture's scores; throws CheckpointError for a head with activations. */
export function runAestheticFixture(folder: string, config: JsonObject, reference: Reference): Outputs {
  const { activation = null } = config;
  if (activation !== null) {
    throw new CheckpointError(
      join(folder, 'config.json'),
      `has the activation ${JSON.stringify(activation)}; only heads without any are supported`,
    );
  }
  const head = readAestheticHead(join(folder, 'aesthetic.pth'));
  const features = Float32Array.from(reference.numbers('image_features'));
  return new Map<string, ArrayLike<number>>([
    ['embeds', normalizeRows(features, head.inputs)],
    ['scores', aestheticScores(head, features)],
  ]);
}

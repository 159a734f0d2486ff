// Runs a T5 encoder fixture, with its mask and without any, and its table of buckets.

import type { JsonObject } from '../src/core/json-file.js';
import { relativeBucket } from '../src/models/t5/relative-bias.js';
import { openT5Weights } from '../src/models/t5/text-encoder.js';
import type { Runtime } from '../src/runtime/index.js';
import type { Outputs, Reference } from './compare.js';

/** True for the config.json of a T5 encoder. */
export function isT5Fixture(config: JsonObject): boolean {
  return config['model_type'] === 't5';
}

/** Computes the last hidden states of the fixture's token ids. */
export async function runT5Fixture(folder: string, reference: Reference, runtime: Runtime): Promise<Outputs> {
  const encoder = await openT5Weights(runtime, folder);
  const ids = Int32Array.from(reference.numbers('input_ids'));
  const mask = Int32Array.from(reference.numbers('attention_mask'));
  const length = reference.shape('input_ids')[1] ?? 0;
  const distances = reference.has('relative_position') ? reference.numbers('relative_position') : [];
  const outputs = new Map<string, ArrayLike<number>>([
    ['last_hidden_state', await encoder.states({ ids, mask, length })],
    ['last_hidden_state_without_mask', await encoder.states({ ids, length })],
    [
      'relative_position_bucket',
      Array.from(distances, (distance) => relativeBucket(distance, encoder.config)),
    ],
  ]);
  encoder.close();
  return outputs;
}

// Runs a T5 fixture: the encoder's last states, with the attention mask and without, and the buckets of its positions.

import { relativeBucket } from '../models/t5/relative-bias.js';
import { openT5Weights } from '../models/t5/text-encoder.js';
import type { Runtime } from '../runtime/index.js';
import type { Outputs, Reference } from './compare.js';

/** The part of a fixture's config.json by which it is recognised. */
export interface T5Fixture {
  readonly model_type: 't5';
}

/** True for the config.json of a T5 fixture. */
export function isT5Fixture(config: object): config is T5Fixture {
  return 'model_type' in config && config.model_type === 't5';
}

/** Computes every output of the fixture that the model determines. */
export async function runT5Fixture(
  folder: string,
  _config: T5Fixture,
  reference: Reference,
  runtime: Runtime,
): Promise<Outputs> {
  const outputs = new Map<string, ArrayLike<number>>();
  const encoder = await openT5Weights(runtime, folder);
  try {
    const [, length = 0] = reference.shape('input_ids');
    const ids = Int32Array.from(reference.numbers('input_ids'));
    const mask = Int32Array.from(reference.numbers('attention_mask'));
    outputs.set('last_hidden_state', await encoder.states({ ids, mask, length }));
    if (reference.has('last_hidden_state_without_mask')) {
      outputs.set('last_hidden_state_without_mask', await encoder.states({ ids, length }));
    }
    if (reference.has('relative_position') && reference.has('relative_position_bucket')) {
      const places = Array.from(reference.numbers('relative_position'));
      outputs.set(
        'relative_position_bucket',
        places.map((place) => relativeBucket(place, encoder.config)),
      );
    }
    return outputs;
  } finally {
    encoder.close();
  }
}

// The parts of a T5's config.json that its encoder depends on (T5Config of Hugging Face transformers).

import { join } from 'node:path';

import { ConfigFields } from '../../core/config-fields.js';
import { RANGES } from '../../core/config-ranges.js';
import { type JsonObject, readJsonFile } from '../../core/json-file.js';

/** Activations of the feed-forward layers, under transformers' names. */
const T5_ACTIVATIONS = ['relu', 'gelu', 'gelu_new', 'silu'] as const;

/** One of the activations. */
export type T5Activation = (typeof T5_ACTIVATIONS)[number];

/** Sizes of a T5 encoder. */
export interface T5Config {
  readonly vocabulary: number;
  readonly width: number;
  /** Width of one head; not width / heads in general. */
  readonly headWidth: number;
  readonly heads: number;
  readonly hidden: number;
  readonly layers: number;
  /** Buckets of relative positions, both directions together. */
  readonly buckets: number;
  /** From this distance on all positions share the last bucket. */
  readonly maxDistance: number;
  readonly eps: number;
  readonly activation: T5Activation;
  /** Two input layers, the activated one multiplied by the other (T5 v1.1), instead of one. */
  readonly gated: boolean;
}

/** Reads the config.json of a T5 folder. Throws CheckpointError that names the entry at fault. */
export function readT5Config(folder: string): T5Config {
  const path = join(folder, 'config.json');
  return t5Config(
    path,
    readJsonFile(path, "it comes with the model's weights, fetch it from the same place"),
  );
}

/** The configuration in a parsed config.json; `label` names the file in messages. */
export function t5Config(label: string, json: JsonObject): T5Config {
  const fields = new ConfigFields(label, json);
  const buckets = fields.whole('relative_attention_num_buckets', RANGES.buckets, 32);
  // Beyond the exact distances the buckets grow as logarithms up to the maximal one.
  const distance = { ...RANGES.distance, least: Math.floor(buckets / 4) + 1 };
  return {
    vocabulary: fields.whole('vocab_size', RANGES.vocabulary),
    width: fields.whole('d_model', RANGES.width),
    headWidth: fields.whole('d_kv', RANGES.headWidth),
    heads: fields.whole('num_heads', RANGES.heads),
    hidden: fields.whole('d_ff', RANGES.hidden),
    layers: fields.whole('num_layers', RANGES.layers),
    buckets,
    maxDistance: fields.whole('relative_attention_max_distance', distance, 128),
    eps: fields.number('layer_norm_epsilon', RANGES.epsilon, 1e-6),
    ...feedForward(fields, json['feed_forward_proj'] ?? 'relu'),
  };
}

/** `feed_forward_proj` is 'relu', 'gated-gelu' and the like; 'gated-gelu' means the tanh form of GELU. */
function feedForward(
  fields: ConfigFields,
  projection: unknown,
): { activation: T5Activation; gated: boolean } {
  const parts = typeof projection === 'string' ? projection.split('-') : [];
  const gated = parts.length === 2 && parts[0] === 'gated';
  const name = projection === 'gated-gelu' ? 'gelu_new' : parts.at(-1);
  const activation = T5_ACTIVATIONS.find((known) => known === name);
  if (activation !== undefined && (gated || parts.length === 1)) return { activation, gated };
  fields.fail('feed_forward_proj', `is ${JSON.stringify(projection)}, which is not supported`);
}

// The parts of a T5's config.json that its encoder depends on (T5Config of Hugging Face transformers).

import { join } from 'node:path';

import { CheckpointError } from '../../core/errors.js';
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
  const size = (key: string, fallback?: number): number => {
    const value = json[key] ?? fallback;
    if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value;
    throw new CheckpointError(
      label,
      `'${key}' should be a whole number above 0, got ${JSON.stringify(value)}`,
    );
  };
  const eps = json['layer_norm_epsilon'] ?? 1e-6;
  if (typeof eps !== 'number' || !(eps > 0)) {
    throw new CheckpointError(label, `'layer_norm_epsilon' should be above 0, got ${JSON.stringify(eps)}`);
  }
  return {
    vocabulary: size('vocab_size'),
    width: size('d_model'),
    headWidth: size('d_kv'),
    heads: size('num_heads'),
    hidden: size('d_ff'),
    layers: size('num_layers'),
    buckets: size('relative_attention_num_buckets', 32),
    maxDistance: size('relative_attention_max_distance', 128),
    eps,
    ...feedForward(label, json),
  };
}

/** `feed_forward_proj` is 'relu', 'gated-gelu' and the like; 'gated-gelu' means the tanh form of GELU. */
function feedForward(label: string, json: JsonObject): { activation: T5Activation; gated: boolean } {
  const projection = json['feed_forward_proj'] ?? 'relu';
  const parts = typeof projection === 'string' ? projection.split('-') : [];
  const gated = parts.length === 2 && parts[0] === 'gated';
  const name = projection === 'gated-gelu' ? 'gelu_new' : parts.at(-1);
  const activation = T5_ACTIVATIONS.find((known) => known === name);
  if (activation !== undefined && (gated || parts.length === 1)) return { activation, gated };
  throw new CheckpointError(
    label,
    `'feed_forward_proj' is ${JSON.stringify(projection)}, which is not supported`,
  );
}

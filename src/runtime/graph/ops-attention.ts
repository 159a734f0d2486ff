// Fused multi-head attention (com.microsoft.MultiHeadAttention): softmax(scale * q k^T + bias) v for every head.

import { RuntimeError } from '../../core/errors.js';
import type { Value } from './builder.js';
import { add, cast, mul, sub } from './ops-math.js';
import { concat, expandTo, sizeOf, unsqueeze } from './ops-shape.js';
import { addDims, type Dim, formatShape } from './shapes.js';
import { type Attribute, float } from './values.js';

/** The engine's own mask value. */
const MASKED = -10_000;

/** Inputs of attention. Shapes: B batch, L queries, T keys, P keys kept from before, H heads, D head width. */
interface AttentionOptions {
  readonly heads: number;
  /** [B, L, H * D] */
  readonly query: Value;
  /** [B, T, H * D], or [B, H, T, D] when nothing is to be appended to it. */
  readonly key: Value;
  /** As the key; its head width may differ. */
  readonly value: Value;
  /** Factor of the scores. @default 1 / sqrt(D) */
  readonly scale?: number;
  /** Added to the scores: [B or 1, H or 1, L, T], with T counting the past too. */
  readonly bias?: Value;
  /** int32 [B, T], 0 for keys that do not count: their scores get -10000. */
  readonly keyMask?: Value;
  /** Keys and values from before, each [B, H, P, D]; asks for `present` too. */
  readonly past?: { readonly key: Value; readonly value: Value };
  /** Give back all keys and values, [B, H, P + T, D]. @default only with past */
  readonly present?: boolean;
  /** A query sees the keys up to its own place only. @default false */
  readonly causal?: boolean;
}

/** The attended values [B, L, H * D], and keys and values including the past ones where asked for. */
interface AttentionResult {
  readonly output: Value;
  readonly present?: { readonly key: Value; readonly value: Value };
}

/** Attention of every head side by side. */
export function multiHeadAttention(options: AttentionOptions): AttentionResult {
  const { heads, query, key, value, past } = options;
  check(options);
  const [batch, length] = query.shape as [Dim, Dim];
  const keyLength = (key.shape.length === 4 ? key.shape[2] : key.shape[1]) as Dim;
  const total = past ? addDims(past.key.shape[2] as Dim, keyLength) : keyLength;
  const headWidth = (x: Value): number =>
    x.shape.length === 4 ? (x.shape[3] as number) : (x.shape[2] as number) / heads;
  const attributes: Record<string, Attribute> = { num_heads: heads };
  if (options.scale !== undefined) attributes['scale'] = float(options.scale);
  if (options.causal) attributes['unidirectional'] = 1;
  const cache = (x: Value): { type: 'float32'; shape: Dim[] } => ({
    type: 'float32',
    shape: [batch, heads, total, headWidth(x)],
  });
  const present = options.present ?? past !== undefined;
  const outputs = [{ type: 'float32' as const, shape: [batch, length, heads * headWidth(value)] }];
  if (present) outputs.push(cache(key), cache(value));
  const [output, presentKey, presentValue] = query.graph.op('MultiHeadAttention', {
    inputs: [query, key, value, undefined, undefined, summandOf(options), past?.key, past?.value],
    domain: 'com.microsoft',
    attributes,
    outputs,
  });
  if (!output) throw new RuntimeError('MultiHeadAttention gave no output.');
  return presentKey && presentValue
    ? { output, present: { key: presentKey, value: presentValue } }
    : { output };
}

/**
 * What is added to the scores. The operator takes a mask of keys as well, which it makes the same of; but not on every device.
 */
function summandOf({ query, bias, keyMask }: AttentionOptions): Value | undefined {
  if (!keyMask) return bias;
  const g = query.graph;
  const [batch, keys] = keyMask.shape as [Dim, Dim];
  const masked = unsqueeze(mul(sub(1, cast(keyMask, 'float32')), MASKED), [1, 2]);
  const sizes = [sizeOf(keyMask, 0), g.constant([1]), sizeOf(query, 1), sizeOf(keyMask, 1)];
  const spread = expandTo(masked, concat(sizes, 0), [batch, 1, query.shape[1] as Dim, keys]);
  return bias ? add(bias, spread) : spread;
}

function check({ heads, query, key, value, past }: AttentionOptions): void {
  const say = (fault: string): never => {
    throw new RuntimeError(`MultiHeadAttention of ${query.name} ${formatShape(query.shape)}: ${fault}`);
  };
  const width = query.shape[2];
  if (query.shape.length !== 3 || typeof width !== 'number' || width % heads !== 0) {
    say(`the query has to be [B, L, C] with C a multiple of ${heads} heads.`);
  }
  for (const [name, x] of [
    ['key', key],
    ['value', value],
  ] as const) {
    const last = x.shape.at(-1);
    const fits = x.shape.length === 4 ? x.shape[1] === heads : x.shape.length === 3;
    if (!fits || typeof last !== 'number') say(`the ${name} has the shape ${formatShape(x.shape)}.`);
  }
  for (const [name, x] of [
    ['past key', past?.key],
    ['past value', past?.value],
  ] as const) {
    if (x && (x.shape.length !== 4 || x.shape[1] !== heads)) {
      say(`the ${name} has the shape ${formatShape(x.shape)}, not [B, ${heads}, P, D].`);
    }
  }
}

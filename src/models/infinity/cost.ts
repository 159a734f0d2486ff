// What an Infinity step costs, in operations and in bytes, from the sizes alone.

import type { Precision } from '../../runtime/graph/index.js';
import type { Matrices } from '../weight-bytes.js';
import type { TransformerSizes } from './config.js';
import { type Scale, tokensBefore } from './schedule.js';

const FLOAT_BYTES = 4;

/** A step of one prefix. */
interface StepSize {
  /** Sequences per prefix: 2 with guidance, else 1. */
  readonly branches: number;
  /** Tokens of the scale. */
  readonly tokens: number;
  /** Tokens of the scales before. */
  readonly past: number;
  /** Tokens of the prompt. */
  readonly textTokens: number;
  /** @default float32 */
  readonly precision?: Precision;
}

/** Tokens of scale `index` (0-based) and before it. */
export function stepTokens(scales: readonly Scale[], index: number): { tokens: number; past: number } {
  const { height = 0, width = 0 } = scales[index] ?? {};
  return { tokens: height * width, past: tokensBefore(scales, index) };
}

/** Floating-point operations of a step's matrix products, attention included (two per multiplication). */
export function stepFlops({ depth, width, hidden, bits }: TransformerSizes, size: StepSize): number {
  const { branches, tokens, past, textTokens } = size;
  const linear = 6 * width * width + 2 * width * hidden; // q, k, v, proj; q, proj; fc1, fc2
  const attention = 2 * width * (past + tokens + textTokens);
  const head = 2 * bits * width;
  const embedding = bits * width; // shared by the branches
  return 2 * tokens * (branches * (depth * (linear + attention) + head) + embedding);
}

/**
 * The matrices of the blocks, which are kept in the precision that is asked for: q, k, v, proj; q, k, v, proj of the
 * cross-attention; fc1, fc2.
 */
export function blockMatrices({ depth, width, hidden }: TransformerSizes): Matrices {
  return {
    elements: depth * (8 * width * width + 2 * width * hidden),
    rows: depth * (9 * width + hidden),
  };
}

/** One of the tensors that a block keeps of its tokens, [branches, tokens, width]. */
export interface PagePart {
  readonly name: 'key' | 'value' | 'key_scale' | 'value_scale';
  readonly type: 'float32' | 'int8';
  readonly width: number;
}

/** What a block keeps of its tokens: keys and values; in int8 they have 8 bits, and a scale of every token and head. */
export function pageParts(
  { width, heads }: Pick<TransformerSizes, 'width' | 'heads'>,
  precision: Precision = 'float32',
): readonly PagePart[] {
  const type = precision === 'int8' ? 'int8' : 'float32';
  const parts: readonly PagePart[] = [
    { name: 'key', type, width },
    { name: 'value', type, width },
  ];
  if (precision !== 'int8') return parts;
  const scales = { type: 'float32', width: heads } as const;
  return [...parts, { name: 'key_scale', ...scales }, { name: 'value_scale', ...scales }];
}

/** Bytes of a part of one token. */
export function partBytes({ type, width }: PagePart): number {
  return width * (type === 'int8' ? 1 : FLOAT_BYTES);
}

/** Bytes of the keys and values of `tokens` tokens. */
export function pageBytes(
  sizes: TransformerSizes,
  branches: number,
  tokens: number,
  precision?: Precision,
): number {
  const token = pageParts(sizes, precision).reduce((sum, part) => sum + partBytes(part), 0);
  return sizes.depth * branches * tokens * token;
}

/** Bytes of the logits of `tokens` tokens: two a bit, in float32. */
export function logitBytes({ bits }: TransformerSizes, tokens: number): number {
  return tokens * 2 * bits * FLOAT_BYTES;
}

/** Bytes of a prefix's own bits, a byte each, and of the sum of its codes on the last scale's grid, in float32. */
export function bitBytes({ bits }: TransformerSizes, tokens: number, lastTokens: number): number {
  return bits * (tokens + lastTokens * FLOAT_BYTES);
}

/** A picture's keys and values of fewer bytes are copied together faster than they are handed over in pieces. */
export const PIECES_FROM = 2 ** 26;

/**
 * Bytes that prefixes which run together take besides, each: the keys and values from before beside each other, and the new ones
 * before they are taken apart. Those of one by itself are fed as they lie, and stay where they come out.
 */
export function gatheredBytes(
  config: TransformerSizes,
  { branches, past, tokens, precision }: StepSize,
): number {
  return pageBytes(config, branches, past + tokens, precision);
}

/**
 * Bytes that a step of one prefix needs while it runs by itself: activations, and the new page once more, on its way out of the
 * engine. The page itself is what the prefix comes to hold.
 */
export function stepBytes(config: TransformerSizes, size: StepSize): number {
  const { branches, tokens, past, precision } = size;
  const made = pageBytes(config, branches, tokens, precision);
  // Per layer: a block's vectors, the hidden layer twice, and keys and values joined and rearranged.
  const perToken = branches * (12 * config.width + 2 * config.hidden) * FLOAT_BYTES;
  const joined = branches * 4 * (past + tokens) * config.width * FLOAT_BYTES;
  return made + tokens * perToken + joined;
}

import { describe, expect, it } from 'vitest';

import type { Precision } from '../../runtime/graph/index.js';
import type { TransformerSizes } from './config.js';
import { gatheredBytes, pageBytes, PIECES_FROM, stepBytes, stepFlops, stepTokens } from './cost.js';
import { scheduleOf } from './steps.js';

const config: TransformerSizes = { width: 8, heads: 2, hidden: 32, bits: 4, depth: 3 };
const size = { branches: 2, tokens: 9, past: 5, textTokens: 7 };

/** Operations of a product of [rows, inner] with [inner, columns]. */
const product = (rows: number, inner: number, columns: number): number => 2 * rows * inner * columns;

describe('the operations of a step', () => {
  it('are those of its matrix products, one by one', () => {
    // A block of one branch: q, k, v and the projection, attention to itself and to what came before, q and the projection
    // of the cross-attention, attention to the text, and the feed-forward layers.
    const block =
      4 * product(9, 8, 8) +
      (product(9, 8, 9 + 5) + product(9, 9 + 5, 8)) +
      2 * product(9, 8, 8) +
      (product(9, 8, 7) + product(9, 7, 8)) +
      (product(9, 8, 32) + product(9, 32, 8));
    const head = product(9, 8, 2 * 4);
    const embedding = product(9, 4, 8);
    expect(stepFlops(config, size)).toBe(2 * (3 * block + head) + embedding);
  });

  it('grow with what a token attends to', () => {
    const more = (change: Partial<typeof size>): number =>
      stepFlops(config, { ...size, ...change }) - stepFlops(config, size);
    // For each of 9 tokens, 3 blocks and 2 branches: one more score and one more weighted sum of 8 channels.
    expect(more({ past: size.past + 1 })).toBe(9 * 3 * 2 * 2 * (8 + 8));
    expect(more({ textTokens: size.textTokens + 1 })).toBe(9 * 3 * 2 * 2 * (8 + 8));
  });

  it('know the tokens of a scale and of those before it', () => {
    const scales = [
      { height: 1, width: 1 },
      { height: 2, width: 4 },
      { height: 3, width: 6 },
    ];
    expect(stepTokens(scales, 2)).toEqual({ tokens: 18, past: 9 });
  });
});

describe('the bytes of keys and values', () => {
  it('are a byte a number in int8, and four a head', () => {
    const numbers = 3 * 2 * 2 * 5 * 8;
    expect(pageBytes(config, 2, 5)).toBe(4 * numbers);
    expect(pageBytes(config, 2, 5, 'float16')).toBe(4 * numbers);
    expect(pageBytes(config, 2, 5, 'int8')).toBe(numbers + 4 * (3 * 2 * 2 * 5 * 2));
    const held = (precision: Precision): number =>
      scheduleOf({
        scales: [1, 2, 3].map((side) => ({ height: side, width: side })),
        sizes: config,
        tokenPixels: 16,
        branches: 2,
        textTokens: 7,
        precision,
      }).steps.reduce((sum, { heldBytes }) => sum + heldBytes, 0);
    expect(held('float32') - held('int8')).toBe(pageBytes(config, 2, 5) - pageBytes(config, 2, 5, 'int8'));
  });
});

describe('the bytes of a step', () => {
  it('are with a copy of what was before where prefixes run together, and without where one is fed as it lies', () => {
    const large: TransformerSizes = { width: 2048, heads: 16, hidden: 8192, bits: 32, depth: 32 };
    const scales = [1, 8, 16, 24].map((side) => ({ height: side, width: side }));
    const steps = (sizes: TransformerSizes) =>
      scheduleOf({ scales, sizes, tokenPixels: 16, branches: 2, textTokens: 16 }).steps;
    const past = 1 + 64 + 256;
    expect(pageBytes(large, 1, past)).toBeGreaterThan(PIECES_FROM);
    const [, , , last] = steps(large);
    expect(last?.gatheredBytes).toBe(past * 2 * 2 * 32 * 2048 * 4);
    expect(steps(large)[2]?.gatheredBytes).toBe(past * 2 * 2 * 32 * 2048 * 4);
    const alone = { branches: 2, textTokens: 16, ...stepTokens(scales, 3) };
    expect(gatheredBytes(large, { ...alone, tokens: 0 })).toBe(last?.gatheredBytes);
    // The last scale's own are not kept, nor copied out.
    expect((last?.runBytes ?? 0) - 576 * 2 * 32 * 4).toBe(stepBytes(large, alone) - pageBytes(large, 2, 576));
    // A small model's are always gathered.
    expect(steps(config)[3]?.gatheredBytes).toBe(0);
    expect(steps(config)[3]?.runBytes).toBeGreaterThan(
      stepBytes(config, alone) - pageBytes(config, 2, 576) + pageBytes(config, 2, past),
    );
  });
});

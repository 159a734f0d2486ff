// The seed that a search draws by: every prompt has its own, so that no two prompts share their random numbers.

import { createHash } from 'node:crypto';

import type { BenchmarkPrompt } from './record.js';

/** A whole number below 2^48 from benchmark, prompt and repeat: the same for all cells, whose first pictures are the same then. */
export function searchSeedOf(
  benchmark: string,
  { index, text }: Pick<BenchmarkPrompt, 'index' | 'text'>,
  seed: number,
): number {
  return createHash('sha256')
    .update(JSON.stringify([benchmark, index, text, seed]))
    .digest()
    .readUIntBE(0, 6);
}

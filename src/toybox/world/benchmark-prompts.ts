// The held-out prompts that the embedded model is judged on.

import { RandomKey } from '../../core/random.js';
import { Draws } from './draws.js';
import { generatePrompt } from './generate-prompt.js';
import type { PromptKind } from './grammar.js';
import { PROMPT_KINDS, promptText } from './grammar.js';
import { HELD_OUT_DIVISOR, isHeldOut } from './held-out.js';

/** A prompt of the benchmark with its kind. */
interface BenchmarkPrompt {
  readonly prompt: string;
  readonly kind: PromptKind;
}

/** Seed of the benchmark that the model card reports. */
export const BENCHMARK_SEED = 2026;

/** Draws without a new string after which a kind counts as exhausted. */
const PATIENCE = 1000;

/**
 * Draws `perKind` prompts of every kind, none of which occurs in training (single_object excepted: it has eight
 * strings in all). Kinds with fewer distinct strings than that repeat theirs in turn.
 */
export function benchmarkPrompts(perKind = 25, seed = BENCHMARK_SEED): readonly BenchmarkPrompt[] {
  const root = RandomKey.fromSeed(seed);
  return PROMPT_KINDS.flatMap((kind, index) => {
    const draws = new Draws(root.fold(index));
    const texts = new Set<string>();
    for (let misses = 0; texts.size < perKind && misses < PATIENCE; misses++) {
      const prompt = generatePrompt(kind, draws);
      const usable = HELD_OUT_DIVISOR[kind] === 0 || isHeldOut(prompt);
      if (!usable || texts.has(promptText(prompt))) continue;
      texts.add(promptText(prompt));
      misses = 0;
    }
    const distinct = [...texts];
    return Array.from({ length: perKind }, (_, i) => ({ prompt: distinct[i % distinct.length] ?? '', kind }));
  });
}

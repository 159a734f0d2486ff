// The order in which the prompts of a benchmark are worked off: every kind keeps its share all the way, so that the first hundred of any
// benchmark are a fair sample of it, and what an early end leaves is, too.

import { UsageError } from '../core/errors.js';
import type { BenchmarkPrompt } from './record.js';

/** Prompts by their place within their kind, as a share of the kind. */
export function spread(prompts: readonly BenchmarkPrompt[]): readonly BenchmarkPrompt[] {
  const sizes = new Map<string, number>();
  const places = prompts.map(({ kind }) => {
    const place = sizes.get(kind) ?? 0;
    sizes.set(kind, place + 1);
    return place;
  });
  const shareOf = (index: number): number => {
    const kind = prompts[index]?.kind ?? '';
    return ((places[index] ?? 0) + 0.5) / (sizes.get(kind) ?? 1);
  };
  return prompts
    .map((prompt, index) => ({ prompt, share: shareOf(index), index }))
    .sort((a, b) => a.share - b.share || a.index - b.index)
    .map(({ prompt }) => prompt);
}

/** Whole numbers of a list such as '1-3' or '1,2,7-9', each once; a UsageError for what is none. */
export function parseRanges(text: string, what: string): readonly number[] {
  const numbers = text.split(',').flatMap((part) => {
    const [, first, last] = /^\s*(\d{1,15})(?:\s*-\s*(\d{1,15}))?\s*$/.exec(part) ?? [];
    const [from, to] = [Number(first), Number(last ?? first)];
    if (first === undefined || to < from || to - from > MOST) {
      throw new UsageError(`option '${what}' must be whole numbers such as 1-3 or 1,2,5, got '${text}'`);
    }
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
  const seen = new Set(numbers);
  if (seen.size === numbers.length) return numbers;
  throw new UsageError(`option '${what}' names a number twice: '${text}'`);
}

const MOST = 1e6;

/** The prompts that are asked for: so many from the start of the order, or places in it as '100-199'; all where nothing is said. */
export function choosePrompts(
  prompts: readonly BenchmarkPrompt[],
  asked: string | undefined,
): readonly BenchmarkPrompt[] {
  const order = spread(prompts);
  if (asked === undefined) return order;
  const count = /^\s*\d+\s*$/.test(asked) ? Number(asked) : null;
  const places = count === null ? parseRanges(asked, 'prompts') : Array.from({ length: count }, (_, i) => i);
  if (places.length === 0) throw new UsageError("option 'prompts' must be at least 1, got 0");
  return places.map((place) => {
    const prompt = order[place];
    if (prompt) return prompt;
    throw new UsageError(`option 'prompts' is '${asked}', but the benchmark has ${order.length} prompts`);
  });
}

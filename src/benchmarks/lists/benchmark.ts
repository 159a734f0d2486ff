// What a benchmark is: a list of prompts with kinds, and how a model is run on it where nobody says otherwise.

import { createHash } from 'node:crypto';

import type { OptionValues } from '../../core/options.js';
import type { BenchmarkPrompt } from '../record.js';

/** The prompts of a benchmark, and where they come from. */
export interface PromptList {
  readonly prompts: readonly BenchmarkPrompt[];
  readonly source: string;
  readonly licence: string;
  /** The lines that an evaluator reads beside each picture, one a prompt. @default it reads none */
  readonly metadata?: readonly string[];
  /** Of the list as it was made or fetched. */
  readonly sha256: string;
}

/** How a list is got. */
export interface ListContext {
  readonly signal?: AbortSignal | undefined;
  /** Says what is fetched, from where and under which licence. */
  readonly tell?: ((message: string) => void) | undefined;
  /** Where fetched files are kept. @default below the cache of varsearch */
  readonly cache?: string | undefined;
  /** Where an address is asked for in its place. @default there */
  readonly mirror?: ((url: string) => string) | undefined;
}

/** A benchmark by name. */
export interface Benchmark {
  readonly name: string;
  readonly description: string;
  /** Options of models that it is run with where nothing else is said. @default the model's */
  readonly modelOptions?: OptionValues;
  /** Pictures a prompt that its evaluator expects, in the layout that it reads. @default nobody else evaluates it */
  readonly evaluator?: { readonly layout: string; readonly images: number };
  load(context?: ListContext): Promise<PromptList>;
}

/** Prompts with their places; of pairs of text and kind. */
export function numbered(
  prompts: readonly { readonly text: string; readonly kind: string }[],
): BenchmarkPrompt[] {
  return prompts.map(({ text, kind }, index) => ({ index, text, kind }));
}

/** The hash of prompts that no file holds. */
export function hashPrompts(prompts: readonly BenchmarkPrompt[]): string {
  return createHash('sha256').update(JSON.stringify(prompts)).digest('hex');
}

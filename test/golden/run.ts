// Runs the searches of the golden table through the public API.

import type { OpenOptions } from '../../src/index.js';
import { openVarsearch, type Varsearch } from '../../src/index.js';
import type { Case } from './cases.js';
import { type CompareFacts, compareFacts, type SearchFacts, searchFacts } from './facts.js';

/** What was found of a case. */
export type Facts = SearchFacts | CompareFacts;

/** Runs cases, and keeps what the last one loaded for the next. */
export class GoldenRuns {
  #open: { readonly options: OpenOptions; readonly varsearch: Varsearch } | null = null;

  /** The facts of a case. */
  async facts({ open, generate, compare }: Case): Promise<Facts> {
    const varsearch = await this.#varsearch(open);
    const { redraw } = varsearch;
    if (compare) return await compareFacts(await varsearch.compare(compare).result, redraw);
    return await searchFacts(await varsearch.generate(generate).result, redraw);
  }

  async close(): Promise<void> {
    await this.#open?.varsearch.close();
    this.#open = null;
  }

  async #varsearch(options: OpenOptions): Promise<Varsearch> {
    if (this.#open?.options === options) return this.#open.varsearch;
    await this.close();
    const varsearch = await openVarsearch(options);
    this.#open = { options, varsearch };
    return varsearch;
  }
}

/** The searches of a case. */
export function searchesOf(facts: Facts): readonly SearchFacts[] {
  return 'searches' in facts ? facts.searches : [facts];
}

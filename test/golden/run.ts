// Runs the searches of the golden table through the public API.

import type { Catalogs, OpenOptions } from '../../src/index.js';
import { builtInCatalogs, openVarsearch, type Varsearch } from '../../src/index.js';
import type { Case } from './cases.js';
import { type CompareFacts, compareFacts, type SearchFacts, searchFacts } from './facts.js';

/** What was found of a case. */
export type Facts = SearchFacts | CompareFacts;

/** Runs cases, and keeps what the last one loaded for the next. */
export class GoldenRuns {
  #open: { readonly options: OpenOptions; readonly varsearch: Varsearch } | null = null;

  /** The facts of a case. */
  async facts({ open, batches, generate, compare }: Case): Promise<Facts> {
    const varsearch = await this.#varsearch(open, batches);
    const { redraw } = varsearch;
    if (compare) return await compareFacts(await varsearch.compare(compare).result, redraw);
    return await searchFacts(await varsearch.generate(generate).result, redraw);
  }

  async close(): Promise<void> {
    await this.#open?.varsearch.close();
    this.#open = null;
  }

  async #varsearch(options: OpenOptions, batches: number | undefined): Promise<Varsearch> {
    if (this.#open?.options === options) return this.#open.varsearch;
    await this.close();
    const catalogs = await builtInCatalogs();
    const varsearch = await openVarsearch(options, { catalogs: batched(catalogs, batches) });
    this.#open = { options, varsearch };
    return varsearch;
  }
}

/** Catalogues whose models part their batches by so many bytes. */
function batched(catalogs: Catalogs, bytes: number | undefined): Catalogs {
  if (bytes === undefined) return catalogs;
  const findModel: Catalogs['findModel'] = (name) => {
    const entry = catalogs.findModel(name);
    return { ...entry, load: (options) => entry.load({ ...options, memory: bytes }) };
  };
  return { ...catalogs, findModel };
}

/** The searches of a case. */
export function searchesOf(facts: Facts): readonly SearchFacts[] {
  return 'searches' in facts ? facts.searches : [facts];
}

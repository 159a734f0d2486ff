// Keeps what a search has shown so far, so that an interrupted run still has a picture, a tree and a ledger.

import type { Image } from '../core/image.js';
import type { Ledger } from '../core/ledger.js';
import type { Scale } from '../models/contract.js';
import type { SearchEvent, SearchResult } from '../search/contract.js';
import type { SearchTree, TreeNode } from '../search/tree.js';
import type { EngineHashes } from './engine.js';
import type { ResolvedOptions } from './options.js';
import { hashPixels } from './recipe.js';
import type { GenerateResult, TracePoint } from './result.js';
import { readVersions } from './versions.js';

/** What a run is, before it has shown anything. */
export interface RunFacts {
  readonly options: ResolvedOptions;
  readonly scales: readonly Scale[];
  readonly ledger: Ledger;
  readonly hashes: () => Promise<EngineHashes>;
  /** When the run began, by performance.now(). */
  readonly started: number;
  /** Milliseconds of loading that happened before the run, and count as part of it. */
  readonly loadTime: number;
}

interface Found {
  readonly image: Image;
  readonly winner: TreeNode;
  readonly tree: SearchTree;
}

/** The record of one search: fed with its events, asked for results at any time. */
export class RunRecord {
  readonly #facts: RunFacts;
  readonly #nodes: TreeNode[] = [];
  readonly #trace: TracePoint[] = [];
  #best: TreeNode | null = null;

  constructor(facts: RunFacts) {
    this.#facts = facts;
  }

  /** Takes in what just happened. */
  note(event: SearchEvent): void {
    if (event.type !== 'scored') return;
    this.#nodes.push(...event.nodes);
    this.#best = event.best;
    const { nfe, forwards, tokens } = this.#facts.ledger.record();
    const images = this.#nodes.filter((node) => !node.inherited).length;
    const milliseconds = performance.now() - this.#facts.started;
    this.#trace.push({ images, nfe, forwards, tokens, milliseconds, best: event.best.score });
  }

  /** The best picture until now with all that led to it; null before the first score. */
  async soFar(): Promise<GenerateResult | null> {
    const winner = this.#best;
    if (!winner) return null;
    return await this.#result({ image: winner.image, winner, tree: { nodes: [...this.#nodes] } }, false);
  }

  /** The result of a search that came to its end. */
  async finish(result: SearchResult): Promise<GenerateResult> {
    return await this.#result(result, true);
  }

  async #result(found: Found, complete: boolean): Promise<GenerateResult> {
    const { options, scales, loadTime } = this.#facts;
    const ledger = this.#facts.ledger.record();
    const milliseconds = performance.now() - this.#facts.started + loadTime;
    const trace = [...this.#trace];
    const hashes = await this.#facts.hashes();
    const versions = readVersions();
    const { image, winner, tree } = found;
    const recipe = {
      format: 1,
      options,
      hashes,
      versions,
      score: winner.score,
      node: winner.id,
      complete,
      pixels: hashPixels(image),
    } as const;
    const { score } = winner;
    return {
      complete,
      image,
      score,
      winner,
      tree,
      trace,
      ledger,
      milliseconds,
      scales,
      options,
      hashes,
      versions,
      recipe,
    };
  }
}

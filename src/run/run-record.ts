// Keeps what a search has shown so far, so that an interrupted run still has a picture, a tree and a ledger.

import type { Image } from '../core/image.js';
import type { Ledger } from '../core/ledger.js';
import type { EngineHashes } from '../engine/engine.js';
import type { ResolvedOptions } from '../engine/options.js';
import { readVersions } from '../engine/versions.js';
import type { Scale } from '../models/contract.js';
import type { SearchEvent, SearchResult } from '../search/contract.js';
import type { SearchTree, TreeNode } from '../search/tree.js';
import { hashPixels } from './recipe.js';
import type { GenerateResult, Spent } from './result.js';
import { standingsOf, traceOf } from './standings.js';

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
  readonly score: number;
  readonly winner: TreeNode;
  readonly tree: SearchTree;
}

/** The record of one search: fed with its events, asked for results at any time. */
export class RunRecord {
  readonly #facts: RunFacts;
  readonly #nodes: TreeNode[] = [];
  readonly #trace: Spent[] = [];
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
    this.#trace.push({ images, nfe, forwards, tokens, milliseconds });
  }

  /** The best picture until now, or that of candidate `id`, with all that led to it; null before it was scored. */
  async soFar(id?: number): Promise<GenerateResult | null> {
    const nodes = [...this.#nodes];
    const winner = id === undefined ? this.#best : nodes.find((node) => node.id === id);
    if (!winner) return null;
    const score = standingsOf(nodes, this.#facts.options)(winner);
    return await this.#result({ image: winner.image, score, winner, tree: { nodes } }, false);
  }

  /** The result of a search that came to its end. */
  async finish(result: SearchResult): Promise<GenerateResult> {
    return await this.#result(result, true);
  }

  async #result(found: Found, complete: boolean): Promise<GenerateResult> {
    const { options, scales, loadTime } = this.#facts;
    const ledger = this.#facts.ledger.record();
    const milliseconds = performance.now() - this.#facts.started + loadTime;
    const spent = [...this.#trace];
    const hashes = await this.#facts.hashes();
    const versions = readVersions();
    const { image, score, winner, tree } = found;
    const trace = traceOf(spent, tree.nodes, standingsOf(tree.nodes, options));
    const recipe = {
      format: 1,
      options,
      hashes,
      versions,
      score,
      node: winner.id,
      complete,
      pixels: hashPixels(image),
    } as const;
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
      report: null,
    };
  }
}

// What every strategy takes and gives. A strategy is an async generator: it yields events and returns a result.
// No input or output, no clock, no printing, no model names.

import type { Image } from '../core/image.js';
import type { RandomKey } from '../core/random.js';
import type { Generator } from '../models/contract.js';
import type { Panel } from '../verifiers/contract.js';
import type { SearchTree, TreeNode } from './tree.js';

/** What a strategy works with. */
export interface SearchContext {
  readonly generator: Generator;
  readonly panel: Panel;
  /** The root of all randomness of the search. */
  readonly key: RandomKey;
  /** Ends the search between two steps; it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What happens during a search: per round 'round', then 'scored' once or more, then 'elected'. */
export type SearchEvent =
  /** A round begins: candidates for `scale` (1-based; 1 is the only round of random search) are drawn. */
  | { readonly type: 'round'; readonly scale: number; readonly rounds: number; readonly candidates: number }
  /**
   * Candidates were completed, decoded and scored; `best` is the best of the whole search so far. With a relative panel
   * all pictures so far are combined anew for that, so that only the members' scores of two such bests can be compared.
   */
  | { readonly type: 'scored'; readonly nodes: readonly TreeNode[]; readonly best: TreeNode }
  /** The round's winners, best first. */
  | { readonly type: 'elected'; readonly scale: number; readonly nodes: readonly TreeNode[] };

/** The end of a search: its best picture and the whole tree. */
export interface SearchResult {
  readonly image: Image;
  /** The winner's score; with a relative panel among all pictures that it was chosen from: of the search, or of its last round. */
  readonly score: number;
  /** The candidate whose rollout is the picture. */
  readonly winner: TreeNode;
  readonly tree: SearchTree;
}

/**
 * A running search. It frees what it holds when it ends, fails, is aborted, or is left early by `return()`
 * (which a `for await` calls when it is left by `break`).
 */
export type Search = AsyncGenerator<SearchEvent, SearchResult, void>;

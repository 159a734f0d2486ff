// What a run gives, and its form in result.json (format 1): everything but the pictures of the tree.

import type { Image } from '../core/image.js';
import type { LedgerRecord } from '../core/ledger.js';
import type { EngineHashes } from '../engine/engine.js';
import type { ResolvedOptions } from '../engine/options.js';
import type { Versions } from '../engine/versions.js';
import type { Scale } from '../models/contract.js';
import type { SearchTree, TreeNode } from '../search/tree.js';
import type { HoldOutReport } from './hold-out.js';
import type { Recipe } from './recipe.js';

/** What had been spent when pictures were scored. */
export interface Spent {
  /** Pictures scored so far. */
  readonly images: number;
  readonly nfe: number;
  readonly forwards: number;
  readonly tokens: number;
  /** Wall-clock time since the run began, loading of models not counted. */
  readonly milliseconds: number;
}

/** What had been spent, and the best score, each time that pictures were scored. */
export interface TracePoint extends Spent {
  /** The best score until then; with a relative ensemble (rank, z-score) among all pictures of the search, later ones included. */
  readonly best: number;
}

/** The end of a run, or what an interrupted one had reached. */
export interface GenerateResult {
  /** False when the search did not come to its end: the picture is the best until then. */
  readonly complete: boolean;
  readonly image: Image;
  /** The winner's score; with a relative ensemble (rank, z-score) among all pictures that it was chosen from. */
  readonly score: number;
  /** The candidate whose rollout is the picture. */
  readonly winner: TreeNode;
  readonly tree: SearchTree;
  readonly trace: readonly TracePoint[];
  readonly ledger: LedgerRecord;
  /** Wall-clock time of the whole run, loading of models included. */
  readonly milliseconds: number;
  readonly scales: readonly Scale[];
  readonly options: ResolvedOptions;
  readonly hashes: EngineHashes;
  readonly versions: Versions;
  /** What the PNG file of the picture carries. */
  readonly recipe: Recipe;
  /** What other verifiers say of the winner; null where none was asked, or the search came to no end. */
  readonly report: HoldOutReport | null;
}

/** A candidate in result.json; the members' scores are there where several verifiers guided the search. */
export type NodeJson = Omit<TreeNode, 'image' | 'scores'> & Partial<Pick<TreeNode, 'scores'>>;

/** The layout of result.json. */
export interface ResultJson {
  readonly format: 1;
  readonly incomplete?: true;
  /** Name of the picture's file, beside this one. */
  readonly picture: string;
  readonly score: number;
  /** Id of the candidate whose picture it is. */
  readonly winner: number;
  readonly options: ResolvedOptions;
  readonly scales: readonly Scale[];
  readonly ledger: LedgerRecord;
  readonly milliseconds: number;
  readonly trace: readonly TracePoint[];
  readonly versions: Versions;
  readonly hashes: EngineHashes;
  /** SHA-256 of the picture's RGB bytes. */
  readonly pixels: string;
  /** Where one was asked for. */
  readonly report?: HoldOutReport;
  readonly tree: { readonly nodes: readonly NodeJson[] };
}

function nodeJson(node: TreeNode, several: boolean): NodeJson {
  const { id, parent, scale, beam, candidate, score, scores, kept, inherited } = node;
  return { id, parent, scale, beam, candidate, score, ...(several ? { scores } : {}), kept, inherited };
}

/** A result as plain data for result.json. */
export function resultJson(result: GenerateResult, picture: string): ResultJson {
  const { options, scales, ledger, milliseconds, trace, versions, hashes, report } = result;
  return {
    format: 1,
    ...(result.complete ? {} : { incomplete: true as const }),
    picture,
    score: result.score,
    winner: result.winner.id,
    options,
    scales,
    ledger,
    milliseconds,
    trace,
    versions,
    hashes,
    pixels: result.recipe.pixels,
    ...(report ? { report } : {}),
    tree: { nodes: result.tree.nodes.map((node) => nodeJson(node, options.ensemble !== null)) },
  };
}

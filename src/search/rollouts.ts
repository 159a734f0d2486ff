// What every strategy is made of: candidates are drawn from beams, completed to whole pictures, decoded, scored, and
// the best of them go on.
//
// Randomness: a candidate draws scale s with key.fold(round).fold(beam).fold(candidate).fold(s), so that a picture
// depends on its place in the tree alone, never on batches, groups or the order of work. In round 1 there is one beam,
// the empty prefix: strategies with the same key draw the same pictures there.
//
// Nothing is computed twice: the generator keeps a prefix's forward pass with the prefix. An elected candidate is held
// on to, so the first step of its rollout is also the first step of all that the next round draws from it.

import { throwIfAborted, VarsearchError } from '../core/errors.js';
import type { Image } from '../core/image.js';
import type { RandomKey } from '../core/random.js';
import type { Prefix } from '../models/contract.js';
import type { SearchContext, SearchEvent, SearchResult } from './contract.js';
import type { ResultChoice } from './options.js';
import { Owned } from './owned.js';
import type { TreeNode } from './tree.js';

/** What a round draws from: the empty prefix, or a candidate that the round before elected. */
export interface Beam {
  /** The elected candidate; null for the empty prefix. */
  readonly node: TreeNode | null;
  readonly prefix: Prefix;
  /** The candidate's completion, where elected rollouts are kept. */
  readonly rollout: Prefix | null;
}

/** A beam that a round elected. */
export interface Elected extends Beam {
  readonly node: TreeNode;
}

/** A candidate that is still to be completed. */
export interface Draft {
  readonly beam: Beam;
  readonly beamIndex: number;
  readonly candidate: number;
  /** How many scales it fixes. */
  readonly scale: number;
  /** True when the beam's own rollout stands for it. */
  readonly inherited: boolean;
  readonly key: RandomKey;
}

/** How candidates are drawn from beams. */
export interface DrawOptions {
  /** Number of the round, from 1. */
  readonly round: number;
  /** Candidates in all; every beam gets the same share. */
  readonly total: number;
  /** How many scales a candidate fixes. @default the round's number */
  readonly scale?: number;
}

/** A draft's completion, judged; the search owns the rollout. */
interface Outcome {
  readonly rollout: Prefix;
  readonly image: Image;
  readonly score: number;
}

/** The rollouts of one search, its tree, and the ownership of all its prefixes. */
export class Rollouts {
  readonly #context: SearchContext;
  readonly #keepElected: boolean;
  readonly #owned = new Owned();
  readonly #nodes: TreeNode[] = [];
  #best: TreeNode | null = null;
  #bestOfRound: TreeNode | null = null;

  constructor(context: SearchContext, { keepElected = false }: { readonly keepElected?: boolean } = {}) {
    this.#context = context;
    this.#keepElected = keepElected;
  }

  /** The beam that every search starts from: the empty prefix. */
  begin(): Beam {
    return { node: null, prefix: this.#owned.add(this.#context.generator.begin()), rollout: null };
  }

  /** The candidates of a round, beam by beam. A beam whose rollout was kept has it as candidate 0. */
  draw(beams: readonly Beam[], { round, total, scale = round }: DrawOptions): Draft[] {
    const share = total / beams.length;
    return beams.flatMap((beam, beamIndex) => {
      if (beam.node) beam.node.kept = true;
      const key = this.#context.key.fold(round).fold(beamIndex);
      return Array.from({ length: share }, (_, candidate): Draft => {
        const inherited = candidate === 0 && beam.rollout !== null;
        return { beam, beamIndex, candidate, scale, inherited, key: key.fold(candidate) };
      });
    });
  }

  /**
   * Completes, decodes and scores candidates, in groups that fit the generator's memory; gives the `elect` best, best
   * first, and releases the others. The earlier candidate wins a tie.
   */
  async *complete(drafts: readonly Draft[], elect: number): AsyncGenerator<SearchEvent, Elected[], void> {
    let elected: Elected[] = [];
    this.#bestOfRound = null;
    for (let start = 0; start < drafts.length;) {
      const group = drafts.slice(start, start + this.#groupSize());
      start += group.length;
      const outcomes = await this.#judge(group);
      const scored = group.map((draft) => this.#score(draft, outcomes));
      const ranking = [...elected, ...scored].sort((a, b) => b.node.score - a.node.score);
      elected = ranking.slice(0, elect);
      this.release(ranking.slice(elect));
      yield { type: 'scored', nodes: scored.map(({ node }) => node), best: scoredNode(this.#best) };
    }
    return elected;
  }

  /** As `complete`, for rounds that elect a single candidate. */
  async *completeOne(drafts: readonly Draft[]): AsyncGenerator<SearchEvent, Elected, void> {
    const [best] = yield* this.complete(drafts, 1);
    if (!best) throw new RangeError('a round needs at least one candidate');
    return best;
  }

  /** Frees beams that nothing more is drawn from. */
  release(beams: readonly Beam[]): void {
    for (const { rollout, prefix } of beams) this.#owned.release(rollout ?? prefix);
  }

  /** The result of the search: the best picture of all rounds or of the last one, the earliest of equals. */
  result(choice: ResultChoice): SearchResult {
    const winner = scoredNode(choice === 'best' ? this.#best : this.#bestOfRound);
    winner.kept = true;
    return { image: winner.image, score: winner.score, winner, tree: { nodes: this.#nodes } };
  }

  /** Frees all that is left; to be called however the search ends. */
  close(): void {
    this.#owned.releaseAll();
  }

  /** Kept rollouts hold as much memory as those under way. */
  #groupSize(): number {
    const { concurrency } = this.#context.generator;
    return Math.max(1, this.#keepElected ? concurrency - this.#owned.size : concurrency);
  }

  /** Completes, decodes and scores those drafts of a group that nothing stands for yet. */
  async #judge(group: readonly Draft[]): Promise<ReadonlyMap<Draft, Outcome>> {
    const { generator, judge, signal } = this.#context;
    const drawn = group.filter(({ inherited }) => !inherited);
    if (drawn.length === 0) return new Map();
    const rollouts = await completeRollouts(this.#context, drawn, this.#owned);
    throwIfAborted(signal);
    const images = await generator.decode(rollouts, { signal });
    throwIfAborted(signal);
    const scores = await judge.score(images, { signal });
    throwIfAborted(signal);
    if (scores.length !== images.length) {
      throw new VarsearchError(
        `the verifier gave ${scores.length} scores for ${images.length} pictures: it must give one each`,
      );
    }
    return new Map(
      zip(drawn, zip(rollouts, zip(images, scores))).map(([draft, [rollout, [image, score]]], i) => {
        if (Number.isFinite(score)) return [draft, { rollout, image, score }];
        throw new VarsearchError(
          `the verifier scored picture ${i + 1} of ${scores.length} as ${score}: scores must be finite numbers`,
        );
      }),
    );
  }

  /** Enters a draft into the tree and holds on to no more of its rollout than the next round may need. */
  #score(draft: Draft, outcomes: ReadonlyMap<Draft, Outcome>): Elected {
    const { beam, beamIndex, candidate, scale, inherited } = draft;
    const { rollout, image, score } = outcomes.get(draft) ?? this.#takeOver(beam);
    const id = this.#nodes.length + 1;
    const parent = beam.node?.id ?? 0;
    const node = { id, parent, scale, beam: beamIndex, candidate, score, image, kept: false, inherited };
    this.#nodes.push(node);
    this.#best = better(this.#best, node);
    this.#bestOfRound = better(this.#bestOfRound, node);
    const prefix = ancestor(rollout, scale);
    if (this.#keepElected) return { node, prefix, rollout };
    this.#owned.add(prefix.retain());
    this.#owned.release(rollout);
    return { node, prefix, rollout: null };
  }

  /** The rollout of an elected candidate, judged in the round before. */
  #takeOver({ node, rollout }: Beam): Outcome {
    if (!node || !rollout) throw new RangeError('a beam without a kept rollout has nothing to take over');
    return { rollout: this.#owned.add(rollout.retain()), image: node.image, score: node.score };
  }
}

function better(best: TreeNode | null, node: TreeNode): TreeNode {
  return best && best.score >= node.score ? best : node;
}

function scoredNode(node: TreeNode | null): TreeNode {
  if (!node) throw new RangeError('no candidate was scored yet');
  return node;
}

/** Draws the drafts' own scale and then all finer ones, the whole group in step; `owned` gets the complete prefixes. */
async function completeRollouts(
  context: SearchContext,
  drafts: readonly Draft[],
  owned: Owned,
): Promise<Prefix[]> {
  const { generator, signal } = context;
  const keys = drafts.map(({ key }) => key);
  let prefixes = drafts.map(({ beam }) => owned.add(beam.prefix.retain()));
  const fixed = prefixes[0]?.scale ?? 0;
  for (let scale = fixed + 1; scale <= generator.scales.length; scale++) {
    throwIfAborted(signal);
    const requests = zip(prefixes, keys).map(([prefix, key]) => ({ prefix, key: key.fold(scale) }));
    const extended = await generator.extend(requests, { signal });
    for (const prefix of extended) owned.add(prefix);
    for (const prefix of prefixes) owned.release(prefix);
    prefixes = extended;
  }
  return prefixes;
}

/** The prefix of fewer scales that `prefix` continues; it lives as long as `prefix` does. */
function ancestor(prefix: Prefix, scale: number): Prefix {
  let found = prefix;
  while (found.scale > scale) {
    if (!found.parent) throw new RangeError(`a prefix of scale ${found.scale} has no parent`);
    found = found.parent;
  }
  return found;
}

/** Pairs of two lists that must be equally long. */
function zip<A, B>(left: readonly A[], right: readonly B[]): [A, B][] {
  if (left.length !== right.length) {
    throw new RangeError(`expected ${left.length} results, got ${right.length}`);
  }
  return left.map((value, i) => [value, right[i] as B]);
}

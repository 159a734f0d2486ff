// What every strategy is made of: candidates are drawn from beams, completed to whole pictures, decoded, scored, and
// the best of them go on.
//
// Randomness: a candidate draws scale s with key.fold(round).fold(beam).fold(candidate).fold(s), so that a picture
// depends on its place in the tree alone, never on batches, groups or the order of work. In round 1 there is one beam,
// the empty prefix: strategies with the same key draw the same pictures there.
//
// Nothing is computed twice: the generator keeps a prefix's forward pass with the prefix. An elected candidate is held
// on to, so the first step of its rollout is also the first step of all that the next round draws from it.

import { throwIfAborted } from '../core/errors.js';
import type { Image } from '../core/image.js';
import type { RandomKey } from '../core/random.js';
import type { Prefix } from '../models/contract.js';
import { checkScores } from '../verifiers/contract.js';
import { byScore, contenders, Contest } from './contest.js';
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
  readonly scores: TreeNode['scores'];
}

/** The rollouts of one search, its tree, and the ownership of all its prefixes. */
export class Rollouts {
  readonly #context: SearchContext;
  readonly #keepElected: boolean;
  readonly #owned = new Owned();
  readonly #nodes: TreeNode[] = [];
  /** Every picture of the search, once. */
  readonly #search: Contest;
  /** All candidates of the round. */
  #round: Contest;

  constructor(context: SearchContext, { keepElected = false }: { readonly keepElected?: boolean } = {}) {
    this.#context = context;
    this.#keepElected = keepElected;
    this.#search = new Contest(context.panel);
    this.#round = new Contest(context.panel);
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
   * first, and releases the others: at once where they cannot be elected any more, whatever comes after them. The
   * earlier candidate wins a tie.
   */
  async *complete(drafts: readonly Draft[], elect: number): AsyncGenerator<SearchEvent, Elected[], void> {
    let held: readonly Elected[] = [];
    this.#round = new Contest(this.#context.panel);
    for (let start = 0; start < drafts.length;) {
      const group = drafts.slice(start, start + this.#groupSize());
      start += group.length;
      const outcomes = await this.#judge(group);
      const scored = group.map((draft) => this.#enter(draft, outcomes));
      this.#compare(scored.map(({ node }) => node));
      const all = [...held, ...scored];
      held = contenders(all, elect, this.#context.panel);
      this.#releaseBut(held, all);
      yield { type: 'scored', nodes: scored.map(({ node }) => node), best: this.#search.best().node };
    }
    const elected = held.toSorted(byScore).slice(0, elect);
    this.#releaseBut(elected, held);
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
    const { node: winner, score } = (choice === 'best' ? this.#search : this.#round).best();
    winner.kept = true;
    return { image: winner.image, score, winner, tree: { nodes: this.#nodes } };
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
    const { generator, panel, signal } = this.#context;
    const drawn = group.filter(({ inherited }) => !inherited);
    if (drawn.length === 0) return new Map();
    const rollouts = await completeRollouts(this.#context, drawn, this.#owned);
    throwIfAborted(signal);
    const images = await generator.decode(rollouts, { signal });
    throwIfAborted(signal);
    const scores = await panel.judgeMembers(images, { signal });
    throwIfAborted(signal);
    checkScores(panel, scores, images.length);
    return new Map(
      zip(drawn, zip(rollouts, images)).map(([draft, [rollout, image]], i) => {
        const own = panel.members.map((name, member) => [name, scores[member]?.[i] ?? NaN] as const);
        return [draft, { rollout, image, scores: Object.fromEntries(own) }];
      }),
    );
  }

  /** Enters a draft into the tree and holds on to no more of its rollout than the next round may need. */
  #enter(draft: Draft, outcomes: ReadonlyMap<Draft, Outcome>): Elected {
    const { beam, beamIndex, candidate, scale, inherited } = draft;
    const { rollout, image, scores } = outcomes.get(draft) ?? this.#takeOver(beam);
    const id = this.#nodes.length + 1;
    const parent = beam.node?.id ?? 0;
    // The round's contest gives the score.
    const place = { id, parent, scale, beam: beamIndex, candidate, score: NaN };
    const node: TreeNode = { ...place, scores, image, kept: false, inherited };
    this.#nodes.push(node);
    const prefix = ancestor(rollout, scale);
    if (this.#keepElected) return { node, prefix, rollout };
    this.#owned.add(prefix.retain());
    this.#owned.release(rollout);
    return { node, prefix, rollout: null };
  }

  /** Compares new candidates with those of their round, which gives scores, and with all pictures of the search. */
  #compare(nodes: readonly TreeNode[]): void {
    for (const [node, score] of this.#round.enter(nodes)) node.score = score;
    this.#search.enter(nodes.filter(({ inherited }) => !inherited));
  }

  /** Frees those of `all` that are not in `held`. */
  #releaseBut(held: readonly Elected[], all: readonly Elected[]): void {
    const staying = new Set(held);
    this.release(all.filter((each) => !staying.has(each)));
  }

  /** The rollout of an elected candidate, judged in the round before. */
  #takeOver({ node, rollout }: Beam): Outcome {
    if (!node || !rollout) throw new RangeError('a beam without a kept rollout has nothing to take over');
    return { rollout: this.#owned.add(rollout.retain()), image: node.image, scores: node.scores };
  }
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

// Searches that share a budget, as data, and what became of all of their candidates.

import { RandomKey } from '../../src/index.js';
import type { Candidate } from '../../src/search/contract.js';
import { estimate, resolveSearch, type SearchOptions, startSearch } from '../../src/search/registry.js';
import { rounded } from './prefixes.js';
import { bitsUntil, type Picture, type SharedTree } from './shared-tree.js';

const kept = { strategy: 'beam', keepElected: true } as const;

/** Beams that a budget is enough for. */
const widthOf = (budget: number): number => (budget < 243 ? 2 : 3);

/** The searches by name; those of a list of candidates are of 315 NFE, whatever is asked for. */
export const ARMS: Readonly<Record<string, (budget: number) => SearchOptions>> = {
  random: (budget) => ({ strategy: 'random', budget }),
  // As the paper has it.
  beam: (budget) => ({ strategy: 'beam', width: widthOf(budget), budget }),
  'beam-kept': (budget) => ({ ...kept, width: widthOf(budget), budget }),
  // What budgets of 84, 157 and 315 NFE bought with elected rollouts kept while only whole rounds were bought.
  'kept-54': () => ({ ...kept, width: 2, candidates: 2 }),
  'kept-138': () => ({ ...kept, width: 2, candidates: 4 }),
  'kept-270': () => ({ ...kept, width: 3, candidates: 5 }),
  // As many evaluations at every scale: more candidates at fine ones, whose rollouts are short.
  'even-kept': () => ({ ...kept, width: 4, candidates: [2, 4, 4, 5, 8, 14] }),
  // What a model of the shares of variance likes best.
  'late-kept': () => ({ ...kept, width: 4, candidates: [1, 3, 5, 8, 8, 13] }),
  // Random search's breadth, and then the three best from the fourth scale on.
  'wide-kept': () => ({ ...kept, width: 3, candidates: [9, 1, 1, 18, 1, 1] }),
};

/** A candidate that was newly drawn. */
export interface Drawn {
  readonly id: number;
  readonly round: number;
  readonly right: boolean;
  /** What the detector finds wrong. */
  readonly faults: readonly string[];
  /** The candidate of its round that has the same bits in the scales that they fix: 0 for none before it. */
  readonly twinOf: number;
  /** By judge, of whole pictures. */
  readonly scores: Readonly<Record<string, number>>;
}

/** What a search came to. */
export interface Outcome {
  readonly nfe: number;
  /** The candidate whose picture it gave. */
  readonly winner: number;
  readonly drawn: readonly Drawn[];
}

/** What is run. */
export interface SearchUnit {
  readonly options: SearchOptions;
  /** Who guides. */
  readonly judges: readonly string[];
  /** Who scores all candidates besides. */
  readonly told: readonly string[];
  readonly seed: number;
}

interface Seen {
  readonly picture: Picture;
  readonly state: Uint8Array;
}

/** Runs a search in a tree. */
export async function runSearch(tree: SharedTree, unit: SearchUnit): Promise<Outcome> {
  const { generator } = tree;
  const { schedule } = generator;
  const sizes = resolveSearch(unit.options, schedule);
  const seen = new Map<Candidate, Seen>();
  const search = startSearch(sizes, {
    generator,
    bench: tree.bench(unit.judges),
    draw: RandomKey.fromSeed(unit.seed),
    show: (shown) => {
      for (const { candidate, image, state } of shown) {
        seen.set(candidate, { picture: tree.pictureOf(image), state });
      }
      return Promise.resolve();
    },
  });
  let next = await search.next();
  while (!next.done) next = await search.next();
  const { winner, candidates } = next.value;
  const all = [...seen].sort(([one], [other]) => one.id - other.id);
  await tree.judge(
    all.map(([, { picture }]) => picture.image),
    { judges: unit.told },
  );
  const twins = new Map<string, number>();
  const drawn = all.map(([{ id, path, step }, { picture, state }]): Drawn => {
    const round = path[0] ?? 0;
    const key = `${round} ${bitsUntil(state, schedule, step)}`;
    const twinOf = twins.get(key) ?? 0;
    if (twinOf === 0) twins.set(key, id);
    const scores = Object.fromEntries(
      Object.entries(picture.scores).map(([name, score]) => [name, rounded(score)]),
    );
    return { id, round, right: picture.right, faults: picture.faults, twinOf, scores };
  });
  const won = candidates[winner - 1];
  return { nfe: estimate(sizes, schedule).nfe, winner: won?.sameAs ?? winner, drawn };
}

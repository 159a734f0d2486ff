import { describe, expect, it } from 'vitest';

import { createImage } from '../core/image.js';
import { RandomKey } from '../core/random.js';
import type { Panel } from '../verifiers/contract.js';
import { combineScores, type EnsembleRule } from '../verifiers/ensemble.js';
import { contenders, Contest } from './contest.js';
import type { TreeNode } from './tree.js';

const image = createImage(1, 1, new Uint8Array(3));

function panel(by: EnsembleRule, weights: readonly number[]): Panel {
  return {
    members: weights.map((_, member) => `m${member}`),
    relative: by !== 'weighted-sum',
    combine: (scores) => combineScores(scores, { by, weights }),
    judgeMembers: () => Promise.reject(new Error('nobody asks')),
  };
}

function nodesOf(scores: readonly (readonly number[])[]): TreeNode[] {
  return scores.map((own, i) => ({
    id: i + 1, parent: 0, scale: 1, beam: 0, candidate: i, score: NaN, image, kept: false, inherited: false,
    scores: Object.fromEntries(own.map((score, member) => [`m${member}`, score])),
  })); // prettier-ignore
}

describe('a contest', () => {
  it('gives scores to the new ones alone, or to all where they are relative', () => {
    const nodes = nodesOf([[1], [3], [2]]);
    const sum = new Contest(panel('weighted-sum', [2]));
    sum.enter(nodes.slice(0, 1));
    expect(sum.enter(nodes.slice(1)).map(([{ id }, score]) => [id, score])).toEqual([[2, 6], [3, 4]]); // prettier-ignore
    const rank = new Contest(panel('rank', [2]));
    rank.enter(nodes.slice(0, 1));
    expect(rank.enter(nodes.slice(1)).map(([{ id }, score]) => [id, score])).toEqual([[1, -3], [2, -1], [3, -2]]); // prettier-ignore
    for (const contest of [sum, rank]) expect(contest.best().node.id).toBe(2);
  });

  it('takes the earliest of equals for the best, and knows none before the first', () => {
    const contest = new Contest(panel('rank', [1, 1]));
    expect(() => contest.best()).toThrow(RangeError);
    contest.enter(nodesOf([[1, 2], [2, 1]])); // prettier-ignore
    expect(contest.best()).toMatchObject({ node: { id: 1 }, score: -1.5 });
  });

  it('refuses sums that are no numbers', () => {
    const contest = new Contest(panel('weighted-sum', [1e308]));
    expect(() => contest.enter(nodesOf([[1e10]]))).toThrow(/joined to Infinity: give smaller weights/);
  });
});

describe('contenders', () => {
  const entriesOf = (scores: readonly (readonly number[])[]) => nodesOf(scores).map((node) => ({ node }));
  const ids = (entries: readonly { readonly node: TreeNode }[]): number[] =>
    entries.map(({ node }) => node.id);

  it('are all that not every member puts behind enough others', () => {
    const entries = entriesOf([[3, 1], [1, 3], [2, 2], [0, 0], [3, 1]]); // prettier-ignore
    // The fourth is behind the first three; the fifth is behind its earlier twin only.
    expect(ids(contenders(entries, 1, panel('rank', [1, 1])))).toEqual([1, 2, 3]);
    expect(ids(contenders(entries, 2, panel('rank', [1, 1])))).toEqual([1, 2, 3, 5]);
    expect(contenders(entries, 0, panel('rank', [1, 1]))).toEqual([]);
  });

  it('of a single member are those that are elected', () => {
    const entries = entriesOf([[1], [3], [2], [3]]);
    expect(ids(contenders(entries, 2, panel('z-score', [1])))).toEqual([2, 4]);
  });

  it.each(['rank', 'z-score'] as const)('never lack one that is elected by %s in the end', (by) => {
    for (let seed = 0; seed < 200; seed++) {
      const draw = RandomKey.fromSeed(seed).uniform(40);
      // Few different scores, so that there are ties.
      const scores = Array.from({ length: 20 }, (_, i) =>
        [0, 1].map((m) => Math.floor((draw[2 * i + m] ?? 0) * 5)),
      );
      const judges = panel(by, [1, seed % 3]);
      const entries = entriesOf(scores);
      let held: readonly { readonly node: TreeNode }[] = [];
      for (let start = 0; start < 20; start += 1 + (seed % 7)) {
        held = contenders([...held, ...entries.slice(start, start + 1 + (seed % 7))], 3, judges);
      }
      const contest = new Contest(judges);
      const ranking = contest.enter(entries.map(({ node }) => node)).toSorted(([, a], [, b]) => b - a);
      expect(ids(held)).toEqual(expect.arrayContaining(ranking.slice(0, 3).map(([{ id }]) => id)));
    }
  });
});

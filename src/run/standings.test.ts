import { describe, expect, it } from 'vitest';

import { createImage } from '../core/image.js';
import type { TreeNode } from '../search/tree.js';
import { ENSEMBLE_RULES } from '../verifiers/ensemble.js';
import { countChosenFrom, memberNames, standingsOf, traceOf } from './standings.js';

const picture = () => createImage(1, 1, new Uint8Array(3));

function node(id: number, a: number, b: number, more: Partial<TreeNode> = {}): TreeNode {
  const place = { id, parent: 0, scale: 1, beam: 0, candidate: 0, score: -99, kept: false, inherited: false };
  return { ...place, scores: { b, a }, image: picture(), ...more };
}

const first = node(1, 1, 2);
const nodes = [
  first,
  node(2, 3, 1),
  node(3, 1, 2, { image: first.image, inherited: true }),
  node(4, 5, 5),
  node(5, 0, 0),
];
const spent = [2, 3, 4].map((images) => ({ images, nfe: images, forwards: 0, tokens: 0, milliseconds: 0 }));

describe('standings', () => {
  it('of relative ensembles compare every picture of a search once, by the members in their order', () => {
    const options = { verifier: 'a,b', ensemble: { by: 'rank', weights: [3, 1] } } as const;
    expect(memberNames(options)).toEqual(['a', 'b']);
    const standings = standingsOf(nodes, options);
    // Ranks by a: 3, 2, 1, 4; by b: 2, 3, 1, 4.
    expect(nodes.map(standings)).toEqual([-2.75, -2.25, -2.75, -1, -4]);
  });

  it('of all others are their scores', () => {
    for (const options of [
      { verifier: 'a', ensemble: null },
      { verifier: 'a,b', ensemble: { by: 'weighted-sum', weights: [1, 1] } },
    ] as const) {
      expect(nodes.map(standingsOf(nodes, options))).toEqual([-99, -99, -99, -99, -99]);
    }
    expect(memberNames({ verifier: 'clip-score:/a,b', ensemble: null })).toEqual(['clip-score:/a,b']);
  });
});

describe('the pictures that a result was chosen from', () => {
  it('are those of the search, or of the last round with what it has taken over', () => {
    const last = { ...node(6, 1, 1), scale: 2 };
    const tree = { nodes: [...nodes, last, { ...last, id: 7, inherited: true }] };
    const count = (result: 'best' | 'last-round', complete: boolean): number =>
      countChosenFrom({ complete, tree, options: { search: { strategy: 'gto', result } } as never });
    expect([count('best', true), count('last-round', true), count('last-round', false)]).toEqual([5, 2, 5]);
  });
});

describe('the trace', () => {
  it('never falls, whatever the rule', () => {
    for (const by of ENSEMBLE_RULES) {
      const options = { verifier: 'a,b', ensemble: { by, weights: [3, 1] } };
      const best = traceOf(spent, nodes, standingsOf(nodes, options)).map((point) => point.best);
      expect(best).toEqual(best.toSorted((one, other) => one - other));
    }
    const rank = { verifier: 'a,b', ensemble: { by: 'rank', weights: [3, 1] } } as const;
    expect(traceOf(spent, nodes, standingsOf(nodes, rank)).map(({ best }) => best)).toEqual([-2.25, -1, -1]);
  });
});

import { describe, expect, it } from 'vitest';

import type { Candidate } from '../search/contract.js';
import { heightOf, type Jury, JURY_RULES, resolveJury } from '../verifiers/jury.js';
import { fatesById, keptOf, perPicture, standingsOf, traceOf } from './standings.js';

function candidate(id: number, a: number, b: number, sameAs?: number): Candidate {
  const place = { id, parent: 0, step: 1, judgedAt: 1, path: [1, 0, id - 1], scores: { a, b } };
  return sameAs === undefined ? place : { ...place, sameAs };
}

const candidates = [
  candidate(1, 1, 2),
  candidate(2, 3, 1),
  candidate(3, 1, 2, 1),
  candidate(4, 5, 5),
  candidate(5, 0, 0),
];
const spent = [2, 3, 4].map((images) => ({
  images,
  nfe: images,
  forwards: 0,
  tokens: 0,
  flops: 0,
  milliseconds: 0,
}));
const RANKS = resolveJury(['a', 'b'], { rule: 'rank', weights: [3, 1] });

describe('standings', () => {
  it('of relative rules compare every picture of a search once', () => {
    // Ranks by a: 3, 2, 1, 4; by b: 2, 3, 1, 4.
    const ranks = [2.75, 2.25, 2.75, 1, 4].map((rank) => ({ rank, of: 4 }));
    expect(candidates.map(standingsOf([candidates], RANKS))).toEqual(ranks);
  });

  it('compare the pictures of several searches, whose ids are their own', () => {
    const other = [candidate(1, 9, 9), candidate(2, 9, 9, 1)];
    const standings = standingsOf([candidates, other], RANKS);
    expect(other.map(standings)).toEqual([1, 1].map((rank) => ({ rank, of: 5 })));
    expect(candidates.map(standings)[3]).toEqual({ rank: 2, of: 5 });
  });

  it('of all other rules are numbers that stand for themselves', () => {
    const alone: Jury = resolveJury(['a']);
    expect(candidates.map(standingsOf([candidates], alone))).toEqual(
      candidates.map(({ scores }) => ({ score: scores['a'] })),
    );
    const sums = resolveJury(['a', 'b'], { rule: 'weighted-sum', weights: [1, 10] });
    expect(candidates.map(standingsOf([candidates], sums))).toEqual(
      [21, 13, 21, 55, 0].map((score) => ({ score })),
    );
  });

  it('keep pictures apart that were judged at different steps', () => {
    const preview = { ...candidate(1, 9, 9), judgedAt: 1 };
    const finished = { ...candidate(2, 1, 1), judgedAt: 2 };
    const standings = standingsOf([[preview, finished]], RANKS);
    expect([preview, finished].map(standings)).toEqual([1, 1].map((rank) => ({ rank, of: 1 })));
    const alone = standingsOf([[preview, finished]], resolveJury(['a']));
    const points = spent.slice(0, 2).map((each, i) => ({ ...each, images: i + 1 }));
    // The finished picture is what counts, although the preview had the higher score.
    expect(traceOf(points, [preview, finished], alone).map(({ best }) => best)).toEqual([
      { score: 9 },
      { score: 1 },
    ]);
  });
});

describe('the trace', () => {
  it('never falls, whatever the rule', () => {
    for (const rule of JURY_RULES) {
      const jury = resolveJury(['a', 'b'], { rule, weights: [3, 1] });
      const heights = traceOf(spent, candidates, standingsOf([candidates], jury)).map(({ best }) =>
        heightOf(best),
      );
      expect(heights).toEqual(heights.toSorted((one, other) => one - other));
    }
    const best = traceOf(spent, candidates, standingsOf([candidates], RANKS)).map((point) => point.best);
    expect(best).toEqual([2.25, 1, 1].map((rank) => ({ rank, of: 4 })));
  });
});

describe('what was spent picture by picture', () => {
  it('shares what a batch cost among its pictures, and ends where the batch did', () => {
    const zero = { forwards: 0, tokens: 0, flops: 0 };
    const batches = [
      { ...zero, images: 2, nfe: 10, milliseconds: 100 },
      { ...zero, images: 5, nfe: 40, milliseconds: 400 },
    ];
    const each = perPicture(batches);
    expect(each.map(({ images, nfe, milliseconds }) => [images, nfe, milliseconds])).toEqual([
      [1, 5, 50],
      [2, 10, 100],
      [3, 20, 200],
      [4, 30, 300],
      [5, 40, 400],
    ]);
  });
});

describe('fates', () => {
  it('tell what something was drawn from, and the winner', () => {
    const fates = candidates.map(({ id }) => ({ id, standing: { score: id }, copies: id === 2 ? 1 : 0 }));
    expect([...keptOf({ fates, winner: candidate(4, 5, 5) })]).toEqual([2, 4]);
    expect(fatesById(fates).get(5)?.standing).toEqual({ score: 5 });
  });
});

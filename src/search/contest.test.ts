import { describe, expect, it } from 'vitest';

import { RandomKey } from '../core/random.js';
import { type Jury, JURY_RULES, type JuryRule, resolveJury } from '../verifiers/jury.js';
import { Contest } from './contest.js';
import type { Candidate } from './contract.js';

function juryOf(rule: JuryRule, ...weights: readonly number[]): Jury {
  return { ...resolveJury(['m0', 'm1'], { rule }), judges: weights.map((_, i) => `m${i}`), weights };
}

function candidatesOf(scores: readonly (readonly number[])[]): Candidate[] {
  return scores.map((own, i) => ({
    id: i + 1,
    parent: 0,
    step: 1,
    judgedAt: 1,
    path: [1, 0, i],
    scores: Object.fromEntries(own.map((score, judge) => [`m${judge}`, score])),
  }));
}

function contestOf(jury: Jury, candidates: readonly Candidate[]): Contest {
  const contest = new Contest(jury);
  contest.enter(candidates);
  return contest;
}

const idsOf = (candidates: Iterable<Candidate>): number[] => [...candidates].map(({ id }) => id);

describe('a contest', () => {
  it('gives numbers to the new ones alone, or to all where they are relative', () => {
    const candidates = candidatesOf([[1], [3], [2]]);
    const [first, others] = [candidates.slice(0, 1), candidates.slice(1)];
    const sum = contestOf(juryOf('weighted-sum', 2), first);
    sum.enter(others);
    expect(candidates.map((each) => sum.numberOf(each))).toEqual([2, 6, 4]);
    expect(candidates.map((each) => sum.standingOf(each))).toEqual([
      { score: 2 },
      { score: 6 },
      { score: 4 },
    ]);
    const rank = contestOf(juryOf('rank', 2), first);
    expect(candidates.map((each) => rank.numberOf(each))).toEqual([-1, NaN, NaN]);
    rank.enter(others);
    expect(candidates.map((each) => rank.numberOf(each))).toEqual([-3, -1, -2]);
    expect(rank.standingOf(candidates[0]!)).toEqual({ rank: 3, of: 3 });
    for (const contest of [sum, rank]) {
      expect(contest.best().id).toBe(2);
      expect(idsOf(contest.ranking())).toEqual([2, 3, 1]);
    }
  });

  it('takes the earliest of equals for the best, and knows none before the first', () => {
    const contest = new Contest(juryOf('rank', 1, 1));
    expect(() => contest.best()).toThrow(RangeError);
    const candidates = candidatesOf([[1, 2], [2, 1]]); // prettier-ignore
    contest.enter(candidates);
    expect(contest.best().id).toBe(1);
    expect(contest.standingOf(contest.best())).toEqual({ rank: 1.5, of: 2 });
    expect(idsOf(contest.ranking())).toEqual([1, 2]);
  });

  it('takes the first of equal mean ranks whatever the order of the judges', () => {
    // Ranks 2, 1, 3 for the first, 3, 2, 1 for the second and 1, 3, 2 for the third: all have the mean rank 2.
    const rows = { a: [2, 1, 3], b: [3, 2, 1], c: [1, 3, 2] };
    const candidates = [0, 1, 2].map((i): Candidate => {
      const scores = { a: rows.a[i] ?? 0, b: rows.b[i] ?? 0, c: rows.c[i] ?? 0 };
      return { ...candidatesOf([[0]])[0]!, id: i + 1, scores };
    });
    const orders = [['a', 'b', 'c'], ['a', 'c', 'b'], ['b', 'a', 'c'], ['b', 'c', 'a'], ['c', 'a', 'b'], ['c', 'b', 'a']]; // prettier-ignore
    for (const names of orders) {
      const contest = contestOf(resolveJury(names), candidates);
      expect(idsOf(contest.ranking())).toEqual([1, 2, 3]);
      expect(candidates.map((each) => contest.standingOf(each))).toEqual(Array(3).fill({ rank: 2, of: 3 }));
    }
  });

  it('refuses sums that are no numbers', () => {
    expect(() => contestOf(juryOf('weighted-sum', 1e308), candidatesOf([[1e10]]))).toThrow(
      /joined to Infinity: give smaller weights/,
    );
  });

  it('takes many candidates', () => {
    const scores = Array.from({ length: 200_000 }, (_, i) => [i % 1000, (i * 7919) % 1000]);
    for (const rule of JURY_RULES) {
      const contest = contestOf(juryOf(rule, 1, 2), candidatesOf(scores));
      expect(Number.isFinite(contest.numberOf(contest.best()))).toBe(true);
    }
  });
});

describe('an election', () => {
  const family = (scores: readonly number[], parents: readonly number[]): Candidate[] =>
    candidatesOf(scores.map((score) => [score])).map((each, i) => ({ ...each, parent: parents[i] ?? 0 }));

  it('takes of equals those with the fewest elected siblings, and then those of the lowest key', () => {
    const candidates = family([5, 5, 5, 5, 9, 5, 1], [1, 1, 2, 2, 1, 3, 3]);
    const keys = [0.1, 0.2, 0.9, 0.8, 0.5, 0.7, 0];
    const contest = new Contest(juryOf('weighted-sum', 1), ({ id }) => keys[id - 1] ?? NaN);
    contest.enter(candidates);
    // The first parent has its fifth already: the third's comes next, then the second's by key, then one of each.
    expect(idsOf(contest.ranking(5))).toEqual([5, 6, 4, 1, 3, 2, 7]);
    expect(idsOf(contest.ranking(2))).toEqual([5, 6, 1, 2, 3, 4, 7]);
    expect(idsOf(contest.ranking())).toEqual([5, 1, 2, 3, 4, 6, 7]);
    expect(contest.best().id).toBe(5);
    expect(idsOf(contest.contenders(2))).toEqual([5, 1, 4, 6]);
  });

  it('never lacks a contender, whatever the groups', () => {
    for (const rule of JURY_RULES) {
      for (let seed = 0; seed < 100; seed++) {
        const draw = RandomKey.fromSeed(seed).uniform(60);
        const candidates = family(
          Array.from({ length: 20 }, (_, i) => Math.floor((draw[i] ?? 0) * 3)),
          Array.from({ length: 20 }, (_, i) => Math.floor((draw[20 + i] ?? 0) * 3)),
        );
        const keyOf = ({ id }: Candidate): number => draw[39 + id] ?? NaN;
        const whole = new Contest(juryOf(rule, 1), keyOf);
        whole.enter(candidates);
        const contest = new Contest(juryOf(rule, 1), keyOf);
        let held: readonly Candidate[] = [];
        for (let start = 0; start < 20; start += 1 + (seed % 7)) {
          const group = candidates.slice(start, start + 1 + (seed % 7));
          contest.enter(group);
          const staying = contest.contenders(3);
          held = [...held, ...group].filter((each) => staying.has(each));
        }
        expect(contest.ranking(3)).toEqual(whole.ranking(3));
        expect(idsOf(held)).toEqual(expect.arrayContaining(idsOf(whole.ranking(3).slice(0, 3))));
      }
    }
  });
});

describe('contenders', () => {
  const contendersOf = (jury: Jury, scores: readonly (readonly number[])[], elect: number): number[] =>
    idsOf(contestOf(jury, candidatesOf(scores)).contenders(elect));

  it('are all that not every judge puts behind enough others', () => {
    const scores = [[3, 1], [1, 3], [2, 2], [0, 0], [3, 1]]; // prettier-ignore
    // The fourth is behind the first three; the fifth is behind its earlier twin only.
    expect(contendersOf(juryOf('rank', 1, 1), scores, 1)).toEqual([1, 2, 3]);
    expect(contendersOf(juryOf('rank', 1, 1), scores, 2)).toEqual([1, 2, 3, 5]);
    expect(contendersOf(juryOf('rank', 1, 1), scores, 0)).toEqual([]);
    // Who has no say holds nobody in: the first, its twin, then the third.
    expect(contendersOf(juryOf('rank', 1, 0), scores, 1)).toEqual([1]);
    expect(contendersOf(juryOf('rank', 1, 0), scores, 2)).toEqual([1, 5]);
  });

  it('by a score or a sum are the best', () => {
    expect(contendersOf(juryOf('weighted-sum', 1, 1), [[1, 1], [3, 0], [0, 5]], 2).sort()).toEqual([2, 3]); // prettier-ignore
    expect(contendersOf(juryOf('rank', 1), [[1], [3], [2], [3]], 2)).toEqual([2, 4]);
  });

  it('by z-score do not lack one of two that rounding makes equal', () => {
    // The second is better than the first, but not so that a number next to 1 could tell.
    const scores = [[1e-17], [2e-17], [1], [0.5]];
    const [first, second, ...others] = candidatesOf(scores);
    const whole = contestOf(juryOf('z-score', 1), [first!, second!, ...others]);
    expect(whole.numberOf(second!)).toBe(whole.numberOf(first!));
    expect(idsOf(whole.ranking())).toEqual([3, 4, 2, 1]);
    for (const elect of [1, 2, 3]) {
      const contest = new Contest(juryOf('z-score', 1));
      let held: readonly Candidate[] = [];
      for (const candidate of candidatesOf(scores)) {
        contest.enter([candidate]);
        const staying = contest.contenders(elect);
        held = [...held, candidate].filter((each) => staying.has(each));
      }
      expect(idsOf(held)).toEqual(expect.arrayContaining(idsOf(contest.ranking().slice(0, elect))));
    }
  });

  it.each(['rank', 'z-score'] as const)('never lack one that is elected by %s in the end', (rule) => {
    for (let seed = 0; seed < 200; seed++) {
      const draw = RandomKey.fromSeed(seed).uniform(40);
      // Few different scores, so that there are ties.
      const scores = Array.from({ length: 20 }, (_, i) =>
        [0, 1].map((judge) => Math.floor((draw[2 * i + judge] ?? 0) * 5)),
      );
      const candidates = candidatesOf(scores);
      const contest = new Contest(juryOf(rule, 1, seed % 3));
      const size = 1 + (seed % 7);
      let held: readonly Candidate[] = [];
      for (let start = 0; start < 20; start += size) {
        const group = candidates.slice(start, start + size);
        contest.enter(group);
        const staying = contest.contenders(3);
        held = [...held, ...group].filter((each) => staying.has(each));
      }
      const elected = contest.ranking().slice(0, 3);
      expect(idsOf(held)).toEqual(expect.arrayContaining(idsOf(elected)));
      // And what comes out never depends on the groups.
      expect(idsOf(contestOf(juryOf(rule, 1, seed % 3), candidates).ranking())).toEqual(
        idsOf(contest.ranking()),
      );
    }
  });
});

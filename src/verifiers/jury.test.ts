import { describe, expect, it } from 'vitest';

import { UsageError } from '../core/errors.js';
import { RandomKey } from '../core/random.js';
import {
  combine,
  heightOf,
  isAhead,
  isRelative,
  type Jury,
  JURY_RULES,
  type JuryRule,
  ranks,
  resolveJury,
  type Scores,
  standingOf,
  zScores,
} from './jury.js';

const NAMES = ['a', 'b', 'c'];

/** Scores of judges a, b, c, ... in rows, [judge][candidate]. */
function scoresOf(...rows: readonly (readonly number[])[]): Scores[] {
  return (rows[0] ?? []).map((_, i) =>
    Object.fromEntries(rows.map((row, judge) => [NAMES[judge] ?? '', row[i] ?? NaN])),
  );
}

function juryOf(rule: JuryRule, ...weights: readonly number[]): Jury {
  return { judges: NAMES.slice(0, weights.length), observers: [], weights, rule };
}

/** All orders of a list. */
function ordersOf<T>(list: readonly T[]): T[][] {
  let orders: T[][] = [[]];
  for (const each of list) {
    orders = orders.flatMap((order) =>
      Array.from({ length: order.length + 1 }, (_, at) => order.toSpliced(at, 0, each)),
    );
  }
  return orders;
}

describe('a jury', () => {
  it('has one judge with its own score, or several by mean rank, where nothing is said', () => {
    expect(resolveJury(['a'])).toEqual({ judges: ['a'], observers: [], weights: [1], rule: 'score' });
    expect(resolveJury(['a', 'b'], {}, ['c'])).toEqual({
      judges: ['a', 'b'],
      observers: ['c'],
      weights: [1, 1],
      rule: 'rank',
    });
    expect(resolveJury(['a', 'b'], { rule: 'z-score', weights: [2, 0] })).toMatchObject({
      rule: 'z-score',
      weights: [2, 0],
    });
    expect(resolveJury(['a', 'b'], { rule: undefined, weights: undefined })).toEqual(resolveJury(['a', 'b']));
  });

  it('is plain data, and says of its own whether candidates are compared', () => {
    const jury = resolveJury(['a', 'b'], { rule: 'weighted-sum' });
    expect(JSON.parse(JSON.stringify(jury))).toEqual(jury);
    const relative = (['rank', 'z-score', 'weighted-sum', 'score'] as const).map((rule) =>
      isRelative({ rule }),
    );
    expect(relative).toEqual([true, true, false, false]);
  });

  it.each([
    [[], {}, /at least one verifier/],
    [['a', 'b', 'a'], {}, /'a' is named twice: name each once/],
    [['a'], { rule: 'rank' }, /several verifiers named by option 'verifier', not for 'a' alone/],
    [['a'], { weights: [1] }, /not for 'a' alone/],
    [['a', 'b'], { weights: [1] }, /2 verifiers and 1 weights: give one each/],
    [['a', 'b'], { weights: [1, -1] }, /numbers from 0 on, not all 0; got 1, -1/],
    [['a', 'b'], { weights: [0, 0] }, /not all 0/],
    [['a', 'b'], { weights: [1, NaN] }, /got 1, NaN/],
    [['a', 'b'], { weights: [1, Infinity] }, /got 1, Infinity/],
  ] as const)('of %j with %j is refused', (judges, options, message) => {
    expect(() => resolveJury(judges, options)).toThrow(UsageError);
    expect(() => resolveJury(judges, options)).toThrow(message);
  });
});

describe('combining', () => {
  it('by rank counts from the best, and ties share their places', () => {
    expect(ranks([5, 1, 5, 7])).toEqual([2.5, 4, 2.5, 1]);
    expect(ranks([])).toEqual([]);
    const scores = scoresOf([5, 1, 5, 7], [0.1, 0.2, 0.3, 0.4]);
    expect(combine(scores, juryOf('rank', 1, 1))).toEqual([-3.25, -3.5, -2.25, -1]);
  });

  it('by rank does not care how far scores are apart', () => {
    const jury = juryOf('rank', 1, 1);
    expect(combine(scoresOf([1000, 2, 1], [0.5, 0.6, 0.4]), jury)).toEqual(
      combine(scoresOf([3, 2, 1], [5, 6, 4]), jury),
    );
  });

  it('by rank puts thousands of candidates in order quickly', () => {
    const scores = Array.from({ length: 100_000 }, (_, i) => (i * 7919) % 50_000);
    const found = ranks(scores);
    expect(found[scores.indexOf(49_999)]).toBe(1.5);
    expect(found[scores.indexOf(0)]).toBe(99_999.5);
  });

  it('by z-score measures in deviations, and a judge without an opinion has no say', () => {
    expect(zScores([1, 2, 3])).toEqual([-Math.sqrt(1.5), 0, Math.sqrt(1.5)]);
    expect(zScores([0.1, 0.1, 0.1])).toEqual([0, 0, 0]);
    expect(zScores([])).toEqual([]);
    const [, , third] = combine(scoresOf([1, 2, 3], [7, 7, 7]), juryOf('z-score', 1, 1));
    expect(third).toBeCloseTo(Math.sqrt(1.5) / 2, 12);
  });

  it('by z-score is what the textbook says', () => {
    for (let seed = 0; seed < 20; seed++) {
      const scores = [...RandomKey.fromSeed(seed).uniform(30)].map((score) => 100 * score - 30);
      const mean = scores.reduce((sum, score) => sum + score, 0) / 30;
      const variance = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / 30;
      zScores(scores).forEach((found, i) => {
        expect(found).toBeCloseTo(((scores[i] ?? NaN) - mean) / Math.sqrt(variance), 10);
      });
    }
  });

  it('by z-score tells scores apart however near or far they are', () => {
    for (const unit of [1e-300, 1e-160, 1, 1e150, 5e307]) {
      expect(zScores([1 * unit, 2 * unit, 3 * unit])[2]).toBeCloseTo(Math.sqrt(1.5), 12);
    }
  });

  it.each([
    ['huge', [1e308, -1e308, 1.7e308, 0]],
    ['the largest', Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? 1 : -1) * Number.MAX_VALUE)],
    ['tiny', [5e-324, 0, -5e-324, 1e-320]],
    ['huge and tiny', [1e308, 5e-324, -1e-310, 1]],
    ['next to each other', [1, 1 + Number.EPSILON]],
    ['huge and next to each other', [1e308, 1e308 * (1 + Number.EPSILON)]],
  ])('by z-score stays finite and in order for scores that are %s', (_, scores) => {
    const found = zScores(scores);
    expect(found.every(Number.isFinite)).toBe(true);
    scores.forEach((score, i) => {
      scores.forEach((other, j) => {
        if (score > other) expect(found[i]).toBeGreaterThanOrEqual(found[j] ?? NaN);
      });
    });
    expect(Math.max(...found)).toBeGreaterThan(Math.min(...found));
  });

  it('by z-score takes any number of candidates', () => {
    const scores = Array.from({ length: 300_000 }, (_, i) => i % 7);
    expect(zScores(scores).every(Number.isFinite)).toBe(true);
  });

  it('by weighted sum adds the scores as they are', () => {
    const scores = scoresOf([1, 2], [10, 20]);
    expect(combine(scores, juryOf('weighted-sum', 3, 0.5))).toEqual([8, 16]);
  });

  it('of one judge is its score', () => {
    const jury = resolveJury(['a']);
    expect(combine(scoresOf([0.1, 1e308, -7]), jury)).toEqual([0.1, 1e308, -7]);
    expect(combine([], jury)).toEqual([]);
  });

  it.each(['rank', 'z-score'] as const)('by %s heeds weights by their ratios, to the last bit', (rule) => {
    const scores = scoresOf([1, 2, 3, 3, 0], [3, 1, 2, 9, 2], [4, 4, 1, 0, 2]);
    const sameRatios = [
      [[2, 1, 0], [0.2, 0.1, 0], [200, 100, 0], [2 / 3, 1 / 3, 0]],
      [[3, 1, 1], [0.3, 0.1, 0.1], [3 / 7, 1 / 7, 1 / 7], [0.9, 0.3, 0.3], [3e300, 1e300, 1e300]],
      [[5, 2, 6], [2.5, 1, 3], [0.25, 0.1, 0.3], [0.5, 0.2, 0.6]],
    ]; // prettier-ignore
    for (const same of sameRatios) {
      const [first, ...others] = same.map((weights) => combine(scores, juryOf(rule, ...weights)));
      for (const other of others) expect(other).toEqual(first);
    }
    expect(combine(scores, juryOf(rule, 1, 0, 0))).toEqual(combine(scores, juryOf(rule, 7)));
  });

  it.each(['rank', 'z-score'] as const)('by %s takes weights of any sizes', (rule) => {
    const scores = scoresOf([1, 2, 3], [3, 2, 1]);
    for (const weights of [
      [1e308, 1e-308],
      [1e308, 1e308],
      [5e-324, 5e-324],
      [Math.PI, Math.E],
      [1, 1e-20],
    ]) {
      const found = combine(scores, juryOf(rule, ...weights));
      expect(found.every(Number.isFinite)).toBe(true);
      if ((weights[0] ?? 0) > (weights[1] ?? 0)) expect(found).toEqual(found.toSorted((x, y) => x - y));
    }
  });
});

describe('the order of judges', () => {
  it('does not matter to equal mean ranks: case 20', () => {
    // The first has the ranks 2, 1, 3, the second 3, 2, 1 and the third 1, 3, 2.
    const rows = { a: [2, 1, 3], b: [3, 2, 1], c: [1, 3, 2] };
    const scores = scoresOf(rows.a, rows.b, rows.c);
    for (const judges of ordersOf(NAMES)) {
      expect(combine(scores, resolveJury(judges))).toEqual([-2, -2, -2]);
    }
  });

  it.each(JURY_RULES)('does not change a bit by %s, ties included', (rule) => {
    for (let seed = 0; seed < 150; seed++) {
      const draw = RandomKey.fromSeed(seed);
      // Few different scores in every other one, so that there are ties.
      const levels = seed % 2 === 0 ? 4 : 1e9;
      const rows = NAMES.map((_, judge) =>
        [...draw.fold(judge).uniform(9)].map((each) => Math.floor(each * levels) / 3),
      );
      const scores = scoresOf(...rows);
      const weights = [[1, 1, 1], [0.2, 0.1, 0.7], [1 / 3, 2 / 3, 1], [Math.PI, 1, Math.E]][seed % 4] ?? []; // prettier-ignore
      const [first, ...others] = ordersOf([0, 1, 2]).map((order) =>
        combine(scores, {
          judges: order.map((i) => NAMES[i] ?? ''),
          weights: order.map((i) => weights[i] ?? 0),
          observers: [],
          rule,
        }),
      );
      for (const other of others) expect(other).toEqual(first);
    }
  });
});

describe('the order of candidates', () => {
  it.each(JURY_RULES)('does not change a bit by %s', (rule) => {
    const jury = juryOf(rule, 1, 2, 0.3);
    for (let seed = 0; seed < 50; seed++) {
      const draw = RandomKey.fromSeed(seed);
      const rows = NAMES.map((_, judge) => [...draw.fold(judge).uniform(12)].map((each) => each * 1e3 - 1));
      const scores = scoresOf(...rows);
      const found = combine(scores, jury);
      const order = [...draw.fold(9).uniform(12)]
        .map((each, i) => ({ each, i }))
        .sort((x, y) => x.each - y.each)
        .map(({ i }) => i);
      const turned = combine(
        order.map((i) => scores[i] ?? {}),
        jury,
      );
      expect(turned).toEqual(order.map((i) => found[i]));
    }
  });
});

describe('who is better with every judge', () => {
  const pairs = (seed: number): Scores[] => {
    const draw = RandomKey.fromSeed(seed);
    const levels = seed % 2 === 0 ? 4 : 1e9;
    const rows = NAMES.map((_, judge) =>
      [...draw.fold(judge).uniform(12)].map((each) => Math.floor(each * levels)),
    );
    return scoresOf(...rows);
  };

  it.each(JURY_RULES)('is never lower by %s', (rule) => {
    for (let seed = 0; seed < 60; seed++) {
      const scores = pairs(seed);
      for (const weights of [
        [1, 1, 1],
        [0.1, 0, 0.7],
        [Math.PI, 1, 1e-9],
      ]) {
        const found = combine(scores, juryOf(rule, ...weights));
        scores.forEach((one, i) => {
          scores.forEach((other, j) => {
            if (NAMES.every((name) => (one[name] ?? NaN) >= (other[name] ?? NaN))) {
              expect(found[i]).toBeGreaterThanOrEqual(found[j] ?? NaN);
            }
          });
        });
      }
    }
  });

  it('is ahead for good, where it was drawn before or wins with all who have a say', () => {
    const jury = juryOf('rank', 1, 1, 0);
    const [one, other] = [{ a: 2, b: 2, c: 0 }, { a: 1, b: 2, c: 5 }]; // prettier-ignore
    expect([isAhead(one, other, jury, true), isAhead(one, other, jury, false)]).toEqual([true, false]);
    expect(isAhead({ ...one, b: 3 }, other, jury, false)).toBe(true);
    expect([isAhead(one, one, jury, true), isAhead(one, one, jury, false)]).toEqual([true, false]);
    expect(isAhead(other, one, jury, true)).toBe(false);
  });
});

describe('a standing', () => {
  it('is what people read: a mean rank, a mean z-score, or a score', () => {
    expect(standingOf(-1.75, { rule: 'rank' }, 15)).toEqual({ rank: 1.75, of: 15 });
    expect(standingOf(0.5, { rule: 'z-score' }, 15)).toEqual({ zScore: 0.5, of: 15 });
    expect(standingOf(27.5, { rule: 'weighted-sum' }, 15)).toEqual({ score: 27.5 });
    expect(standingOf(-0.3, { rule: 'score' }, 15)).toEqual({ score: -0.3 });
  });

  it('can be compared: higher is better', () => {
    for (const rule of [...JURY_RULES, 'score'] as const) {
      for (const number of [-3.5, -1]) expect(heightOf(standingOf(number, { rule }, 4))).toBe(number);
    }
  });
});

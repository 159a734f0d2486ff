import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

import { greyPicture, patternPicture } from '../../test/fixtures/pictures.js';
import { writeTinyClip } from '../../test/fixtures/tiny-clip.js';
import { UsageError } from '../core/errors.js';
import type { Image } from '../core/image.js';
import { Ledger } from '../core/ledger.js';
import type { Runtime } from '../runtime/index.js';
import { openClipScore } from './clip-score.js';
import { panelOf, type Verifier } from './contract.js';
import { combineScores, ensemble, ENSEMBLE_RULES, isEnsemble, ranks, zScores } from './ensemble.js';
import { describeVerifier } from './verifier.suite.js';

const folder = mkdtempSync(join(tmpdir(), 'ensemble-'));
const other = mkdtempSync(join(folder, 'other-'));
writeTinyClip(folder);
writeTinyClip(other, 5);
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const pictures = Array.from({ length: 6 }, (_, n) => patternPicture(32 + 8 * n, 40, 5 * n));
const openMembers = async (runtime: Runtime): Promise<Verifier[]> => [
  await openClipScore(runtime, { folder }),
  { ...(await openClipScore(runtime, { folder: other })), name: 'other-clip' },
];

for (const by of ENSEMBLE_RULES) {
  describeVerifier(`ensemble by ${by}`, {
    open: async (runtime) => ensemble(await openMembers(runtime), { by, weights: [2, 1] }),
    prompts: ['the red stars', 'a blue cat'],
    pictures,
    faults: [],
    members: 2,
    ...(by === 'weighted-sum'
      ? {}
      : { relativeToCall: 'ranks and z-scores compare the pictures of one call with each other' }),
  });
}

/** A verifier that scores a picture by its first sample. */
function fake(name: string, log: string[], fault?: Error): Verifier {
  return {
    name,
    hashes: () => Promise.resolve({ weights: name.padEnd(64, '0') }),
    prepare: () => {
      if (fault) return Promise.reject(fault);
      return Promise.resolve({
        score: (images: readonly Image[]) => Promise.resolve(images.map(({ data }) => data[0] ?? 0)),
        close: () => log.push(`judge ${name}`),
      });
    },
    close: () => Promise.resolve(void log.push(name)),
  };
}

describe('combining scores', () => {
  it('by rank counts from the best, and ties share their places', () => {
    expect(ranks([5, 1, 5, 7])).toEqual([2.5, 4, 2.5, 1]);
    expect(ranks([])).toEqual([]);
    expect(combineScores([[5, 1, 5, 7], [0.1, 0.2, 0.3, 0.4]])).toEqual([-3.25, -3.5, -2.25, -1]); // prettier-ignore
  });

  it('by rank does not care how far scores are apart', () => {
    const far = [[1000, 2, 1], [0.5, 0.6, 0.4]]; // prettier-ignore
    expect(combineScores(far)).toEqual(combineScores([[3, 2, 1], [5, 6, 4]])); // prettier-ignore
  });

  it('by z-score measures in deviations, and a member without an opinion has no say', () => {
    expect(zScores([1, 2, 3])).toEqual([-Math.sqrt(1.5), 0, Math.sqrt(1.5)]);
    expect(zScores([0.1, 0.1, 0.1])).toEqual([0, 0, 0]);
    expect(combineScores([[1, 2, 3], [7, 7, 7]], { by: 'z-score' })[2]).toBeCloseTo(Math.sqrt(1.5) / 2, 12); // prettier-ignore
  });

  it('by z-score tells scores apart however near they are', () => {
    for (const unit of [1e-300, 1e-160, 1e150]) {
      expect(zScores([1 * unit, 2 * unit, 3 * unit])[2]).toBeCloseTo(Math.sqrt(1.5), 12);
    }
    expect(zScores([1, 1 + Number.EPSILON]).every(Number.isFinite)).toBe(true);
  });

  it('by rank puts thousands of pictures in order quickly', () => {
    const scores = Array.from({ length: 100_000 }, (_, i) => (i * 7919) % 50_000);
    const found = ranks(scores);
    expect(found[scores.indexOf(49_999)]).toBe(1.5);
    expect(found[scores.indexOf(0)]).toBe(99_999.5);
  });

  it('by weighted sum adds the scores as they are', () => {
    expect(combineScores([[1, 2], [10, 20]], { by: 'weighted-sum', weights: [3, 0.5] })).toEqual([8, 16]); // prettier-ignore
  });

  it('by rank and z-score heeds weights by their ratio', () => {
    const scores = [[1, 2, 3], [3, 1, 2]]; // prettier-ignore
    for (const by of ['rank', 'z-score'] as const) {
      expect(combineScores(scores, { by, weights: [1, 0] })).toEqual(
        combineScores(scores.slice(0, 1), { by }),
      );
      const [one, ten] = [
        combineScores(scores, { by, weights: [1, 3] }),
        combineScores(scores, { by, weights: [10, 30] }),
      ];
      one.forEach((score, i) => {
        expect(score).toBeCloseTo(ten[i] ?? NaN, 12);
      });
    }
  });

  it('needs weights that fit', () => {
    for (const weights of [[1], [1, -1], [0, 0], [1, NaN]]) {
      expect(() => combineScores([[1], [2]], { weights })).toThrow(UsageError);
    }
    expect(() => combineScores([[1]], { by: 'mean' as 'rank' })).toThrow(
      /choose one of rank, z-score, weighted-sum/,
    );
  });
});

describe('an ensemble', () => {
  it('needs members of different names', () => {
    expect(() => ensemble([])).toThrow(UsageError);
    expect(() => ensemble([fake('a', []), fake('a', [])])).toThrow(/'a' twice/);
    expect(() => ensemble([fake('a', []), fake('a,b', [])])).toThrow(/commas part the names/);
  });

  it('tells its rule, and is a panel of its members; a plain verifier is a panel of one', async () => {
    const joined = ensemble([fake('a', []), fake('b', [])], { by: 'weighted-sum', weights: [2, 1] });
    expect([isEnsemble(joined), isEnsemble(fake('a', []))]).toEqual([true, false]);
    expect(joined.rule).toEqual({ by: 'weighted-sum', weights: [2, 1] });
    expect(ensemble([fake('a', []), fake('b', [])]).rule).toEqual({ by: 'rank', weights: [1, 1] });
    const pictures = [greyPicture(1, 1, 10), greyPicture(1, 1, 30)];
    const several = panelOf(await joined.prepare('a cat', new Ledger()), 'ensemble');
    expect([several.members, several.relative]).toEqual([['a', 'b'], false]);
    expect(several.combine(await several.judgeMembers(pictures))).toEqual([30, 90]);
    const one = panelOf(await fake('a', []).prepare('a cat', new Ledger()), 'a');
    expect([one.members, one.relative]).toEqual([['a'], false]);
    expect(one.combine(await one.judgeMembers(pictures))).toEqual([10, 30]);
  });

  it("tells its members' hashes and scores, so that calls can be combined anew", async () => {
    const joined = ensemble([fake('a', []), fake('b', [])]);
    expect(Object.keys(await joined.hashes())).toEqual(['a/weights', 'b/weights']);
    const judge = await joined.prepare('a cat', new Ledger());
    const [first, second] = [[greyPicture(1, 1, 10), greyPicture(1, 1, 30)], [greyPicture(1, 1, 20)]];
    const [x, y] = [await judge.judgeMembers(first), await judge.judgeMembers(second)];
    const all = x.map((scores, member) => [...scores, ...(y[member] ?? [])]);
    expect(combineScores(all)).toEqual(await judge.score([...first, ...second]));
    expect(joined.members).toEqual(['a', 'b']);
  });

  it('closes its members, and the judges made so far when one cannot be made', async () => {
    const log: string[] = [];
    const whole = ensemble([fake('a', log), fake('b', log)]);
    (await whole.prepare('a cat', new Ledger())).close();
    await whole.close();
    expect(log.splice(0)).toEqual(['judge a', 'judge b', 'a', 'b']);
    const failing = ensemble([fake('a', log), fake('b', log, new UsageError('no'))]);
    await expect(failing.prepare('a cat', new Ledger())).rejects.toThrow('no');
    expect(log).toEqual(['judge a']);
  });
});

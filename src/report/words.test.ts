// Options and results in words.

import { describe, expect, it } from 'vitest';

import { fakeSchedule, squares } from '../../test/fakes/fake-model.js';
import { resolveSearch } from '../search/registry.js';
import { resolveJury } from '../verifiers/jury.js';
import {
  describeJury,
  describeOptions,
  describeSchedule,
  describeSearch,
  describeStanding,
  shortStanding,
  standingAxis,
} from './words.js';

const schedule = fakeSchedule({ scales: squares(1, 2, 3) });

describe('a search in words', () => {
  it.each([
    [{ paper: true }, 'Beam search, width 3, 5 candidates'],
    [{ strategy: 'random', images: 1 }, 'Random search, 1 image'],
    [{ strategy: 'gto', candidates: [3, 2, 1] }, 'Greedy token optimisation, 3, 2, 1 candidates'],
    [
      { strategy: 'beam', width: 1, candidates: 2, result: 'last-round' },
      'Beam search, width 1, 2 candidates, elected rollouts kept, best of the last round',
    ],
  ] as const)('%j', (options, expected) => {
    expect(describeSearch(resolveSearch(options, schedule))).toBe(expected);
  });

  it('calls steps what the model calls them', () => {
    expect(describeSchedule(schedule)).toBe('3 scales to 3 × 3');
    expect(describeSchedule({ ...schedule, unit: 'step' })).toBe('3 steps to 3 × 3');
  });

  it('has every option, those of a strategy and a model of the own making too', () => {
    const options = {
      prompt: 'red',
      model: 'own',
      modelOptions: { cfg: [4, 4, 4], topK: 0, eta: 0.3, sampler: 'euler' },
      jury: resolveJury(['a', 'b'], { weights: [1, 2] }, ['c']),
      seed: 7,
      search: { strategy: 'mine', images: 4, jumpLengths: [1, 2], start: undefined },
    };
    expect(describeOptions(options)).toEqual([
      ['prompt', 'red'],
      ['model', 'own'],
      ['verifiers', 'a, b'],
      ['joined by', 'mean rank, weights 1, 2'],
      ['observers', 'c'],
      ['strategy', 'mine'],
      ['images', '4'],
      ['jump lengths', '[1,2]'],
      ['seed', '7'],
      ['cfg', '4'],
      ['top k', 'off'],
      ['eta', '0.3'],
      ['sampler', 'euler'],
    ]);
  });
});

describe('standings in words', () => {
  const ranks = resolveJury(['a', 'b']);

  it.each([
    [{ rank: 1.75, of: 15 }, ranks, 'mean rank 1.75 of 15'],
    [{ rank: 4 / 3, of: 15 }, ranks, 'mean rank 1.33 of 15'],
    [{ rank: 2, of: 1200 }, ranks, 'mean rank 2 of 1200'],
    // Of a recipe that does not tell among how many.
    [{ rank: 2.5, of: 0 }, ranks, 'mean rank 2.5'],
    [{ zScore: -0.5, of: 4 }, resolveJury(['a', 'b'], { rule: 'z-score' }), 'mean z-score -0.5000 among 4'],
    [{ score: 3.5 }, resolveJury(['a', 'b'], { rule: 'weighted-sum' }), 'weighted sum 3.5000'],
    [{ score: 3.5 }, resolveJury(['clip-score']), 'clip-score 3.5000'],
  ] as const)('%j', (standing, jury, words) => {
    expect(describeStanding(standing, jury)).toBe(words);
    expect(words).toContain(shortStanding(standing));
  });

  it('name weights that are not the same, and always those of a sum', () => {
    expect(describeJury(ranks)).toBe('mean rank');
    expect(describeJury(resolveJury(['a', 'b'], { weights: [3, 1] }))).toBe('mean rank, weights 3, 1');
    expect(describeJury(resolveJury(['a', 'b'], { rule: 'weighted-sum' }))).toBe(
      'weighted sum, weights 1, 1',
    );
  });

  it('are drawn with the best rank on top, and no mark below 1', () => {
    const { of, tick, title } = standingAxis(ranks);
    expect(title).toBe('mean rank');
    expect(of({ rank: 1, of: 9 })).toBeGreaterThan(of({ rank: 8.5, of: 9 }));
    expect([-10, -2.5, -1, -0.5, 0, 2].map((height) => tick?.(height))).toEqual([
      '10',
      '2.5',
      '1',
      '',
      '',
      '',
    ]);
    expect(standingAxis(resolveJury(['a'])).tick).toBeUndefined();
  });
});

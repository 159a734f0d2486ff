// What came of a search, in sentences.

import { describe, expect, it } from 'vitest';

import { fakeSchedule, squares } from '../../test/fakes/fake-model.js';
import type { GenerateResult } from '../run/result.js';
import type { Candidate } from '../search/contract.js';
import { resolveJury } from '../verifiers/jury.js';
import { describeOutcome, describeSpread } from './outcome.js';

const schedule = fakeSchedule({ scales: squares(1, 2, 3) });
const jury = resolveJury(['judge']);

/** A search by its rounds of scores; the winner by its id. */
function searched(
  rounds: readonly (readonly number[])[],
  winner: number,
  change: (candidate: Candidate) => Candidate = (candidate) => candidate,
): Parameters<typeof describeOutcome>[0] {
  let id = 0;
  const candidates = rounds.flatMap((scores, round) =>
    scores.map((score, number) =>
      change({
        id: ++id,
        parent: round === 0 ? 0 : 1,
        step: rounds.length === 1 ? 3 : round + 1,
        judgedAt: 3,
        path: [round + 1, 0, number],
        scores: { judge: score },
      }),
    ),
  );
  const options = { jury } as GenerateResult['options'];
  return { candidates, winner: candidates[winner - 1] as Candidate, schedule, options };
}

describe('the outcome of a search', () => {
  it.each([
    [[[0.5, 0.9], [0.1], [0.2]], 2, 'Found in round 1 of 3; rounds 2 to 3 found none better.'],
    [[[0.5, 0.3], [0.9], [0.2]], 3, 'Found in round 2 of 3; round 3 found none better.'],
    [[[0.5, 0.3], [0.8], [0.9]], 4, 'Found in round 3 of 3, the last.'],
    [
      [[0.5], [0.9], [0.7]],
      3,
      'Found in round 3 of 3; the best of all was in round 2 (judge 0.9000), which the search did not end with.',
    ],
    [[[0.5, 0.7, 0.3, 0.1]], 2, 'Found as picture 2 of 4; the 2 after it are no better.'],
    [[[0.5, 0.7]], 2, 'Found as picture 2 of 2, the last.'],
    [[[0.5, 0.4]], 1, 'Found as picture 1 of 2; the one after it is no better.'],
    [[[0.5]], 1, 'The only picture that was drawn.'],
  ])('%j, won by %d: where it was found', (rounds, winner, sentence) => {
    expect(describeOutcome(searched(rounds, winner))).toEqual([sentence]);
  });

  it('counts those that score the same', () => {
    expect(describeOutcome(searched([[0.9, 0.9, 0.1]], 1))[1]).toBe(
      '1 other picture scores exactly the same.',
    );
    expect(
      describeOutcome(
        searched(
          [
            [0.9, 0.9],
            [0.9, 0.2],
          ],
          1,
        ),
      )[1],
    ).toBe('2 other pictures score exactly the same.');
    expect(describeOutcome(searched([[0.9, 0.9, 0.9]], 1))[1]).toBe(
      'All 3 pictures score exactly the same, so that nothing tells them apart.',
    );
  });

  it('does not count what was taken over, which is the same picture', () => {
    const again = searched(
      [
        [0.9, 0.1],
        [0.9, 0.2],
      ],
      3,
      (each) => (each.id === 3 ? { ...each, sameAs: 1 } : each),
    );
    expect(describeOutcome(again)).toEqual(['Found in round 1 of 2; round 2 found none better.']);
  });

  it('says that nothing scored above 0, where 0 is the end of a scale', () => {
    expect(describeOutcome(searched([[0, 0, 0]], 1)).at(-1)).toBe(
      'No picture scored above 0: judge found nothing of the prompt in any of them.',
    );
    // Scores on both sides of 0 have no such end.
    expect(describeOutcome(searched([[-0.5, -0.7]], 1))).toHaveLength(1);
    expect(describeOutcome(searched([[0.001, 0]], 1))).toHaveLength(1);
  });

  it('speaks of previews, and not of the round that completes one', () => {
    const done = searched([[0.5, 0.9], [0.4]], 2, (each) => ({ ...each, judgedAt: 2 }));
    const origin = done.candidates[1] as Candidate;
    const whole = { ...origin, id: 4, parent: 2, step: 3, judgedAt: 3, scores: { judge: 0.3 } };
    expect(describeOutcome({ ...done, candidates: [...done.candidates, whole], winner: whole })).toEqual([
      'Found in round 1 of 2; round 2 found none better.',
    ]);
  });

  it('has the spread of what the winner was chosen from', () => {
    expect(describeSpread(searched([[1, 2], [3]], 3), 'judge')).toBe('all 3: 2.0000 \u00b1 1.0000');
    expect(describeSpread(searched([[1]], 1), 'judge')).toBe('');
  });
});

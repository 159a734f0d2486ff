import { describe, expect, it } from 'vitest';

import { didYouMean, editDistance, nearestWord } from './nearest.js';

const NAMES = ['random', 'gto', 'beam', 'zero-order', 'particles', 'clip-score', 'ab'];

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['beam', 'beam', 0],
    ['bem', 'beam', 1],
    ['beamm', 'beam', 1],
    ['baem', 'beam', 1],
    ['beat', 'beam', 1],
    ['abc', '', 3],
    ['kitten', 'sitting', 3],
  ])('%j to %j: %d', (a, b, distance) => {
    expect([editDistance(a, b), editDistance(b, a)]).toEqual([distance, distance]);
  });
});

describe('nearestWord', () => {
  it.each([
    ['bem', 'beam'],
    ['randon', 'random'],
    ['rnadmo', 'random'],
    // Two slips in so short a word make another word.
    ['bat', null],
    ['ad', null],
    ['xx', null],
    ['r'.repeat(100), null],
  ])('%j: %j', (word, nearest) => {
    expect(nearestWord(word, NAMES)).toBe(nearest);
  });
});

it('asks for what was meant: a slip away in any case, or with the same beginning', () => {
  expect(didYouMean('Beem', NAMES)).toBe(": did you mean 'beam'?");
  expect(didYouMean('clip', NAMES)).toBe(": did you mean 'clip-score'?");
  expect(didYouMean('anneal', NAMES)).toBe('');
  expect(didYouMean('', NAMES)).toBe('');
});

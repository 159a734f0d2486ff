import { describe, expect, it } from 'vitest';

import { RuntimeError, UsageError } from '../../core/errors.js';
import { answerOf, createQuestion, DEFAULT_QUESTION, logSum, yesShare } from './question.js';

describe('a question', () => {
  it('asks whether the picture shows the prompt', () => {
    expect(createQuestion().ask('a red star')).toBe(
      'Does this image show "a red star"? Please answer yes or no.',
    );
    expect(createQuestion().template).toBe(DEFAULT_QUESTION);
  });

  it.each(['$& and $1 and $`', '{prompt} {prompt}', '{{}} \\" "', 'line\nbreak', '%s $prompt'])(
    'puts the prompt %j in as it is',
    (prompt) => {
      expect(createQuestion('<{prompt}>').ask(prompt)).toBe(`<${prompt}>`);
    },
  );

  it('puts the prompt in wherever the template says', () => {
    expect(createQuestion('{prompt}? {prompt}!').ask('a')).toBe('a? a!');
  });

  it.each(['', ' \n'])('refuses the prompt %j', (prompt) => {
    expect(() => createQuestion().ask(prompt)).toThrow(UsageError);
    expect(() => createQuestion().ask(prompt)).toThrow(/say what the picture should show/);
  });

  it.each(['', 'Is it good?', '{Prompt}', '{ prompt }'])('refuses the template %j', (template) => {
    expect(() => createQuestion(template)).toThrow(UsageError);
    expect(() => createQuestion(template)).toThrow(/write \{prompt\} where the prompt belongs/);
  });
});

describe('the answer of a token', () => {
  it.each(['Yes', 'yes', 'YES', ' yes', '▁Yes', 'Ġyes', '\nyes', '"Yes', '**Yes**', 'Yes.', 'yes,'])(
    '%j is yes',
    (token) => {
      expect(answerOf(token)).toBe('yes');
    },
  );
  it.each(['No', ' no', 'NO', '▁no', 'No.'])('%j is no', (token) => {
    expect(answerOf(token)).toBe('no');
  });
  it.each(['', ' ', 'Not', 'None', 'Yesterday', 'y', 'n', 'ye s', 'nо', '是', '1'])(
    '%j is neither',
    (token) => {
      expect(answerOf(token)).toBeUndefined();
    },
  );
});

describe('a token of a megabyte', () => {
  it.each(['before', 'after'])('is neither, with the marks %s', (where) => {
    const marks = '.'.repeat(1e6);
    expect(answerOf(where === 'before' ? `${marks}x` : `yes${marks}`)).toBeUndefined();
  });
});

describe('the share of yes', () => {
  it('is the softmax over the two', () => {
    expect(yesShare(Math.log(0.6), Math.log(0.2))).toBeCloseTo(0.75, 12);
    expect(yesShare(-3, -3)).toBe(0.5);
    expect(yesShare(12, 10)).toBeCloseTo(1 / (1 + Math.exp(-2)), 12);
  });

  it('stays a number at the ends', () => {
    expect(yesShare(0, -1e5)).toBe(1);
    expect(yesShare(-1e5, 0)).toBe(0);
    expect(yesShare(-1e308, -1e308)).toBe(0.5);
    expect(yesShare(-1, -Infinity)).toBe(1);
    expect(yesShare(-Infinity, -1)).toBe(0);
    expect(yesShare(1000, 1001)).toBeCloseTo(1 / (1 + Math.E), 12);
  });

  it.each([
    [NaN, -1],
    [-1, NaN],
    [-Infinity, -Infinity],
    [Infinity, 0],
    [0, Infinity],
    [Infinity, Infinity],
  ])('of %d and %d is an error', (yes, no) => {
    expect(() => yesShare(yes, no)).toThrow(RuntimeError);
  });
});

describe('the sum of log-probabilities', () => {
  it('adds the probabilities', () => {
    expect(logSum([Math.log(0.25), Math.log(0.5)])).toBeCloseTo(Math.log(0.75), 12);
    expect(logSum([-2000, -2000])).toBeCloseTo(-2000 + Math.LN2, 9);
    expect(logSum([1000])).toBe(1000);
    expect(logSum([-1, -Infinity])).toBe(-1);
  });

  it('is minus infinity for nothing', () => {
    expect(logSum([])).toBe(-Infinity);
    expect(logSum([-Infinity, -Infinity])).toBe(-Infinity);
  });
});

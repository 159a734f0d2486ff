import { describe, expect, it } from 'vitest';

import { completionOf, topOf } from '../../../test/fakes/openai-server.js';
import { VarsearchError } from '../../core/errors.js';
import { scoreOfChat } from './endpoint-chat.js';
import { scoreOfTokens, topTokens } from './endpoint-logprobs.js';

const tokensOf = (probabilities: Record<string, number>): { token: string; logprob: number }[] =>
  Object.entries(probabilities).map(([token, probability]) => ({ token, logprob: Math.log(probability) }));
const score = (probabilities: Record<string, number>): number => scoreOfTokens(tokensOf(probabilities));

describe('the score of log-probabilities', () => {
  it('is the share of yes', () => {
    expect(score({ Yes: 0.6, No: 0.2, The: 0.1 })).toBeCloseTo(0.75, 12);
  });

  it('sums the spellings of both', () => {
    const spellings = { Yes: 0.2, ' yes': 0.1, YES: 0.05, '▁Yes': 0.05, No: 0.05, ' no': 0.05, Not: 0.3 };
    expect(score(spellings)).toBeCloseTo(0.8, 12);
  });

  it('takes a missing answer for at most as likely as the least likely token', () => {
    expect(score({ Yes: 0.8, The: 0.1, A: 0.001 })).toBeCloseTo(0.8 / 0.801, 12);
    expect(score({ No: 0.8, The: 0.1, A: 0.001 })).toBeCloseTo(0.001 / 0.801, 12);
  });

  it('takes a missing answer for at most what is left', () => {
    expect(score({ Yes: 0.75 })).toBeCloseTo(0.75, 12);
    expect(score({ No: 0.75 })).toBeCloseTo(0.25, 12);
    expect(score({ Yes: 1 })).toBe(1);
    expect(score({ No: 1 })).toBe(0);
  });

  it('takes tokens without probability for not given', () => {
    const yes = tokensOf({ Yes: 0.9, The: 0.05 });
    expect(scoreOfTokens([...yes, { token: 'No', logprob: -9999 }])).toBeCloseTo(0.9 / 0.95, 12);
    expect(scoreOfTokens([...yes, { token: 'No', logprob: -Infinity }])).toBeCloseTo(0.9 / 0.95, 12);
    expect(() => scoreOfTokens([{ token: 'Yes', logprob: -3.4e38 }])).toThrow(/none is possible/);
  });

  it('needs yes or no', () => {
    expect(() => score({ '<think>': 0.9, Well: 0.05, '\u001b[2J': 0.01 })).toThrow(
      /neither yes nor no is among the 3 likeliest first tokens of its answer \("<think>", "Well", "\[2J"\)/,
    );
    expect(() => score({ '<think>': 0.9 })).toThrow(VarsearchError);
  });

  it('refuses probabilities above 1', () => {
    expect(() => score({ Yes: 0.9, No: 0.9 })).toThrow(/add up to 1\.80, more than 1/);
    expect(score({ Yes: 0.9, No: 0.104 })).toBeCloseTo(0.9 / 1.004, 12);
  });

  it('copes with a list of any length', () => {
    const many = Array.from({ length: 150_000 }, () => ({ token: 'yes', logprob: Math.log(1e-6) }));
    expect(scoreOfTokens([...many, { token: 'No', logprob: Math.log(0.15) }])).toBeCloseTo(0.5, 6);
  });
});

describe('the first tokens of an answer', () => {
  const choice = (first: unknown): Record<string, unknown> => ({ logprobs: { content: [first] } });

  it('include the chosen one, once', () => {
    const chosen = { token: 'Yes', logprob: -0.5 };
    const other = { token: 'No', logprob: -1 };
    expect(topTokens(choice({ ...chosen, top_logprobs: [chosen, other] }))).toEqual([chosen, other]);
    expect(topTokens(choice({ ...chosen, top_logprobs: [other] }))).toEqual([other, chosen]);
    expect(topTokens(choice(chosen))).toEqual([chosen]);
  });

  it.each([
    {},
    { logprobs: null },
    { logprobs: [] },
    { logprobs: { content: null } },
    { logprobs: { content: [] } },
    { logprobs: { content: [null] } },
    { logprobs: { tokens: ['Yes'], token_logprobs: [-1] } },
    choice({ top_logprobs: [] }),
  ])('are missing in %j', (value) => {
    expect(topTokens(value)).toBeUndefined();
  });

  it('may be a little above 0 by rounding', () => {
    expect(topTokens(choice({ token: 'Yes', logprob: 1e-6 }))).toEqual([{ token: 'Yes', logprob: 0 }]);
  });

  it.each([
    [{ token: 'Yes', logprob: 'NaN' }, /the token "Yes" has "NaN" in place of a number up to 0/],
    [{ token: 'Yes', logprob: 0.7 }, /has 0\.7/],
    [{ token: 'Yes', logprob: NaN }, /has NaN/],
    [{ token: 'Yes', logprob: Infinity }, /wrong/],
    [{ token: 'Yes', logprob: [-1] }, /has object/],
    [{ token: 3, logprob: -1 }, /the token 3/],
    [{ token: 'Yes\u001b[31m' + 'x'.repeat(500), logprob: 1 }, /"Yes \[31mx.*…"/],
  ])('are wrong in %j', (token, says) => {
    expect(() => topTokens(choice({ top_logprobs: [token] }))).toThrow(says);
    expect(() => topTokens(choice(token))).toThrow(VarsearchError);
  });

  it.each([null, '-Infinity', '-inf', -Infinity])('have no probability in %j', (logprob) => {
    const tokens = topTokens(
      choice({ token: 'Yes', logprob: -0.05, top_logprobs: [{ token: 'No', logprob }] }),
    );
    expect(tokens).toEqual([{ token: 'No', logprob: -Infinity }, { token: 'Yes', logprob: -0.05 }]); // prettier-ignore
  });

  it.each([null, 3, 'Yes'])('are no %j', (token) => {
    expect(() => topTokens(choice({ top_logprobs: [token] }))).toThrow(/wrong/);
  });
});

describe('the score of a completion', () => {
  it('comes from its first choice', () => {
    expect(scoreOfChat(completionOf(topOf({ Yes: 0.6, No: 0.2 })), 'logprobs')).toBeCloseTo(0.75, 12);
  });

  it.each([null, [], 'x', {}, { choices: null }, { choices: [] }, { choices: [null] }, { choices: {} }])(
    'is none in %j',
    (completion) => {
      expect(() => scoreOfChat(completion, 'logprobs')).toThrow(/has no choices/);
    },
  );

  it('is none in what was hidden in a prototype', () => {
    const choices = JSON.stringify(completionOf(topOf({ Yes: 0.6, No: 0.2 })));
    const hidden = JSON.parse(`{"__proto__":${choices}}`) as unknown;
    expect(() => scoreOfChat(hidden, 'logprobs')).toThrow(/has no choices/);
  });

  it('tells what a gateway says in its place', () => {
    const failure = { error: { message: 'no worker\u0007 left' } };
    expect(() => scoreOfChat(failure, 'logprobs')).toThrow(/no choices, but says "no worker left"/);
  });

  it.each([
    ['8', 'stop', 0.8],
    ['8. The picture sh', 'length', 0.8],
    ['Rating: 7.5 of', 'length', 0.75],
  ])('is the rating %j that ends with %s', (content, finish, expected) => {
    const completion = { choices: [{ message: { content }, finish_reason: finish }] };
    expect(scoreOfChat(completion, 'text')).toBeCloseTo(expected, 12);
  });

  it('is no number that may have been cut off', () => {
    const completion = { choices: [{ message: { content: 'Rating: 1' }, finish_reason: 'length' }] };
    expect(() => scoreOfChat(completion, 'text')).toThrow(/holds no rating/);
  });

  it.each([null, undefined, 8, ['8'], {}])('is none in the text %j', (content) => {
    expect(() => scoreOfChat({ choices: [{ message: { content } }] }, 'text')).toThrow(/has no text/);
  });
});

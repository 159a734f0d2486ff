// The log-probabilities of yes and no in the answer of an OpenAI-compatible endpoint.

import { VarsearchError } from '../../core/errors.js';
import { isObject, type JsonObject } from '../../core/json-file.js';
import { clean, type Tell } from '../../endpoint/words.js';
import { type Answer, answerOf, logSum, yesShare } from './question.js';

/** A token that may stand first in the answer. */
interface TopToken {
  readonly token: string;
  /** 0 or less. */
  readonly logprob: number;
}

/** Rounding in a server's half precision may carry a probability, or the sum of all, this far above 1. */
const ROUNDING = 0.05;
/** How many tokens a message names. */
const MOST_NAMED = 5;

/**
 * The first answer token's likeliest values, from a choice of a chat completion; undefined where it has no log-probabilities.
 * Throws a VarsearchError for log-probabilities that are none.
 */
export function topTokens(choice: JsonObject, tell: Tell = clean): readonly TopToken[] | undefined {
  const { logprobs } = choice;
  const content = isObject(logprobs) ? logprobs['content'] : undefined;
  const first: unknown = Array.isArray(content) ? content[0] : undefined;
  if (!isObject(first)) return undefined;
  const top = first['top_logprobs'];
  const tokens = (Array.isArray(top) ? (top as unknown[]) : []).map((each) => tokenOf(each, tell));
  // The token that was chosen counts, too, where it is not among the likeliest.
  const chosen = 'logprob' in first ? [tokenOf(first, tell)] : [];
  const all = [...tokens, ...chosen.filter(({ token }) => !tokens.some((each) => each.token === token))];
  return all.length === 0 ? undefined : all;
}

/** Minus infinity has no JSON: servers write null, or a text, for the logarithm of 0. */
const IMPOSSIBLE: readonly unknown[] = [null, '-Infinity', '-inf'];

function tokenOf(value: unknown, tell: Tell): TopToken {
  const { token, logprob: written } = isObject(value) ? value : {};
  const logprob = IMPOSSIBLE.includes(written) ? -Infinity : written;
  if (typeof token !== 'string' || typeof logprob !== 'number' || !(logprob <= Math.log1p(ROUNDING))) {
    throw new VarsearchError(
      `its log-probabilities are wrong: the token ${shown(token, tell)} has ${shown(logprob, tell)} in place of a number up to 0`,
    );
  }
  return { token, logprob: Math.min(logprob, 0) };
}

function shown(value: unknown, tell: Tell): string {
  if (typeof value === 'string') return `"${tell(value)}"`;
  return typeof value === 'number' ? String(value) : typeof value;
}

/**
 * The share of yes, 0..1: softmax over the probabilities of yes and no, each summed over all spellings among the tokens.
 *
 * The likeliest tokens need not hold both. Of the one that is missing it is known that it is at most as likely as the least
 * likely token given, and at most what all given ones leave of 1: the smaller of the two is taken for it. So the score is
 * nearer to 1/2 than the true one, if anything, never ranks a less certain answer above a more certain one by guesswork, and
 * needs no made-up constant. Tokens whose probability is 0 (servers write -9999 or less for them) count as not given. Throws a
 * VarsearchError where neither is there, and where the probabilities add up to more than 1.
 */
export function scoreOfTokens(tokens: readonly TopToken[], tell: Tell = clean): number {
  const possible = tokens.filter(({ logprob }) => Math.exp(logprob) > 0);
  const sum = possible.reduce((total, { logprob }) => total + Math.exp(logprob), 0);
  if (sum > 1 + ROUNDING) {
    throw new VarsearchError(
      `its log-probabilities are wrong: they make probabilities that add up to ${sum.toPrecision(3)}, more than 1`,
    );
  }
  const logprobsOf = (answer: Answer): number[] =>
    possible.filter(({ token }) => answerOf(token) === answer).map(({ logprob }) => logprob);
  const [yes, no] = [logprobsOf('yes'), logprobsOf('no')];
  if (yes.length + no.length === 0) throw neitherError(possible, tell);
  const smallest = possible.reduce((least, { logprob }) => Math.min(least, logprob), 0);
  const bound = Math.min(smallest, Math.log(Math.max(0, 1 - sum)));
  return yesShare(yes.length > 0 ? logSum(yes) : bound, no.length > 0 ? logSum(no) : bound);
}

function neitherError(tokens: readonly TopToken[], tell: Tell): VarsearchError {
  const likeliest = tokens
    .toSorted((a, b) => b.logprob - a.logprob)
    .slice(0, MOST_NAMED)
    .map(({ token }) => `"${tell(token)}"`);
  return new VarsearchError(
    `neither yes nor no is among the ${tokens.length} likeliest first tokens of its answer ` +
      `(${likeliest.join(', ') || 'none is possible'}): ask a question to be answered with yes or no, ` +
      'or take ratings in text (rating: text)',
  );
}

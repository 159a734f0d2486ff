// How LLaVA-OneVision is asked about a picture, and the score of its answer: the share of "yes" among "yes" and "no" at the
// first answer token, after VQAScore (Lin et al., "Evaluating text-to-visual generation with image-to-text generation",
// ECCV 2024, section 3). Shared by the verifier in process and the one behind an endpoint.

import { RuntimeError, UsageError } from '../../core/errors.js';

/** What stands for the prompt in a template. */
export const PROMPT_SLOT = '{prompt}';

/** The question that is asked when none is given: its answer is yes or no. */
export const DEFAULT_QUESTION = `Does this image show "${PROMPT_SLOT}"? Please answer yes or no.`;

/** A question about a picture that a prompt completes. */
export interface Question {
  readonly template: string;
  /** The question for a prompt, which goes in as it is. Throws a UsageError for an empty one. */
  ask(prompt: string): string;
}

/** A question from a template; throws a UsageError when {prompt} is not in it. */
export function createQuestion(template: string = DEFAULT_QUESTION): Question {
  if (!template.includes(PROMPT_SLOT)) {
    throw new UsageError(
      `the question '${template}' has no ${PROMPT_SLOT}: write ${PROMPT_SLOT} where the prompt belongs, ` +
        `as in '${DEFAULT_QUESTION}'`,
    );
  }
  // Split and joined: `replace` would read `$&` in a prompt, and would look for {prompt} in what it has put in.
  const parts = template.split(PROMPT_SLOT);
  const ask = (prompt: string): string => {
    if (prompt.trim() !== '') return parts.join(prompt);
    throw new UsageError('LLaVA needs a prompt, and it is empty: say what the picture should show');
  };
  return { template, ask };
}

/** An answer that counts. */
export type Answer = 'yes' | 'no';

/** Longer tokens are no answer with marks around it. */
const MOST_MARKS = 32;

/**
 * What a token answers, whatever its case and with the marks that tokenizers and writers put around a word (blanks, ▁ and Ġ
 * for blanks, quotes, asterisks, a full stop); undefined for every other token.
 */
export function answerOf(token: string): Answer | undefined {
  // A hostile endpoint's token of a megabyte would keep the expression busy for hours.
  if (token.length > MOST_MARKS) return undefined;
  const word = token.replace(/^[\s▁Ġ"'*]+|[\s▁"'*.,!]+$/g, '').toLowerCase();
  return word === 'yes' || word === 'no' ? word : undefined;
}

/** log(sum(exp(x))) of log-probabilities or logits, without overflow; minus infinity for none. */
export function logSum(values: readonly number[]): number {
  // Not Math.max(...values): an endpoint may send more values than a call takes arguments.
  const largest = values.reduce((most, value) => Math.max(most, value), -Infinity);
  if (!Number.isFinite(largest)) return largest;
  return largest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - largest), 0));
}

/**
 * The softmax share of yes, 0..1, from the logits or log-probabilities of yes and no (their difference is all that counts).
 * One of the two may be minus infinity; throws a RuntimeError for both, and for what is no log-probability.
 */
export function yesShare(yes: number, no: number): number {
  // NaN - x, Infinity - Infinity and -Infinity - -Infinity are all NaN; plus infinity alone is a broken model, too.
  const difference = no - yes;
  if (Number.isNaN(difference) || yes === Infinity || no === Infinity) {
    throw new RuntimeError(
      `the answers yes and no have the log-probabilities ${yes} and ${no}, which make no score: the model must be damaged`,
    );
  }
  return 1 / (1 + Math.exp(difference));
}

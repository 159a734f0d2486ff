// The options of LLaVA-OneVision behind an endpoint: checked here and nowhere else, and read from the environment.

import { UsageError } from '../../core/errors.js';
import type { Wait } from '../../endpoint/http.js';
import { createQuestion, PROMPT_SLOT, type Question } from './question.js';

/** Where a score comes from: the log-probabilities of yes and no, or a rating in the text of the answer. */
const SCORE_MODES = ['logprobs', 'text'] as const;

/** See SCORE_MODES. */
export type ScoreMode = (typeof SCORE_MODES)[number];

/** The score modes that can be asked for: auto takes log-probabilities where the endpoint gives them. */
const RATINGS = ['auto', ...SCORE_MODES] as const;

/** See RATINGS. */
type Rating = (typeof RATINGS)[number];

/** The question that is asked where there are no log-probabilities: its answer is a number from 0 to 10. */
const DEFAULT_RATING_QUESTION =
  `How well does this image show "${PROMPT_SLOT}"? Rate it from 0 (not at all) to 10 (perfectly). ` +
  'Answer with the number only.';

/** Options of LLaVA-OneVision, or any model that looks at pictures, behind an OpenAI-compatible endpoint. */
export interface LlavaEndpointOptions {
  /** The base of the API, such as http://localhost:8000/v1; without user, password, query and fragment. */
  readonly url: string;
  /** The model's name at the endpoint. @default the only one that the endpoint serves */
  readonly model?: string;
  /** Sent as bearer token, to this URL alone. @default none */
  readonly apiKey?: string;
  /** The question to be answered with yes or no; {prompt} stands for the prompt. @default DEFAULT_QUESTION */
  readonly question?: string;
  /** The question to be answered with 0 to 10, for ratings in text. @default DEFAULT_RATING_QUESTION */
  readonly ratingQuestion?: string;
  /** Where scores come from; settled once, when the verifier is opened. @default 'auto' */
  readonly rating?: Rating;
  /** Calls under way at once, 1 to 256. @default 4 */
  readonly concurrency?: number;
  /** Milliseconds that one call may take, answer included, 1 to 300,000. @default 60_000 */
  readonly timeout?: number;
  /** How often a call is tried again after a failure that may pass, 0 to 20. @default 3 */
  readonly retries?: number;
  /** Tokens whose log-probabilities are asked for, 2 to 1000; many servers give at most 20. @default 20 */
  readonly topLogprobs?: number;
  /** Milliseconds that the server may ask to wait before another try (Retry-After), 0 to 3,600,000. @default 30_000 */
  readonly longestWait?: number;
  /** How pauses between tries are waited for. @default a timer */
  readonly wait?: Wait;
}

/** Options after checking, with all defaults. */
export interface EndpointSettings {
  /** Without a slash at the end. */
  readonly url: string;
  readonly model: string | undefined;
  readonly apiKey: string | undefined;
  readonly questions: Readonly<Record<ScoreMode, Question>>;
  readonly rating: Rating;
  readonly concurrency: number;
  readonly timeout: number;
  readonly retries: number;
  readonly topLogprobs: number;
  readonly longestWait: number;
  readonly wait: Wait | undefined;
}

type Numbers = 'concurrency' | 'timeout' | 'retries' | 'topLogprobs' | 'longestWait';

const RANGES: Readonly<Record<Numbers, { from: number; to: number; otherwise: number }>> = {
  concurrency: { from: 1, to: 256, otherwise: 4 },
  // Node's fetch gives up by itself after 300 s.
  timeout: { from: 1, to: 300_000, otherwise: 60_000 },
  retries: { from: 0, to: 20, otherwise: 3 },
  topLogprobs: { from: 2, to: 1000, otherwise: 20 },
  longestWait: { from: 0, to: 3_600_000, otherwise: 30_000 },
};

const NAMES: Readonly<Record<keyof LlavaEndpointOptions, true>> = {
  url: true,
  model: true,
  apiKey: true,
  question: true,
  ratingQuestion: true,
  rating: true,
  concurrency: true,
  timeout: true,
  retries: true,
  topLogprobs: true,
  longestWait: true,
  wait: true,
};

/** Checks options and fills in the defaults. Throws UsageError, which never holds the key. */
export function resolveEndpointOptions(options: LlavaEndpointOptions): EndpointSettings {
  const { model, apiKey, rating = 'auto', wait } = options;
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(NAMES, name));
  if (unknown !== undefined) {
    throw new UsageError(
      `a LLaVA endpoint has no option ${unknown}: choose from ${Object.keys(NAMES).join(', ')}`,
    );
  }
  if (!RATINGS.includes(rating)) {
    throw new UsageError(
      `unknown rating '${rating}' of a LLaVA endpoint: choose one of ${RATINGS.join(', ')}`,
    );
  }
  if (model?.trim() === '') {
    throw new UsageError("the LLaVA endpoint's model has an empty name: name one, or leave it out");
  }
  // What cannot be a header would fail in fetch, with the key in its message.
  if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey)) {
    throw new UsageError(
      "the LLaVA endpoint's API key is empty, or has blanks, line breaks or characters outside ASCII: copy it again",
    );
  }
  return {
    url: checkUrl(options.url),
    model,
    apiKey,
    questions: {
      logprobs: createQuestion(options.question),
      text: createQuestion(options.ratingQuestion ?? DEFAULT_RATING_QUESTION),
    },
    rating,
    concurrency: numberOf('concurrency', options),
    timeout: numberOf('timeout', options),
    retries: numberOf('retries', options),
    topLogprobs: numberOf('topLogprobs', options),
    longestWait: numberOf('longestWait', options),
    wait,
  };
}

function numberOf(name: Numbers, options: LlavaEndpointOptions): number {
  const { from, to, otherwise } = RANGES[name];
  const value = options[name] ?? otherwise;
  if (Number.isInteger(value) && value >= from && value <= to) return value;
  throw new UsageError(
    `${name} of a LLaVA endpoint must be a whole number from ${from} to ${to}, got ${String(value)}`,
  );
}

const EXAMPLE = 'http://localhost:8000/v1';

/** The URL without a slash at the end. Messages never show what may be a password. */
function checkUrl(given: string): string {
  if (!URL.canParse(given)) {
    throw new UsageError(`the LLaVA endpoint's URL cannot be read: give one such as ${EXAMPLE}`);
  }
  const url = new URL(given);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new UsageError(
      `the LLaVA endpoint's URL begins with ${url.protocol}: it must be http or https, such as ${EXAMPLE}`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new UsageError(
      `the LLaVA endpoint's URL at ${url.host} holds a user or password: leave it out and give an API key instead`,
    );
  }
  if (url.search !== '' || url.hash !== '') {
    throw new UsageError(
      `the LLaVA endpoint's URL at ${url.host} has a query or fragment: give the base alone, such as ${EXAMPLE}`,
    );
  }
  const base = url.href.replace(/\/+$/, '');
  if (!base.endsWith('/chat/completions')) return base;
  throw new UsageError(
    `the LLaVA endpoint's URL ${base} is that of one call: give the base, ${base.slice(0, -'/chat/completions'.length)}`,
  );
}

/** Environment variables by name. */
type Environment = Readonly<Record<string, string | undefined>>;

/** The environment variables that say which endpoint is asked, and how; all but the first may be left out. */
const ENDPOINT_VARIABLES = {
  url: 'VARSEARCH_LLAVA_URL',
  model: 'VARSEARCH_LLAVA_MODEL',
  apiKey: 'VARSEARCH_LLAVA_KEY',
  question: 'VARSEARCH_LLAVA_QUESTION',
  rating: 'VARSEARCH_LLAVA_RATING',
  timeout: 'VARSEARCH_LLAVA_TIMEOUT',
  concurrency: 'VARSEARCH_LLAVA_CONCURRENCY',
  longestWait: 'VARSEARCH_LLAVA_LONGEST_WAIT',
} as const satisfies Partial<Record<keyof LlavaEndpointOptions, string>>;

const NOT_NAMED =
  `no endpoint is named: set ${ENDPOINT_VARIABLES.url} to the base of an OpenAI-compatible API whose model looks at pictures, ` +
  `such as ${EXAMPLE} (and ${ENDPOINT_VARIABLES.model} where it serves several models, ${ENDPOINT_VARIABLES.apiKey} where it ` +
  'wants a key)';

/** True where the environment names an endpoint, otherwise what to set, in one line. */
export function llavaEndpointInstalled(env: Environment): true | string {
  return valueOf(env, 'url') === undefined ? NOT_NAMED : true;
}

/** The options that the environment gives (ENDPOINT_VARIABLES), unchecked. Throws a UsageError that says what to set. */
export function llavaEndpointFromEnvironment(env: Environment): LlavaEndpointOptions {
  const url = valueOf(env, 'url');
  if (url === undefined) throw new UsageError(`LLaVA behind an endpoint: ${NOT_NAMED}`);
  const texts = (['model', 'apiKey', 'question', 'rating'] as const).map((name) => [
    name,
    valueOf(env, name),
  ]);
  const numbers = (['timeout', 'concurrency', 'longestWait'] as const).map((name) => {
    const value = valueOf(env, name);
    return [name, value === undefined ? undefined : Number(value)];
  });
  const given = [...texts, ...numbers].filter(([, value]) => value !== undefined);
  return { url, ...(Object.fromEntries(given) as Omit<LlavaEndpointOptions, 'url'>) };
}

/** A variable's value; what is blank counts as not set. */
function valueOf(env: Environment, name: keyof typeof ENDPOINT_VARIABLES): string | undefined {
  const value = env[ENDPOINT_VARIABLES[name]]?.trim();
  return value === '' ? undefined : value;
}

// Why a try of a call failed, in words: what the endpoint did, what helps against it, and whether another try may go better.
// All words of the server go through `clean`.

import { isError } from '../core/realm.js';
import { clean, messageIn } from './words.js';

/** Why one try failed. */
export interface Fault {
  readonly what: string;
  readonly remedy: string;
  readonly status?: number;
  /** Whether another try may go better. */
  readonly mayPass: boolean;
  /** Milliseconds to wait first, where the server said so. */
  readonly waitFirst?: number;
}

/** An answer that has been read, as far as its limit allows. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** False when there was more than the limit. */
  readonly whole: boolean;
}

const NO_API = 'see whether the URL is the base of an OpenAI-compatible API (it usually ends with /v1)';

/** An answer of more bytes than there may be. */
export function sizeFault(most: number): Fault {
  return {
    what: `sent more than the ${most / 2 ** 20} MiB that an answer may have`,
    remedy: NO_API,
    mayPass: false,
  };
}

/** An answer that does not call itself JSON. */
export function typeFault({ headers, status }: Answer, apiKey: string | undefined): Fault {
  const type = clean(headers.get('content-type') ?? '', apiKey);
  const what = type === '' ? 'answered without a content type' : `answered with ${type} in place of JSON`;
  const remedy = type.startsWith('text/event-stream')
    ? 'let the server answer in one piece, as "stream": false asks for'
    : NO_API;
  return { what, remedy, status, mayPass: false };
}

/** An answer that calls itself JSON and is none. */
export function jsonFault({ text, status }: Answer, apiKey: string | undefined): Fault {
  const shown = clean(text, apiKey);
  const what = `answered with invalid JSON (${shown === '' ? 'nothing at all' : `"${shown}"`})`;
  return { what, remedy: "see the server's log", status, mayPass: false };
}

/** No answer in time. */
export function timeoutFault(timeout: number): Fault {
  return {
    what: `gave no whole answer within ${timeout / 1000} s`,
    remedy: 'see whether the server is overloaded, raise the timeout, or lower the concurrency',
    mayPass: true,
  };
}

/** What helps against reasons for which there is no connection, and whether a further try may go better. */
const NETWORK: readonly (readonly [reason: RegExp, remedy: string, mayPass: boolean])[] = [
  [
    /^Error: bad port$/,
    'take another port: this one is kept for other uses, and fetch does not call it',
    false,
  ],
  [
    /CERT|SELF_SIGNED|ERR_TLS|UNABLE_TO_VERIFY/,
    "see whether the server's certificate can be trusted (NODE_EXTRA_CA_CERTS names further ones)",
    false,
  ],
  [
    /WRONG_VERSION_NUMBER|ERR_SSL|EPROTO/,
    'see whether the URL should begin with http in place of https',
    false,
  ],
  [/ENOTFOUND|EAI_AGAIN/, "see whether the host's name is right, and whether there is a network", true],
  [
    /HTTP_TOKEN|HPE_/,
    'see whether it is an HTTP server that listens there, and http or https is right',
    true,
  ],
];

/** No connection, or one that broke. The error is named, not kept as `cause`: it can hold the server's bytes as they are. */
export function networkFault(error: unknown, apiKey: string | undefined): Fault {
  const inner = isError(error) && isError(error.cause) ? error.cause : error;
  const code = isError(inner) && 'code' in inner ? inner.code : undefined;
  const reason = typeof code === 'string' && code !== '' ? code : String(inner);
  const what = `cannot be reached, or broke the connection off (${clean(reason, apiKey)})`;
  const [, remedy, mayPass] = NETWORK.find(([pattern]) => pattern.test(reason)) ?? [
    /./,
    'see whether the server is running and whether the URL is right',
    true,
  ];
  return { what, remedy, mayPass };
}

/** What helps against a status. */
const REMEDIES: Readonly<Record<number, string>> = {
  400: 'see whether the model takes pictures, and whether its name is right',
  401: 'give the right API key',
  402: 'see to the account of the API key',
  403: 'give an API key that may use the model',
  404: 'see whether the URL is right (it usually ends with /v1), and the name of the model',
  405: 'see whether the URL is right (it usually ends with /v1)',
  413: 'let the server take larger requests, or search with smaller pictures',
  422: 'see whether the model takes pictures, and whether its name is right',
  429: 'lower the concurrency, or try again later',
  502: 'see whether the server behind the gateway is running',
  503: 'wait until the server has loaded the model, or is less busy',
  504: 'see whether the server behind the gateway is overloaded, or lower the concurrency',
};

/** What helps against what a server says, whatever the status of its refusal. */
const SAID: readonly (readonly [words: RegExp, remedy: string])[] = [
  [/quota|billing|credit|payment/i, 'see to the account of the API key'],
  [/log.?prob/i, 'let the server give log-probabilities, or take ratings in text (rating: text)'],
  [/max_(?:completion_)?tokens/, 'let the server take max_tokens or max_completion_tokens'],
  [/temperature/i, 'ask a model that takes temperature 0, which makes scores repeatable'],
  [
    /context|too long|too large|prompt is longer/i,
    'let the server take longer requests, or search with smaller pictures',
  ],
  [
    /(?:\bnot?\b|n't|cannot|unsupported|only text).*(?:image|vision|multi.?modal)|mmproj/i,
    'ask a model that looks at pictures, and let the server take them (as data URLs in image_url)',
  ],
  [
    /model.*(?:\bnot\b|n't|unknown)|(?:\bno\b|unknown|invalid).*model/i,
    "see whether the model's name is right, and whether the API key may use it",
  ],
];
/** Refusals of what was asked: what the server says goes before what the status says. */
const REFUSALS: readonly number[] = [400, 403, 404, 422, 429];

function remedyFor(status: number, message: string): string {
  const said = REFUSALS.includes(status) ? SAID.find(([words]) => words.test(message)) : undefined;
  return said?.[1] ?? REMEDIES[status] ?? "see the server's log";
}

/** A status that is no success. */
export function statusFault({ status, headers, text }: Answer, apiKey: string | undefined): Fault {
  if (status >= 300 && status <= 399) {
    const location = headers.get('location') ?? '';
    const where = URL.canParse(location) ? ` to ${clean(new URL(location).host, apiKey)}` : '';
    return {
      what: `redirects${where} (status ${status}), which is not followed, so that no key goes astray`,
      remedy: 'give the final URL',
      status,
      mayPass: false,
    };
  }
  const message = clean(messageIn(text), apiKey);
  const mayPass = status === 408 || status === 429 || status >= 500;
  const waitFirst = mayPass ? retryAfter(headers) : undefined;
  return {
    what: `answered ${status}${message === '' ? '' : ` "${message}"`}`,
    remedy: remedyFor(status, message),
    status,
    mayPass,
    ...(waitFirst === undefined ? {} : { waitFirst }),
  };
}

/** Milliseconds of Retry-After, which is a number of seconds or a date; undefined for anything else. */
function retryAfter(headers: Headers): number | undefined {
  const value = headers.get('retry-after')?.trim() ?? '';
  if (/^\d{1,12}(\.\d+)?$/.test(value)) return Number(value) * 1000;
  const date = /^[A-Z][a-z]{2},/.test(value) ? Date.parse(value) : NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

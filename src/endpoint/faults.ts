// Why a try of a call failed, in words: what the endpoint did, what helps against it, and whether another try may go better.
// All words of the server go through `clean`.

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
  return { what, remedy: NO_API, status, mayPass: false };
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

/** Reasons that no further try changes: a port that fetch does not call, and certificates that are not trusted. */
const LASTING = /^Error: bad port$|CERT|SELF_SIGNED|ERR_TLS|UNABLE_TO_VERIFY/;

/** No connection, or one that broke. The error is named, not kept as `cause`: it can hold the server's bytes as they are. */
export function networkFault(error: unknown, apiKey: string | undefined): Fault {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = inner instanceof Error && 'code' in inner ? inner.code : undefined;
  const reason = typeof code === 'string' && code !== '' ? code : String(inner);
  const what = `cannot be reached, or broke the connection off (${clean(reason, apiKey)})`;
  return LASTING.test(reason)
    ? { what, remedy: "see whether the URL's port and the server's certificate can be used", mayPass: false }
    : { what, remedy: 'see whether the server is running and whether the URL is right', mayPass: true };
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
};

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
    remedy: REMEDIES[status] ?? "see the server's log",
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

// JSON calls to an endpoint that may be slow, broken or hostile: a time limit that covers the whole call, retries with
// back-off where a failure may pass, answers of bounded size, no redirects (the key goes to the given host alone).

import { setTimeout as sleep } from 'node:timers/promises';

import { VarsearchError } from '../core/errors.js';
import { RandomKey } from '../core/random.js';
import {
  type Answer,
  type Fault,
  jsonFault,
  networkFault,
  sizeFault,
  statusFault,
  timeoutFault,
  typeFault,
} from './faults.js';
import { linkSignals } from './signals.js';
import { parseJson } from './words.js';

/** A call to an endpoint that failed for good. */
export class EndpointError extends VarsearchError {
  override readonly name = 'EndpointError';
  /** The HTTP status of the last answer; undefined when there was none. */
  readonly status: number | undefined;

  constructor(message: string, status?: number, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/** Calls to one endpoint. */
export interface EndpointClient {
  /** GET without a body, POST with one: the JSON of the answer. Throws EndpointError, or the signal's reason. */
  call(path: string, options: { readonly body?: unknown; readonly signal: AbortSignal }): Promise<unknown>;
}

/** Waits some milliseconds, or less when the signal is aborted. */
export type Wait = (milliseconds: number, signal: AbortSignal) => Promise<void>;

/** What a client needs to know. */
export interface ClientSettings {
  /** Without a slash at the end. */
  readonly url: string;
  readonly apiKey: string | undefined;
  /** Milliseconds that one try may take. */
  readonly timeout: number;
  /** Further tries after the first. */
  readonly retries: number;
  /** The most milliseconds that a server may ask to wait (Retry-After); a call that is to wait longer fails. */
  readonly longestWait: number;
  /** Waits between two tries. @default as long as it says */
  readonly wait: Wait | undefined;
}

type Outcome = { readonly json: unknown } | { readonly fault: Fault };

/** One try of a call. */
interface Request {
  readonly url: string;
  readonly init: RequestInit;
  readonly signal: AbortSignal;
}

const JSON_TYPE = /^\s*application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;
/** Of an answer; twenty log-probabilities take 3 kB, a long list of models some 100 kB. */
const MOST_BYTES = 2 ** 22;
/** Of an answer that is an error. */
const MOST_ERROR_BYTES = 2 ** 16;
/** Milliseconds of a pause: the first, and the longest, unless the server asks for more. */
const PAUSE = { first: 500, longest: 8000 };

/** A client for an endpoint; it holds nothing. */
export function createEndpointClient(settings: ClientSettings): EndpointClient {
  const { apiKey, retries, longestWait, wait = pause } = settings;
  let calls = 0;
  return {
    async call(path, { body, signal }) {
      const url = settings.url + path;
      const init = requestInit(body, apiKey);
      const jitter = RandomKey.fromSeed(calls++);
      for (let tries = 1; ; tries++) {
        signal.throwIfAborted();
        const outcome = await attempt({ url, init, signal }, settings);
        if ('json' in outcome) return outcome.json;
        const { fault } = outcome;
        const { waitFirst = 0 } = fault;
        const tooLong = waitFirst > longestWait;
        if (!fault.mayPass || tries > retries || tooLong) {
          throw errorOf(url, tooLong ? waitFault(fault, longestWait) : fault, tries);
        }
        await wait(Math.max(waitFirst, backOff(tries, jitter)), signal);
      }
    },
  };
}

function requestInit(body: unknown, apiKey: string | undefined): RequestInit {
  return {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
    },
    // Not 'error', which cannot be told from a broken connection; Node's fetch follows nothing either way.
    redirect: 'manual',
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
}

/** Doubles with every try; spread over half of that, so that calls which failed together do not come back together. */
function backOff(tries: number, jitter: RandomKey): number {
  const [share = 0] = jitter.fold(tries).uniform(1);
  return Math.round(Math.min(PAUSE.longest, PAUSE.first * 2 ** (tries - 1)) * (0.5 + share / 2));
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(milliseconds, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

/** A failure after which the server asks for more patience than it is given. */
function waitFault(fault: Fault, longestWait: number): Fault {
  const asked = Math.ceil((fault.waitFirst ?? 0) / 1000);
  return {
    ...fault,
    what: `${fault.what} and asks to wait ${asked} s, longer than the ${longestWait / 1000} s that it may`,
    remedy: `try again later, or let calls wait so long (longestWait, in milliseconds)`,
  };
}

function errorOf(url: string, { what, remedy, status }: Fault, tries: number): EndpointError {
  const count = tries === 1 ? 'tried once' : `tried ${tries} times`;
  return new EndpointError(`the endpoint ${url} ${what} (${count}): ${remedy}`, status);
}

/** One try; throws the signal's reason alone. */
async function attempt(
  { url, init, signal }: Request,
  { apiKey, timeout }: ClientSettings,
): Promise<Outcome> {
  const link = linkSignals(signal);
  const late = new Error('too late');
  const timer = setTimeout(() => link.abort(late), timeout);
  let answer: Answer;
  try {
    answer = await readAnswer(await fetch(url, { ...init, signal: link.signal }));
  } catch (error) {
    signal.throwIfAborted();
    return { fault: link.signal.reason === late ? timeoutFault(timeout) : networkFault(error, apiKey) };
  } finally {
    clearTimeout(timer);
    link.release();
  }
  return outcomeOf(answer, apiKey);
}

async function readAnswer(response: Response): Promise<Answer> {
  const { status, headers, body, ok } = response;
  const limit = ok ? MOST_BYTES : MOST_ERROR_BYTES;
  if (Number(headers.get('content-length') ?? 0) > limit) {
    await body?.cancel();
    return { status, headers, text: '', whole: false };
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop cancels the stream, which closes the connection.
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    chunks.push(chunk);
    if (size > limit) break;
  }
  const text = new TextDecoder().decode(Buffer.concat(chunks).subarray(0, limit));
  return { status, headers, text, whole: size <= limit };
}

function outcomeOf(answer: Answer, apiKey: string | undefined): Outcome {
  const { status, text, whole } = answer;
  if (status < 200 || status > 299) return { fault: statusFault(answer, apiKey) };
  if (!whole) return { fault: sizeFault(MOST_BYTES) };
  if (!JSON_TYPE.test(answer.headers.get('content-type') ?? '')) return { fault: typeFault(answer, apiKey) };
  const json = parseJson(text);
  return json === undefined ? { fault: jsonFault(answer, apiKey) } : { json };
}

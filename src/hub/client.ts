// The one door to the network: the official client for the Hub's API and its bytes, over a `fetch` of ours that watches what
// arrives, can be ended, and tells what went wrong in errors that say whether trying again makes sense.

import type * as official from '@huggingface/hub';

import { VarsearchError } from '../core/errors.js';
import { isError } from '../core/realm.js';
import type { HubSettings } from './settings.js';

type Official = typeof official;

/** A fault of the network or the server. */
export class HubFault extends VarsearchError {
  /** Whether it may be gone at the next try. */
  readonly again: boolean;
  /** Milliseconds that the server asks to wait. */
  readonly wait: number | null;

  constructor(message: string, options: { again: boolean; wait?: number | null; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.again = options.again;
    this.wait = options.wait ?? null;
  }
}

/** A file as the Hub lists it. */
export interface HubFile {
  readonly path: string;
  readonly bytes: number;
  /** What names its content in the cache and checks it: SHA-256, or git's SHA-1 of a small file. */
  readonly etag: string;
}

/** A revision as the Hub has it now. */
export interface HubRevision {
  readonly commit: string;
  /** Whether its owner lets in only whom he knows. */
  readonly gated: boolean;
}

/** What a request is given. */
export interface Watch {
  readonly signal: AbortSignal;
  /** Called with the bytes that have come over the wire. */
  readonly onArrival?: (bytes: number) => void;
}

/** Where the bytes of a file are asked from. */
export interface Place {
  readonly repo: string;
  readonly commit: string;
  readonly file: HubFile;
  readonly from: number;
  readonly xet: boolean;
}

/** The Hub. */
export interface HubClient {
  revision(repo: string, revision: string, watch: Watch): Promise<HubRevision>;
  /** Those of some paths that exist. */
  list(repo: string, commit: string, paths: readonly string[], watch: Watch): Promise<HubFile[]>;
  /** The bytes of a file from a position on. */
  read(place: Place, watch: Watch): AsyncIterable<Uint8Array>;
  /** The bytes of any address. */
  get(url: string, watch: Watch): AsyncIterable<Uint8Array>;
}

/** The client of these settings; the official package is loaded when it is needed. */
export function hubClient({ endpoint, token }: HubSettings): HubClient {
  const common = { hubUrl: endpoint, ...(token === null ? {} : { accessToken: token }) };
  const ask = async <T>(
    repo: string,
    watch: Watch,
    work: (hub: Official, get: typeof fetch) => Promise<T>,
  ) => {
    try {
      return await work(await import('@huggingface/hub'), watched(watch, 'api', endpoint));
    } catch (error) {
      throw translated(error, { what: repo, repo, endpoint });
    }
  };
  return {
    revision: (repo, revision, watch) =>
      ask(repo, watch, async (hub, get) => {
        const request = { ...common, name: repo, revision, additionalFields: ['sha' as const], fetch: get };
        const { sha, gated } = await hub.modelInfo(request);
        if (/^[0-9a-f]{40}$/.test(sha)) return { commit: sha, gated: gated !== false };
        throw new HubFault(`${endpoint} gives no commit for ${repo}`, { again: false });
      }),
    list: (repo, commit, paths, watch) =>
      ask(repo, watch, async (hub, get) => {
        const request = { ...common, repo, revision: commit, paths: [...paths], expand: true, fetch: get };
        const found = await hub.pathsInfo(request);
        return found
          .filter(({ type }) => type === 'file')
          .map(({ path, size, oid, lfs }) => listed(repo, path, lfs ? lfs.size : size, lfs?.oid ?? oid));
      }),
    async *read(place, watch) {
      const asked = { what: `${place.file.path} of ${place.repo}`, repo: place.repo, endpoint };
      // A blob of the official client keeps no more than the message of what its fetch has thrown.
      let thrown: unknown = null;
      const kept =
        (get: typeof fetch): typeof fetch =>
        (...request) =>
          get(...request).catch((error: unknown) => {
            throw (thrown = error);
          });
      const fetches = {
        plain: kept(watched(watch, 'bytes', endpoint)),
        xet: kept(watched(watch, 'xet', endpoint)),
      };
      let isLetIn = false;
      try {
        const chunks = await readFile(await import('@huggingface/hub'), fetches, common, place);
        isLetIn = true;
        yield* chunks;
      } catch (error) {
        throw translated(thrown ?? error, { ...asked, isLetIn });
      }
    },
    async *get(url, watch) {
      try {
        const response = await watched(watch, 'api', endpoint)(url);
        if (!response.ok || !response.body) throw statusFault(url, response);
        yield* response.body;
      } catch (error) {
        throw translated(error, { what: url, repo: null, endpoint: new URL(url).origin });
      }
    },
  };
}

function listed(repo: string, path: string, bytes: number, etag: string | undefined): HubFile {
  if (etag !== undefined && HASH.test(etag) && Number.isSafeInteger(bytes) && bytes >= 0) {
    return { path, bytes, etag };
  }
  throw new HubFault(`the Hub lists ${path} of ${repo} without a size or hash that makes sense`, {
    again: false,
  });
}

const HASH = /^([0-9a-f]{40}|[0-9a-f]{64})$/;

async function readFile(
  hub: Official,
  fetches: { readonly plain: typeof fetch; readonly xet: typeof fetch },
  common: { readonly hubUrl: string; readonly accessToken?: string },
  { repo, commit, file, from, xet }: Place,
): Promise<AsyncIterable<Uint8Array>> {
  const request = { ...common, repo, path: file.path, revision: commit };
  const info = await hub.fileDownloadInfo({ ...request, fetch: fetches.plain });
  if (!info) throw new HubFault(`${repo} has no ${file.path}`, { again: false });
  const etag = info.etag.replace(/^(W\/)?"?|"$/g, '');
  // Mirrors name contents otherwise; what has come is compared with the listed hash in any case.
  if ((HASH.test(etag) && etag !== file.etag) || info.size !== file.bytes) {
    throw new HubFault(
      `${file.path} of ${repo} is another file than the one listed: ${info.size} bytes, ${etag}, not ${file.bytes} bytes, ${file.etag}`,
      { again: true },
    );
  }
  const get = xet && info.xet ? fetches.xet : fetches.plain;
  const blob = await hub.downloadFile({ ...request, downloadInfo: info, xet, fetch: get });
  if (!blob) throw new HubFault(`${repo} has no ${file.path}`, { again: false });
  return blob.slice(from, file.bytes).stream() as AsyncIterable<Uint8Array> & ReadableStream<Uint8Array>;
}

/**
 * A fetch that ends with the signal and counts what arrives. Of plain bytes it takes nothing for an answer that is none; the xet
 * protocol has its own ways with statuses and ranges.
 */
function watched(
  { signal, onArrival = () => undefined }: Watch,
  kind: 'api' | 'bytes' | 'xet',
  endpoint: string,
): typeof fetch {
  return async (input, init = {}) => {
    const headers = new Headers(init.headers);
    // Positions and lengths are of the bytes themselves.
    if (!headers.has('Accept-Encoding')) headers.set('Accept-Encoding', 'identity');
    const address = typeof input === 'string' ? input : 'href' in input ? input.href : input.url;
    // The token is the Hub's own; xet has tokens for its hosts.
    if (kind !== 'xet' && new URL(address).origin !== new URL(endpoint).origin) {
      headers.delete('Authorization');
    }
    const signals = init.signal ? AbortSignal.any([signal, init.signal]) : signal;
    const response = await fetch(input, { ...init, headers, signal: signals });
    onArrival(0);
    // Addresses of bytes are signed for a while; a 403 without words about access means that it is over.
    const expired = kind === 'bytes' && response.status === 403 && !response.headers.has('X-Error-Code');
    if (expired || (kind !== 'xet' && RETRIED.has(response.status))) {
      const fault = statusFault(address, response);
      await response.body?.cancel();
      throw fault;
    }
    if (!response.ok || !response.body) return response;
    const range = kind === 'bytes' ? /^bytes=(\d+)-(\d+)$/.exec(headers.get('Range') ?? '') : null;
    const body = response.body.pipeThrough(from(range, response)).pipeThrough(
      passing((chunk) => {
        onArrival(chunk.byteLength);
        return chunk;
      }),
    );
    const same = new Response(body, response);
    Object.defineProperty(same, 'url', { value: response.url });
    return same;
  };
}

function passing(change: (chunk: Uint8Array) => Uint8Array | null): TransformStream<Uint8Array, Uint8Array> {
  return new TransformStream({
    transform(chunk, controller) {
      const changed = change(chunk);
      if (changed && changed.byteLength > 0) controller.enqueue(changed);
    },
  });
}

/** A server may answer a request for a part with the whole: what comes before the part is dropped. */
function from(range: RegExpExecArray | null, response: Response): TransformStream<Uint8Array, Uint8Array> {
  let drop = 0;
  const start = Number(range?.[1] ?? 0);
  if (range && response.status === 200) drop = start;
  if (range && response.status === 206) {
    const got = /^bytes (\d+)-/.exec(response.headers.get('Content-Range') ?? '')?.[1];
    if (Number(got) !== start) {
      throw new HubFault(`the server was asked for bytes from ${start} on and sends others`, { again: true });
    }
  }
  return passing((chunk) => {
    const dropped = Math.min(drop, chunk.byteLength);
    drop -= dropped;
    return chunk.subarray(dropped);
  });
}

const RETRIED = new Set([408, 425, 429, 500, 502, 503, 504]);

function statusFault(address: string, response: Response): HubFault {
  const seconds = Number(response.headers.get('Retry-After') ?? NaN);
  const { origin, pathname } = new URL(address);
  return new HubFault(`${origin}${pathname} answers ${response.status} ${response.statusText}`.trim(), {
    again: RETRIED.has(response.status) || response.status === 403,
    wait: Number.isFinite(seconds) ? seconds * 1000 : null,
  });
}

/** What was asked for, for messages. */
interface Asked {
  readonly what: string;
  readonly repo: string | null;
  readonly endpoint: string;
  /** The server has shown that it gives the file: a refusal after that is an address that has expired. */
  readonly isLetIn?: boolean;
}

/** What the official client, or fetch, has thrown, in words that say what to do. */
function translated(error: unknown, { what, repo, endpoint, isLetIn = false }: Asked): unknown {
  if (error instanceof VarsearchError) return error;
  if (!isError(error)) {
    return new HubFault(`${endpoint} broke off (${String(error)})`, { again: true });
  }
  if (error.name === 'AbortError') return error;
  const status = 'statusCode' in error ? Number(error.statusCode) : null;
  if (status === null) return networkFault(error, endpoint);
  if (!isLetIn && (status === 401 || status === 403)) {
    const message =
      `${endpoint} does not give ${what} to you (${status}): open ${endpoint}/${repo ?? ''} and accept its terms, ` +
      'then set HF_TOKEN to a token of that account';
    return new HubFault(message, { again: false, cause: error });
  }
  const message =
    status === 404 ? `${endpoint} has no ${what} (404)` : `${endpoint} answers ${status} for ${what}`;
  return new HubFault(message, { again: isLetIn || RETRIED.has(status), cause: error });
}

/** What is thrown at an answer that is no JSON, or not the Hub's. */
const UNREADABLE = ['InvalidApiResponseFormatError', 'SyntaxError'];

/** fetch says no more than 'fetch failed'; why is in its cause. */
function networkFault(error: Error, endpoint: string): HubFault {
  if ([error.constructor.name, error.name].some((name) => UNREADABLE.includes(name))) {
    return new HubFault(
      `${endpoint} does not answer as the Hub does (${error.message}): is HF_ENDPOINT right?`,
      {
        again: false,
        cause: error,
      },
    );
  }
  const { code, message } = (error.cause ?? error) as NodeJS.ErrnoException;
  return new HubFault(`${endpoint} cannot be reached or broke off (${code ?? message})`, {
    again: true,
    cause: error,
  });
}

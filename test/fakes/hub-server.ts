// A Hub in this process: its API, its redirections to signed addresses of contents, and the ways in which they misbehave.

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** What a request is for. */
export interface HubRequest {
  readonly kind: 'revision' | 'list' | 'info' | 'bytes' | 'xet';
  readonly path: string;
  /** First byte that is asked for. */
  readonly from: number;
  /** How many of this kind came for this path before. */
  readonly before: number;
  readonly token: string | null;
  readonly host: string;
}

/** How an answer is wrong. */
export interface HubFault {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The connection breaks after so many bytes of the body. */
  readonly cut?: number;
  /** The body ends after so many bytes as if it were whole. */
  readonly short?: number;
  /** The byte at this position of the file is another one. */
  readonly flip?: number;
  /** Nothing comes after so many bytes, and the connection stays. */
  readonly hang?: number;
  readonly etag?: string;
  /** It comes from another host, as from a network that delivers contents. */
  readonly elsewhere?: boolean;
  /** The whole file comes, whatever part was asked for. */
  readonly whole?: boolean;
}

/** The files of a repository: small ones are in git, others are not. */
export interface FakeRepo {
  readonly files: Readonly<Record<string, Uint8Array | string>>;
  readonly gated?: boolean;
  readonly commit?: string;
}

/** A running Hub. */
export interface FakeHub {
  /** What HF_ENDPOINT has to be. */
  readonly endpoint: string;
  readonly requests: HubRequest[];
  /** Makes answers wrong from now on. */
  fault: (request: HubRequest) => HubFault | null;
  /** Whether large files come by xet where that is accepted. */
  xet: boolean;
  /** Changed between two pulls. */
  repos: Readonly<Record<string, FakeRepo>>;
}

/** The name of a branch's commit where none is given. */
export const COMMIT = 'c'.repeat(40);

/** From so many bytes on a file is kept outside of git. */
const LFS = 1000;

/** The hash that names a content in the cache. */
export function etagOf(content: Uint8Array): string {
  return content.byteLength >= LFS
    ? createHash('sha256').update(content).digest('hex')
    : createHash('sha1').update(`blob ${content.byteLength}\0`).update(content).digest('hex');
}

/** Starts a Hub with repositories; `prefix` is the path of a mirror below its host. */
export async function startHub(repos: Readonly<Record<string, FakeRepo>>, prefix = ''): Promise<FakeHub> {
  const counts = new Map<string, number>();
  const hub: FakeHub = { endpoint: '', requests: [], fault: () => null, xet: false, repos };
  const server = createServer((request, response) => {
    answer(hub, prefix, counts, request, response).catch((error: unknown) => {
      response.writeHead(599).end(String(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return Object.assign(hub, {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}`,
  });
}

async function answer(
  hub: FakeHub,
  prefix: string,
  counts: Map<string, number>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readAll(request);
  const url = new URL(request.url ?? '', 'http://hub');
  if (!url.pathname.startsWith(`${prefix}/`)) return void response.writeHead(404).end();
  const path = decodeURIComponent(url.pathname.slice(prefix.length));
  const [, revision] = /^\/api\/models\/([^/]+\/[^/]+)\/revision\//.exec(path) ?? [];
  const [, listed] = /^\/api\/models\/([^/]+\/[^/]+)\/paths-info\//.exec(path) ?? [];
  const [, resolved, file] = /^\/([^/]+\/[^/]+)\/resolve\/[^/]+\/(.+)$/.exec(path) ?? [];
  const [, xetRepo, xetFile, xetWhat] = /^\/xet\/([^/]+\/[^/]+)\/(.+)\/(auth|plan|data)$/.exec(path) ?? [];
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const kind =
    xetWhat !== undefined
      ? 'xet'
      : revision !== undefined
        ? 'revision'
        : listed !== undefined
          ? 'list'
          : request.headers.range === 'bytes=0-0'
            ? 'info'
            : 'bytes';
  const key = `${kind} ${file ?? path}`;
  const asked: HubRequest = {
    kind,
    path: file ?? path,
    from: Number(range?.[1] ?? 0),
    before: counts.get(key) ?? 0,
    token: request.headers.authorization?.replace('Bearer ', '') ?? null,
    host: request.headers.host ?? '',
  };
  counts.set(key, asked.before + 1);
  hub.requests.push(asked);
  const fault = hub.fault(asked) ?? {};
  if (fault.status !== undefined) {
    return void response.writeHead(fault.status, fault.headers ?? {}).end('{"error":"a fault"}');
  }
  if (fault.elsewhere === true) {
    if (asked.host.startsWith('127.0.0.1')) {
      const there = `http://${asked.host.replace('127.0.0.1', 'localhost')}${request.url ?? ''}`;
      return void response.writeHead(302, { Location: there }).end();
    }
    response.setHeader('X-Cache', 'Hit from cloudfront');
  }
  const repo = hub.repos[revision ?? listed ?? resolved ?? xetRepo ?? ''];
  if (!repo) return void response.writeHead(404, { 'X-Error-Code': 'RepoNotFound' }).end();
  if (repo.gated === true && kind !== 'revision' && asked.token === null) {
    return void response.writeHead(403, { 'X-Error-Code': 'GatedRepo' }).end();
  }
  if (kind === 'revision') {
    json(response, revisionOf(revision ?? '', repo));
    return;
  }
  if (kind === 'list') {
    json(response, listOf(repo, JSON.parse(body) as { paths: string[] }));
    return;
  }
  const given = repo.files[file ?? xetFile ?? ''];
  if (given === undefined) return void response.writeHead(404, { 'X-Error-Code': 'EntryNotFound' }).end();
  const content = bytesOf(given);
  if (xetWhat !== undefined) {
    const here = `${hub.endpoint}/xet/${xetRepo ?? ''}/${xetFile ?? ''}`;
    sendXet(response, { content, here, what: xetWhat, range, fault });
    return;
  }
  const accepts = request.headers.accept?.includes('application/vnd.xet-fileinfo+json') === true;
  if (kind === 'info' && hub.xet && accepts && content.length >= LFS) {
    const here = `${hub.endpoint}/xet/${resolved ?? ''}/${file ?? ''}`;
    const headers = {
      'Content-Type': 'application/vnd.xet-fileinfo+json',
      'X-Linked-Size': content.length,
      'X-Linked-ETag': `"${etagOf(content)}"`,
      'X-Xet-Hash': 'b'.repeat(64),
      Link: `<${here}/auth>; rel="xet-auth", <${here}/plan>; rel="xet-reconstruction-info"`,
    };
    return void response.writeHead(200, headers).end('{}');
  }
  send(response, content, range, fault);
}

/** Bytes of a file in one chunk of xet, and of the chunk's head. */
const CHUNK = 65_536;
const HEAD = 8;

/** Xet in small: a token; the plan of a part, as chunks of one store; the chunks, uncompressed. */
function sendXet(
  response: ServerResponse,
  {
    content,
    here,
    what,
    range,
    fault,
  }: {
    readonly content: Uint8Array;
    readonly here: string;
    readonly what: string;
    readonly range: RegExpExecArray | null;
    readonly fault: HubFault;
  },
): void {
  const chunks = Array.from({ length: Math.ceil(content.length / CHUNK) }, (_, i) =>
    content.subarray(i * CHUNK, (i + 1) * CHUNK),
  );
  if (fault.hang !== undefined && what !== 'data') return;
  if (what === 'auth') {
    json(response, { accessToken: 'x', casUrl: here, exp: Math.floor(Date.now() / 1000) + 3600 });
    return;
  }
  const store = Buffer.concat(
    chunks.flatMap((chunk) => {
      const head = Buffer.alloc(HEAD);
      head.writeUIntLE(chunk.length, 1, 3);
      head.writeUIntLE(chunk.length, 5, 3);
      return [head, chunk];
    }),
  );
  if (what === 'data') {
    send(response, store, range, fault);
    return;
  }
  const first = Math.floor(Number(range?.[1] ?? 0) / CHUNK);
  const part = { start: first, end: chunks.length };
  const bytes = { start: first * (CHUNK + HEAD), end: store.length - 1 };
  json(response, {
    terms: [{ hash: 'store', unpacked_length: content.length - first * CHUNK, range: part }],
    xorbs: { store: [{ url: `${here}/data`, ranges: [{ chunks: part, bytes }] }] },
    offset_into_first_range: Number(range?.[1] ?? 0) - first * CHUNK,
  });
}

function bytesOf(content: Uint8Array | string): Uint8Array {
  return typeof content === 'string' ? Buffer.from(content) : content;
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
}

function revisionOf(id: string, { commit = COMMIT, gated = false }: FakeRepo): unknown {
  const facts = { downloads: 0, likes: 0, private: false, lastModified: '2026-01-01T00:00:00Z' };
  return { _id: '1', id, sha: commit, gated: gated ? 'auto' : false, ...facts };
}

function listOf(
  { files, commit = COMMIT }: FakeRepo,
  { paths }: { readonly paths: readonly string[] },
): unknown {
  return paths.flatMap((path) => {
    const given = files[path];
    if (given === undefined) return [];
    const content = bytesOf(given);
    const size = content.byteLength;
    const lastCommit = { id: commit, title: 'one', date: '2026-01-01T00:00:00Z' };
    const etag = etagOf(content);
    const lfs =
      size >= LFS ? { lfs: { oid: etag, size, pointerSize: 130 }, oid: 'f'.repeat(40) } : { oid: etag };
    return [{ type: 'file', path, size, lastCommit, ...lfs }];
  });
}

function send(
  response: ServerResponse,
  content: Uint8Array,
  range: RegExpExecArray | null,
  fault: HubFault,
): void {
  const part = fault.whole === true ? null : range;
  const first = Number(part?.[1] ?? 0);
  const end = part?.[2] === undefined || part[2] === '' ? content.length : Number(part[2]) + 1;
  const body = Buffer.from(content.subarray(first, end));
  if (fault.flip !== undefined && fault.flip >= first && fault.flip < end) {
    body[fault.flip - first] = (body[fault.flip - first] ?? 0) ^ 1;
  }
  const length = fault.short === undefined ? { 'Content-Length': body.length } : {};
  response.writeHead(part ? 206 : 200, {
    ETag: `"${fault.etag ?? etagOf(content)}"`,
    ...(part ? { 'Content-Range': `bytes ${first}-${end - 1}/${content.length}` } : {}),
    ...length,
  });
  const stop = fault.cut ?? fault.short ?? fault.hang;
  if (stop === undefined) return void response.end(body);
  response.flushHeaders();
  // Node.js sends headers alone only after a while.
  response.write(body.subarray(0, stop), () => {
    if (fault.cut !== undefined) setTimeout(() => response.socket?.destroy(), 20);
    else if (fault.short !== undefined) response.end();
  });
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

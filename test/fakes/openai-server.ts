// A local OpenAI-compatible server on a free port: it looks at pictures and answers yes or no with log-probabilities, or a
// number, as a pure function of the picture and the question. Tests put other behaviours in front: slow, broken, malicious.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Image } from '../../src/core/image.js';
import { readPng } from '../fixtures/read-png.js';

/** A call as the server got it. */
export interface ReceivedCall {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** The parsed JSON of a POST. */
  readonly body: ChatRequest | undefined;
}

/** A chat completion as this package asks for it. */
export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly [
    {
      readonly role: string;
      readonly content: readonly [
        { readonly type: string; readonly image_url: { readonly url: string } },
        { readonly type: string; readonly text: string },
      ];
    },
  ];
  readonly temperature: number;
  readonly stream: boolean;
  readonly max_tokens: number;
  readonly max_completion_tokens?: number;
  readonly logprobs?: boolean;
  readonly top_logprobs?: number;
}

/** Answers a call, well or not. */
export type Behaviour = (call: ReceivedCall, response: ServerResponse) => void | Promise<void>;

/** A running server. */
export interface OpenAiServer {
  /** The base of its API. */
  readonly url: string;
  /** All calls so far, in the order of their arrival. */
  readonly calls: readonly ReceivedCall[];
  /** The chat completions among them. */
  readonly chats: () => readonly ChatRequest[];
  /** Calls that it has got and not answered. */
  readonly inFlight: () => number;
  /** The most calls that were in flight at once. */
  readonly mostInFlight: () => number;
  /** Answers the next chat completions in these ways, one each, before it goes on as it did. */
  readonly next: (...behaviours: readonly Behaviour[]) => void;
  /** Answers all further chat completions in this way. */
  readonly always: (behaviour: Behaviour) => void;
  readonly close: () => Promise<void>;
}

/** Starts a server; `models` is what it serves. */
export async function startOpenAiServer(models: readonly string[] = ['llava']): Promise<OpenAiServer> {
  const calls: ReceivedCall[] = [];
  const queue: Behaviour[] = [];
  let usual: Behaviour = answerWell;
  let inFlight = 0;
  let mostInFlight = 0;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    mostInFlight = Math.max(mostInFlight, ++inFlight);
    response.once('close', () => inFlight--);
    // A client that goes away while a body is written is what some tests are about.
    response.on('error', () => {});
    const call = await receive(request);
    calls.push(call);
    if (call.path === '/v1/models') return sendJson({ data: models.map((id) => ({ id })) })(call, response);
    if (call.path !== '/v1/chat/completions') return sendError(404, 'no such path')(call, response);
    return (queue.shift() ?? usual)(call, response);
  };
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    calls,
    chats: () => calls.flatMap(({ body }) => (body ? [body] : [])),
    inFlight: () => inFlight,
    mostInFlight: () => mostInFlight,
    next: (...behaviours) => queue.push(...behaviours),
    always: (behaviour) => (usual = behaviour),
    close: () => stop(server),
  };
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function receive(request: IncomingMessage): Promise<ReceivedCall> {
  const { method = '', url: path = '', headers } = request;
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return { method, path, headers, body: text === '' ? undefined : (JSON.parse(text) as ChatRequest) };
}

/** The picture of a request; throws for anything but a PNG as data URL. */
export function imageOf({ messages: [{ content }] }: ChatRequest): Image {
  const [start, data = ''] = content[0].image_url.url.split(',');
  if (start !== 'data:image/png;base64') throw new Error(`no PNG as data URL: ${String(start)}`);
  return readPng(Buffer.from(data, 'base64')).image;
}

/** The question of a request. */
export function questionOf({ messages: [{ content }] }: ChatRequest): string {
  return content[1].text;
}

/** What the server thinks of a picture, 0..1: every sample and every character of the question counts. */
export function opinion(image: Image, question: string): number {
  let hash = 17;
  for (const bytes of [[image.width], image.data, Buffer.from(question)]) {
    for (const value of bytes) hash = (Math.imul(hash, 31) + value) >>> 0;
  }
  return 0.05 + (0.9 * hash) / 2 ** 32;
}

/** Log-probabilities of the first token, as an endpoint lists them. */
export function topOf(probabilities: Readonly<Record<string, number>>): object[] {
  return Object.entries(probabilities).map(([token, probability]) => ({
    token,
    logprob: Math.log(probability),
    bytes: [...Buffer.from(token)],
  }));
}

/** A chat completion whose first token has these log-probabilities. */
export function completionOf(top: readonly object[]): object {
  const content = [{ ...top[0], top_logprobs: top }];
  return {
    choices: [{ index: 0, message: { content: 'Yes' }, logprobs: { content }, finish_reason: 'length' }],
  };
}

/** A chat completion in words. */
export function textOf(content: unknown, finish = 'stop'): object {
  return { choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: finish }] };
}

/** Log-probabilities where they are asked for, otherwise a rating. */
export const answerWell: Behaviour = (call, response) => {
  const request = call.body as ChatRequest;
  const yes = opinion(imageOf(request), questionOf(request));
  if (request.logprobs !== true) return answerInText(call, response);
  const words = { Yes: 0.5 * yes, ' yes': 0.4 * yes, No: 0.9 * (1 - yes), The: 0.02, '1': 0.01 };
  return sendJson(completionOf(topOf(words)))(call, response);
};

/** A rating, whatever is asked for: a server without log-probabilities. */
export const answerInText: Behaviour = (call, response) => {
  const request = call.body as ChatRequest;
  const rating = (10 * opinion(imageOf(request), questionOf(request))).toFixed(2);
  return sendJson(textOf(`Rating: ${rating}/10`))(call, response);
};

/** Refuses log-probabilities, as some gateways do, and otherwise answers well. */
export const refuseLogprobs: Behaviour = (call, response) =>
  call.body?.logprobs === true
    ? sendError(400, 'unknown field logprobs')(call, response)
    : answerInText(call, response);

/** Sends JSON. */
export function sendJson(value: unknown): Behaviour {
  return send(200, { 'content-type': 'application/json' }, JSON.stringify(value));
}

/** Sends an error as OpenAI's API does. */
export function sendError(
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Behaviour {
  const body = JSON.stringify({ error: { message, type: 'error' } });
  return send(status, { 'content-type': 'application/json', ...headers }, body);
}

/** Sends anything. */
export function send(
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string | Uint8Array,
): Behaviour {
  return (_, response) => {
    response.writeHead(status, headers);
    response.end(body);
  };
}

/** Never answers. */
export const hang: Behaviour = () => {};

/** Breaks the connection off without an answer. */
export const hangUp: Behaviour = (_, response) => {
  response.destroy();
};

/** Breaks the connection off in the middle of the answer. */
export const hangUpHalfway: Behaviour = (_, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
  response.write('{"choices":[', () => response.destroy());
};

/** Sends a byte every few milliseconds, for ever. */
export const trickle: Behaviour = (_, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  const timer = setInterval(() => response.write(' '), 5);
  response.once('close', () => clearInterval(timer));
};

/** Sends as fast as it can, for ever; tells how much went out. */
export function endless(status: number, sent: { bytes: number }): Behaviour {
  const chunk = Buffer.alloc(2 ** 16, ' ');
  return async (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    while (!response.destroyed) {
      sent.bytes += chunk.length;
      if (!response.write(chunk)) await drained(response);
    }
  };
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      response.off('drain', go).off('close', go);
      resolve();
    };
    response.on('drain', go).on('close', go);
  });
}

/** Waits for `until` before it answers. */
export function after(until: Promise<unknown>, behaviour: Behaviour = answerWell): Behaviour {
  return async (call, response) => {
    await until;
    await behaviour(call, response);
  };
}

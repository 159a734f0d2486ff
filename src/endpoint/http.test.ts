import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import * as fake from '../../test/fakes/openai-server.js';
import { isAbortError, VarsearchError } from '../core/errors.js';
import { type ClientSettings, createEndpointClient, EndpointError } from './http.js';

const KEY = 'sk-secret-0123456789';
let server: fake.OpenAiServer;
let waits: number[];

beforeEach(async () => {
  server = await fake.startOpenAiServer();
  waits = [];
});
afterEach(() => server.close());

const post = (
  settings: Partial<ClientSettings> = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<unknown> => {
  const client = createEndpointClient({
    url: server.url,
    apiKey: KEY,
    timeout: 60_000,
    retries: 3,
    longestWait: 30_000,
    wait: async (milliseconds) => void waits.push(milliseconds),
    ...settings,
  });
  return client.call('/chat/completions', { body: { model: 'llava' }, signal });
};
const failure = async (call: Promise<unknown>): Promise<EndpointError> => {
  const error: unknown = await call.then(
    () => 'no failure',
    (reason: unknown) => reason,
  );
  if (!(error instanceof EndpointError)) throw new Error(`no EndpointError: ${String(error)}`);
  expect(error).toBeInstanceOf(VarsearchError);
  expect(error.message).not.toContain(KEY);
  expect(error.cause).toBeUndefined();
  // eslint-disable-next-line no-control-regex -- that none is there is the point
  expect(error.message).not.toMatch(/[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e]/);
  expect(error.message.length).toBeLessThan(600);
  return error;
};
const ok = fake.sendJson({ ok: true });

describe('a call', () => {
  it('sends JSON with the key and gives the JSON of the answer', async () => {
    server.next(ok);
    expect(await post()).toEqual({ ok: true });
    const [call] = server.calls;
    expect(call).toMatchObject({ method: 'POST', path: '/v1/chat/completions', body: { model: 'llava' } });
    expect(call?.headers).toMatchObject({
      'content-type': 'application/json',
      accept: 'application/json',
      authorization: `Bearer ${KEY}`,
    });
  });

  it('sends no key where there is none', async () => {
    server.next(ok);
    await post({ apiKey: undefined });
    expect(server.calls[0]?.headers.authorization).toBeUndefined();
  });

  it.each(['application/json; charset=utf-8', 'application/problem+json', 'Application/JSON'])(
    'takes %s',
    async (type) => {
      server.next(fake.send(200, { 'content-type': type }, '{"ok":true}'));
      expect(await post()).toEqual({ ok: true });
    },
  );
});

describe('failures that may pass', () => {
  it.each<[string, fake.Behaviour]>([
    ['408', fake.sendError(408, 'slow')],
    ['429', fake.sendError(429, 'busy')],
    ['500', fake.sendError(500, 'oops')],
    ['503', fake.send(503, { 'content-type': 'text/html' }, '<h1>Unavailable</h1>')],
    ['a closed connection', fake.hangUp],
    ['half an answer', fake.hangUpHalfway],
  ])('%s is tried again', async (_, behaviour) => {
    server.next(behaviour, behaviour, ok);
    expect(await post()).toEqual({ ok: true });
    expect(server.calls.length).toBe(3);
    expect(waits.length).toBe(2);
  });

  it('end the call when they last', async () => {
    server.always(fake.sendError(500, 'CUDA out of memory'));
    const error = await failure(post());
    expect(error.message).toBe(
      `the endpoint ${server.url}/chat/completions answered 500 "CUDA out of memory" (tried 4 times): see the server's log`,
    );
    expect(error.status).toBe(500);
    expect(server.calls.length).toBe(4);
  });

  it('are not tried again without retries', async () => {
    server.always(fake.sendError(500, 'oops'));
    expect((await failure(post({ retries: 0 }))).message).toMatch(/\(tried once\)/);
    expect(waits).toEqual([]);
  });

  it('are waited for longer and longer, spread, and the same again', async () => {
    server.always(fake.sendError(500, 'oops'));
    await failure(post({ retries: 7 }));
    const first = waits.splice(0);
    [500, 1000, 2000, 4000, 8000, 8000, 8000].forEach((most, i) => {
      expect(first[i]).toBeGreaterThanOrEqual(most / 2);
      expect(first[i]).toBeLessThanOrEqual(most);
    });
    await failure(post({ retries: 7 }));
    expect(waits).toEqual(first);
  });

  it('are spread differently for the calls of one client', async () => {
    server.always(fake.sendError(500, 'oops'));
    const { signal } = new AbortController();
    const client = createEndpointClient({
      url: server.url,
      apiKey: undefined,
      timeout: 60_000,
      retries: 1,
      longestWait: 30_000,
      wait: async (milliseconds) => void waits.push(milliseconds),
    });
    for (let i = 0; i < 3; i++) await failure(client.call('/chat/completions', { body: {}, signal }));
    expect(new Set(waits).size).toBeGreaterThan(1);
  });

  it('say when nobody listens', async () => {
    await server.close();
    const error = await failure(post());
    expect(error.message).toMatch(/cannot be reached, .*\(ECONNREFUSED\) \(tried 4 times\): see whether/);
    expect(error.status).toBeUndefined();
  });
});

describe('Retry-After', () => {
  it('is honoured', async () => {
    server.next(fake.sendError(429, 'busy', { 'retry-after': '7' }), ok);
    await post();
    expect(waits).toEqual([7000]);
  });

  it('may be a date', async () => {
    const date = new Date(Date.now() + 20_000).toUTCString();
    server.next(fake.sendError(503, 'busy', { 'retry-after': date }), ok);
    await post();
    expect(waits[0]).toBeGreaterThan(500);
    expect(waits[0]).toBeLessThanOrEqual(20_000);
  });

  it.each(['0', '-5', 'soon', '1e9', '', '0x10', 'Thu, 01 Jan 1970 00:00:00 GMT'])(
    'of %j leaves the usual pause',
    async (value) => {
      server.next(fake.sendError(429, 'busy', { 'retry-after': value }), ok);
      await post();
      expect(waits[0]).toBeGreaterThanOrEqual(250);
      expect(waits[0]).toBeLessThanOrEqual(500);
    },
  );

  it.each(['3600', '999999999999', 'Fri, 01 Jan 2100 00:00:00 GMT'])('of %s is too long', async (value) => {
    server.next(fake.sendError(429, 'quota', { 'retry-after': value }));
    const { message } = await failure(post());
    expect(message).toMatch(
      /429 "quota" and asks to wait \d+ s, longer than the 30 s that it may \(tried once\): try again later, .*longestWait/,
    );
    expect(waits).toEqual([]);
  });

  it('may be as long as is allowed', async () => {
    server.next(fake.sendError(429, 'busy', { 'retry-after': '3600' }), ok);
    await post({ longestWait: 3_600_000 });
    expect(waits).toEqual([3_600_000]);
    server.next(fake.sendError(429, 'busy', { 'retry-after': '1' }));
    expect((await failure(post({ longestWait: 0 }))).message).toMatch(
      /asks to wait 1 s, longer than the 0 s/,
    );
  });
});

describe('failures that stay', () => {
  it('a port that fetch refuses is not tried again', async () => {
    const { message } = await failure(post({ url: 'http://127.0.0.1:9' }));
    expect(message).toMatch(/\(Error: bad port\) \(tried once\): take another port/);
    expect(waits).toEqual([]);
  });

  it.each<[number, RegExp]>([
    [400, /takes pictures/],
    [401, /right API key/],
    [403, /API key that may/],
    [404, /ends with \/v1/],
    [405, /ends with \/v1/],
    [413, /larger requests/],
    [418, /server's log/],
    [422, /takes pictures/],
  ])('%d fails at once', async (status, remedy) => {
    server.next(fake.sendError(status, 'no'));
    const error = await failure(post());
    expect(error.status).toBe(status);
    expect(error.message).toContain(`answered ${status} "no" (tried once): `);
    expect(error.message).toMatch(remedy);
    expect(server.calls.length).toBe(1);
  });

  it.each([301, 302, 303, 307, 308])(
    'a redirect (%d) is not followed, so that the key stays',
    async (status) => {
      const elsewhere = await fake.startOpenAiServer();
      server.next(fake.send(status, { location: `${elsewhere.url}/chat/completions` }, ''));
      const { message } = await failure(post());
      expect(message).toContain(
        `redirects to ${new URL(elsewhere.url).host} (status ${status}), which is not`,
      );
      expect(elsewhere.calls).toEqual([]);
      expect(server.calls.length).toBe(1);
      await elsewhere.close();
    },
  );

  it.each<[string, Record<string, string>, string, RegExp]>([
    ['a web page', { 'content-type': 'text/html' }, '<html>', /text\/html in place of JSON.*\/v1/],
    ['a stream', { 'content-type': 'text/event-stream' }, 'data: {}', /text\/event-stream in place/],
    ['no content type', {}, '{}', /without a content type/],
    ['no JSON', { 'content-type': 'application/json' }, 'Hello', /invalid JSON \("Hello"\)/],
    ['cut JSON', { 'content-type': 'application/json' }, '{"choices":[', /invalid JSON \("\{"choices":\["\)/],
    ['nothing', { 'content-type': 'application/json' }, '', /invalid JSON \(nothing at all\)/],
  ])('%s is no answer', async (_, headers, body, says) => {
    server.next(fake.send(200, headers, body));
    expect((await failure(post())).message).toMatch(says);
    expect(server.calls.length).toBe(1);
  });
});

describe('slow servers', () => {
  it.each<[string, fake.Behaviour]>([
    ['that never answers', fake.hang],
    ['that sends byte by byte', fake.trickle],
  ])('one %s is left after the timeout', async (_, behaviour) => {
    server.always(behaviour);
    const { message } = await failure(post({ timeout: 40, retries: 1 }));
    expect(message).toMatch(/gave no whole answer within 0\.04 s \(tried 2 times\): .*raise the timeout/);
    await expect.poll(server.inFlight).toBe(0);
  });

  it('one that is slow once is asked again', async () => {
    server.next(fake.hang);
    server.always(ok);
    expect(await post({ timeout: 400, retries: 20 })).toEqual({ ok: true });
  });
});

describe('malicious servers', () => {
  it.each([200, 500])('an endless answer (%d) is cut off', async (status) => {
    const sent = { bytes: 0 };
    server.always(fake.endless(status, sent));
    const { message } = await failure(post({ retries: 0 }));
    expect(message).toMatch(status === 200 ? /sent more than the 4 MiB/ : /answered 500 \(tried once\)/);
    await expect.poll(server.inFlight).toBe(0);
    expect(sent.bytes).toBeLessThan(2 ** 26);
  });

  it('an answer that announces a gigabyte is not read', async () => {
    server.next((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(2 ** 30) });
      response.write('{');
    });
    expect((await failure(post())).message).toMatch(/sent more than the 4 MiB .* \(tried once\)/);
    await expect.poll(server.inFlight).toBe(0);
  });

  it('JSON nested a hundred thousand times does no harm', async () => {
    const nested = '['.repeat(1e5) + ']'.repeat(1e5);
    server.next(fake.send(200, { 'content-type': 'application/json' }, nested));
    server.next(fake.send(500, { 'content-type': 'application/json' }, nested));
    const calls = [post({ retries: 0 }), post({ retries: 0 })];
    const results = await Promise.allSettled(calls);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(EndpointError);
      else expect(result.value).toBeInstanceOf(Array);
    }
  });

  it('`__proto__` in JSON changes no prototype', async () => {
    const body = '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}';
    server.next(fake.send(200, { 'content-type': 'application/json' }, body));
    await post();
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it.each([
    ['as it is', `bad key ${KEY}!`],
    ['with invisible characters in it', `bad key ${KEY.slice(0, 5)}\u200b${KEY.slice(5)}`],
    ['where the message is cut', `${'x'.repeat(190)}${KEY}`],
  ])('the key does not come back in a message, %s', async (_, text) => {
    server.next(fake.sendError(401, text));
    expect((await failure(post())).message).not.toContain(KEY.slice(0, 6));
    server.next(fake.send(200, { 'content-type': 'application/json' }, text));
    expect((await failure(post())).message).not.toContain(KEY.slice(0, 6));
  });

  it.each([
    ['escape sequences', '\u001b]0;title\u0007\u001b[2J\u001b[31mred', /"\]0;title \[2J \[31mred"/],
    ['line breaks', 'one\r\nvarsearch: all is well\ntwo', /"one varsearch: all is well two"/],
    ['directions of writing', 'a\u202eb\u2066c', /"abc"/],
    ['a novel', 'word '.repeat(10_000), /"(word ){20,}.{0,4}…"/],
    ['half a character', 'a\ud800b', /"ab"/],
  ])('%s in a message do no harm', async (_, text, says) => {
    server.next(fake.sendError(400, text));
    expect((await failure(post())).message).toMatch(says);
  });

  it.each([
    ['detail', /answered 422 "bad"/],
    ['message', /answered 422 "bad"/],
    ['error', /answered 422 "bad"/],
    ['else', /answered 422 \(tried/],
  ])('a message is found in %s', async (name, says) => {
    server.next(fake.send(422, { 'content-type': 'application/json' }, JSON.stringify({ [name]: 'bad' })));
    expect((await failure(post())).message).toMatch(says);
  });

  it('a broken protocol is an error like any other', async () => {
    server.always((_, response) => {
      response.socket?.end(`HTTP/9.9 ${KEY}\u001b[31m\r\n\r\n`);
    });
    // Node.js words it from version to version, with marks or without.
    const { message } = await failure(post({ retries: 0 }));
    expect(message).toMatch(/broke the connection off \([\w ()/.,:-]+\)/);
    expect(message).not.toContain(KEY);
  });
});

describe('cancellation', () => {
  const reason = new DOMException('enough', 'AbortError');

  it('before the call sends nothing', async () => {
    await expect(post({}, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(server.calls).toEqual([]);
  });

  it.each<[string, fake.Behaviour]>([
    ['for the answer', fake.hang],
    ['for the end of the answer', fake.trickle],
  ])('while it waits %s closes the connection', async (_, behaviour) => {
    server.always(behaviour);
    const controller = new AbortController();
    const call = post({}, controller.signal);
    await expect.poll(() => server.calls.length).toBe(1);
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
    await expect.poll(server.inFlight).toBe(0);
    expect(server.calls.length).toBe(1);
  });

  it('ends a pause', async () => {
    server.always(fake.sendError(429, 'busy', { 'retry-after': '30' }));
    const controller = new AbortController();
    const call = post({ wait: undefined }, controller.signal);
    await expect.poll(() => server.calls.length).toBe(1);
    await expect.poll(server.inFlight).toBe(0);
    controller.abort(reason);
    await expect(call).rejects.toSatisfy(isAbortError);
    expect(server.calls.length).toBe(1);
  });
});

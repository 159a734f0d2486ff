import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import * as fake from '../../../test/fakes/openai-server.js';
import { greyPicture, patternPicture } from '../../../test/fixtures/pictures.js';
import { isAbortError, UsageError } from '../../core/errors.js';
import { Ledger } from '../../core/ledger.js';
import { EndpointError } from '../../endpoint/http.js';
import { describeVerifier } from '../verifier.suite.js';
import { type LlavaEndpoint, openLlavaEndpoint } from './endpoint.js';
import type { LlavaEndpointOptions } from './endpoint-options.js';

const noWait = (): Promise<void> => Promise.resolve();
const KEY = 'sk-secret-0123456789';

describe('against a local server', () => {
  let good: fake.OpenAiServer;
  let wordy: fake.OpenAiServer;
  let several: fake.OpenAiServer;
  let broken: fake.OpenAiServer;

  beforeAll(async () => {
    [good, wordy, several, broken] = await Promise.all([
      fake.startOpenAiServer(),
      fake.startOpenAiServer(),
      fake.startOpenAiServer(['llava-7b', 'qwen\u001b[31m']),
      fake.startOpenAiServer(),
    ]);
    wordy.always(fake.refuseLogprobs);
    broken.always(fake.sendError(401, `no such key: ${KEY}`));
  });
  afterAll(() => Promise.all([good, wordy, several, broken].map((server) => server.close())));

  const shared = {
    prompts: ['a red star', 'two blue rings'],
    pictures: [patternPicture(32, 32), patternPicture(48, 32, 3), greyPicture(32, 32, 200)],
  } as const;
  const open = (server: fake.OpenAiServer, options: Partial<LlavaEndpointOptions> = {}) =>
    openLlavaEndpoint({ url: server.url, wait: noWait, ...options });

  describeVerifier('llava-endpoint with log-probabilities', {
    ...shared,
    open: () => open(good),
    faults: [
      {
        what: 'a wrong URL',
        open: () => openLlavaEndpoint({ url: 'nowhere' }),
        says: /URL cannot be read/,
      },
      {
        what: 'nobody at the URL',
        open: async () => {
          const gone = await fake.startOpenAiServer();
          await gone.close();
          return open(gone);
        },
        says: /cannot be reached, .*ECONNREFUSED.* \(tried 4 times\): see whether the server is running/,
      },
      {
        what: 'a URL without /v1',
        open: () => open(good, { url: good.url.replace('/v1', '') }),
        says: /\/models answered 404 "no such path" \(tried once\): .*\/v1/,
      },
      { what: 'a wrong key', open: () => open(broken, { apiKey: KEY }), says: /401 "no such key: \[key\]"/ },
      {
        what: 'several models',
        open: () => open(several),
        says: /serves 2 models: say which one .* of llava-7b, qwen \[31m$/,
      },
      {
        what: 'no log-probabilities, where they are wanted',
        open: () => open(wordy, { rating: 'logprobs' }),
        says: /400 "unknown field logprobs"/,
      },
    ],
  });

  describeVerifier('llava-endpoint with ratings in text', {
    ...shared,
    open: () => open(wordy),
    faults: [],
  });
});

describe('llava-endpoint', () => {
  let server: fake.OpenAiServer;
  let opened: LlavaEndpoint[];

  beforeEach(async () => {
    server = await fake.startOpenAiServer();
    opened = [];
  });
  afterEach(async () => {
    for (const verifier of opened) await verifier.close();
    await server.close();
  });

  const open = async (options: Partial<LlavaEndpointOptions> = {}): Promise<LlavaEndpoint> => {
    const verifier = await openLlavaEndpoint({ url: server.url, wait: noWait, ...options });
    opened.push(verifier);
    return verifier;
  };
  const pictures = Array.from({ length: 10 }, (_, n) => patternPicture(16, 16, n));
  const [first = greyPicture(16, 16)] = pictures;
  const opinions = (question = 'Does this image show "a star"? Please answer yes or no.'): number[] =>
    pictures.map((image) => fake.opinion(image, question));

  it('asks about each picture as a data URL and scores the share of yes', async () => {
    const judge = await (await open({ apiKey: KEY })).prepare('a star', new Ledger());
    const before = server.calls.length;
    const scores = await judge.score(pictures);
    opinions().forEach((opinion, i) => expect(scores[i]).toBeCloseTo(opinion, 9));
    const requests = server.chats().slice(before - 1);
    expect(requests.length).toBe(pictures.length);
    for (const request of requests) {
      expect(request).toMatchObject({
        model: 'llava',
        temperature: 0,
        max_tokens: 1,
        logprobs: true,
        top_logprobs: 20,
        messages: [{ role: 'user', content: [{ type: 'image_url' }, { type: 'text' }] }],
      });
    }
    expect(requests.map((request) => Buffer.from(fake.imageOf(request).data).toString('hex')).sort()).toEqual(
      pictures.map(({ data }) => Buffer.from(data).toString('hex')).sort(),
    );
    expect(server.calls.at(-1)?.headers.authorization).toBe(`Bearer ${KEY}`);
  });

  it('asks its own question, with the prompt as it is', async () => {
    const judge = await (
      await open({ question: 'Is "{prompt}" there?' })
    ).prepare('$& {prompt} "x"', new Ledger());
    await judge.score([first]);
    const [request] = server.chats().slice(-1);
    expect(request && fake.questionOf(request)).toBe('Is "$& {prompt} "x"" there?');
  });

  it('sends the same picture once', async () => {
    const judge = await (await open()).prepare('a star', new Ledger());
    const before = server.calls.length;
    const scores = await judge.score([first, ...pictures, first]);
    expect(server.calls.length - before).toBe(pictures.length);
    expect(scores[0]).toBe(scores[1]);
    expect(scores.at(-1)).toBe(scores[0]);
  });

  it('leaves answers alone that happen to hold the key', async () => {
    const plain = await (await open()).prepare('a star', new Ledger());
    const verifier = await open({ apiKey: 'e' });
    expect(verifier.model).toBe('llava');
    const judge = await verifier.prepare('a star', new Ledger());
    expect(await judge.score(pictures)).toEqual(await plain.score(pictures));
  });

  it('keeps the order when answers come in another one', async () => {
    const judge = await (await open({ concurrency: 10 })).prepare('a star', new Ledger());
    let answered: Promise<unknown> = Promise.resolve();
    const waiting: (() => void)[] = [];
    server.always(async (call, response) => {
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        // All ten are here: the last one is answered first.
        if (waiting.length === 10) answered = releaseBackwards(waiting);
      });
      await fake.answerWell(call, response);
    });
    const scores = await judge.score(pictures);
    await answered;
    opinions().forEach((opinion, i) => expect(scores[i]).toBeCloseTo(opinion, 9));
  });

  it('keeps to its concurrency, over all its judges', async () => {
    const verifier = await open({ concurrency: 3 });
    const judges = await Promise.all(['a', 'b'].map((prompt) => verifier.prepare(prompt, new Ledger())));
    let release = (): void => {};
    server.always(fake.after(new Promise<void>((resolve) => (release = resolve))));
    const scoring = Promise.all(judges.map((judge) => judge.score(pictures)));
    await expect.poll(server.inFlight).toBe(3);
    release();
    const scores = await scoring;
    expect(scores.flat().every(Number.isFinite)).toBe(true);
    expect(server.mostInFlight()).toBe(3);
  });

  it('tries a picture again, and the score is the same', async () => {
    const judge = await (await open({ concurrency: 1 })).prepare('a star', new Ledger());
    const expected = await judge.score(pictures);
    const before = server.calls.length;
    server.next(fake.sendError(500, 'oops'), fake.hangUp, fake.answerWell, fake.sendError(429, 'busy'));
    expect(await judge.score(pictures)).toEqual(expected);
    expect(server.calls.length - before).toBe(pictures.length + 3);
  });

  it('fails as a whole when one picture fails, and lets the others go', async () => {
    const ledger = new Ledger();
    const judge = await (await open({ concurrency: 4 })).prepare('a star', ledger);
    const before = server.calls.length;
    server.next(fake.hang, fake.hang, fake.hang);
    server.always(fake.sendError(400, 'the image is too small'));
    const scoring = judge.score(pictures);
    await expect(scoring).rejects.toThrow(EndpointError);
    await expect(scoring).rejects.toThrow(
      /400 "the image is too small" \(tried once\): see whether the model/,
    );
    await expect.poll(server.inFlight).toBe(0);
    expect(server.calls.length - before).toBe(4);
    expect(ledger.record().imagesVerified).toBe(0);
    server.always(fake.answerWell);
    expect((await judge.score(pictures)).length).toBe(pictures.length);
  });

  it.each<[string, fake.Behaviour, RegExp]>([
    ['no choices', fake.sendJson({ choices: [] }), /gave no score: its answer has no choices/],
    [
      'neither yes nor no',
      fake.sendJson(fake.completionOf(fake.topOf({ Hm: 0.9 }))),
      /neither yes nor no.*"Hm"/,
    ],
    [
      'a log-probability in words',
      fake.sendJson(fake.completionOf([{ token: 'Yes', logprob: 'high' }])),
      /has "high" in place of a number/,
    ],
    [
      'a positive log-probability',
      fake.sendJson(fake.completionOf([{ token: 'Yes', logprob: 3 }])),
      /has 3 in place of a number up to 0/,
    ],
    [
      'the key in a token',
      fake.sendJson(fake.completionOf([{ token: KEY, logprob: -1 }])),
      /neither yes nor no .*"\[key\]"/,
    ],
    [
      'the key where the message is cut',
      fake.sendJson({ error: { message: `${'x'.repeat(190)}${KEY}` } }),
      /says "x{190}\[key\]/,
    ],
    ['NaN', fake.send(200, { 'content-type': 'application/json' }, '{"logprob":NaN}'), /invalid JSON/],
  ])('fails on an answer with %s', async (_, behaviour, says) => {
    const judge = await (await open({ apiKey: KEY })).prepare('a star', new Ledger());
    server.next(behaviour);
    const scoring = judge.score([first]);
    await expect(scoring).rejects.toThrow(EndpointError);
    await expect(scoring).rejects.toThrow(says);
    await expect(scoring).rejects.toThrow(server.url);
    await expect(scoring).rejects.not.toThrow(KEY.slice(0, 6));
  });

  describe('its score mode', () => {
    it.each<[string, fake.Behaviour]>([
      ['leaves them out', fake.answerInText],
      ['refuses them', fake.refuseLogprobs],
    ])('is text where the endpoint %s', async (_, behaviour) => {
      server.always(behaviour);
      const verifier = await open();
      expect(verifier.mode).toBe('text');
      const judge = await verifier.prepare('a star', new Ledger());
      const before = server.chats().length;
      const scores = await judge.score(pictures);
      const requests = server.chats().slice(before);
      expect(requests.every((request) => request.logprobs === undefined && request.max_tokens > 1)).toBe(
        true,
      );
      const [request] = requests;
      const question = request ? fake.questionOf(request) : '';
      expect(question).toMatch(/"a star"\? Rate it from 0/);
      opinions(question).forEach((opinion, i) => expect(scores[i]).toBeCloseTo(opinion, 2));
    });

    it('is text when asked for, with its own question', async () => {
      const verifier = await open({ rating: 'text', ratingQuestion: '0 to 10 for "{prompt}"?' });
      expect(verifier.mode).toBe('text');
      expect(server.chats().every((request) => request.logprobs === undefined)).toBe(true);
      await (await verifier.prepare('a star', new Ledger())).score([first]);
      const [request] = server.chats().slice(-1);
      expect(request && fake.questionOf(request)).toBe('0 to 10 for "a star"?');
    });

    it('keeps log-probabilities where the endpoint gives fewer', async () => {
      server.always((call, response) =>
        (call.body?.top_logprobs ?? 0) > 5
          ? fake.sendError(400, 'at most 5 top_logprobs')(call, response)
          : fake.answerWell(call, response),
      );
      const verifier = await open();
      expect(verifier.mode).toBe('logprobs');
      await (await verifier.prepare('a star', new Ledger())).score([first]);
      expect(server.chats().at(-1)?.top_logprobs).toBe(5);
    });

    it('does not change midway', async () => {
      const judge = await (await open()).prepare('a star', new Ledger());
      server.next(fake.answerInText);
      await expect(judge.score([first])).rejects.toThrow(
        /gave log-probabilities when it was opened and gives none now/,
      );
      server.next(fake.refuseLogprobs);
      await expect(judge.score([first])).rejects.toThrow(/400 "unknown field logprobs"/);
      expect(server.chats().every((request) => request.logprobs)).toBe(true);
    });

    it('is an error where log-probabilities are wanted and left out', async () => {
      server.always(fake.answerInText);
      await expect(open({ rating: 'logprobs' })).rejects.toThrow(
        /gives no log-probabilities: .*rating: text/,
      );
    });

    it('is an error where ratings cannot be read either', async () => {
      server.always(fake.sendJson(fake.textOf('What a fine picture!')));
      await expect(open()).rejects.toThrow(
        /gave no score: its answer "What a fine picture!" holds no rating/,
      );
    });

    it('is not settled by a failure', async () => {
      server.always(fake.sendError(500, 'oops'));
      await expect(open()).rejects.toThrow(/500 "oops" \(tried 4 times\)/);
      expect(server.chats().every((request) => request.logprobs)).toBe(true);
    });
  });

  describe('its model', () => {
    it('is the one that is given, and /models is not asked', async () => {
      expect((await open({ model: 'mine' })).model).toBe('mine');
      expect(server.calls.map(({ path }) => path)).toEqual(['/v1/chat/completions']);
      expect(server.chats()[0]?.model).toBe('mine');
    });

    it('is the only one that the endpoint serves', async () => {
      expect((await open()).model).toBe('llava');
    });

    it.each<[number, RegExp]>([
      [0, /lists no models: say which one to ask/],
      [2, /serves 2 models: .* of m0, m1$/],
      [300, /serves 300 models: .*m19 and 280 more$/],
    ])('has to be given where there are %d', async (count, says) => {
      const other = await fake.startOpenAiServer(Array.from({ length: count }, (_, i) => `m${i}`));
      const opening = open({ url: other.url });
      await expect(opening).rejects.toThrow(UsageError);
      await expect(opening).rejects.toThrow(says);
      await other.close();
    });
  });

  describe('its hashes', () => {
    it('are the same again, and tell what differs', async () => {
      const hashes = await (await open()).hashes();
      expect(Object.keys(hashes).map((name) => name.replace('llava-endpoint ', ''))).toEqual([
        'url',
        'model',
        'question',
        'mode',
      ]);
      expect(await (await open({ concurrency: 9, apiKey: KEY, timeout: 9000 })).hashes()).toEqual(hashes);
      const differing = async (options: Partial<LlavaEndpointOptions>): Promise<string[]> => {
        const others = await (await open(options)).hashes();
        return Object.keys(hashes).filter((name) => hashes[name] !== others[name]);
      };
      expect(await differing({ model: 'other' })).toEqual(['llava-endpoint model']);
      expect(await differing({ question: '{prompt}?' })).toEqual(['llava-endpoint question']);
      expect(await differing({ topLogprobs: 10 })).toEqual(['llava-endpoint mode']);
      expect(await differing({ rating: 'text' })).toEqual(['llava-endpoint question', 'llava-endpoint mode']);
    });
  });

  describe('stopping it', () => {
    it('while it opens rejects with the reason and closes the connection', async () => {
      server.always(fake.hang);
      const controller = new AbortController();
      const opening = openLlavaEndpoint({ url: server.url }, controller.signal);
      await expect.poll(() => server.chats().length).toBe(1);
      const reason = new DOMException('enough', 'AbortError');
      controller.abort(reason);
      await expect(opening).rejects.toBe(reason);
      await expect.poll(server.inFlight).toBe(0);
    });

    it('by the signal rejects with its reason and closes the connections', async () => {
      const judge = await (await open()).prepare('a star', new Ledger());
      server.always(fake.hang);
      const controller = new AbortController();
      const scoring = judge.score(pictures, { signal: controller.signal });
      await expect.poll(server.inFlight).toBe(4);
      const reason = new DOMException('enough', 'AbortError');
      controller.abort(reason);
      await expect(scoring).rejects.toBe(reason);
      await expect.poll(server.inFlight).toBe(0);
    });

    it.each(['verifier', 'judge'])('by closing the %s ends what runs, and what comes', async (which) => {
      const verifier = await open();
      const judge = await verifier.prepare('a star', new Ledger());
      server.always(fake.hang);
      const scoring = judge.score(pictures);
      scoring.catch(() => {});
      await expect.poll(server.inFlight).toBe(4);
      if (which === 'judge') judge.close();
      else await verifier.close();
      await expect(scoring).rejects.toSatisfy(isAbortError);
      await expect.poll(server.inFlight).toBe(0);
      await expect(judge.score([first])).rejects.toThrow(`the ${which} of llava-endpoint was closed`);
    });

    it('by closing one judge leaves the others', async () => {
      const verifier = await open();
      const [one, other] = await Promise.all(
        ['a', 'b'].map((prompt) => verifier.prepare(prompt, new Ledger())),
      );
      one?.close();
      expect((await other?.score([first]))?.length).toBe(1);
    });
  });

  it('warns of no leaks over many calls', async () => {
    const warnings: Error[] = [];
    const listen = (warning: Error): void => void warnings.push(warning);
    process.on('warning', listen);
    const judge = await (await open({ concurrency: 32 })).prepare('a star', new Ledger());
    const { signal } = new AbortController();
    const many = Array.from({ length: 100 }, (_, n) => patternPicture(4, 4, n));
    await Promise.all([judge.score(many, { signal }), judge.score(many, { signal })]);
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', listen);
    expect(warnings).toEqual([]);
  });
});

/** Calls them from the last to the first, each when the one before has had the time to be answered. */
async function releaseBackwards(waiting: readonly (() => void)[]): Promise<void> {
  for (const release of waiting.toReversed()) {
    release();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

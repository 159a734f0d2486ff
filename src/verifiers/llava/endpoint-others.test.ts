// Servers as they are found: those that stream, think, name their options otherwise, or answer in parts.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import * as fake from '../../../test/fakes/openai-server.js';
import { greyPicture } from '../../../test/fixtures/pictures.js';
import { Ledger } from '../../core/ledger.js';
import { openLlavaEndpoint } from './endpoint.js';
import type { LlavaEndpointOptions } from './endpoint-options.js';

let server: fake.OpenAiServer;
beforeEach(async () => {
  server = await fake.startOpenAiServer();
});
afterEach(() => server.close());

const open = (options: Partial<LlavaEndpointOptions> = {}) =>
  openLlavaEndpoint({ url: server.url, wait: () => Promise.resolve(), ...options });

/** The score of a picture, and the mode in which it came. */
async function scoreOf(
  behaviour: fake.Behaviour,
  options: Partial<LlavaEndpointOptions> = {},
): Promise<[string, number]> {
  server.always(behaviour);
  const verifier = await open(options);
  const judge = await verifier.prepare('two dogs', new Ledger());
  const [score = NaN] = await judge.score([greyPicture(8, 8, 90)]);
  await verifier.close();
  return [verifier.mode, score];
}

const text = (content: unknown, more: object = {}, finish = 'stop'): fake.Behaviour =>
  fake.sendJson({ choices: [{ index: 0, message: { content, ...more }, finish_reason: finish }] });

/** Refuses requests that have some field, as a server that does not know it. */
const refusing =
  (field: keyof fake.ChatRequest, status: number, body: object): fake.Behaviour =>
  (call, response) =>
    call.body && field in call.body
      ? fake.send(status, { 'content-type': 'application/json' }, JSON.stringify(body))(call, response)
      : fake.answerWell(call, response);

describe('a server that streams unless it is told not to', () => {
  it('is told not to', async () => {
    await scoreOf(fake.answerWell);
    expect(server.chats().map(({ stream }) => stream)).toEqual([false, false]);
  });

  it('and streams all the same is told of', async () => {
    await expect(
      scoreOf(fake.send(200, { 'content-type': 'text/event-stream' }, 'data: {}\n\ndata: [DONE]\n\n')),
    ).rejects.toThrow(
      /answered with text\/event-stream in place of JSON .*: let the server answer in one piece/,
    );
  });
});

describe('impossible tokens', () => {
  const expected = 1 / (1 + Math.exp(-3.1 + 0.05));
  const list = (impossible: string): string =>
    [['Yes', '-0.05'], ['No', '-3.1'], ['#', impossible]]
      .map(([token, logprob]) => `{"token":"${token}","logprob":${logprob},"bytes":null}`)
      .join(','); // prettier-ignore

  it.each(['null', '-Infinity', '-1e999', '"-Infinity"'])(
    'may have the log-probability %s',
    async (impossible) => {
      const body = `{"choices":[{"message":{"content":"Yes"},"logprobs":{"content":[{"token":"Yes","logprob":-0.05,"top_logprobs":[${list(impossible)}]}]}}]}`;
      const [mode, score] = await scoreOf(fake.send(200, { 'content-type': 'application/json' }, body));
      expect(mode).toBe('logprobs');
      expect(score).toBeCloseTo(expected, 12);
    },
  );
});

describe('the most tokens of an answer', () => {
  const openAi = {
    error: {
      message:
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      param: 'max_tokens',
      code: 'unsupported_parameter',
    },
  };
  const fastApi = {
    detail: [{ type: 'extra_forbidden', loc: ['body', 'max_tokens'], msg: 'Extra inputs are not permitted' }],
  };

  it.each<[number, object]>([[400, openAi], [422, fastApi]])('are named otherwise where the first name is refused with %d', async (status, body) => {
    const [mode] = await scoreOf(refusing('max_tokens', status, body));
    expect(mode).toBe('logprobs');
    const [first, ...rest] = server.chats();
    expect(first?.max_tokens).toBe(1);
    expect(rest.map(({ max_tokens: old, max_completion_tokens: newer }) => [old, newer])).toEqual([[undefined, 1], [undefined, 1]]);
  }); // prettier-ignore

  it('are named otherwise in text, too', async () => {
    const [mode] = await scoreOf(refusing('max_tokens', 400, openAi), { rating: 'text' });
    expect(mode).toBe('text');
    expect(server.chats().at(-1)?.max_completion_tokens).toBeGreaterThan(1);
  });

  it('are not asked for a third time', async () => {
    await expect(scoreOf(fake.sendError(400, 'max_tokens: no'))).rejects.toThrow(
      /400 "max_tokens: no" .*: let the server take max_tokens or max_completion_tokens/,
    );
  });
});

describe('log-probabilities that a key may not have', () => {
  const refuse: fake.Behaviour = (call, response) =>
    call.body?.logprobs === true
      ? fake.sendError(403, 'You are not allowed to request logprobs from this model')(call, response)
      : fake.answerInText(call, response);

  it('are left out by themselves', async () => {
    expect((await scoreOf(refuse))[0]).toBe('text');
  });

  it('are an error with a remedy where they were asked for', async () => {
    await expect(scoreOf(refuse, { rating: 'logprobs' })).rejects.toThrow(
      /403 .*: .*ratings in text \(rating: text\)/,
    );
  });

  it('are told apart from a key that may nothing', async () => {
    await expect(scoreOf(fake.sendError(403, 'Forbidden'))).rejects.toThrow(
      /403 "Forbidden" .*: give an API key that may/,
    );
  });
});

describe('an answer in parts', () => {
  it.each<[string, unknown, number]>([
    ['one text', [{ type: 'text', text: '8' }], 0.8],
    ['two texts', [{ type: 'text', text: 'Rating: ' }, { type: 'text', text: '6/10' }], 0.6],
    ['a thought and a text', [{ type: 'thinking', thinking: [{ type: 'text', text: 'is it 3?' }] }, { type: 'text', text: '7' }], 0.7],
  ])('is read: %s', async (_, content, score) => {
    expect((await scoreOf(text(content)))[1]).toBe(score);
  }); // prettier-ignore

  it.each<[string, unknown]>([['no part', []], ['no text', [{ type: 'refusal', refusal: 'no' }]], ['numbers', [8, null]]])(
    'with %s is no answer',
    async (_, content) => {
      await expect(scoreOf(text(content))).rejects.toThrow(/gave no score: its answer has no text/);
    },
  ); // prettier-ignore
});

describe('a model that thinks', () => {
  const thought = (first: string, message: object): fake.Behaviour => (call, response) =>
    call.body?.logprobs === true
      ? fake.sendJson({
          choices: [{ message, logprobs: { content: [{ token: first, logprob: -0.01, top_logprobs: [{ token: first, logprob: -0.01 }] }] } }],
        })(call, response)
      : text('<think>Is it 3? Rather not.</think>\n\n8')(call, response); // prettier-ignore

  it.each<[string, object]>([
    ['<think>', { content: '<think>' }],
    ['[THINK]', { content: '[THINK]' }],
    ['Okay', { content: null, reasoning_content: 'Okay' }],
    ['Okay', { content: '', reasoning: 'Okay' }],
  ])('is asked for text where its first token is a thought: %s %j', async (first, message) => {
    expect(await scoreOf(thought(first, message))).toEqual(['text', 0.8]);
  });

  it('is told of where log-probabilities are wanted', async () => {
    await expect(scoreOf(thought('<think>', { content: '<think>' }), { rating: 'logprobs' })).rejects.toThrow(
      /thinks before it answers, .*turn thinking off/,
    );
  });

  it.each<[string, fake.Behaviour]>([
    ['do not end', text('<think>The picture shows 4 dogs and', {}, 'length')],
    ['end without an answer', text('<think>It is 4.</think>\n')],
    ['stand elsewhere', text(null, { reasoning_content: 'The picture shows 4' }, 'length')],
  ])('is told of where its thoughts %s', async (_, behaviour) => {
    await expect(scoreOf(behaviour, { rating: 'text' })).rejects.toThrow(/thinks before it answers/);
  });

  it('is read behind its thoughts, and beside them', async () => {
    expect((await scoreOf(text('It shows 4.</think>9')))[1]).toBe(0.9);
    expect((await scoreOf(text('5', { reasoning_content: 'It shows 4.' })))[1]).toBe(0.5);
  });
});

describe('a remedy', () => {
  it.each<[number, string, RegExp]>([
    [400, 'this model does not support image input', /ask a model that looks at pictures/],
    [400, "Unsupported value: 'temperature' does not support 0 with this model", /takes temperature 0/],
    [400, "This model's maximum context length is 2048 tokens", /longer requests/],
    [404, 'The model `llava` does not exist', /model's name is right/],
    [404, 'no such path', /whether the URL is right/],
    [
      429,
      'You exceeded your current quota, please check your plan and billing details',
      /account of the API key/,
    ],
    [429, 'slow down', /lower the concurrency/],
    [503, 'Loading model', /has loaded the model/],
    [500, 'oops', /see the server's log/],
  ])('fits %d "%s"', async (status, message, remedy) => {
    await expect(scoreOf(fake.sendError(status, message), { rating: 'text', retries: 0 })).rejects.toThrow(
      remedy,
    );
  });
});

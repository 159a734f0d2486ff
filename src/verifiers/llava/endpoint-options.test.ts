import { describe, expect, it } from 'vitest';

import { UsageError } from '../../core/errors.js';
import {
  llavaEndpointFromEnvironment,
  llavaEndpointInstalled,
  type LlavaEndpointOptions,
  resolveEndpointOptions,
} from './endpoint-options.js';

const url = 'http://localhost:8000/v1';

describe('options of an endpoint', () => {
  it('have defaults', () => {
    const { questions, ...settings } = resolveEndpointOptions({ url });
    expect(settings).toEqual({
      url,
      model: undefined,
      apiKey: undefined,
      rating: 'auto',
      concurrency: 4,
      timeout: 60_000,
      retries: 3,
      topLogprobs: 20,
      longestWait: 30_000,
      wait: undefined,
    });
    expect(questions.logprobs.ask('a cat')).toBe('Does this image show "a cat"? Please answer yes or no.');
    expect(questions.text.ask('a cat')).toMatch(/"a cat"\? Rate it from 0 .* to 10/);
  });

  it.each([
    ['http://localhost:8000/v1/', url],
    ['HTTP://LOCALHOST:8000/v1//', url],
    ['https://example.org', 'https://example.org'],
    ['http://[::1]:80/v1', 'http://[::1]/v1'],
  ])('take the URL %s', (given, taken) => {
    expect(resolveEndpointOptions({ url: given }).url).toBe(taken);
  });

  it.each<[Partial<LlavaEndpointOptions>, RegExp]>([
    [{ url: '' }, /URL cannot be read: give one such as http:/],
    [{ url: 'localhost:8000' }, /begins with localhost:/],
    [{ url: 'file:///etc/passwd' }, /must be http or https/],
    [{ url: 'http://me:secret-7@host/v1' }, /at host holds a user or password/],
    [{ url: 'http://host/v1?key=secret-7' }, /at host has a query or fragment/],
    [{ url: 'http://host/v1#secret-7' }, /query or fragment/],
    [{ url: 'http://host/v1/chat/completions' }, /give the base, http:\/\/host\/v1$/],
    [{ model: ' ' }, /empty name/],
    [{ apiKey: '' }, /API key is empty/],
    [{ apiKey: 'secret-7\r\nx-evil: 1' }, /API key .* line breaks/],
    [{ apiKey: 'secret-7é' }, /API key/],
    [{ question: 'Is it good?' }, /\{prompt\}/],
    [{ ratingQuestion: 'How good?' }, /\{prompt\}/],
    [{ rating: 'words' as 'text' }, /unknown rating 'words' .* auto, logprobs, text/],
    [{ concurrency: 0 }, /concurrency .* whole number from 1 to 256, got 0/],
    [{ concurrency: 2.5 }, /got 2\.5/],
    [{ timeout: NaN }, /timeout .* got NaN/],
    [{ timeout: 300_001 }, /timeout .* 300000/],
    [{ retries: -1 }, /retries .* 0 to 20/],
    [{ topLogprobs: 1 }, /topLogprobs .* 2 to 1000/],
    [{ modle: 'llava' } as object, /no option modle: choose from url, model,/],
  ])('refuse %j', (options, says) => {
    const resolve = (): unknown => resolveEndpointOptions({ url, ...options });
    expect(resolve).toThrow(UsageError);
    expect(resolve).toThrow(says);
    expect(resolve).not.toThrow(/secret-7/);
  });
});

describe('the environment', () => {
  it('names the endpoint', () => {
    const env = { VARSEARCH_LLAVA_URL: ` ${url}\n`, VARSEARCH_LLAVA_MODEL: 'm', VARSEARCH_LLAVA_KEY: 'k\n' };
    expect(llavaEndpointFromEnvironment(env)).toEqual({ url, model: 'm', apiKey: 'k' });
    expect(llavaEndpointInstalled(env)).toBe(true);
  });

  it('says how the endpoint is asked', () => {
    const env = {
      VARSEARCH_LLAVA_URL: url,
      VARSEARCH_LLAVA_QUESTION: 'Is it "{prompt}"?',
      VARSEARCH_LLAVA_RATING: 'text',
      VARSEARCH_LLAVA_TIMEOUT: '120000',
      VARSEARCH_LLAVA_CONCURRENCY: '1',
    };
    const asked = { question: 'Is it "{prompt}"?', rating: 'text', timeout: 120_000, concurrency: 1 };
    expect(llavaEndpointFromEnvironment(env)).toEqual({ url, ...asked });
    const wrong = llavaEndpointFromEnvironment({ ...env, VARSEARCH_LLAVA_TIMEOUT: 'long' });
    expect(() => resolveEndpointOptions(wrong)).toThrow(/timeout .* whole number .*, got NaN/);
  });

  it('may leave the model and the key out', () => {
    const env = { VARSEARCH_LLAVA_URL: url, VARSEARCH_LLAVA_MODEL: '', VARSEARCH_LLAVA_KEY: ' ' };
    expect(llavaEndpointFromEnvironment(env)).toEqual({ url });
  });

  it.each([{}, { VARSEARCH_LLAVA_URL: ' ' }, { VARSEARCH_LLAVA_MODEL: 'm' }])('lacks it in %j', (env) => {
    expect(llavaEndpointInstalled(env)).toMatch(/set VARSEARCH_LLAVA_URL to the base .* http:/);
    expect(() => llavaEndpointFromEnvironment(env)).toThrow(UsageError);
    expect(() => llavaEndpointFromEnvironment(env)).toThrow(/VARSEARCH_LLAVA_MODEL .* VARSEARCH_LLAVA_KEY/);
  });
});

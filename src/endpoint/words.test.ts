import { describe, expect, it } from 'vitest';

import { clean, messageIn, parseJson } from './words.js';

const KEY = 'sk-Proj_4f/9aB+c=7xQ';

describe('the API key in what a server says', () => {
  const percent = Array.from(Buffer.from(KEY), (byte) => `%${byte.toString(16)}`).join('');
  it.each([
    ['itself', KEY],
    ['in capitals', KEY.toUpperCase()],
    ['in small letters', KEY.toLowerCase()],
    ['encoded for an address', encodeURIComponent(KEY)],
    ['with every byte encoded', percent],
    ['in hexadecimal', Buffer.from(KEY).toString('hex')],
    ['in base64', Buffer.from(KEY).toString('base64')],
    ['in base64 for addresses', Buffer.from(KEY).toString('base64url')],
    ['parted by blanks', Array.from(KEY).join(' ')],
    ['parted by marks', Array.from(KEY).join(' - ')],
    ['in quotes', Array.from(KEY).join("','").slice(0, 500)],
  ])('is blanked: %s', (_, spelling) => {
    const said = clean(`the key ${spelling} is wrong`, KEY);
    expect(said).toMatch(/^the key .?\[key\]\S{0,2} is wrong$/);
  });

  it.each(['Bearer ', 'user:', 'xx'])('is blanked in base64 behind %j', (before) => {
    const coded = Buffer.from(`${before}${KEY}`).toString('base64');
    const said = clean(`authorization ${coded}`, KEY);
    expect(said).toContain('[key]');
    expect(Buffer.from(said.replace(/^\S+ |\[key\]/g, ''), 'base64').toString()).not.toContain(
      KEY.slice(2, 9),
    );
  });

  it('leaves words alone that a short key is a part of, and takes no long time', () => {
    expect(clean('a b c, and ABC', 'abc')).toBe('a b c, and ABC');
    const start = performance.now();
    clean('sk-Proj_4f/9aB'.repeat(500_000), KEY);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

describe('the JSON of an answer', () => {
  it.each<[string, unknown]>([
    ['[-Infinity, -1]', [null, -1]],
    ['{"a":-Infinity}', { a: null }],
    [
      String.raw`{"a \" -Infinity":"-Infinity \\","b":-Infinity}`,
      { 'a " -Infinity': '-Infinity \\', b: null },
    ],
    ['null', null],
    ['[NaN, -Infinity]', undefined],
    ['{"a":-Infinity', undefined],
    ['-Infinity"', undefined],
  ])('may hold minus infinity: %s', (text, value) => {
    expect(parseJson(text)).toEqual(value);
  });
});

describe('the message of an error', () => {
  it.each([
    [
      '{"detail":[{"loc":["body","max_tokens"],"msg":"not permitted"},{"msg":"x"}]}',
      'body.max_tokens: not permitted; x',
    ],
    ['{"detail":[3,null,{}]}', ''],
    ['{"detail":"plain"}', 'plain'],
  ])('is found in %s', (body, message) => {
    expect(messageIn(body)).toBe(message);
  });
});

import { describe, expect, it } from 'vitest';

import { parsePrompt } from './parser.js';
import { checkPrompt, unknownWords } from './prompt-check.js';

describe('unknownWords', () => {
  it('names unknown words once, with the nearest known word where there is one', () => {
    expect(unknownWords('a dog and a bleu rign and a dog')).toEqual([
      { word: 'dog', nearest: null },
      { word: 'bleu', nearest: 'blue' },
      { word: 'rign', nearest: 'ring' },
    ]);
    expect(unknownWords('two big donuts')).toEqual([
      { word: 'big', nearest: 'large' },
      { word: 'donuts', nearest: 'rings' },
    ]);
    expect(unknownWords('A photo of three red stars to the left of a blue circle.')).toEqual([]);
  });
});

describe('checkPrompt', () => {
  it('has nothing to say about prompts of the grammar', () => {
    const { warning, parsed } = checkPrompt('a red star left of a blue circle');
    expect(warning).toBeNull();
    expect(parsed?.kind).toBe('complex');
  });

  it('warns of unknown words and offers three prompts that work, the mended one first', () => {
    const { warning, examples, parsed } = checkPrompt('a big violet star next above a circel');
    expect(parsed).toBeNull();
    expect(warning).toContain('"big" (did you mean "large"?)');
    expect(warning).toContain('"violet" (did you mean "purple"?)');
    expect(warning).toContain('"circel" (did you mean "circle"?)');
    expect(examples[0]).toBe('a large purple star above a circle');
    expect(examples).toHaveLength(3);
    for (const example of examples) expect(parsePrompt(example).text).toBe(example);
  });

  it.each([
    ['a red', /may not understand this prompt: expected a shape/],
    ['', /may not understand/],
    ['three stars and three circles', /up to 5 objects, this prompt asks for 6/],
  ])('warns of %j', (text, message) => {
    const { warning, examples } = checkPrompt(text);
    expect(warning).toMatch(message);
    expect(examples).toHaveLength(3);
  });
});

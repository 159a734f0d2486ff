import { describe, expect, it } from 'vitest';

import { RandomKey } from '../../core/random.js';
import { Draws } from './draws.js';
import { generatePrompt, generateWording } from './generate-prompt.js';
import { PROMPT_KINDS, promptText, promptWords, VOCABULARY } from './grammar.js';
import { parsePrompt, tokenise } from './parser.js';

describe('parsePrompt', () => {
  it.each(PROMPT_KINDS)('reads every generated %s prompt back', (kind) => {
    const draws = new Draws(RandomKey.fromSeed(11));
    for (let i = 0; i < 250; i++) {
      const prompt = generatePrompt(kind, draws);
      const wording = generateWording(draws);
      const text = promptText(prompt, wording);
      expect(tokenise(text)).toEqual(promptWords(prompt, wording));
      const { one } = wording;
      const groups = prompt.groups.map((group) =>
        one && group.count === 1 ? { ...group, exact: true } : group,
      );
      expect(parsePrompt(text)).toEqual({
        ...prompt,
        groups,
        kind,
        text: promptText(prompt, { one: one === true }),
      });
    }
  });

  it.each([
    ['A photo of three red stars to the left of a Blue circle.', 'three red stars left of a blue circle'],
    ['a picture of 2 star and an ring', 'two stars and a ring'],
    ['A ORANGE STARS', 'an orange star'],
    [
      'red striped large heart on the right of the pink ring!',
      'a large striped red heart right of a pink ring',
    ],
    ['a red star, a blue ring, and a green cross', 'a red star, a blue ring and a green cross'],
    ['"two crosses"', 'two crosses'],
    ['  one   small  square   ', 'one small square'],
  ])('forgives the wording of %j', (given, plain) => {
    expect(parsePrompt(given).text).toBe(plain);
  });

  it.each([
    ['', /expected a shape, the prompt ends/],
    ['three red', /expected a shape after "three red", the prompt ends/],
    ['a dog', /expected a shape after "a", found "dog"/],
    ['red stars', /say how many stars/],
    ['a star circle', /expected "and", a comma, a relation or the end after "a star", found "circle"/],
    ['a star left a circle', /expected "left of" or "right of"/],
    ['a red blue star', /expected a shape after "a red", found "blue"/],
    ['a star and a circle above a ring', /after "a star and a circle", found "above"/],
  ])('says what is wrong with %j', (given, message) => {
    expect(() => parsePrompt(given)).toThrow(message);
  });

  it('uses every word of the vocabulary in training captions', () => {
    const draws = new Draws(RandomKey.fromSeed(3));
    const used = new Set(
      PROMPT_KINDS.flatMap((kind) =>
        Array.from({ length: 150 }, () =>
          promptWords(generatePrompt(kind, draws), generateWording(draws)),
        ).flat(),
      ),
    );
    expect([...used].sort()).toEqual([...VOCABULARY].sort());
  });
});

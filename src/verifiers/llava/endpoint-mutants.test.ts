// Thousands of answers with one thing changed: each is a score, no log-probabilities, or one clear line.

import { describe, expect, it } from 'vitest';

import { completionOf, textOf, topOf } from '../../../test/fakes/openai-server.js';
import { mutantOf } from '../../../test/fixtures/json-mutant.js';
import { VarsearchError } from '../../core/errors.js';
import { messageIn, parseJson } from '../../endpoint/words.js';
import { scoreOfChat } from './endpoint-chat.js';

const LOGPROBS = completionOf(topOf({ Yes: 0.5, ' yes': 0.2, No: 0.2, The: 0.05 }));
const PARTS = textOf([
  { type: 'thinking', thinking: 'hm' },
  { type: 'text', text: 'Rating: 7/10' },
]);

describe('mutants of an answer', () => {
  it.each([
    ['with log-probabilities', LOGPROBS, 'logprobs'],
    ['in text', textOf('<think>Is it 4?</think> 8'), 'text'],
    ['in parts', PARTS, 'text'],
  ] as const)('%s give a score or one clear line', (_, answer, mode) => {
    const before = process.memoryUsage().rss;
    let scored = 0;
    for (let n = 0; n < 2000; n++) {
      // Twice, so that two faults meet.
      const mutant = mutantOf(n % 2 === 0 ? answer : mutantOf(answer, n + 5000), n);
      try {
        const score = scoreOfChat(mutant, mode);
        if (score === undefined) continue;
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThanOrEqual(1);
        scored++;
      } catch (error) {
        if (!(error instanceof VarsearchError)) throw error;
        expect(error.message).not.toContain('\n');
        expect(error.message.length).toBeLessThan(2000);
      }
    }
    expect(scored).toBeGreaterThan(100);
    expect(process.memoryUsage().rss - before).toBeLessThan(300 * 2 ** 20);
  });

  it('that are no JSON any more are no JSON', () => {
    const text = JSON.stringify(LOGPROBS);
    for (let at = 0; at < text.length; at++) {
      for (const put of ['-Infinity', '"', '\\', '']) {
        const value = parseJson(text.slice(0, at) + put + text.slice(at + 1));
        expect(typeof messageIn(text.slice(at))).toBe('string');
        if (value === undefined) continue;
        expect(typeof value).toBe('object');
      }
    }
  });
});

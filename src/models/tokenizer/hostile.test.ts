// Files that others made to harm, and texts that no model reads: one clear line, in bounded time and memory.

import { describe, expect, it } from 'vitest';

import { charsmapOf } from '../../../test/fixtures/charsmap.js';
import { mutantOf } from '../../../test/fixtures/json-mutant.js';
import {
  bertTokenizerJson,
  clipTokenizerJson,
  t5TokenizerJson,
} from '../../../test/fixtures/tiny-tokenizers.js';
import { CheckpointError, UsageError } from '../../core/errors.js';
import type { JsonObject } from '../../core/json-file.js';
import { createTokenizer } from '../tokenizer.js';
import { withinTime } from './time-limit.js';

const replace = (pattern: string, content: string): object => ({
  type: 'Replace',
  pattern: { Regex: pattern },
  content,
});
const use = (changes: JsonObject, text = 'a red star'): number =>
  createTokenizer('f', { ...t5TokenizerJson(), ...changes }).encode([text], { maxLength: 512 }).length;

describe('a hostile tokenizer.json', () => {
  it.each<[string, JsonObject, RegExp]>([
    [
      'normalizers that double the text',
      { normalizer: { type: 'Sequence', normalizers: Array.from({ length: 24 }, () => replace('a', 'aa')) } },
      /normalizers make more than 64000 characters/,
    ],
    [
      'normalizers within normalizers that double it',
      {
        normalizer: Array.from({ length: 20 }).reduce<object>(
          (inner) => ({ type: 'Sequence', normalizers: [inner, inner] }),
          replace('a', 'aa'),
        ),
      },
      /'normalizer' .* from 1 to 20000 values/,
    ],
    ['a normalizer that puts in much', { normalizer: replace('a', 'x'.repeat(65)) }, /'content' .* 64 characters/],
    ['a beginning of much', { normalizer: { type: 'Prepend', prepend: 'x'.repeat(1000) } }, /'prepend'/],
    [
      'pre-tokenizers that double the text',
      {
        pre_tokenizer: {
          type: 'Sequence',
          pretokenizers: Array.from({ length: 24 }, () => replace('a', 'aa')),
        },
      },
      /pre-tokenizers make more than \d+ characters/,
    ],
    ['pieces of no length', { pre_tokenizer: { type: 'FixedLength', length: 0 } }, /no length above 0/],
    [
      'pieces of no length inside',
      { pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'FixedLength', length: -1 }] } },
      /no length above 0/,
    ],
    ['a pattern that is none', { normalizer: { type: 'Replace', pattern: {} } }, /'pattern'/],
    ['a blank of much', { pre_tokenizer: { type: 'Metaspace', replacement: 'x'.repeat(100) } }, /'replacement'/],
    [
      'a long piece',
      { model: { type: 'Unigram', unk_id: 0, vocab: [['a'.repeat(65), 0]] } },
      /piece of at most 64/,
    ],
    ['an unknown token that is none', { model: { type: 'Unigram', unk_id: 1, vocab: [['a', 0]] } }, /'unk_id'/],
    [
      'a vocabulary of many characters',
      { model: { type: 'Unigram', unk_id: 0, vocab: Array.from({ length: 40_000 }, (_, i) => [`${i}`.padEnd(64, 'x'), 0]) } },
      /'vocab' .* 2000000 characters/,
    ],
    ['an id that is none', { model: { type: 'WordPiece', unk_token: 'a', vocab: { a: -1 } } }, /gives "a" no id/],
    [
      'words of any length',
      { model: { type: 'WordPiece', unk_token: 'a', vocab: { a: 0 }, max_input_chars_per_word: 1e9 } },
      /max_input_chars_per_word/,
    ],
    ['merges that are none', { model: { type: 'BPE', vocab: { a: 0 }, merges: ['a b c'] } }, /'merges'/],
    ['many special tokens', { post_processor: { type: 'TemplateProcessing', single: Array.from({ length: 99 }, () => ({})) } }, /template/],
    ['added tokens without a text', { added_tokens: [{ id: 1, content: '' }] }, /added_tokens/],
    ['many added tokens', { added_tokens: Array.from({ length: 2001 }, (_, id) => ({ id, content: `<${id}>` })) }, /'added_tokens'/],
    ['an unknown model', { model: { type: 'constructor', vocab: [['a', 0]] } }, /unknown kind "constructor"/],
  ])('with %s is refused', (_, changes, says) => {
    expect(() => use(changes)).toThrow(CheckpointError);
    expect(() => use(changes)).toThrow(says);
  }); // prettier-ignore

  it('with an expression that never ends is stopped', () => {
    const pre = { type: 'Split', pattern: { Regex: '^(a+)+$' }, behavior: 'Removed', invert: true };
    expect(() => use({ pre_tokenizer: pre }, `${'a'.repeat(60)}!`)).toThrow(
      /^f: takes more than 5 s over a text of 61 characters, as no honest tokenizer does/,
    );
  });

  it('stays useful behind a text that was stopped', () => {
    const late = (): Error => new Error('late');
    expect(() => withinTime(() => /^(a+)+$/.test(`${'a'.repeat(60)}!`), late, 50)).toThrow('late');
    expect(withinTime(() => 7, late, 50)).toBe(7);
    expect(() => withinTime(() => JSON.parse('{') as unknown, late)).toThrow(SyntaxError);
  });
});

describe('a text', () => {
  const tokenizer = createTokenizer('t5', t5TokenizerJson());
  const encode = (text: string): unknown => tokenizer.encode([text], { maxLength: 16 });

  it.each([
    ['a\ud83d', /is no Unicode: half a character \(U\+D83D\) stands at place 2/],
    ['\ude00a', /\(U\+DE00\) stands at place 1/],
    ['a '.repeat(65_000), /has 130000 characters, at most 32000 are read/],
  ])('is refused: %#', (text, says) => {
    expect(() => encode(text)).toThrow(UsageError);
    expect(() => encode(text)).toThrow(says);
  });

  it('of the largest length is read, with each letter a token too', () => {
    expect(encode('☃ '.repeat(16_000))).toMatchObject({ truncated: [true], length: 16 });
    expect(encode('a'.repeat(32_000))).toMatchObject({ truncated: [true] });
    expect(encode('😀')).toMatchObject({ truncated: [false] });
  });
});

describe('mutants of a tokenizer.json', () => {
  const t5 = t5TokenizerJson();
  const charsmap = { type: 'Precompiled', precompiled_charsmap: charsmapOf({ ª: 'a', ﬁ: 'fi' }) };
  it.each<[string, JsonObject, boolean]>([
    ['CLIP', clipTokenizerJson(), false],
    ['T5', { ...t5, normalizer: { type: 'Sequence', normalizers: [charsmap, replace(' {2,}', ' ')] } }, false],
    ['T5 over SentencePiece', { ...t5, normalizer: charsmap }, true],
    ['BERT', bertTokenizerJson(), false],
  ])('of the kind of %s give ids or one clear line', (_, json, sentencePiece) => {
    let refused = 0;
    const before = process.memoryUsage().rss;
    for (let n = 0; n < 600; n++) {
      const mutant = mutantOf(json, n) as JsonObject;
      try {
        const tokenizer = createTokenizer('mutant', mutant, {}, { sentencePiece });
        const { ids, mask } = tokenizer.encode(['a red star, ªﬁ 猫😀</s> [UNK]', 'x'.repeat(300)], { maxLength: 64 });
        expect(ids.length).toBe(mask.length);
        expect(ids.every((id) => id >= 0)).toBe(true);
      } catch (error) {
        if (!(error instanceof CheckpointError) && !(error instanceof RangeError)) throw error;
        expect(error.message.length).toBeLessThan(500);
        expect(error.message).not.toContain('\n');
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(50);
    expect(refused).toBeLessThan(550);
    expect(process.memoryUsage().rss - before).toBeLessThan(500 * 2 ** 20);
  }, 300_000); // prettier-ignore
});

// The expected ids are those of Hugging Face's Rust tokenizers 0.23.2 for the same files:
// Tokenizer.from_file(...); enable_truncation(n); encode(text).ids

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

import { charsmapOf } from '../../test/fixtures/charsmap.js';
import {
  bertTokenizerJson,
  clipTokenizerJson,
  t5TokenizerJson,
} from '../../test/fixtures/tiny-tokenizers.js';
import { CheckpointError } from '../core/errors.js';
import { createTokenizer, loadTokenizer, type TextTokenizer } from './tokenizer.js';

const rows = (tokenizer: TextTokenizer, texts: string[], maxLength: number): number[][] => {
  const { ids, mask, lengths, length } = tokenizer.encode(texts, { maxLength });
  return lengths.map((count, i) => {
    expect([...mask.subarray(i * length, (i + 1) * length)]).toEqual(
      Array.from({ length }, (_, k) => (k < count ? 1 : 0)),
    );
    return [...ids.subarray(i * length, i * length + count)];
  });
};

describe('a CLIP tokenizer', () => {
  const tokenizer = createTokenizer('clip', clipTokenizerJson());

  it('gives the ids of the Rust tokenizers', () => {
    const texts = ['the red stars', 'A  Blue cat!', "it's 42 café", ''];
    expect(rows(tokenizer, texts, 77)).toEqual([
      [528, 524, 513, 527, 529],
      [528, 320, 519, 521, 256, 529],
      [528, 72, 339, 6, 338, 275, 273, 520, 69, 127, 358, 529],
      [528, 529],
    ]);
  });

  it('cuts long texts and makes the end token the last one', () => {
    expect(rows(tokenizer, ['red red red red red red red', "it's 42 café", 'red'], 8)).toEqual([
      [528, 513, 513, 513, 513, 513, 513, 529],
      [528, 72, 339, 6, 338, 275, 273, 529],
      [528, 513, 529],
    ]);
    const { truncated } = tokenizer.encode(['red red red red red red red', 'red'], { maxLength: 8 });
    expect(truncated).toEqual([true, false]);
  });
});

describe('a T5 tokenizer', () => {
  const tokenizer = createTokenizer('t5', t5TokenizerJson(), { pad_token: { content: '<pad>' } });

  it('gives the ids of the Rust tokenizers, unknown characters as one unknown token', () => {
    const texts = ['a red star', 'red stars, left of a blue star', '¤ red ☃☃', '', 'ﬁ a'];
    expect(rows(tokenizer, texts, 512)).toEqual([
      [4, 5, 6, 1],
      [5, 6, 7, 19, 20, 21, 4, 12, 6, 1],
      [3, 2, 5, 3, 2, 1],
      [1],
      [3, 2, 4, 1],
    ]);
  });

  it('cuts long texts and keeps the end token', () => {
    expect(rows(tokenizer, ['red stars, left of a blue star'], 6)).toEqual([[5, 6, 7, 19, 20, 1]]);
  });
});

describe('a batch', () => {
  const tokenizer = createTokenizer('t5', t5TokenizerJson());

  it('is as long as its longest text, or as padTo says', () => {
    const options = { maxLength: 16, padId: 9 };
    expect([...tokenizer.encode(['a', 'a red star'], options).ids]).toEqual([4, 1, 9, 9, 4, 5, 6, 1]);
    const padded = tokenizer.encode(['a'], { ...options, padTo: 5 });
    expect([...padded.ids, ...padded.mask]).toEqual([4, 1, 9, 9, 9, 1, 1, 0, 0, 0]);
    expect(padded.length).toBe(5);
    expect(tokenizer.encode([], options)).toMatchObject({ length: 0, lengths: [] });
  });

  it('takes the padding id from the files', () => {
    expect(createTokenizer('x', clipTokenizerJson(), { pad_token: '<|endoftext|>' }).padId).toBe(529);
    expect(createTokenizer('x', { ...t5TokenizerJson(), padding: { pad_id: 7 } }).padId).toBe(7);
    expect(tokenizer.padId).toBe(0);
  });

  it('refuses lengths that cannot be met', () => {
    expect(() => tokenizer.encode(['a'], { maxLength: 1 })).toThrow(/maxLength .* from 2 on/);
    expect(() => tokenizer.encode(['a'], { maxLength: 8, padTo: 9 })).toThrow(/padTo .* up to maxLength/);
    expect(() => tokenizer.encode(['a red star'], { maxLength: 8, padTo: 3 })).toThrow(/4 tokens/);
  });
});

describe('what is not seen of a text', () => {
  it.each([
    ['red red red', 8, ''],
    ['red star red star red star red star', 8, 'red star'],
    ['red red red red red  stars and more', 8, 'and more'],
    ['red red red red cat cats', 7, 'cats'],
    ['猫'.repeat(20), 8, '猫'.repeat(18)],
  ])('is the end of %j at %d tokens', (text, most, unseen) => {
    const tokenizer = createTokenizer('clip', clipTokenizerJson());
    expect(tokenizer.unseen(text, most)).toBe(unseen);
    expect(tokenizer.encode([text], { maxLength: most }).truncated).toEqual([unseen !== '']);
  });
});

describe('special tokens in a text', () => {
  const idsOf = (text: string, json: Record<string, unknown>, config = {}, rules = {}): number[] => [
    ...createTokenizer('x', json, config, rules).encode([text], { maxLength: 32 }).ids,
  ];
  const charsmap = { type: 'Precompiled', precompiled_charsmap: charsmapOf({ '\t': ' ' }) };
  const t5 = { ...t5TokenizerJson(), normalizer: charsmap };

  it('of T5 are tokens, and the end one is doubled by tokenizer.json alone', () => {
    expect(idsOf('a</s>', t5)).toEqual([4, 1, 1]);
    expect(idsOf('a</s>', t5, {}, { sentencePiece: true })).toEqual([4, 1]);
    expect(idsOf('</s>', t5, { legacy: false }, { sentencePiece: true })).toEqual([1]);
    expect(idsOf('</s> a', t5, { legacy: false }, { sentencePiece: true })).toEqual([1, 4, 1]);
    // Behind a token, text that begins with no blank gets none, and blanks that are no spaces are lost.
    expect(idsOf('</s>\ta', t5, {}, { sentencePiece: true })).toEqual([1, 4, 1]);
    expect(idsOf('</s>\ta', t5, { legacy: false }, { sentencePiece: true })).not.toEqual([1, 4, 1]);
    expect(idsOf('a red</s>'.repeat(20), t5, {}, { sentencePiece: true })).toHaveLength(32);
  });

  it('may be added behind those of the file, where the model has room', () => {
    const json = bertTokenizerJson();
    const size = Object.keys((json['model'] as { vocab: object }).vocab).length;
    const added = ['[DEC]', '[ENC]'];
    const found = idsOf('[ENC] [DEC]', json, {}, { added, vocabulary: size + 2 });
    expect(found.slice(1, -1)).toEqual([size + 1, size]);
    for (const vocabulary of [size + 1, undefined, '99999']) {
      expect(idsOf('[ENC]', json, {}, { added, vocabulary })).toEqual(idsOf('[ENC]', json));
    }
  });

  it('take blanks along, or stand alone, as their entries say', () => {
    const json = t5TokenizerJson();
    const token = { id: 3, content: '<m>', special: true, normalized: false };
    const withToken = (changes: object) => ({ ...json, added_tokens: [{ ...token, ...changes }] });
    const plain = idsOf('a <m> red', withToken({}));
    expect(idsOf('a <m> red', withToken({ lstrip: true, rstrip: true })).length).toBeLessThanOrEqual(
      plain.length,
    );
    expect(idsOf('a<m>', withToken({ single_word: true }))).not.toContain(plain[1]);
    expect(idsOf('a <m>', withToken({ single_word: true }))).toContain(3);
  });
});

describe('letters', () => {
  it('are lowered one by one, so that no sigma is a final one', () => {
    const clip = createTokenizer('clip', clipTokenizerJson());
    const ids = (text: string): number[] => [...clip.encode([text], { maxLength: 32 }).ids];
    expect(ids('ΟΔΟΣ')).toEqual(ids('οδοσ'));
    expect(ids('ΟΔΟΣ')).not.toEqual(ids('οδος'));
    // No blank for the official program.
    expect(ids('a\ufeffb')).not.toEqual(ids('a b'));
  });

  it('of Chinese stand alone for BERT, those beyond U+FFFF too', () => {
    const json = bertTokenizerJson();
    const model = json['model'] as { vocab: Record<string, number> };
    const bert = createTokenizer('bert', {
      ...json,
      model: { ...model, vocab: { ...model.vocab, '𠀀': 900, 猫: 901 } },
    });
    const ids = [...bert.encode(['𠀀猫𠀀'], { maxLength: 32 }).ids];
    expect(ids.slice(1, -1)).toEqual([900, 901, 900]);
  });
});

describe('loadTokenizer', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tokenizer-'));
  const path = join(folder, 'tokenizer.json');
  afterEach(() => {
    rmSync(path, { force: true });
  });

  const fails = (pattern: RegExp): void => {
    const load = (): unknown => loadTokenizer(folder);
    expect(load).toThrow(CheckpointError);
    expect(load).toThrow(pattern);
    expect(load).toThrow(path);
  };

  it('reads tokenizer.json and tokenizer_config.json', () => {
    writeFileSync(path, JSON.stringify(clipTokenizerJson()));
    writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify({ pad_token: '<|endoftext|>' }));
    const tokenizer = loadTokenizer(folder);
    expect(tokenizer.padId).toBe(529);
    expect(tokenizer.idOf('<|startoftext|>')).toBe(528);
    expect(tokenizer.idOf('no such token')).toBeUndefined();
  });

  it('names the file and the fault of a bad one', () => {
    fails(/does not exist: it comes with the model's other files/);
    for (const [other, where] of [['spiece.model', /flan-t5-xl/], ['merges.txt', /clip-vit/], ['vocab.txt', /bert-base/]] as const) {
      writeFileSync(join(folder, other), '');
      fails(new RegExp(`does not exist: ${other} beside it is not read; fetch a tokenizer.json .*${where.source}`));
      rmSync(join(folder, other));
    } // prettier-ignore
    writeFileSync(path, '{"model": ');
    fails(/not valid JSON/);
    writeFileSync(path, '[]');
    fails(/JSON object/);
    writeFileSync(path, '{"version": "1.0"}');
    fails(/no 'model'/);
    writeFileSync(path, JSON.stringify({ ...t5TokenizerJson(), pre_tokenizer: { type: 'Nonsense' } }));
    fails(/Nonsense/);
  });

  it('refuses a tokenizer that has no id for a character', () => {
    const json = clipTokenizerJson();
    const model = { type: 'WordPiece', unk_token: '[UNK]', vocab: { a: 0 }, max_input_chars_per_word: 100 };
    const tokenizer = createTokenizer('broken', { ...json, model, pre_tokenizer: { type: 'Whitespace' } });
    expect(() => tokenizer.encode(['zebra'], { maxLength: 8 })).toThrow(
      /broken: is no tokenizer that can be used \(it has no id for the token "\[UNK\]"/,
    );
  });
});

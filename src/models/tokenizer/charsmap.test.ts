// Expected texts by the official programs for the same charsmap: Hugging Face's tokenizers 0.23.2,
// normalizers.Precompiled(bytes).normalize_str(text), and sentencepiece 0.2.2 with it (remove_extra_whitespaces, escape_whitespaces).

import { describe, expect, it } from 'vitest';

import { charsmapOf } from '../../../test/fixtures/charsmap.js';
import { Charsmap } from './charsmap.js';

const BASE64 = charsmapOf({
  ª: 'a',
  'e\u0301': 'é',
  'e\u0301\u0302': 'X',
  '\u3000': ' ',
  '\t': ' ',
  '\u0001': '',
  ﷺ: 'four words are here',
  ﬁ: 'fi',
  'च\u093c': 'c',
});
const charsmap = new Charsmap(BASE64);

describe('a charsmap by grapheme, the shortest match first', () => {
  it.each([
    ['plain ascii', 'plain ascii'],
    ['', ''],
    ['ª ﬁx\u3000\u3000y\tz\u0001', 'a fix  y z'],
    // A mark behind what is replaced goes with it: the grapheme has less than six bytes.
    ['ª\u0301', 'a'],
    ['e\u0301', 'é'],
    ['e\u0301\u0302', 'é'],
    // Of six bytes or more: each letter by itself.
    ['e\u0301\u0302\u0303', 'e\u0301\u0302\u0303'],
    ['ª\u0301\u0302', 'a\u0301\u0302'],
    ['\r\n\t', '\r\n '],
    ['ﷺ', 'four words are here'],
    ['च\u093c', 'च\u093c'],
    ['😀ª👩‍👩‍👧', '😀a👩‍👩‍👧'],
  ])('makes %j of %j', (text, expected) => {
    expect(charsmap.byGrapheme(text)).toBe(expected);
  });
});

describe('a charsmap by the longest match', () => {
  it.each([
    ['ª\u0301 e\u0301\u0302\u0303', 'a\u0301▁X\u0303'],
    ['च\u093c', 'c'],
    ['\t  a \u3000\t b \t', 'a▁b'],
    ['\u0001 \u0001a', 'a'],
    ['ﷺ', 'four▁words▁are▁here'],
    [' \t', ''],
    ['', ''],
  ])('makes %j of %j', (text, expected) => {
    expect(charsmap.byLongestMatch(text, { prefix: false, leading: false })).toBe(expected);
    expect(charsmap.byLongestMatch(text, { prefix: true, leading: false })).toBe(
      expected === '' ? '' : `▁${expected}`,
    );
  });

  it('keeps one blank of those before a text where it is asked to', () => {
    expect(charsmap.byLongestMatch(' \t a  b ', { prefix: false, leading: true })).toBe('▁a▁b');
    expect(charsmap.byLongestMatch('a', { prefix: false, leading: true })).toBe('a');
    expect(charsmap.byLongestMatch('  ', { prefix: false, leading: true })).toBe('');
  });
});

describe('a damaged charsmap', () => {
  it.each([undefined, 7, '', 'AAAA', 'AQAAAA==', '////fwAAAAA='])('is refused: %j', (base64) => {
    expect(() => new Charsmap(base64)).toThrow(/precompiled_charsmap/);
  });

  it('never reads beside itself', () => {
    const bytes = Buffer.from(BASE64, 'base64');
    let refused = 0;
    for (const at of bytes.keys()) {
      // Most of the file is zeros that nothing leads to.
      if (at < 4 || bytes[at] === 0) continue;
      const other = Buffer.from(bytes);
      other.writeUInt8(255 - (other[at] ?? 0), at);
      try {
        const broken = new Charsmap(other.toString('base64'));
        expect(typeof broken.byGrapheme('ª e\u0301 ﬁ ﷺ\t')).toBe('string');
        broken.byLongestMatch('ª e\u0301 ﬁ ﷺ\t', { prefix: true, leading: true });
      } catch (error) {
        expect(String(error)).toMatch(/precompiled_charsmap is damaged/);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(0);
  });
});

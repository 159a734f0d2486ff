// The precompiled charsmap of a SentencePiece model, as tokenizer.json carries it in base64: which bytes become which. It is
// the file's own table, so the Unicode version of the Node.js at hand does not matter.
//
// Layout (sentencepiece/src/normalizer.cc, EncodePrecompiledCharsMap): the size of a trie in bytes, uint32; the trie, a double
// array of darts-clone (uint32 units); then all replacements in UTF-8, each ended by a zero byte. Little-endian.
//
// The two official programs apply it differently, and both differences show in token ids:
// - Hugging Face's tokenizers (normalizers/precompiled.rs, crate spm_precompiled): by grapheme. A grapheme of less than six
//   bytes is replaced whole by what its shortest matching beginning stands for; otherwise each of its characters by itself.
// - SentencePiece (Normalizer::NormalizePrefix): the longest match at each place.

import { splitGraphemes } from 'unicode-segmenter/grapheme';

/** Graphemes of at least so many bytes are looked up by character. */
const LONG_GRAPHEME = 6;
/** Bytes; the longest of T5's has 33. */
const LONGEST_REPLACEMENT = 256;

/** A key that stands at some place of a text. */
interface Match {
  readonly bytes: number;
  readonly replacement: string;
}

/** How SentencePiece treats blanks besides. */
interface Blanks {
  /** Puts a blank before the text, unless there is no text. */
  readonly prefix: boolean;
  /** Keeps one blank where the text begins with some. */
  readonly leading: boolean;
}

/** What stands for a blank in pieces. */
export const BLANK = '\u2581';

/** A parsed charsmap. */
export class Charsmap {
  readonly #units: Uint32Array;
  readonly #replacements: Buffer;
  readonly #known = new Map<number, string>();

  /** Throws Error for what is no charsmap. */
  constructor(base64: unknown) {
    if (typeof base64 !== 'string') throw new Error('its precompiled_charsmap is no text');
    const bytes = Buffer.from(base64, 'base64');
    const size = bytes.length < 4 ? 0 : bytes.readUInt32LE(0);
    if (size === 0 || size % 4 !== 0 || size > bytes.length - 4) {
      throw new Error('its precompiled_charsmap is damaged');
    }
    this.#units = Uint32Array.from({ length: size / 4 }, (_, i) => bytes.readUInt32LE(4 + 4 * i));
    this.#replacements = bytes.subarray(4 + size);
  }

  /** As Hugging Face's tokenizers normalise. */
  byGrapheme(text: string): string {
    const parts: string[] = [];
    for (const grapheme of splitGraphemes(text)) {
      const bytes = Buffer.from(grapheme);
      const whole = bytes.length < LONG_GRAPHEME ? this.#shortest(bytes) : undefined;
      const replaced = whole
        ? [whole.replacement]
        : Array.from(grapheme, (letter) => this.#shortest(Buffer.from(letter))?.replacement ?? letter);
      parts.push(...replaced);
    }
    return parts.join('');
  }

  /** As SentencePiece normalises where extra blanks are removed: the blanks of the result are BLANK. */
  byLongestMatch(text: string, blanks: Blanks): string {
    const bytes = Buffer.from(text);
    const parts: string[] = [];
    let afterBlank = !blanks.leading;
    for (let at = 0; at < bytes.length;) {
      const match = this.#longest(bytes, at) ?? characterAt(bytes, at);
      at += match.bytes;
      const kept = afterBlank ? match.replacement.replace(/^ +/, '') : match.replacement;
      if (kept === '') continue;
      parts.push(kept);
      afterBlank = kept.endsWith(' ');
    }
    const found = parts.join('').replaceAll(' ', BLANK);
    const trimmed = found.slice(0, found.length - trailing(found, BLANK));
    return blanks.prefix && trimmed !== '' ? BLANK + trimmed : trimmed;
  }

  #shortest(key: Buffer): Match | undefined {
    const first = this.#matches(key, 0).next();
    return first.done === true ? undefined : first.value;
  }

  #longest(key: Buffer, from: number): Match | undefined {
    let longest: Match | undefined;
    for (const match of this.#matches(key, from)) longest = match;
    return longest;
  }

  /** The keys that stand at a place, the shortest first (darts.h, commonPrefixSearch). */
  *#matches(key: Buffer, from: number): Generator<Match, undefined> {
    const unitAt = (place: number): number => this.#units[place] ?? 0;
    let place = offsetOf(unitAt(0));
    for (let i = from; i < key.length; i++) {
      const byte = key[i] ?? 0;
      place ^= byte;
      const unit = unitAt(place);
      // A unit without a character has the highest bit set.
      if (place >= this.#units.length || (unit & 0x8000_00ff) >>> 0 !== byte) return;
      place ^= offsetOf(unit);
      if (((unit >>> 8) & 1) === 1) {
        yield { bytes: i + 1 - from, replacement: this.#replacementAt(unitAt(place) & 0x7fff_ffff) };
      }
    }
  }

  #replacementAt(index: number): string {
    const known = this.#known.get(index);
    if (known !== undefined) return known;
    const end = this.#replacements.indexOf(0, index);
    const bytes = this.#replacements.subarray(index, end === -1 ? undefined : end);
    if (index >= this.#replacements.length || bytes.length > LONGEST_REPLACEMENT) {
      throw new Error('its precompiled_charsmap is damaged: a replacement is missing or too long');
    }
    const text = bytes.toString('utf8');
    this.#known.set(index, text);
    return text;
  }
}

function offsetOf(unit: number): number {
  return ((unit >>> 10) << ((unit & 0x200) >>> 6)) >>> 0;
}

/** The character of UTF-8 at a place, which stands for itself. */
function characterAt(bytes: Buffer, at: number): Match {
  const first = bytes[at] ?? 0;
  const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  return { bytes: length, replacement: bytes.toString('utf8', at, at + length) };
}

function trailing(text: string, character: string): number {
  let count = 0;
  while (count < text.length && text[text.length - 1 - count] === character) count++;
  return count;
}

// Reads prompts back: the same grammar as grammar.ts, with some tolerance for how people write (case, a final
// full stop, "a photo of", "to the left of", digits, singular and plural mixed up, properties in any order).

import { UsageError } from '../../core/errors.js';
import type { Group, Prompt, PromptKind, Relation } from './grammar.js';
import { COUNT_WORDS, plural, promptKind, promptText, VOCABULARY } from './grammar.js';
import type { Shape } from './scene.js';
import { COLOURS, SHAPES } from './scene.js';

/** A prompt that was understood, with its kind and its plain wording. */
export interface ParsedPrompt extends Prompt {
  readonly kind: PromptKind;
  readonly text: string;
}

const KNOWN: ReadonlySet<string> = new Set(VOCABULARY);
const PREFIX = /^(?:(?:an?|the)\s+)?(?:photo|photograph|picture|image|drawing)\s+of\s+/;
const SIZES = ['small', 'large'] as const;
const TEXTURES = ['striped', 'dotted'] as const;
const ARTICLES: readonly string[] = ['a', 'an', 'the'];
const SINGULARS: ReadonlyMap<string, Shape> = new Map(SHAPES.map((shape) => [shape, shape]));
const PLURALS: ReadonlyMap<string, Shape> = new Map(SHAPES.map((shape) => [plural(shape), shape]));

/** Splits a text into lower-case words and commas, without "a photo of", digits as words, end marks dropped. */
export function tokenise(text: string): string[] {
  const plain = text
    .normalize('NFKC')
    .trim()
    .toLowerCase()
    .replace(/[\s.!?;:]+$/, '')
    .replace(/^["'“”‘’]+|["'“”‘’]+$/g, '')
    .replace(PREFIX, '');
  const words = plain.match(/,|[^\s,]+/g) ?? [];
  return words.map((word) => (/^[1-5]$/.test(word) ? (COUNT_WORDS[Number(word)] ?? word) : word));
}

/** Whether the embedded model knows a word. */
export function isKnownWord(word: string): boolean {
  return KNOWN.has(word);
}

/** Reads one prompt from left to right. */
class Reader {
  readonly #words: readonly string[];
  #at = 0;

  constructor(words: readonly string[]) {
    this.#words = words;
  }

  get done(): boolean {
    return this.#at >= this.#words.length;
  }

  /** Steps over the words if they come next. */
  take(...words: string[]): boolean {
    if (!words.every((word, i) => this.#words[this.#at + i] === word)) return false;
    this.#at += words.length;
    return true;
  }

  /** Steps over one of the words if it comes next, and returns it. */
  takeOne<T extends string>(words: readonly T[]): T | null {
    const found = words.find((word) => word === this.#words[this.#at]);
    if (found !== undefined) this.#at += 1;
    return found ?? null;
  }

  group(): Group {
    const article = this.takeOne(ARTICLES);
    const countWord = this.takeOne(COUNT_WORDS.slice(1));
    let size: Group['size'] = null;
    let texture: Group['texture'] = null;
    let colour: Group['colour'] = null;
    for (;;) {
      const before = this.#at;
      size ??= this.takeOne(SIZES);
      texture ??= this.takeOne(TEXTURES);
      colour ??= this.takeOne(COLOURS);
      if (this.#at === before) break;
    }
    const noun = this.#words[this.#at];
    const shape = SINGULARS.get(noun ?? '') ?? PLURALS.get(noun ?? '');
    if (noun === undefined || shape === undefined) throw this.#unexpected('a shape');
    if (article === null && countWord === null && PLURALS.has(noun)) {
      throw new UsageError(`say how many ${noun} there are, for example "two ${noun}"`);
    }
    this.#at += 1;
    const count = countWord === null ? 1 : COUNT_WORDS.indexOf(countWord);
    return { count, ...(countWord === 'one' ? { exact: true } : {}), size, texture, colour, shape };
  }

  relation(): Relation | null {
    const vertical = this.takeOne(['above', 'below'] as const);
    if (vertical !== null) return vertical;
    const start = this.#at;
    const led = this.take('to', 'the') || this.take('on', 'the');
    const side = this.takeOne(['left', 'right'] as const);
    if (side === null && !led) return null;
    if (side === null || !this.take('of')) {
      this.#at = start;
      throw this.#unexpected('"left of" or "right of"');
    }
    return `${side} of`;
  }

  /** A comma, "and", or both. */
  separator(): void {
    const comma = this.take(',');
    if (!this.take('and') && !comma) throw this.#unexpected('"and", a comma, a relation or the end');
  }

  #unexpected(wanted: string): UsageError {
    const found = this.done ? 'the prompt ends' : `found "${this.#words[this.#at] ?? ''}"`;
    const read = this.#words.slice(0, this.#at).join(' ').replaceAll(' ,', ',');
    return new UsageError(`expected ${wanted}${read === '' ? '' : ` after "${read}"`}, ${found}`);
  }
}

/**
 * Reads a prompt. Throws a UsageError that says what was expected where when the prompt does not follow the
 * grammar; checkPrompt in prompt-check.ts gives a fuller explanation without throwing.
 */
export function parsePrompt(text: string): ParsedPrompt {
  const reader = new Reader(tokenise(text));
  const groups = [reader.group()];
  const relation = reader.done ? null : reader.relation();
  if (relation !== null) groups.push(reader.group());
  while (!reader.done) {
    reader.separator();
    groups.push(reader.group());
  }
  const prompt: Prompt = { groups, relation };
  return { ...prompt, kind: promptKind(prompt), text: promptText(prompt) };
}

/** Reads a prompt of anybody's: what is none of this small language gives the words that say why. */
export function tryParse(text: string): ParsedPrompt | string {
  try {
    return parsePrompt(text);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
}

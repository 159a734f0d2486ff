// The other stages of a tokenizer.json: added tokens, pre-tokenizer, model, and the special tokens around a text. Models and
// most pre-tokenizers are @huggingface/tokenizers'.

import * as library from '@huggingface/tokenizers';

import { isObject, type JsonObject } from '../../core/json-file.js';
import { isId } from './bounds.js';
import { MOST_NORMALIZED } from './normalizers.js';
import { PUNCTUATION } from './old-unicode.js';

/** Cuts a piece of text; `first` where it begins the whole text. */
export type PreTokenize = (text: string, first: boolean) => readonly string[];

/** Pieces to token ids. */
export interface TokenModel {
  /** Throws Error for a token without an id. */
  ids(pieces: readonly string[]): readonly number[];
  idOf(token: string): number | undefined;
}

/** What we use of the library; its own declarations do not resolve under NodeNext (their imports lack extensions). */
interface LibraryModel {
  (pieces: readonly string[]): readonly string[];
  readonly tokens_to_ids: ReadonlyMap<string, number>;
  readonly unk_token_id: number | null | undefined;
}
type LibraryPreTokenize = (text: string, options: { readonly section_index: number }) => readonly string[];

type ModelKind = new (json: JsonObject, endToken?: string) => LibraryModel;

const { SequencePreTokenizer, BPE, Unigram, WordPiece } = library as unknown as Readonly<
  Record<'BPE' | 'Unigram' | 'WordPiece', ModelKind>
> & { readonly SequencePreTokenizer: new (json: JsonObject) => LibraryPreTokenize };
const MODELS: Readonly<Record<string, ModelKind>> = { BPE, Unigram, WordPiece };

/** The characters of pieces may be more than those of the text: byte-level ones stand for the bytes of UTF-8. */
const MOST_IN_PIECES = 4 * MOST_NORMALIZED;

/** Throws Error for pieces of more characters than any text gives. */
export function checkPieces(pieces: readonly string[]): readonly string[] {
  const characters = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (characters <= MOST_IN_PIECES) return pieces;
  throw new Error(`its pre-tokenizers make more than ${MOST_IN_PIECES} characters of a text`);
}

/** The pre-tokenizer of a file, which may have none. Throws Error for kinds that are not known. */
export function createPreTokenizer(json: unknown): PreTokenize {
  if (json === null || json === undefined) return (text) => [text];
  if (!isObject(json)) throw new Error('its pre-tokenizer is no object');
  const { type, pretokenizers: inner } = json;
  if (type === 'BertPreTokenizer') return splitWords;
  if (type === 'ByteLevel' && json['use_regex'] !== false) return byteLevel(json);
  if (type === 'Sequence' && Array.isArray(inner)) {
    const stages = (inner as unknown[]).map(createPreTokenizer);
    return (text, first) =>
      stages.reduce<readonly string[]>(
        (pieces, stage) => checkPieces(pieces.flatMap((piece, i) => stage(piece, first && i === 0))),
        [text],
      );
  }
  const theirs = new SequencePreTokenizer({ pretokenizers: [json] });
  return (text, first) => theirs(text, { section_index: first ? 0 : 1 });
}

/** GPT-2's expression. The library's takes U+FEFF for a blank, as JavaScript does. */
const BYTE_LEVEL =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** pre_tokenizers/byte_level.rs: cut by GPT-2's expression, then a letter for each byte, which is the library's. */
function byteLevel(json: JsonObject): PreTokenize {
  const bytes = createPreTokenizer({ type: 'ByteLevel', use_regex: false });
  const blank = json['add_prefix_space'] === true ? ' ' : '';
  return (text) => {
    const whole = text.startsWith(' ') ? text : blank + text;
    return (whole.match(BYTE_LEVEL) ?? []).flatMap((piece) => bytes(piece, false));
  };
}

/** pre_tokenizers/bert.rs: at blanks, and around each punctuation mark. */
function splitWords(text: string): readonly string[] {
  const pieces: string[] = [];
  let word = '';
  for (const letter of text) {
    const apart = PUNCTUATION.test(letter);
    if (!apart && !/\p{White_Space}/u.test(letter)) {
      word += letter;
      continue;
    }
    if (word !== '') pieces.push(word);
    if (apart) pieces.push(letter);
    word = '';
  }
  return word === '' ? pieces : [...pieces, word];
}

/** The model of a file. Throws Error for kinds that are not known. */
export function createModel(json: JsonObject, endToken: unknown): TokenModel {
  const model = new (modelOf(json))(json, typeof endToken === 'string' ? endToken : undefined);
  return {
    ids: (pieces) =>
      model(pieces).map((token) => {
        const id = model.tokens_to_ids.get(token) ?? model.unk_token_id;
        if (id !== undefined && id !== null) return id;
        throw new Error(`it has no id for the token ${JSON.stringify(token)}, nor for unknown tokens`);
      }),
    idOf: (token) => model.tokens_to_ids.get(token),
  };
}

/** Older files leave the type out. */
function modelOf(json: JsonObject): ModelKind {
  const { type, vocab, merges } = json;
  const guessed = Array.isArray(vocab) ? 'Unigram' : merges === undefined ? 'WordPiece' : 'BPE';
  const name = typeof type === 'string' ? type : guessed;
  const found = Object.hasOwn(MODELS, name) ? MODELS[name] : undefined;
  if (found) return found;
  throw new Error(`its model is of the unknown kind ${JSON.stringify(name)}`);
}

/** A token that is found in a text as it stands. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Looked for after normalising. */
  readonly normalized: boolean;
  readonly wordAlone: boolean;
  /** Takes the blanks before it, or behind it, along. */
  readonly lstrip: boolean;
  readonly rstrip: boolean;
}

/** The added tokens of a file. Throws Error for wrong ones. */
export function addedTokens(json: unknown): readonly AddedToken[] {
  if (json === null || json === undefined) return [];
  if (!Array.isArray(json)) throw new Error('its added_tokens are no list');
  return (json as unknown[]).map((each) => {
    const {
      id,
      content,
      normalized,
      special,
      single_word: alone,
      lstrip,
      rstrip,
    } = isObject(each) ? each : {};
    if (!isId(id) || typeof content !== 'string' || content === '') {
      throw new Error('one of its added_tokens has no id or no text');
    }
    return {
      id,
      content,
      normalized: Boolean(normalized ?? !special),
      wordAlone: alone === true,
      lstrip: lstrip === true,
      rstrip: rstrip === true,
    };
  });
}

/** A part of a text: a token, or text between tokens. */
export type Part = { readonly token: AddedToken } | { readonly text: string; readonly first: boolean };

/** Cuts added tokens out of texts, at each place the longest one (added_vocabulary.rs). */
export function splitterFor(tokens: readonly AddedToken[]): (text: string) => readonly Part[] {
  if (tokens.length === 0) return (text) => [{ text, first: true }];
  const byContent = new Map(tokens.map((token) => [token.content, token]));
  const longestFirst = [...byContent.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(
    longestFirst.map((content) => content.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('|'),
    'gu',
  );
  return (text) => {
    const parts: Part[] = [];
    let at = 0;
    const put = (end: number): void => {
      if (end > at) parts.push({ text: text.slice(at, end), first: at === 0 });
    };
    for (const { 0: found, index } of text.matchAll(pattern)) {
      const token = byContent.get(found);
      const end = index + found.length;
      if (!token || (token.wordAlone && !standsAlone(text, index, end))) continue;
      put(token.lstrip ? at + text.slice(at, index).trimEnd().length : index);
      parts.push({ token });
      at = token.rstrip ? text.length - text.slice(end).trimStart().length : end;
    }
    put(text.length);
    return parts;
  };
}

function standsAlone(text: string, start: number, end: number): boolean {
  const letter = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}]/u;
  const before = Array.from(text.slice(Math.max(0, start - 2), start)).at(-1) ?? '';
  const behind = Array.from(text.slice(end, end + 2))[0] ?? '';
  return !letter.test(before) && !letter.test(behind);
}

/** Ids that stand around every text. */
export interface Specials {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

const MOST_SPECIALS = 16;

/** What the post-processor of a file puts around a single text. Throws Error for kinds that are not known. */
export function specialsOf(json: unknown): Specials {
  if (json === null || json === undefined) return { before: [], after: [] };
  const { type, processors } = isObject(json) ? json : {};
  if (isObject(json) && type === 'TemplateProcessing') return templateSpecials(json);
  if (isObject(json) && (type === 'BertProcessing' || type === 'RobertaProcessing')) {
    return { before: [idOfPair(json['cls'])], after: [idOfPair(json['sep'])] };
  }
  if (type === 'ByteLevel') return { before: [], after: [] };
  if (type === 'Sequence' && Array.isArray(processors) && processors.length <= MOST_SPECIALS) {
    return (processors as unknown[]).map(specialsOf).reduce(
      (inner, { before, after }) => ({
        before: [...before, ...inner.before],
        after: [...inner.after, ...after],
      }),
      { before: [], after: [] },
    );
  }
  throw new Error(`its post-processor is of the unknown kind ${JSON.stringify(type)}`);
}

/** ["</s>", 1]. */
function idOfPair(pair: unknown): number {
  const id: unknown = Array.isArray(pair) ? pair[1] : undefined;
  if (isId(id)) return id;
  throw new Error('its post-processor names a special token without an id');
}

function templateSpecials({ single, special_tokens: known }: JsonObject): Specials {
  const items = Array.isArray(single) ? (single as unknown[]) : [];
  const text = items.findIndex((item) => isObject(item) && 'Sequence' in item);
  const more = items.findLastIndex((item) => isObject(item) && 'Sequence' in item);
  if (text === -1 || more !== text || items.length > MOST_SPECIALS) {
    throw new Error(
      `its post-processor's template is no text between at most ${MOST_SPECIALS} special tokens`,
    );
  }
  const idsOf = (item: unknown): readonly number[] => {
    const special = isObject(item) ? item['SpecialToken'] : undefined;
    const name = isObject(special) ? special['id'] : undefined;
    const entry =
      isObject(known) && typeof name === 'string' && Object.hasOwn(known, name) ? known[name] : undefined;
    const ids = isObject(entry) ? entry['ids'] : undefined;
    if (Array.isArray(ids) && ids.length <= MOST_SPECIALS && ids.every(isId)) {
      return ids;
    }
    throw new Error(`its post-processor's template names ${JSON.stringify(name)}, which has no ids`);
  };
  return { before: items.slice(0, text).flatMap(idsOf), after: items.slice(text + 1).flatMap(idsOf) };
}

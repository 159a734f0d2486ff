// Text to token ids, from the tokenizer.json of a Hugging Face folder (T5's Unigram, CLIP's BPE, BERT's WordPiece). What comes
// before the ids is in tokenizer/; batches, padding and truncation are here, as the official pipelines do them: special tokens
// are kept, the text between them is cut.

import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { CheckpointError, VarsearchError } from '../core/errors.js';
import {
  isObject,
  type JsonObject,
  readJsonFile,
  readOptionalJsonFile,
  TOKENIZER_LIMITS,
} from '../core/json-file.js';
import { isError } from '../core/realm.js';
import { checkText } from '../core/text.js';
import { checkTokenizerJson } from './tokenizer/bounds.js';
import { createPipeline, createSentencePiecePipeline, type Pipeline } from './tokenizer/pipeline.js';
import { MOST_MILLISECONDS, withinTime } from './tokenizer/time-limit.js';

/** Token ids of a batch of texts, padded to one length: row-major [texts, length]. */
interface TokenBatch {
  readonly ids: Int32Array;
  /** 1 where a token of the text stands, 0 where padding does. */
  readonly mask: Int32Array;
  /** Tokens of each text after truncation, special ones counted. */
  readonly lengths: readonly number[];
  /** Columns of `ids` and `mask`. */
  readonly length: number;
  /** Which texts were cut. */
  readonly truncated: readonly boolean[];
}

/** How a batch is cut and filled up. */
interface EncodeOptions {
  /** The most tokens of a text, special ones counted. */
  readonly maxLength: number;
  /** Columns of the batch, at most maxLength. @default the longest text's tokens */
  readonly padTo?: number;
  /** Id of the padding. @default the tokenizer's own */
  readonly padId?: number;
}

/** A loaded tokenizer. */
export interface TextTokenizer {
  /** The file, for messages. */
  readonly label: string;
  /** The padding id that the tokenizer's files name, or 0. */
  readonly padId: number;
  /**
   * Token ids with the special tokens of a single text. Throws RangeError for lengths that leave no room for them, UsageError for
   * texts that are too long or no Unicode, and CheckpointError where the file makes too much of one.
   */
  encode(texts: readonly string[], options: EncodeOptions): TokenBatch;
  /** The end of a text that is cut off at `maxLength` tokens, from the word on that is the first not to be seen whole. */
  unseen(text: string, maxLength: number): string;
  /** The id of a token, special ones included. */
  idOf(token: string): number | undefined;
}

/** How a tokenizer.json is used. */
export interface TokenizerRules {
  /** T5's as Python's tokenizer over SentencePiece; other files as they are. @default false */
  readonly sentencePiece?: boolean;
  /** Special tokens that are added to those of the file, behind its last id, in this order. @default none */
  readonly added?: readonly string[];
  /** The model's number of tokens, from its configuration: `added` ones that it has no room for are left out. */
  readonly vocabulary?: unknown;
}

/** Where a tokenizer.json is to be had for a folder that has another program's file in its place. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'spiece.model': 'google/flan-t5-xl has one for T5, as has tokenizer_2/ of black-forest-labs/FLUX.1-dev',
  'merges.txt': 'openai/clip-vit-large-patch14 has one for CLIP',
  'vocab.txt': 'google-bert/bert-base-uncased has one for BERT',
};

/** Loads tokenizer.json, and tokenizer_config.json where it exists, of a folder. Throws CheckpointError. */
export function loadTokenizer(folder: string, rules: TokenizerRules = {}): TextTokenizer {
  const path = join(folder, 'tokenizer.json');
  const other = Object.keys(ELSEWHERE).find((name) => existsSync(join(folder, name)));
  const remedy =
    other === undefined
      ? "it comes with the model's other files, fetch it from the same place"
      : `${other} beside it is not read; fetch a tokenizer.json and put it there (${ELSEWHERE[other] ?? ''})`;
  const json = readJsonFile(path, remedy, TOKENIZER_LIMITS);
  const config = readOptionalJsonFile(join(folder, 'tokenizer_config.json'));
  return createTokenizer(path, json, config, rules);
}

/** The files that `loadTokenizer` reads, for hashes; the second may be absent. */
export function tokenizerFiles(folder: string): {
  readonly tokenizer: string;
  readonly tokenizerConfig: string;
} {
  return {
    tokenizer: join(folder, 'tokenizer.json'),
    tokenizerConfig: join(folder, 'tokenizer_config.json'),
  };
}

/** A tokenizer from the parsed files; `label` names them in messages. Throws CheckpointError. */
export function createTokenizer(
  label: string,
  json: JsonObject,
  config: JsonObject = {},
  rules: TokenizerRules = {},
): TextTokenizer {
  if (!isObject(json['model'])) throw new CheckpointError(label, "is no tokenizer.json: it has no 'model'");
  const pipeline = guarded(label, 'to be read', () => {
    checkTokenizerJson(json);
    const sentencePiece = rules.sentencePiece ? createSentencePiecePipeline(json, config) : null;
    return sentencePiece ?? createPipeline(json, config, idsBehind(json, rules));
  });
  const padId = findPadId(pipeline, json, config);
  const bodyOf = (text: string): readonly number[] => encodeText(label, pipeline, text);
  return {
    label,
    padId,
    encode: (texts, options) => {
      const { maxLength } = options;
      checkLengths(pipeline, options);
      const bodies = texts.map(bodyOf);
      const room = roomOf(pipeline, maxLength);
      return layOut(
        bodies.map((body) => dress(pipeline, body.slice(0, room))),
        {
          columns: options.padTo,
          padId: options.padId ?? padId,
          truncated: bodies.map((body) => body.length > room),
        },
      );
    },
    unseen: (text, maxLength) => {
      const room = roomOf(pipeline, maxLength);
      return endBehind(text, (start) => bodyOf(start).length <= room);
    },
    idOf: (token) => pipeline.idOf(token),
  };
}

/** Does work on a file of others; whatever goes wrong in it is a fault of the file. */
function guarded<Result>(label: string, what: string, work: () => Result): Result {
  const late = (): Error =>
    new CheckpointError(
      label,
      `takes more than ${MOST_MILLISECONDS / 1000} s ${what}, as no honest tokenizer does: fetch it from the model's own repository`,
    );
  try {
    return withinTime(work, late);
  } catch (cause) {
    if (cause instanceof VarsearchError) throw cause;
    const message = isError(cause) ? cause.message : String(cause);
    throw new CheckpointError(label, `is no tokenizer that can be used (${message})`, { cause });
  }
}

/** Ids for added tokens behind the last one of a file that has none for them yet (`add_special_tokens` of transformers). */
function idsBehind(
  json: JsonObject,
  { added = [], vocabulary }: TokenizerRules,
): Readonly<Record<string, number>> {
  const { vocab } = isObject(json['model']) ? json['model'] : {};
  const known = new Map<string, unknown>(
    (Array.isArray(json['added_tokens']) ? (json['added_tokens'] as unknown[]) : []).flatMap((token) =>
      isObject(token) ? [[String(token['content']), token['id']]] : [],
    ),
  );
  const inVocabulary = isObject(vocab) ? vocab : {};
  const fresh = added.filter((token) => !known.has(token) && !Object.hasOwn(inVocabulary, token));
  const last = [...Object.values(inVocabulary), ...known.values()].reduce<number>(
    (most, id) => (typeof id === 'number' ? Math.max(most, id) : most),
    -1,
  );
  const room = typeof vocabulary === 'number' ? vocabulary : 0;
  return last + fresh.length < room ? Object.fromEntries(fresh.map((token, i) => [token, last + 1 + i])) : {};
}

/** Tokens of a text that have room between the special ones. */
function roomOf({ specials }: Pipeline, maxLength: number): number {
  return maxLength - specials.before.length - specials.after.length;
}

function checkLengths({ specials }: Pipeline, { maxLength, padTo }: EncodeOptions): void {
  const least = specials.before.length + specials.after.length + 1;
  if (!Number.isInteger(maxLength) || maxLength < least) {
    throw new RangeError(
      `maxLength has to be a whole number from ${least} on (special tokens and one more), got ${maxLength}`,
    );
  }
  if (padTo !== undefined && (!Number.isInteger(padTo) || padTo < 0 || padTo > maxLength)) {
    throw new RangeError(`padTo has to be a whole number up to maxLength (${maxLength}), got ${padTo}`);
  }
}

function encodeText(label: string, pipeline: Pipeline, text: string): readonly number[] {
  checkText('the text', text);
  const what = `over a text of ${text.length} characters`;
  return guarded(label, what, () => pipeline.ids(text));
}

/** The official truncation has cut the text's tokens at the end; the special ones are put around what is left. */
function dress({ specials, endOnce }: Pipeline, body: readonly number[]): readonly number[] {
  const { before, after } = specials;
  const ended = endOnce && after.length === 1 && body.at(-1) === after[0];
  return [...before, ...body, ...(ended ? [] : after)];
}

/** What stands behind the longest beginning of a text that `fits`; the whole text fits where nothing is left. */
function endBehind(text: string, fits: (start: string) => boolean): string {
  if (fits(text)) return '';
  const letters = Array.from(text);
  let [seen, unseen] = [0, letters.length];
  while (unseen - seen > 1) {
    const middle = (seen + unseen) >> 1;
    if (fits(letters.slice(0, middle).join(''))) seen = middle;
    else unseen = middle;
  }
  // A beginning of a word can have more tokens than the word: whole words are tried, too.
  for (let end = wordEnd(letters, seen); end > seen && fits(letters.slice(0, end).join(''));) {
    seen = end;
    end = wordEnd(letters, seen);
  }
  const rest = letters.slice(seen).join('');
  // A word of which the beginning alone was seen belongs to what was not.
  const broken = /^\s/.test(rest) ? '' : (BEGUN.exec(letters.slice(0, seen).join(''))?.[0] ?? '');
  return (broken + rest).trim();
}

/** The letters of a word that a text ends with; in scripts without blanks each letter may be one. */
const BEGUN = /[^\s\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]{0,30}$/u;

/** Where the next word behind a place ends. */
function wordEnd(letters: readonly string[], from: number): number {
  let end = from;
  while (end < letters.length && /\s/.test(letters[end] ?? '')) end++;
  while (end < letters.length && !/\s/.test(letters[end] ?? '')) end++;
  return end;
}

interface Layout {
  readonly columns: number | undefined;
  readonly padId: number;
  readonly truncated: readonly boolean[];
}

function layOut(rows: readonly (readonly number[])[], { columns, padId, truncated }: Layout): TokenBatch {
  const lengths = rows.map((row) => row.length);
  const longest = Math.max(0, ...lengths);
  const length = columns ?? longest;
  if (longest > length) {
    throw new RangeError(
      `padTo is ${length}, but a text has ${longest} tokens: give the same number as maxLength`,
    );
  }
  const ids = new Int32Array(rows.length * length).fill(padId);
  const mask = new Int32Array(rows.length * length);
  rows.forEach((row, i) => {
    ids.set(row, i * length);
    mask.fill(1, i * length, i * length + row.length);
  });
  return { ids, mask, lengths, length, truncated };
}

/** From tokenizer_config.json's pad_token, or tokenizer.json's padding entry; 0 where neither says. */
function findPadId(pipeline: Pipeline, json: JsonObject, config: JsonObject): number {
  const named = config['pad_token'];
  const token = isObject(named) ? named['content'] : named;
  const id = typeof token === 'string' ? pipeline.idOf(token) : undefined;
  if (id !== undefined) return id;
  const padding = json['padding'];
  const stored = isObject(padding) ? padding['pad_id'] : undefined;
  return typeof stored === 'number' && Number.isInteger(stored) ? stored : 0;
}

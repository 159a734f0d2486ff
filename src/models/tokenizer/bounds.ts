// Bounds on a tokenizer.json, which may be anybody's: no honest file of the encoders that are read here meets them, and with
// them neither memory nor the stack can be filled. Time is bounded by time-limit.ts.

import { isObject, type JsonObject } from '../../core/json-file.js';

/** The largest honest ones: CLIP's 49,408 entries and 48,894 merges, 420,000 characters each; T5's pieces of 16. */
const MOST = {
  entries: 300_000,
  characters: 2_000_000,
  piece: 64,
  merges: 300_000,
  added: 2000,
  word: 1000,
  charsmap: 8_000_000,
  text: 4096,
  putIn: 64,
  depth: 32,
  values: 20_000,
} as const;

/** Texts that a stage may put into a text at many places. */
const PUT_IN: readonly string[] = [
  'content',
  'prepend',
  'replacement',
  'str_rep',
  'end_of_word_suffix',
  'continuing_subword_prefix',
  'continuing_subword_suffix',
];

/** Throws Error that names the entry at fault, for a file with more than there may be, or with entries of wrong types. */
export function checkTokenizerJson(json: JsonObject): void {
  const { model, added_tokens: added } = json;
  if (Array.isArray(added) && added.length > MOST.added) refuse('added_tokens', MOST.added);
  if (isObject(model)) checkModel(model);
  for (const stage of ['normalizer', 'pre_tokenizer', 'post_processor']) checkStage(stage, json[stage]);
}

function checkModel(model: JsonObject): void {
  const { vocab, merges, unk_id: unknown, max_input_chars_per_word: word } = model;
  if (Array.isArray(vocab)) checkPieces(vocab as readonly unknown[]);
  else if (isObject(vocab)) checkVocabulary(vocab);
  else throw new Error("its model's 'vocab' is neither a list nor an object");
  if (merges !== undefined) checkMerges(merges);
  const size = Array.isArray(vocab) ? vocab.length : Infinity;
  if (unknown !== undefined && unknown !== null && !(isId(unknown) && unknown < size)) {
    throw new Error("its model's 'unk_id' is not one of the vocabulary");
  }
  if (word !== undefined && !(isId(word) && word <= MOST.word)) refuse('max_input_chars_per_word', MOST.word);
  for (const name of PUT_IN) checkPutIn(name, model[name]);
}

/** Of a Unigram: [piece, score]. */
function checkPieces(vocab: readonly unknown[]): void {
  if (vocab.length === 0 || vocab.length > MOST.entries) refuse('vocab', MOST.entries);
  let characters = 0;
  for (const entry of vocab) {
    const [piece, score] = Array.isArray(entry) ? (entry as unknown[]) : [];
    if (typeof piece !== 'string' || typeof score !== 'number' || piece.length > MOST.piece) {
      throw new Error(
        `its vocabulary holds an entry that is no [piece of at most ${MOST.piece} letters, score]`,
      );
    }
    characters += piece.length;
  }
  if (characters > MOST.characters) refuse('vocab', MOST.characters, 'characters');
}

/** Token to id. */
function checkVocabulary(vocab: JsonObject): void {
  const tokens = Object.keys(vocab);
  if (tokens.length === 0 || tokens.length > MOST.entries) refuse('vocab', MOST.entries);
  const characters = tokens.reduce((sum, token) => sum + token.length, 0);
  if (characters > MOST.characters) refuse('vocab', MOST.characters, 'characters');
  const wrong = tokens.find((token) => !isId(vocab[token]));
  if (wrong !== undefined) {
    throw new Error(`its vocabulary gives ${JSON.stringify(wrong.slice(0, 64))} no id`);
  }
}

function checkMerges(merges: unknown): void {
  if (!Array.isArray(merges) || merges.length > MOST.merges) refuse('merges', MOST.merges);
  let characters = 0;
  for (const merge of merges as readonly unknown[]) {
    if (!isMerge(merge)) throw new Error("its model's 'merges' hold something that is no pair");
    characters += typeof merge === 'string' ? merge.length : merge[0].length + merge[1].length;
  }
  if (characters > MOST.characters) refuse('merges', MOST.characters, 'characters');
}

/** "a b", or ["a", "b"] in newer files. */
function isMerge(merge: unknown): merge is string | readonly [string, string] {
  if (typeof merge === 'string') {
    const blank = merge.indexOf(' ');
    return blank !== -1 && !merge.includes(' ', blank + 1);
  }
  return Array.isArray(merge) && merge.length === 2 && merge.every((part) => typeof part === 'string');
}

/** Everything in a stage: short texts, few values, not deep. */
function checkStage(stage: string, json: unknown): void {
  let waiting: readonly (readonly [name: string, value: unknown])[] = [[stage, json]];
  let values = 0;
  for (let depth = 0; waiting.length > 0; depth++) {
    values += waiting.length;
    if (values > MOST.values) refuse(stage, MOST.values, 'values');
    if (depth > MOST.depth) refuse(stage, MOST.depth, 'levels');
    for (const [name, value] of waiting) checkValue(name, value);
    waiting = waiting.flatMap(([, value]) =>
      typeof value === 'object' && value !== null ? Object.entries(value) : [],
    );
  }
}

function checkValue(name: string, value: unknown): void {
  checkPutIn(name, value);
  const most = name === 'precompiled_charsmap' ? MOST.charsmap : MOST.text;
  if (typeof value === 'string' && value.length > most) refuse(name, most, 'characters');
  if (name === 'pattern' && !isPattern(value)) throw new Error("a 'pattern' is neither a Regex nor a String");
  if (isObject(value) && value['type'] === 'FixedLength' && !(isId(value['length']) && value['length'] > 0)) {
    throw new Error("its pre-tokenizer 'FixedLength' has no length above 0");
  }
}

const isPattern = (value: unknown): boolean =>
  isObject(value) && (typeof value['Regex'] === 'string' || typeof value['String'] === 'string');

function checkPutIn(name: string, value: unknown): void {
  if (!PUT_IN.includes(name) || value === undefined || value === null) return;
  if (typeof value !== 'string') throw new Error(`its '${name}' is no text`);
  if (value.length > MOST.putIn) refuse(name, MOST.putIn, 'characters');
}

/** An id of a token. */
export function isId(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 31;
}

function refuse(name: string, most: number, what = 'entries'): never {
  throw new Error(`its '${name}' does not have from 1 to ${most} ${what}, as an honest file has`);
}

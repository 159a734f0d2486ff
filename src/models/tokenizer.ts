// Text to token ids, from the tokenizer.json of a Hugging Face folder (T5's Unigram, CLIP's BPE, BERT's WordPiece).
// The tokenising itself is @huggingface/tokenizers'; batches, padding and truncation are ours, as the official pipelines
// do them: special tokens are kept, the text between them is cut.

import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';

import { CheckpointError } from '../core/errors.js';
import {
  isObject,
  type JsonObject,
  readJsonFile,
  readOptionalJsonFile,
  TOKENIZER_LIMITS,
} from '../core/json-file.js';

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
  /** Token ids with the special tokens of a single text; throws RangeError for lengths that leave no room for them. */
  encode(texts: readonly string[], options: EncodeOptions): TokenBatch;
  /** The id of a token, special ones included. */
  idOf(token: string): number | undefined;
}

/** What we use of the engine; its own declarations do not resolve under NodeNext (their imports lack extensions). */
interface Engine {
  encode(
    text: string,
    options?: { readonly add_special_tokens?: boolean },
  ): { readonly ids: readonly (number | undefined)[]; readonly tokens: readonly string[] };
  token_to_id(token: string): number | undefined;
}

const EngineOf = Tokenizer as unknown as new (json: JsonObject, config: JsonObject) => Engine;

/** Loads tokenizer.json, and tokenizer_config.json where it exists, of a folder. Throws CheckpointError. */
export function loadTokenizer(folder: string): TextTokenizer {
  const path = join(folder, 'tokenizer.json');
  const remedy = "it comes with the model's other files, fetch it from the same place";
  const json = readJsonFile(path, remedy, TOKENIZER_LIMITS);
  const config = readOptionalJsonFile(join(folder, 'tokenizer_config.json'));
  return createTokenizer(path, json, config);
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
export function createTokenizer(label: string, json: JsonObject, config: JsonObject = {}): TextTokenizer {
  if (!isObject(json['model'])) throw new CheckpointError(label, "is no tokenizer.json: it has no 'model'");
  let engine: Engine;
  let specials: Specials;
  try {
    // The engine wants every stage to be there, if only as null; older files leave some out.
    const stages = {
      normalizer: null,
      pre_tokenizer: null,
      post_processor: null,
      decoder: null,
      added_tokens: [],
    };
    engine = new EngineOf({ ...stages, ...json }, config);
    specials = probeSpecials(engine);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new CheckpointError(label, `is no tokenizer that can be used (${message})`, { cause });
  }
  const padId = findPadId(engine, json, config);
  return {
    label,
    padId,
    encode: (texts, options) => {
      const { maxLength } = options;
      checkLengths(specials, options);
      const rows = texts.map((text) => encodeText(label, engine, text));
      return layOut(
        rows.map((row) => cut(row, maxLength, specials)),
        {
          columns: options.padTo,
          padId: options.padId ?? padId,
          truncated: rows.map((row) => row.length > maxLength),
        },
      );
    },
    idOf: (token) => engine.token_to_id(token),
  };
}

/** How many special tokens stand before and after every text. */
interface Specials {
  readonly before: number;
  readonly after: number;
}

/** Finds the text's own tokens between the special ones that the post-processor adds. */
function probeSpecials(engine: Engine): Specials {
  const { ids: whole } = engine.encode('a');
  const { ids: body } = engine.encode('a', { add_special_tokens: false });
  for (let before = 0; before + body.length <= whole.length; before++) {
    if (body.every((id, i) => whole[before + i] === id)) {
      return { before, after: whole.length - before - body.length };
    }
  }
  throw new Error('its post-processor changes the tokens of the text');
}

function checkLengths(specials: Specials, { maxLength, padTo }: EncodeOptions): void {
  const least = specials.before + specials.after + 1;
  if (!Number.isInteger(maxLength) || maxLength < least) {
    throw new RangeError(
      `maxLength has to be a whole number from ${least} on (special tokens and one more), got ${maxLength}`,
    );
  }
  if (padTo !== undefined && (!Number.isInteger(padTo) || padTo < 0 || padTo > maxLength)) {
    throw new RangeError(`padTo has to be a whole number up to maxLength (${maxLength}), got ${padTo}`);
  }
}

function encodeText(label: string, engine: Engine, text: string): number[] {
  const { ids, tokens } = engine.encode(text);
  return ids.map((id, i) => {
    if (id !== undefined) return id;
    const token = JSON.stringify(tokens[i]);
    throw new CheckpointError(
      label,
      `has no id for the token ${token}, nor for unknown tokens: the file is damaged`,
    );
  });
}

/** The official truncation: the text's tokens are cut at the end, the special ones stay. */
function cut(row: readonly number[], maxLength: number, { after }: Specials): readonly number[] {
  if (row.length <= maxLength) return row;
  return [...row.slice(0, maxLength - after), ...row.slice(row.length - after)];
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
function findPadId(engine: Engine, json: JsonObject, config: JsonObject): number {
  const named = config['pad_token'];
  const token = isObject(named) ? named['content'] : named;
  const id = typeof token === 'string' ? engine.token_to_id(token) : undefined;
  if (id !== undefined) return id;
  const padding = json['padding'];
  const stored = isObject(padding) ? padding['pad_id'] : undefined;
  return typeof stored === 'number' && Number.isInteger(stored) ? stored : 0;
}

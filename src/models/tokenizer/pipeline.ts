// From a text to the ids of its tokens, without the special ones around it: by the stages that a tokenizer.json names
// (tokenizers/src/tokenizer/mod.rs), or as T5's Python tokenizer does over SentencePiece, whose pieces the same file holds.

import { isObject, type JsonObject } from '../../core/json-file.js';
import { BLANK, type Charsmap } from './charsmap.js';
import { createNormalizer, findCharsmap, type Normalize } from './normalizers.js';
import {
  type AddedToken,
  addedTokens,
  checkPieces,
  createModel,
  createPreTokenizer,
  type Part,
  type PreTokenize,
  type Specials,
  specialsOf,
  splitterFor,
  type TokenModel,
} from './stages.js';

/** A tokenizer for single texts. */
export interface Pipeline {
  /** Ids of the text's own tokens. Throws Error for what the file makes too much of, or has no id for. */
  ids(text: string): readonly number[];
  readonly specials: Specials;
  /** Whether the end token is left out where the text ends with it. */
  readonly endOnce: boolean;
  idOf(token: string): number | undefined;
}

/** The stages of a file. `more` are special tokens besides its own, by content. Throws Error for what cannot be used. */
export function createPipeline(
  json: JsonObject,
  config: JsonObject,
  more: Readonly<Record<string, number>> = {},
): Pipeline {
  const tokens = [...addedTokens(json['added_tokens']), ...Object.entries(more).map(specialToken)];
  const normalize = createNormalizer(json['normalizer']);
  const model = createModel(isObject(json['model']) ? json['model'] : {}, config['eos_token']);
  const preTokenize = createPreTokenizer(json['pre_tokenizer']);
  const raw = splitterFor(tokens.filter(({ normalized }) => !normalized));
  // A normalised token is looked for in the form that normalising gives it.
  const normal = splitterFor(
    tokens
      .filter(({ normalized }) => normalized)
      .map((token) => ({ ...token, content: normalize(token.content) }))
      .filter(({ content }) => content !== ''),
  );
  const idsOf = idsOfText({ model, preTokenize });
  return {
    ids: (text) => idsOfParts(raw(text), normalizing(normalize, normal), idsOf),
    specials: specialsOf(json['post_processor']),
    endOnce: false,
    idOf: idFinder(tokens, model),
  };
}

type IdsOf = (text: string, first: boolean) => readonly number[];

function idsOfText({
  model,
  preTokenize,
}: {
  readonly model: TokenModel;
  readonly preTokenize: PreTokenize;
}): IdsOf {
  return (text, first) => model.ids(checkPieces(preTokenize(text, first)));
}

function normalizing(normalize: Normalize, split: (text: string) => readonly Part[]) {
  return (text: string): readonly Part[] => {
    const found = normalize(text);
    return found === '' ? [] : split(found);
  };
}

function idsOfParts(
  parts: readonly Part[],
  inner: (text: string) => readonly Part[],
  idsOf: IdsOf,
): readonly number[] {
  return parts.flatMap((part) => {
    if ('token' in part) return [part.token.id];
    return inner(part.text).flatMap((each) =>
      'token' in each ? [each.token.id] : idsOf(each.text, part.first && each.first),
    );
  });
}

/**
 * T5's tokenizer as `T5Tokenizer` of transformers runs it, which the official FLUX code calls: SentencePiece's own normalising
 * between the added tokens, an end token that is not doubled, and, with `legacy: false` in tokenizer_config.json, no blank
 * put before the text behind an added token. Null for a file that is not of that kind.
 */
export function createSentencePiecePipeline(json: JsonObject, config: JsonObject): Pipeline | null {
  const charsmap = findCharsmap(json['normalizer']);
  const { model: given } = json;
  if (!charsmap || !isObject(given) || !Array.isArray(given['vocab'])) return null;
  const tokens = addedTokens(json['added_tokens']);
  const contents = new Set(tokens.map(({ content }) => content));
  // SentencePiece finds no control token in a text: their pieces are replaced by what no text holds.
  const vocab = (given['vocab'] as readonly (readonly [string, number])[]).map(([piece, score], i) => [
    contents.has(piece) ? `\ud800${i}` : piece,
    score,
  ]);
  const model = createModel({ ...given, vocab }, undefined);
  const split = splitterFor(tokens);
  const normalize = config['legacy'] === false ? newNormalize(charsmap) : legacyNormalize(charsmap);
  return {
    ids: (text) =>
      idsOfParts(
        split(config['legacy'] === false && text !== '' ? BLANK + text.replaceAll(BLANK, ' ') : text),
        (part) => {
          const found = normalize(part);
          return found === '' ? [] : [{ text: found, first: false }];
        },
        (part) => model.ids([part]),
      ),
    specials: specialsOf(json['post_processor']),
    endOnce: true,
    idOf: idFinder(tokens, model),
  };
}

function legacyNormalize(charsmap: Charsmap): Normalize {
  return (text) => charsmap.byLongestMatch(text, { prefix: true, leading: false });
}

/** `_tokenize` puts the unknown token before a text that begins with a blank and takes it away again, so that the blank stays. */
function newNormalize(charsmap: Charsmap): Normalize {
  return (text) => charsmap.byLongestMatch(text, { prefix: false, leading: /^[ \u2581]/.test(text) });
}

function specialToken([content, id]: readonly [string, number]): AddedToken {
  return { id, content, normalized: false, wordAlone: false, lstrip: false, rstrip: false };
}

function idFinder(tokens: readonly AddedToken[], model: TokenModel): Pipeline['idOf'] {
  const added = new Map(tokens.map(({ content, id }) => [content, id]));
  return (token) => added.get(token) ?? model.idOf(token);
}

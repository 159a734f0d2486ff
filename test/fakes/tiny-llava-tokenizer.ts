// The text side of the tiny LLaVA: tokenizer.json in the form of Qwen2's (byte-level BPE, chat
// marks as added tokens).

import { ADDED_TOKENS, addedToken, tokenizerConfig } from '../../training/llava/folder.js';
import { clipTokenizerJson } from '../fixtures/tiny-tokenizers.js';

/** Every byte as the printable letter that byte-level tokenizers write for it; a blank is Ġ. */
function byteLetters(): string[] {
  const { vocab } = clipTokenizerJson()['model'] as { vocab: Record<string, number> };
  return Object.keys(vocab).slice(0, 256);
}

const MERGES = [
  'e s', 'Y es', 'y es', 'N o', 'n o', 'Ġ yes', 'Ġ Yes', 'Ġ no', 'Ġ No', 'a r', 't ar', 's tar', 'Ġ star', 'r e', 're d',
  'Ġ red', 'u s', 'e r', 'us er',
]; // prettier-ignore

/** The vocabulary in the order of the ids, added tokens last. */
const TOKENS: readonly string[] = [
  ...byteLetters(),
  ...MERGES.map((pair) => pair.replace(' ', '')),
  ...ADDED_TOKENS,
];

/** The id of a token of the tiny tokenizer. */
export function tinyTokenId(token: string): number {
  const id = TOKENS.indexOf(token);
  if (id < 0) throw new Error(`the tiny tokenizer has no token ${token}`);
  return id;
}

/** Rows of the embedding: a few more than there are tokens, as in the real one. */
export const TINY_VOCABULARY = TOKENS.length + 3;

const added = (content: string): object => ({ id: tinyTokenId(content), ...addedToken(content) });

const WORDS =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/** tokenizer.json. */
export function llavaTokenizerJson(): Record<string, unknown> {
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: ADDED_TOKENS.map(added),
    normalizer: { type: 'NFC' },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: WORDS }, behavior: 'Isolated', invert: false },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false },
      ],
    },
    post_processor: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false },
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      vocab: Object.fromEntries(TOKENS.slice(0, -ADDED_TOKENS.length).map((token, id) => [token, id])),
      merges: MERGES,
    },
  };
}

/** tokenizer_config.json. */
export const llavaTokenizerConfig = (): Record<string, unknown> => tokenizerConfig(tinyTokenId);

export { IMAGE_TEMPLATE, TEXT_TEMPLATE } from '../../training/llava/folder.js';

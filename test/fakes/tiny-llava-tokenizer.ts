// The text side of the tiny LLaVA: tokenizer.json and tokenizer_config.json in the form of Qwen2's (byte-level BPE, chat
// marks as added tokens), and the processor's chat template.

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

const ADDED = ['<|endoftext|>', '<|im_start|>', '<|im_end|>', '<image>', '<video>'];

/** The vocabulary in the order of the ids, added tokens last. */
const TOKENS: readonly string[] = [
  ...byteLetters(),
  ...MERGES.map((pair) => pair.replace(' ', '')),
  ...ADDED,
];

/** The id of a token of the tiny tokenizer. */
export function tinyTokenId(token: string): number {
  const id = TOKENS.indexOf(token);
  if (id < 0) throw new Error(`the tiny tokenizer has no token ${token}`);
  return id;
}

/** Rows of the embedding: a few more than there are tokens, as in the real one. */
export const TINY_VOCABULARY = TOKENS.length + 3;

const added = (content: string): object => ({
  id: tinyTokenId(content),
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
});

const WORDS =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/** tokenizer.json. */
export function llavaTokenizerJson(): Record<string, unknown> {
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: ADDED.map(added),
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
      vocab: Object.fromEntries(TOKENS.slice(0, -ADDED.length).map((token, id) => [token, id])),
      merges: MERGES,
    },
  };
}

/** Qwen2's template, which knows text only: the image stands in it as its token. */
export const TEXT_TEMPLATE =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

/** The processor's template, of messages in parts: the images of a message come before its texts. */
export const IMAGE_TEMPLATE =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + ' ' }}" +
  "{% for part in message['content'] | selectattr('type', 'equalto', 'image') %}{{ '<image>' }}{% endfor %}" +
  "{% for part in message['content'] | selectattr('type', 'equalto', 'text') %}{{ '\\n' + part['text'] }}{% endfor %}" +
  "{{ '<|im_end|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

/** tokenizer_config.json. */
export function llavaTokenizerConfig(): Record<string, unknown> {
  return {
    tokenizer_class: 'Qwen2Tokenizer',
    processor_class: 'LlavaOnevisionProcessor',
    added_tokens_decoder: Object.fromEntries(ADDED.map((token) => [tinyTokenId(token), added(token)])),
    add_prefix_space: false,
    bos_token: null,
    eos_token: '<|im_end|>',
    pad_token: '<|endoftext|>',
    unk_token: null,
    chat_template: TEXT_TEMPLATE,
    model_max_length: 4096,
  };
}

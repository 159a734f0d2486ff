// The official T5 that Infinity reads its prompts with, and which half of it an encoder needs.

import type { HubPart } from '../../hub/index.js';

/** What the names of the encoder's tensors begin with; a decoder's need not be there. */
export const T5_ENCODER_TENSORS = ['shared.', 'encoder.'] as const;

/** FLAN-T5-XL, 2048 channels wide: of its two shards the first one, with the encoder and part of the decoder. */
export const FLAN_T5_XL: HubPart = {
  repo: 'google/flan-t5-xl',
  files: [
    'config.json',
    'tokenizer.json',
    'tokenizer_config.json',
    ['model.safetensors.index.json', 'pytorch_model.bin.index.json'],
  ],
  tensors: T5_ENCODER_TENSORS,
  bytes: 9.45e9,
  licence: { name: 'Apache-2.0' },
};

/** Bytes of its encoder in float32: 24 layers of four 2048 x 2048 and three 2048 x 5120 matrices, and 32128 embeddings. */
export const FLAN_T5_XL_ENCODER_BYTES = 4 * (24 * (4 * 2048 * 2048 + 3 * 2048 * 5120) + 32128 * 2048);

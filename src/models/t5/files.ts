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

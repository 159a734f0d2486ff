// The official T5 that Infinity reads its prompts with, and which half of it an encoder needs.

import type { HubPart } from '../../hub/index.js';
import type { Matrices } from '../weight-bytes.js';

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

/** Sizes of an encoder's matrices; the inner width of its attention is that of its states. */
export interface T5Sizes {
  readonly layers: number;
  readonly width: number;
  readonly hidden: number;
}

export const FLAN_T5_XL_SIZES: T5Sizes = { layers: 24, width: 2048, hidden: 5120 };
export const T5_XXL_SIZES: T5Sizes = { layers: 24, width: 4096, hidden: 10_240 };

/** The matrices of an encoder: in every layer four of the attention, and three of the feed-forward. */
export function t5Matrices({ layers, width, hidden }: T5Sizes): Matrices {
  return {
    elements: layers * (4 * width * width + 3 * width * hidden),
    rows: layers * (4 * width + 2 * hidden + width),
  };
}

/** Bytes of FLAN-T5-XL's encoder in float32, with its 32128 embeddings. */
export const FLAN_T5_XL_ENCODER_BYTES = 4 * (t5Matrices(FLAN_T5_XL_SIZES).elements + 32_128 * 2048);

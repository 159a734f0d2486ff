// The configurations of a folder in the layout of llava-hf/llava-onevision-qwen2-0.5b-ov-hf; `id` gives a token's id.

import type { LlavaSizes } from './graphs.js';

type Ids = (content: string) => number;
type Json = Record<string, unknown>;

/** Marks of the chat, in the order of their ids. */
export const ADDED_TOKENS = ['<|endoftext|>', '<|im_start|>', '<|im_end|>', '<image>', '<video>'] as const;

/** An added token as the tokenizer's files have it. */
export const addedToken = (content: string): Json => ({
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
});

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

/** config.json. */
export function llavaConfig(sizes: LlavaSizes, id: Ids): Json {
  return {
    architectures: ['LlavaOnevisionForConditionalGeneration'],
    model_type: 'llava_onevision',
    image_grid_pinpoints: [[sizes.side, sizes.side]],
    image_token_index: id('<image>'),
    projector_hidden_act: 'gelu',
    text_config: {
      architectures: ['Qwen2ForCausalLM'],
      model_type: 'qwen2',
      hidden_size: sizes.width,
      num_attention_heads: sizes.heads,
      num_hidden_layers: sizes.layers,
      num_key_value_heads: sizes.keyHeads,
      vocab_size: sizes.vocabulary,
    },
    vision_config: {
      model_type: 'siglip_vision_model',
      hidden_size: sizes.visionWidth,
      image_size: sizes.side,
      patch_size: sizes.patch,
      vision_use_head: false,
    },
    vision_feature_layer: -1,
    vision_feature_select_strategy: 'full',
    video_token_index: id('<video>'),
  };
}

/** generation_config.json. */
export function generationConfig(id: Ids): Json {
  return { _from_model_config: true, eos_token_id: id('<|im_end|>') };
}

/** preprocessor_config.json. */
export function llavaPreprocessor(sizes: LlavaSizes): Json {
  return {
    do_convert_rgb: true,
    do_normalize: true,
    do_pad: true,
    do_rescale: true,
    do_resize: true,
    image_grid_pinpoints: [[sizes.side, sizes.side]],
    image_mean: [0.5, 0.5, 0.5],
    image_processor_type: 'LlavaOnevisionImageProcessor',
    image_std: [0.5, 0.5, 0.5],
    processor_class: 'LlavaOnevisionProcessor',
    resample: 3,
    rescale_factor: 0.00392156862745098,
    size: { height: sizes.side, width: sizes.side },
  };
}

/** processor_config.json. */
export function processorConfig(sizes: LlavaSizes): Json {
  return {
    num_image_tokens: Math.floor(sizes.side / sizes.patch) ** 2,
    processor_class: 'LlavaOnevisionProcessor',
    vision_feature_select_strategy: 'full',
  };
}

/** tokenizer_config.json. */
export function tokenizerConfig(id: Ids): Json {
  return {
    tokenizer_class: 'Qwen2Tokenizer',
    processor_class: 'LlavaOnevisionProcessor',
    added_tokens_decoder: Object.fromEntries(
      ADDED_TOKENS.map((content) => [id(content), { id: id(content), ...addedToken(content) }]),
    ),
    add_prefix_space: false,
    bos_token: null,
    eos_token: '<|im_end|>',
    pad_token: '<|endoftext|>',
    unk_token: null,
    chat_template: TEXT_TEMPLATE,
    model_max_length: 4096,
  };
}

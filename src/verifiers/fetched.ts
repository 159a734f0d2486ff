// The official weights that verifiers read: which files, where they come from, and where they are: in the cache of the Hub, or in
// a folder below modelsFolder() that the user has filled.

import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { modelsFolder } from '../core/assets.js';
import { findPart, type HubPart, type HubSet, lookIn, type WebFile, webPath } from '../hub/index.js';

/** Files of the Hub, and the folder below modelsFolder() that they may be in as well. */
export interface Fetched {
  readonly folder: string;
  readonly part: HubPart;
}

const CLIP_FILES = {
  files: [['model.safetensors', 'pytorch_model.bin'], 'config.json', 'tokenizer.json'],
  optional: ['tokenizer_config.json'],
  licence: { name: 'MIT' },
} as const;

/** OpenAI's CLIP ViT-L/14. */
export const CLIP_L14: Fetched = {
  folder: 'clip-vit-large-patch14',
  part: { ...CLIP_FILES, repo: 'openai/clip-vit-large-patch14', bytes: 1.71e9 },
};

/** OpenAI's CLIP ViT-B/32. */
export const CLIP_B32: Fetched = {
  folder: 'clip-vit-base-patch32',
  part: { ...CLIP_FILES, repo: 'openai/clip-vit-base-patch32', bytes: 0.61e9 },
};

/** LAION's aesthetic head for CLIP ViT-L/14, which its author keeps on GitHub. */
export const AESTHETIC_HEAD: WebFile = {
  url: 'https://github.com/christophschuhmann/improved-aesthetic-predictor/raw/main/sac%2Blogos%2Bava1-l14-linearMSE.pth',
  folder: 'aesthetic',
  file: 'sac+logos+ava1-l14-linearMSE.pth',
  licence: { name: 'Apache-2.0' },
};

/** ImageReward-v1.0 without its tokenizer. */
export const IMAGE_REWARD: Fetched = {
  folder: 'image-reward',
  part: {
    repo: 'THUDM/ImageReward',
    files: ['ImageReward.pt', 'med_config.json'],
    bytes: 1.79e9,
    licence: { name: 'Apache-2.0' },
  },
};

/** The tokenizer that belongs to ImageReward; in a folder of the user's it lies beside it. */
export const BERT_TOKENIZER: Fetched = {
  folder: 'image-reward',
  part: {
    repo: 'google-bert/bert-base-uncased',
    files: ['tokenizer.json'],
    optional: ['tokenizer_config.json'],
    bytes: 0.5e6,
    licence: { name: 'Apache-2.0' },
  },
};

/** LLaVA-OneVision (Qwen2 0.5B) for Transformers.js, its language model in 4 bits: the whole repository is 10 GB and more. */
export const LLAVA: Fetched = {
  folder: 'llava-onevision-qwen2-0.5b-ov-hf',
  part: {
    repo: 'llava-hf/llava-onevision-qwen2-0.5b-ov-hf',
    files: [
      'config.json',
      'preprocessor_config.json',
      'tokenizer_config.json',
      'tokenizer.json',
      'onnx/embed_tokens.onnx',
      'onnx/vision_encoder.onnx',
      'onnx/decoder_model_merged_q4.onnx',
    ],
    optional: [
      'chat_template.json',
      'chat_template.jinja',
      'generation_config.json',
      'processor_config.json',
      'onnx/embed_tokens.onnx_data',
      'onnx/vision_encoder.onnx_data',
      'onnx/decoder_model_merged_q4.onnx_data',
    ],
    bytes: 2.5e9,
    licence: { name: 'Apache-2.0' },
  },
};

/** The folder of some files: the user's own where it is whole, else the cache's, and the user's where neither is. */
export function fetchedPath({ folder, part }: Fetched): string {
  const own = join(modelsFolder(), folder);
  if (lookIn(own, part).missing.length === 0) return own;
  const cached = findPart(part);
  return cached?.missing.length === 0 ? cached.folder : own;
}

/** What a verifier's entry says of its files: what `varsearch pull` fetches, and whether all is there. */
export function fetchable(
  name: string,
  parts: readonly Fetched[],
  web: readonly WebFile[] = [],
): { readonly hub: HubSet; readonly installed: () => true | string } {
  const lacks = (): string[] => [
    ...parts.flatMap((each) => {
      const path = fetchedPath(each);
      const { missing } = lookIn(path, each.part);
      return missing.length === 0
        ? []
        : [`${path} lacks ${missing.join(', ')} of ${each.part.repo} (Hugging Face)`];
    }),
    ...web
      .filter((file) => !existsSync(webPath(file)))
      .map((file) => `${join(modelsFolder(), file.folder)} lacks ${file.file} of ${file.url}`),
  ];
  return {
    hub: { parts: parts.map(({ part }) => part), web },
    installed: () => {
      const all = lacks();
      return (
        all.length === 0 || `files are missing: ${all.join('; ')}; 'varsearch pull ${name}' fetches them`
      );
    },
  };
}

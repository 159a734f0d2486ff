// The official weights that verifiers read: which files, in which folder below modelsFolder(), and where they come from.

import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { modelsFolder } from '../core/assets.js';

/** A folder of files that the user fetches, and where from. */
export interface Fetched {
  readonly folder: string;
  /** The files that have to be there, all of one source; in a list of names, one of them. */
  readonly files: readonly (string | readonly string[])[];
  readonly source: string;
}

const CLIP_FILES = [['model.safetensors', 'pytorch_model.bin'], 'config.json', 'tokenizer.json'] as const;

/** OpenAI's CLIP ViT-L/14. */
export const CLIP_L14: Fetched = {
  folder: 'clip-vit-large-patch14',
  files: CLIP_FILES,
  source: 'openai/clip-vit-large-patch14 (Hugging Face)',
};

/** OpenAI's CLIP ViT-B/32. */
export const CLIP_B32: Fetched = {
  folder: 'clip-vit-base-patch32',
  files: CLIP_FILES,
  source: 'openai/clip-vit-base-patch32 (Hugging Face)',
};

/** The file of LAION's aesthetic head. */
export const AESTHETIC_HEAD = 'sac+logos+ava1-l14-linearMSE.pth';

/** LAION's aesthetic head for CLIP ViT-L/14. */
export const AESTHETIC: Fetched = {
  folder: 'aesthetic',
  files: [AESTHETIC_HEAD],
  source: 'christophschuhmann/improved-aesthetic-predictor (GitHub)',
};

/** ImageReward-v1.0 without its tokenizer. */
export const IMAGE_REWARD: Fetched = {
  folder: 'image-reward',
  files: ['ImageReward.pt', 'med_config.json'],
  source: 'THUDM/ImageReward (Hugging Face)',
};

/** The tokenizer that belongs beside ImageReward. */
export const BERT_TOKENIZER: Fetched = {
  folder: 'image-reward',
  files: ['tokenizer.json'],
  source: 'google-bert/bert-base-uncased (Hugging Face)',
};

/** The path of a fetched folder, or of something in it. */
export function fetchedPath({ folder }: Fetched, ...parts: string[]): string {
  return join(modelsFolder(), folder, ...parts);
}

/** True when all files are there, or which are missing and where they come from. */
export function isFetched(...parts: readonly Fetched[]): true | string {
  const missing = parts.flatMap((part) => {
    const files = part.files
      .map((file) => (typeof file === 'string' ? [file] : file))
      .filter((names) => !names.some((name) => existsSync(fetchedPath(part, name))))
      .map((names) => names.join(' or '));
    return files.length === 0 ? [] : [`${fetchedPath(part)} lacks ${files.join(', ')} of ${part.source}`];
  });
  return missing.length === 0 || `files are missing: ${missing.join('; ')}`;
}

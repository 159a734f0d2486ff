// The hashes of a text encoder: what settles the states of a prompt is its weights, its configuration and its tokenizer.

import { join } from 'node:path';

import { checkpointHashes, type FileHashes, presentHashes } from '../core/hash.js';
import { tokenizerFiles } from './tokenizer.js';

/** Where a text encoder's files are. */
export interface TextEncoderFiles {
  /** The file of the weights that was opened. */
  readonly weights: string;
  /** The folder with its config.json. */
  readonly folder: string;
  /** The folder with its tokenizer.json. @default `folder` */
  readonly tokenizer?: string;
}

/** Hashes under `name` and as name/file; of shards those that hold tensors whose names begin as one of `tensors` does. */
export async function textEncoderHashes(
  name: string,
  { weights, folder, tokenizer: tokenizerFolder = folder }: TextEncoderFiles,
  tensors?: readonly string[],
): Promise<FileHashes> {
  const { tokenizer, tokenizerConfig } = tokenizerFiles(tokenizerFolder);
  return {
    ...(await checkpointHashes(name, weights, tensors)),
    ...(await presentHashes({
      [`${name}/config`]: join(folder, 'config.json'),
      [`${name}/tokenizer`]: tokenizer,
      [`${name}/tokenizerConfig`]: tokenizerConfig,
    })),
  };
}

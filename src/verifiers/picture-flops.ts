// What judging one picture costs, known without loading the judge: from the configurations of what is embedded, and the published
// sizes of the official models.

import { join } from 'node:path';

import { readOptionalJsonFile } from '../core/json-file.js';
import { imageRewardFlops, type ImageRewardSizes } from '../models/blip/cost.js';
import { imageRewardConfigIn } from '../models/blip/image-reward.js';
import { huggingFaceConfig } from '../models/clip/config.js';
import { clipPictureFlops, type VisionSizes } from '../models/clip/cost.js';

/** Operations of a picture; null where nobody knows them, undefined where loading tells. */
export type PictureFlops = () => number | null | undefined;

const VIT_L14: VisionSizes = { width: 1024, layers: 24, hidden: 4096, imageSize: 224, patchSize: 14 };
const VIT_B32: VisionSizes = { width: 768, layers: 12, hidden: 3072, imageSize: 224, patchSize: 32 };

/** BLIP's large image tower and BERT's base, as ImageReward.py puts them together. */
const IMAGE_REWARD_V1: ImageRewardSizes = {
  vision: { width: 1024, layers: 24, hidden: 4096, imageSize: 224, patchSize: 16 },
  text: { width: 768, layers: 12, hidden: 3072, imageWidth: 1024 },
  maxLength: 35,
};

/** Of the official models. */
export const OFFICIAL_FLOPS = {
  clipL14: () => clipPictureFlops(VIT_L14, 768),
  clipB32: () => clipPictureFlops(VIT_B32, 512),
  imageReward: () => imageRewardFlops(IMAGE_REWARD_V1),
} as const;

/** Of the CLIP in a folder of the Hugging Face layout, by its config.json. */
export const clipFlopsIn =
  (folder: string): PictureFlops =>
  () => {
    const file = join(folder, 'config.json');
    const json = readOptionalJsonFile(file);
    if (!json) return undefined;
    const { vision, embedding } = huggingFaceConfig(file, json, { vision: true, text: false });
    return vision ? clipPictureFlops(vision, embedding) : undefined;
  };

/** Of the ImageReward in a folder, by its configurations and the shapes of its weights. */
export const imageRewardFlopsIn =
  (folder: string): PictureFlops =>
  () =>
    imageRewardFlops(imageRewardConfigIn(folder));

// What an ImageReward costs for each picture, from its sizes alone.

import { blockFlops, type VisionSizes } from '../clip/cost.js';
import type { BlipTextConfig } from './config.js';

/** What of an ImageReward decides its cost. */
export interface ImageRewardSizes {
  readonly vision: VisionSizes;
  readonly text: Pick<BlipTextConfig, 'width' | 'layers' | 'hidden' | 'imageWidth'>;
  /** Tokens that prompts are padded to and cut at. */
  readonly maxLength: number;
}

/**
 * Operations of one picture: the image tower, and the prompt's tokens looking at it. What the prompt alone decides is computed once
 * for all pictures and not counted; of the last layer only the first token is computed.
 */
export function imageRewardFlops({ vision, text, maxLength }: ImageRewardSizes): number {
  const patches = (vision.imageSize / vision.patchSize) ** 2;
  const tokens = patches + 1;
  const tower =
    2 * patches * 3 * vision.patchSize ** 2 * vision.width + vision.layers * blockFlops(vision, tokens);
  const { width, hidden, layers, imageWidth } = text;
  let fusion = 0;
  for (let layer = 0; layer < layers; layer++) {
    const queries = layer === layers - 1 ? 1 : maxLength;
    const self = 2 * maxLength * width ** 2 + 2 * queries * width ** 2 + 2 * queries * maxLength * width;
    const cross = 2 * tokens * imageWidth * width + 2 * queries * width ** 2 + 2 * queries * tokens * width;
    fusion += 2 * ((layer > 0 ? self : 0) + cross + 2 * queries * width * hidden);
  }
  return tower + fusion;
}

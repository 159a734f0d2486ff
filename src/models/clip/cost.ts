// What a CLIP's image tower costs, from its sizes alone.

import type { VisionConfig } from './config.js';

/** What of an image tower decides its cost. */
export type VisionSizes = Pick<VisionConfig, 'width' | 'layers' | 'hidden' | 'imageSize' | 'patchSize'>;

/** The sizes of a ViT's blocks. */
export interface BlockSizes {
  readonly width: number;
  /** Width of the feed-forward layers. */
  readonly hidden: number;
}

/** Operations of a block of a ViT: `queries` of its `tokens` are computed (two per multiplication, attention included). */
export function blockFlops({ width, hidden }: BlockSizes, tokens: number, queries = tokens): number {
  const linear = 2 * tokens * width ** 2 + 2 * queries * width ** 2 + 2 * queries * width * hidden;
  return 2 * (linear + 2 * queries * tokens * width);
}

/** Operations of one picture's embedding: of the last block only the class token is computed. */
export function clipPictureFlops(config: VisionSizes, embedding: number): number {
  const { width, layers, imageSize, patchSize } = config;
  const patches = Math.floor(imageSize / patchSize) ** 2;
  const tokens = patches + 1;
  const blocks = (layers - 1) * blockFlops(config, tokens) + blockFlops(config, tokens, 1);
  return 2 * patches * 3 * patchSize ** 2 * width + blocks + 2 * width * embedding;
}

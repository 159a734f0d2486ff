import { expect, it } from 'vitest';

import { matrixFlops, type Rows } from '../../../test/fixtures/matrix-flops.js';
import { TINY_IMAGE_REWARD, tinyImageRewardTensors } from '../../../test/fixtures/tiny-image-reward.js';
import { imageRewardFlops } from './cost.js';

it('ImageReward counts the image tower and what every picture needs of the text encoder', () => {
  const maxLength = 7;
  const { side: imageSize, patch: patchSize, ...tower } = TINY_IMAGE_REWARD.vision;
  const vision = { ...tower, imageSize, patchSize, heads: 1, eps: 1e-6 };
  const text = { ...TINY_IMAGE_REWARD.text, heads: 2, eps: 1e-12, imageWidth: vision.width };
  const tokens = (imageSize / patchSize) ** 2 + 1;
  const rows: Rows = (name) => {
    if (name.includes('patch_embed.proj')) return tokens - 1;
    if (/visual_encoder\.blocks\.\d+\.(attn|mlp)/.test(name)) return tokens;
    const layer = Number(/text_encoder\.encoder\.layer\.(\d+)\./.exec(name)?.[1] ?? NaN);
    if (Number.isNaN(layer)) return 0;
    const queries = layer === text.layers - 1 ? 1 : maxLength;
    if (/crossattention\.self\.(key|value)/.test(name)) return tokens;
    if (name.includes('.attention.')) return layer === 0 ? 0 : /key|value/.test(name) ? maxLength : queries;
    return queries;
  };
  let attention = 4 * vision.width * vision.layers * tokens ** 2;
  for (let layer = 0; layer < text.layers; layer++) {
    const queries = layer === text.layers - 1 ? 1 : maxLength;
    attention += 4 * text.width * queries * (tokens + (layer > 0 ? maxLength : 0));
  }
  const config = { vision, text, maxLength, mean: 0, deviation: 1 };
  expect(imageRewardFlops(config)).toBe(matrixFlops(tinyImageRewardTensors(), rows) + attention);
});
